"""Kernels: each turns a group of fused nodes into one function of generated code."""
