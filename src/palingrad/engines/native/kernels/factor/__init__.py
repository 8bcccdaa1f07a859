"""Kernels that factor large matrices and solve with the factors, in packed panels of columns."""
