"""Arrays as the homes hold them: of 64 bits, as NumPy makes them of Python's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import is_inexact


def floating(value: Any) -> Any:
    """An array of floats or complex numbers: integers and booleans as float64, as NumPy's functions
    convert them."""
    array = np.asarray(value)
    return array if is_inexact(array.dtype) else array.astype(np.float64)
