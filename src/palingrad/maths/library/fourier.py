"""Discrete Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from ...dtypes import Array


class FourierMaths(Protocol):
    """Discrete Fourier transforms: x is cut off or continued with zeros to n along an axis.

    norm 'backward' divides the inverse by n, 'forward' the transform, 'ortho' both by √n.
    """

    def fft(self, x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
        """Σⱼ xⱼ·e^(−2πi·jk/n)."""

    def ifft(self, x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
        """Σⱼ xⱼ·e^(2πi·jk/n)/n."""

    def rfft(self, x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
        """The first n//2 + 1 elements of the transform of real x."""

    def irfft(self, x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
        """The real inverse of `rfft`; n is 2·(size − 1) by default."""


def _transform(name: str) -> Callable[..., Any]:
    def transform(x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Array:
        if n is not None and not x.shape[axis]:  # NumPy's irfft leaves the result as it was found
            x = np.zeros((*x.shape[: axis % x.ndim], 1, *x.shape[axis % x.ndim + 1 :]), x.dtype)
        return getattr(np.fft, name)(x, n, axis, norm)  # imported by NumPy at the first use

    return transform


OWN: dict[str, Callable[..., Any]] = {
    name: _transform(name) for name in ("fft", "ifft", "rfft", "irfft")
}
