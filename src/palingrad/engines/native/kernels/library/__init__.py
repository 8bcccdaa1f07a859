"""Kernels that call functions of NumPy and SciPy: sorting, and LAPACK for small matrices."""
