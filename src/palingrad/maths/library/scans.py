"""Running sums and products, and their like, along one axis.

Floats are accumulated in the next wider dtype and rounded once: a running sum of n float32 numbers
by float32 additions would have an error of up to n roundings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...classes import Protocol
from ...dtypes import Array, DType, complex64, complex128, float16, float32, float64

_LOOP = 64  # the longest axis that is always walked slice by slice


def wider(dtype: DType) -> DType:
    """The dtype in which running totals of floats are accumulated."""
    if dtype == float16:
        return float32
    if dtype == complex64:
        return complex128
    return float64 if dtype == float32 else dtype


class ScanMaths(Protocol):
    """Running sums and products, and their like: totals from the start, or with `reverse` from the
    end, up to and including each element."""

    def running_sum(self, x: Any, axis: Any, reverse: Any = False) -> Any:
        """Σⱼ≤ᵢ xⱼ. Booleans and small integers give 64-bit integers, which wrap around."""

    def running_prod(self, x: Any, axis: Any, reverse: Any = False) -> Any:
        """Πⱼ≤ᵢ xⱼ. Booleans and small integers give 64-bit integers, which wrap around."""

    def running_max(self, x: Any, axis: Any, reverse: Any = False) -> Any:
        """max xⱼ, j ≤ i; NaN from the first NaN on."""

    def running_min(self, x: Any, axis: Any, reverse: Any = False) -> Any:
        """min xⱼ, j ≤ i; NaN from the first NaN on."""

    def running_recurrence(
        self, a: Any, b: Any, axis: Any, reverse: Any = False, absorbing: Any = False
    ) -> Any:
        """yᵢ = aᵢ·yᵢ₋₁ + bᵢ, y₀ = b₀. With `absorbing`, aᵢ·yᵢ₋₁ is 0 where yᵢ₋₁ is, for any aᵢ."""

    def run_totals(self, keys: Any, x: Any, axis: Any, reverse: Any = False) -> Any:
        """Σ xⱼ over those j ≤ i in the run of equal keys that ends at i. NaN equals no key."""


def running_sum(x: Any, axis: int, reverse: bool = False) -> Array:
    """Σⱼ≤ᵢ xⱼ."""
    return _accumulated(np.add, x, axis, reverse)


def running_prod(x: Any, axis: int, reverse: bool = False) -> Array:
    """Πⱼ≤ᵢ xⱼ."""
    return _accumulated(np.multiply, x, axis, reverse)


def running_max(x: Any, axis: int, reverse: bool = False) -> Array:
    """max xⱼ, j ≤ i."""
    return _flipped(np.maximum.accumulate(_flipped(x, axis, reverse), axis=axis), axis, reverse)


def running_min(x: Any, axis: int, reverse: bool = False) -> Array:
    """min xⱼ, j ≤ i."""
    return _flipped(np.minimum.accumulate(_flipped(x, axis, reverse), axis=axis), axis, reverse)


def _accumulated(ufunc: Any, x: Any, axis: int, reverse: bool) -> Array:
    """The running totals of a ufunc of two numbers, rounded once."""
    x = np.asarray(x)
    wide = _flipped(x.astype(wider(x.dtype), copy=False), axis, reverse)
    total = _flipped(ufunc.accumulate(wide, axis=axis), axis, reverse)
    return total if wider(x.dtype) == x.dtype else total.astype(x.dtype)


def _flipped(x: Array, axis: int, reverse: bool) -> Array:
    return np.flip(x, axis) if reverse else x


def running_recurrence(
    a: Any, b: Any, axis: int, reverse: bool = False, absorbing: bool = False
) -> Array:
    """yᵢ = aᵢ·yᵢ₋₁ + bᵢ along an axis, with y before the first element 0.

    Slice by slice; a long axis in blocks of √n elements, first within all blocks at once, then from
    block to block, so that Python's loops take 2√n steps.
    """
    a, b = np.broadcast_arrays(a, b)
    dtype = b.dtype
    wide = wider(dtype)
    a, b = (np.moveaxis(_flipped(x, axis, reverse), axis, 0).astype(wide) for x in (a, b))
    y = None
    if len(b) > max(_LOOP, b.size // max(len(b), 1)):
        y = _in_blocks(a, b, absorbing)
    if y is None:
        y = _in_order(a, b, absorbing)
    return _flipped(np.moveaxis(y, 0, axis), axis, reverse).astype(dtype)


def run_totals(keys: Any, x: Any, axis: int, reverse: bool = False) -> Array:
    """Σ xⱼ over those j ≤ i in the run of equal keys that ends at i."""
    keys, x = np.broadcast_arrays(keys, x)
    wide = wider(x.dtype)
    keys, y = (np.moveaxis(_flipped(one, axis, reverse), axis, 0) for one in (keys, x))
    y = y.astype(wide)
    same = np.zeros(y.shape, bool)
    same[1:] = keys[1:] == keys[:-1]
    total = running_recurrence(same.astype(wide), y, 0)
    if not np.isfinite(total).all():  # 0 · ∞ would get into the next run
        total = y
        for place in range(1, len(total)):
            total[place] += np.where(same[place], total[place - 1], 0)
    return _flipped(np.moveaxis(total, 0, axis), axis, reverse).astype(x.dtype)


def _in_blocks(a: Array, b: Array, absorbing: bool) -> Array | None:
    """The recurrence along the first axis, in blocks; None where products of factors overflow, so
    that a total of 0 times them isn't 0."""
    length = len(b)
    size = int(np.sqrt(length))
    count = -(-length // size)
    a, b = (_in_columns(x, size, count) for x in (a, b))  # (size, count, ...)
    factors = np.multiply.accumulate(a, axis=0)
    if not np.isfinite(factors).all():
        return None
    inner = _in_order(a, b, absorbing)
    ends = _in_order(factors[-1], inner[-1], absorbing)
    inner[:, 1:] += _product(factors[:, 1:], ends[None, :-1], absorbing)
    return np.swapaxes(inner, 0, 1).reshape(count * size, *b.shape[2:])[:length]


def _in_columns(x: Array, size: int, count: int) -> Array:
    """x, filled up with zeros, in `count` columns of `size` elements one after another."""
    padded = np.zeros((count * size, *x.shape[1:]), x.dtype)
    padded[: len(x)] = x
    return np.swapaxes(padded.reshape(count, size, *x.shape[1:]), 0, 1)


def _in_order(a: Array, b: Array, absorbing: bool) -> Array:
    y = np.array(b)
    for place in range(1, len(y)):
        y[place] += _product(a[place], y[place - 1], absorbing)
    return y


def _product(a: Array, y: Array, absorbing: bool) -> Array:
    product = a * y
    return np.where((y == 0) & np.isnan(product), 0, product) if absorbing else product


OWN: dict[str, Callable[..., Any]] = {  # those that NumPy lacks or that are to be more exact
    "running_sum": running_sum,
    "running_prod": running_prod,
    "running_max": running_max,
    "running_min": running_min,
    "running_recurrence": running_recurrence,
    "run_totals": run_totals,
}
