"""numpy.fft, whose functions work on nodes by NumPy's own protocols."""

from __future__ import annotations

import numpy.fft as _original

from .wrapping import wrapping as _wrapping

__getattr__ = _wrapping(_original, globals())


def __dir__() -> list[str]:
    return dir(_original)
