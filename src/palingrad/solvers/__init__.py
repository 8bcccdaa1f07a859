"""Solvers: minimisation, least squares, equations and differential equations, around SciPy's."""
