"""Complex numbers, their parts and bits of floats, elementwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...classes import Protocol
from ...dtypes import Array, complex_of as complex_dtype


class ComplexMaths(Protocol):
    """Complex numbers, their parts and bits of floats, elementwise."""

    def real(self, x: Any) -> Any:
        """The real part; x itself if it is real."""

    def imag(self, x: Any) -> Any:
        """The imaginary part; 0 if x is real."""

    def conjugate(self, x: Any) -> Any:
        """The complex conjugate; x itself if it is real."""

    def angle(self, x: Any) -> Any:
        """The angle in the complex plane, in [−π, π]; of floats 0 or π, by the sign."""

    def complex_of(self, x: Any, y: Any) -> Any:
        """x + iy for floats x and y; infinite and NaN parts stay what they are."""


def complex_of(x: Any, y: Any) -> Array:
    """The complex numbers with these real and imaginary parts."""
    x, y = np.asarray(x), np.asarray(y)
    result = np.empty(np.broadcast_shapes(x.shape, y.shape), complex_dtype(np.result_type(x, y)))
    result.real, result.imag = x, y
    return result


def angle(x: Any) -> Any:
    """The angle of complex numbers; of real ones 0 or π, by the sign, and NaN of NaN."""
    x = np.asarray(x)
    return np.arctan2(x.imag, x.real)


# Those that NumPy lacks or that are to be more exact.
OWN: dict[str, Callable[..., Any]] = {"angle": angle, "complex_of": complex_of}
