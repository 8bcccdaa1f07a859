"""numpy.fft, whose functions work on nodes by NumPy's own protocols."""

from __future__ import annotations

from typing import Any

import numpy.fft as _original


def __getattr__(name: str) -> Any:
    return getattr(_original, name)


def __dir__() -> list[str]:
    return dir(_original)
