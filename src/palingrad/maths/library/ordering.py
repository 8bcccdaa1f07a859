"""Sorting, searching, and what is made of sorted elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...classes import Protocol
from ...dtypes import Array, is_floating

_BLOCK = 1 << 14  # numbers
INDEX_BITS = 29
INDEX = (1 << INDEX_BITS) - 1
NUMBER = (1 << 63) - 1 & ~INDEX  # the other bits but the sign


class OrderingMaths(Protocol):
    """Sorting, searching, and what is made of sorted elements."""

    def sorted_along(self, x: Any, axis: Any, descending: Any = False) -> Any:
        """The elements in ascending order along an axis, NaN last; in the reverse order with
        `descending`, NaN first."""

    def order_along(self, x: Any, axis: Any, descending: Any = False, count: Any = None) -> Any:
        """The int64 indices that sort x along an axis, or the first `count` of them; equal
        elements, 0.0 and −0.0 among them, keep their order. NaN comes last, with `descending`
        first."""

    def lexsorted(self, *keys: Any, axis: Any) -> Any:
        """The int64 indices that sort by the last key, equal elements by the one before, …."""

    def nanargmax(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The index of the first largest element that isn't NaN; ValueError if all are."""

    def nanargmin(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The index of the first smallest element that isn't NaN; ValueError if all are."""


def sorted_along(x: Any, axis: int, descending: bool = False) -> Array:
    """The elements in order along an axis."""
    ordered = np.sort(x, axis=axis)
    return np.flip(ordered, axis) if descending else ordered


def order_along(x: Any, axis: int, descending: bool = False, count: int | None = None) -> Array:
    """The indices that sort x along an axis; equal elements keep their order.

    NumPy sorts numbers several times as fast as it sorts stably. So numbers of up to 32 bits are
    sorted as integers of 64, whose lower bits are the index; others are sorted as they come, and
    then the indices within each run of equal numbers.
    """
    is_last = axis in (-1, x.ndim - 1)
    x = np.ascontiguousarray(x if is_last else np.moveaxis(x, axis, -1))
    length = x.shape[-1]
    if x.dtype.itemsize <= 4 and length <= 1 << INDEX_BITS:
        order = _with_indices(x, descending)
        if count is not None and 0 < count < length:
            order = np.partition(order, count - 1, axis=-1)[..., :count]
        order.sort(axis=-1)
        order &= INDEX
    else:
        order = _stable_order(np.flip(x, -1) if descending else x)
        order = length - 1 - np.flip(order, -1) if descending else order
    order = order if count is None else order[..., :count]
    return order if is_last else np.moveaxis(order, -1, axis)


def _with_indices(x: Array, descending: bool) -> Array:
    """Numbers of up to 32 bits as int64 in the same order, or the reverse one, with their indices
    along the last axis in the lower bits. In blocks, whose temporary arrays stay in the cache."""
    length = x.shape[-1]
    if x.size <= _BLOCK:
        key = _as_integers(x, descending)
        key |= np.arange(length)
        return key
    joined = np.empty(x.shape, np.int64)
    columns = min(length, _BLOCK)
    rows = _BLOCK // columns
    indices = np.arange(columns)
    given, made = x.reshape(-1, length), joined.reshape(-1, length)
    for row in range(0, len(given), rows):
        for first in range(0, length, _BLOCK):
            block = slice(row, row + rows), slice(first, first + columns)
            key = _as_integers(given[block], descending)
            index = indices[: key.shape[1]] + first if first else indices
            np.bitwise_or(key, index, out=made[block])
    return joined


def _as_integers(x: Array, descending: bool) -> Array:
    """Numbers of up to 32 bits as int64 in the same order, or the reverse one, whose lower bits are
    0; NaN is the largest number."""
    if is_floating(x.dtype):
        key = _of_floats(x)
    else:
        key = x.astype(np.int64)
        key <<= INDEX_BITS
    if descending:
        key ^= ~INDEX
    return key


def _of_floats(x: Array) -> Array:
    wide = x.astype(np.float64)  # 29 bits more of the mantissa, which are 0
    wide += 0.0  # without −0.0
    key = wide.view(np.int64)
    missing = np.isnan(x)
    if np.logical_or.reduce(missing, axis=None):
        key[missing] = NUMBER
    flipped = key >> 63  # of negative numbers the bits but the sign are inverted
    flipped &= NUMBER
    key ^= flipped
    return key


def _stable_order(x: Array) -> Array:
    """The order of x along the last axis, in which equal elements keep theirs."""
    order = np.argsort(x, axis=-1)
    ordered = x.take(order) if x.ndim == 1 else np.take_along_axis(x, order, -1)
    later, earlier = ordered[..., 1:], ordered[..., :-1]
    differs = later != earlier
    if is_floating(x.dtype):
        differs &= ~np.isnan(earlier)
    if differs.all():
        return order
    runs = np.zeros_like(order)
    np.cumsum(differs, axis=-1, out=runs[..., 1:])
    key = runs * x.shape[-1] + order
    key.sort(axis=-1)
    return key % max(x.shape[-1], 1)


def lexsorted(*keys: Any, axis: int) -> Array:
    """The indices that sort by the last key, equal elements by the one before, …."""
    return np.lexsort(keys, axis=axis)


OWN: dict[str, Callable[..., Any]] = {  # those that NumPy lacks or that are to be more exact
    "sorted_along": sorted_along, "order_along": order_along, "lexsorted": lexsorted,
}  # fmt: skip
