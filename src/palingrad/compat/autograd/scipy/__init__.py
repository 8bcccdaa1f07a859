"""SciPy's functions of nodes."""

from . import linalg, signal, special

__all__ = ["linalg", "signal", "special"]
