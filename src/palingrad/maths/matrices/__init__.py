"""Factorisations of matrices, and solutions of linear systems, computed by SciPy's LAPACK."""
