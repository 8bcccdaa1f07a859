"""Sorting, searching, and what is made of sorted elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from ...dtypes import Array, float16, float32, is_floating


class OrderingMaths(Protocol):
    """Sorting, searching, and what is made of sorted elements."""

    def sorted_along(self, x: Any, axis: Any, descending: Any = False) -> Any:
        """The elements in ascending order along an axis, NaN last; in the reverse order with
        `descending`, NaN first."""

    def order_along(self, x: Any, axis: Any, descending: Any = False, count: Any = None) -> Any:
        """The int64 indices that sort x along an axis, or the first `count` of them; equal
        elements, 0.0 and −0.0 among them, keep their order. NaN comes last, with `descending`
        first."""

    def taken_along(self, x: Any, indices: Any, axis: Any) -> Any:
        """The elements of x at integers along an axis, one for each element of `indices`."""

    def added_along(self, g: Any, indices: Any, axis: Any, size: Any, distinct: Any = False) -> Any:
        """Zeros with `size` elements on an axis, to each of which the elements of g are added whose
        index it is; `distinct` promises that no index comes twice along the axis."""

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

    NumPy sorts numbers several times as fast as it sorts stably. So numbers of 32 bits are sorted
    as integers of 64, whose lower half is the index; others are sorted as they come, and then the
    indices within each run of equal numbers.
    """
    x = np.ascontiguousarray(np.moveaxis(x, axis, -1))
    length = x.shape[-1]
    if x.dtype.itemsize < 4:
        x = x.astype(float32 if x.dtype == float16 else np.int32)
    if x.dtype.itemsize == 4:
        key = _as_unsigned(x)
        joined = (~key if descending else key).astype(np.uint64)
        joined <<= np.uint64(32)
        joined |= np.arange(length, dtype=np.uint64)
        if count is not None and 0 < count < length:
            joined = np.partition(joined, count - 1, axis=-1)[..., :count]
        joined.sort(axis=-1)
        joined &= np.uint64(0xFFFFFFFF)
        order = joined.view(np.int64)
    else:
        order = _stable_order(np.flip(x, -1) if descending else x)
        order = length - 1 - np.flip(order, -1) if descending else order
    return np.moveaxis(order if count is None else order[..., :count], -1, axis)


def _as_unsigned(x: Array) -> Array:
    """Numbers of 32 bits as unsigned integers in the same order; NaN is the largest."""
    if not is_floating(x.dtype):
        return x.view(np.uint32) ^ (np.uint32(0) if x.dtype == np.uint32 else np.uint32(1 << 31))
    bits = (x + np.float32(0)).view(np.uint32)  # without −0.0
    negative = bits >> np.uint32(31) != 0
    key = np.where(negative, ~bits, bits | np.uint32(1 << 31))
    return np.where(np.isnan(x), np.uint32(0xFFFFFFFF), key)


def _stable_order(x: Array) -> Array:
    """The order of x along the last axis, in which equal elements keep theirs."""
    order = np.argsort(x, axis=-1)
    ordered = np.take_along_axis(x, order, -1)
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


def taken_along(x: Any, indices: Any, axis: int) -> Array:
    """The elements of x at integers along an axis."""
    return np.take_along_axis(x, indices, axis)


def added_along(g: Any, indices: Any, axis: int, size: int, distinct: bool = False) -> Array:
    """Zeros with the elements of g added at their indices along an axis."""
    shape = list(g.shape)
    shape[axis] = size
    wide = float32 if g.dtype == float16 and not distinct else g.dtype
    total = np.zeros(shape, wide)
    if distinct:
        np.put_along_axis(total, indices, g, axis)
        return total
    places = list(np.ogrid[tuple(slice(one) for one in g.shape)])
    places[axis] = indices
    np.add.at(total, tuple(places), g)
    return total.astype(g.dtype, copy=False)


def lexsorted(*keys: Any, axis: int) -> Array:
    """The indices that sort by the last key, equal elements by the one before, …."""
    return np.lexsort(keys, axis=axis)


OWN: dict[str, Callable[..., Any]] = {  # those that NumPy lacks or that are to be more exact
    "sorted_along": sorted_along, "order_along": order_along, "taken_along": taken_along,
    "added_along": added_along, "lexsorted": lexsorted,
}  # fmt: skip
