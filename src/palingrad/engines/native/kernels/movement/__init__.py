"""Kernels that move values: copies, concatenation, adjoints of slices, gather and scatter."""
