"""MatrixSlow's `dist`: parameter servers and ring all-reduce, which are refused when they are used."""

from .ps import ps

__all__ = ["ps"]
