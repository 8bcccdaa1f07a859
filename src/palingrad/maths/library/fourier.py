"""Discrete Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...classes import Protocol
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


def with_element(x: Any, n: Any, axis: Any) -> Array:
    """x with a zero along an axis without elements, which NumPy doesn't continue with zeros."""
    if n is None or x.shape[axis]:
        return x
    place = axis % x.ndim
    return np.zeros((*x.shape[:place], 1, *x.shape[place + 1 :]), x.dtype)


def fft(x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Array:
    """The transform."""
    return np.fft.fft(with_element(x, n, axis), n, axis, norm)


def ifft(x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Array:
    """The inverse transform."""
    return np.fft.ifft(with_element(x, n, axis), n, axis, norm)


def rfft(x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Array:
    """The first half of the transform of real x."""
    return np.fft.rfft(with_element(x, n, axis), n, axis, norm)


def irfft(x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Array:
    """The real numbers whose transform has x as its first half."""
    return np.fft.irfft(with_element(x, n, axis), n, axis, norm)


OWN: dict[str, Callable[..., Any]] = {"fft": fft, "ifft": ifft, "rfft": rfft, "irfft": irfft}
