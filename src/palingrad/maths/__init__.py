"""`m`, the maths namespace that formulas are written with: `protocol.py` says what is in it."""

from .numpy import erf, erfc, numpy_maths
from .protocol import ARRAYS, ELEMENTWISE, Maths

__all__ = ["ARRAYS", "ELEMENTWISE", "Maths", "erf", "erfc", "numpy_maths"]
