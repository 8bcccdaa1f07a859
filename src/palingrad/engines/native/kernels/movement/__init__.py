"""Kernels that move values: copies, concatenation, slices and rows put back or taken."""
