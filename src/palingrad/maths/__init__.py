"""`m`, the maths namespace in which formulas are written; `protocol.py` declares its functions."""

from .numpy import erf, erfc, numpy_maths
from .protocol import ARRAYS, ELEMENTWISE, LIBRARY, Maths

__all__ = ["ARRAYS", "ELEMENTWISE", "LIBRARY", "Maths", "erf", "erfc", "numpy_maths"]
