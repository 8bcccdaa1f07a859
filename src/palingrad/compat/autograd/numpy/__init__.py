"""NumPy's functions, which work on nodes by NumPy's own protocols, and those of autograd's own."""

from __future__ import annotations

import numpy as _np

from . import fft, linalg, random
from .functions import array, asarray, c_, dot, make_diagonal, r_, real_if_close, where
from .wrapping import wrapping as _wrapping

__all__ = [
    "array",
    "asarray",
    "c_",
    "dot",
    "fft",
    "linalg",
    "make_diagonal",
    "r_",
    "random",
    "real_if_close",
    "where",
]

__getattr__ = _wrapping(_np, globals())


def __dir__() -> list[str]:
    return sorted({*dir(_np), *globals()})
