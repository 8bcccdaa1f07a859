"""Reading and writing at arrays of indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...classes import Protocol
from ...dtypes import Array, float16, float32


class IndexingMaths(Protocol):
    """Reading and writing at arrays of indices."""

    def gather(self, x: Any, *indices: Any, axis: Any) -> Any:
        """x at arrays of integers, one for each axis from `axis` on, which broadcast together;
        their shape takes the axes' place. Negative integers count from the end."""

    def scatter(self, x: Any, values: Any, *indices: Any, axis: Any, how: Any) -> Any:
        """x, whose elements that `gather` reads are combined with the values: replaced for "set",
        or by the ufunc that `how` names, one after another in row-major order of the values."""

    def overwritten(self, x: Any, values: Any, index: Any) -> Any:
        """x with x[index] = values, for a basic index."""

    def nonzero_positions(self, x: Any, size: Any) -> Any:
        """The positions, in row-major order, of the first `size` elements that aren't 0; −1 for
        each that is missing."""

    def in_range(self, x: Any, size: Any) -> Any:
        """x, integers that are in 0 … size − 1. Raises IndexError for others."""

    def searchsorted(self, a: Any, v: Any, side: Any = "left") -> Any:
        """The positions in the sorted vector a before which the elements of v keep it sorted."""

    def isin(self, x: Any, elements: Any) -> Any:
        """Whether each x is one of the elements."""

    def next_equal(self, x: Any) -> Any:
        """For each element of a vector the position of the next that equals it, or the length."""


def gather(x: Any, *indices: Any, axis: int) -> Array:
    """x at arrays of integers, one for each axis from `axis` on."""
    return np.asarray(x[(*(slice(None),) * axis, *indices)])


def scatter(x: Any, values: Any, *indices: Any, axis: int, how: str) -> Array:
    """x, whose elements that `gather` reads are combined with the values."""
    dtype = x.dtype
    if not x.size:
        gather(x, *indices, axis=axis)  # raises IndexError where writing nothing doesn't
    wide = float32 if dtype == float16 and how in ("add", "multiply") else dtype
    result = np.array(x, wide, order="C")
    # NumPy goes through arrays in the order in which they lie in memory: the last value in
    # row-major order remains only if all lie in that order.
    places = [np.asarray(one, order="C") for one in np.broadcast_arrays(*indices)]
    if how == "set":
        result[(*(slice(None),) * axis, *places)] = np.asarray(values, order="C")
        return result
    count = places[0].ndim
    moved = np.moveaxis(result, range(axis, axis + len(places)), range(len(places)))
    rows = np.moveaxis(values, range(axis, axis + count), range(count)).astype(wide, order="C")
    getattr(np, how).at(moved, tuple(places) if len(places) > 1 else places[0], rows)
    return result.astype(dtype, copy=False)


def overwritten(x: Any, values: Any, index: Any) -> Array:
    """x with x[index] = values."""
    result = np.array(x, order="C")
    result[index] = values
    return result


def nonzero_positions(x: Any, size: int) -> Array:
    """The positions of the first `size` elements that aren't 0, −1 for each that is missing."""
    found = np.flatnonzero(x)[:size]
    return np.concatenate([found, np.full(size - len(found), -1)])


def in_range(x: Any, size: int) -> Array:
    """x, integers that are in 0 … size − 1."""
    if x.size and not 0 <= x.min() <= x.max() < size:
        wrong = x.max() if x.max() >= size else x.min()
        raise IndexError(f"{wrong} is not in 0 … {size - 1}")
    return x


def next_equal(x: Any) -> Array:
    """For each element of a vector the position of the next that equals it, or the length."""
    order = np.argsort(x, kind="stable")
    ordered = x[order]
    result = np.full(len(x), len(x))
    same = np.flatnonzero(ordered[:-1] == ordered[1:])
    result[order[same]] = order[same + 1]
    return result


# Those that NumPy lacks or that are to be more exact.
OWN: dict[str, Callable[..., Any]] = {
    "gather": gather, "scatter": scatter, "overwritten": overwritten,
    "nonzero_positions": nonzero_positions, "next_equal": next_equal,
    "in_range": in_range,
}  # fmt: skip
