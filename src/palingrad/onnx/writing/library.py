"""Functions of `m` on indices, orders and running totals, written as ONNX operators."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...dtypes import is_boolean, is_floating
from ...maths.library.scans import wider
from ...shapes import axis_in, broadcast
from .arrays import ArraysOnnx
from .values import Value

_INT = np.dtype(np.int64)


class LibraryOnnx(ArraysOnnx):
    """Those functions of `LibraryMaths` that ONNX's operators can express."""

    # ---------------------------------------------------------------- gathering and scattering

    def indices(self, x: Any) -> Value:
        """Integers as int64."""
        return self.lift(x, _INT)

    def take(self, x: Any, indices: Any, axis: Any = None) -> Any:
        """The rows of x at the indices along an axis."""
        x, indices = self.lift(x), self.indices(indices)
        if axis is None:
            x, axis = self.reshape(x, (-1,)), 0
        axis = axis_in(axis, x.ndim)
        shape = [*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]]
        return self.op("Gather", x, indices, shape=shape, dtype=x.dtype, axis=axis)

    def take_add(self, g: Any, indices: Any, axis: Any, size: Any) -> Any:
        """Zeros with `size` rows on `axis`, plus the rows of g added at their indices."""
        g, indices = self.lift(g), self.indices(indices)
        rest = [*g.shape[:axis], *g.shape[axis + indices.ndim :]]
        zeros = self.broadcast_to(self.lift(0, g.dtype), (*rest[:axis], size, *rest[axis:]))
        return self.scatter(zeros, g, indices, axis=axis, how="add")

    def gather(self, x: Any, *indices: Any, axis: int) -> Any:
        """x at arrays of integers, one for each axis from `axis` on."""
        x = self.lift(x)
        places = self._stacked(indices)
        count, ndim = len(indices), places.ndim - 1
        front = [*range(axis, axis + count)]
        others = [one for one in range(x.ndim) if one not in front]
        rows = self.transpose(x, [*front, *others])
        shape = [*places.shape[:-1], *(x.shape[one] for one in others)]
        found = self.op("GatherND", rows, places, shape=shape, dtype=x.dtype)
        order = [*range(ndim, ndim + axis), *range(ndim), *range(ndim + axis, found.ndim)]
        return self.transpose(found, order)

    def _stacked(self, indices: Any) -> Value:
        places = [self.indices(one) for one in indices]
        shape = broadcast(*(one.shape for one in places))
        return self.stack([self.broadcast_to(one, shape) for one in places], -1)

    def scatter(self, x: Any, values: Any, *indices: Any, axis: int, how: str) -> Any:
        """x, whose elements that `gather` reads are combined with the values."""
        if how == "divide":
            raise NotImplementedError("repeated division")
        x, values = self.lift(x), self.lift(values)
        places = self._stacked(indices)
        count, ndim = len(indices), places.ndim - 1
        front = [*range(axis, axis + count)]
        others = [one for one in range(x.ndim) if one not in front]
        rows = self.transpose(x, [*front, *others])
        moved = [*range(axis, axis + ndim), *range(axis), *range(axis + ndim, values.ndim)]
        updates = self.transpose(values, moved)
        done = self._scattered(rows, places, updates, how)
        back = np.argsort([*front, *others])
        return self.transpose(done, back.tolist())

    def _scattered(self, rows: Value, places: Value, updates: Value, how: str) -> Value:
        if how == "set":
            return self._replaced(rows, places, updates)
        kinds = {"add": "add", "multiply": "mul", "minimum": "min", "maximum": "max"}
        dtype, wide = rows.dtype, rows.dtype
        if dtype == np.float16 and how in ("add", "multiply"):
            wide = np.dtype(np.float32)
        done = self.op("ScatterND", self.cast_to(rows, wide), places, self.cast_to(updates, wide),
                       shape=rows.shape, dtype=wide, reduction=kinds[how])  # fmt: skip
        done = self.cast_to(done, dtype)
        if how in ("minimum", "maximum") and is_floating(dtype):
            missing = self.cast_to(self.isnan(updates), _INT)
            nowhere = self.broadcast_to(self.lift(0, _INT), rows.shape)
            counts = self.op("ScatterND", nowhere, places, missing, shape=rows.shape, dtype=_INT,
                             reduction="add")  # fmt: skip
            spoilt = self.logical_or(self.greater(counts, 0), self.isnan(rows))
            done = self.where(spoilt, math.nan, done)
        return done

    def _replaced(self, rows: Value, places: Value, updates: Value) -> Value:
        """Of values at the same place the last remains: the place of the largest number wins."""
        count, depth = math.prod(places.shape[:-1]), places.shape[-1]
        heads, tail = rows.shape[:depth], rows.shape[depth:]
        numbers = self.reshape(self.arange(count), places.shape[:-1])
        nobody = self.broadcast_to(self.lift(-1, _INT), heads)
        winners = self.op("ScatterND", nobody, places, numbers, shape=heads, dtype=_INT,
                          reduction="max")  # fmt: skip
        if not count:
            return rows
        flat = self.reshape(updates, (count, *tail))
        chosen = self.take(flat, self.maximum(winners, 0), axis=0)
        written = self.reshape(self.greater_equal(winners, 0), (*heads, *(1,) * len(tail)))
        return self.where(written, chosen, rows)

    def overwritten(self, x: Any, values: Any, index: Any) -> Any:
        """x with x[index] = values, for a basic index."""
        x = self.lift(x)
        mask = np.zeros(x.shape, bool)
        mask[index] = True
        part = np.empty(x.shape, bool)[index].shape
        placed = self.place(self.broadcast_to(self.lift(values, x.dtype), part), x.shape, index)
        return self.where(self.constant(mask), placed, x)

    def in_range(self, x: Any, size: Any) -> Any:
        """x, integers that were checked."""
        return self.lift(x)

    def isin(self, x: Any, elements: Any) -> Any:
        """Whether each x is one of the elements."""
        x, elements = self.lift(x), self.reshape(elements, (-1,))
        return self.any(self.equal(self.expand_dims(x, -1), elements), axis=-1)

    def next_equal(self, x: Any) -> Any:
        """For each element of a vector the position of the next that equals it, or the length."""
        x = self.lift(x)
        length = x.shape[0]
        numbers = self.arange(length)
        same = self.equal(self.expand_dims(x, 1), self.expand_dims(x, 0))
        later = self.less(self.expand_dims(numbers, 1), self.expand_dims(numbers, 0))
        places = self.where(self.logical_and(same, later), numbers, length)
        return self.min(places, axis=1) if length else numbers

    def searchsorted(self, a: Any, v: Any, side: Any = "left") -> Any:
        """The positions in the sorted vector a before which the elements of v keep it sorted."""
        (a, v), _ = self.resolved("less", a, v)
        above = self.expand_dims(v, -1)
        before = (self.less if side == "left" else self.less_equal)(a, above)
        count = self.sum(before, axis=-1)
        if not is_floating(a.dtype):
            return count
        known = self.sum(self.logical_not(self.isnan(a)))
        last = known if side == "left" else self.lift(a.shape[0], _INT)
        return self.where(self.isnan(v), last, count)

    def nonzero_positions(self, x: Any, size: Any) -> Any:
        """The positions of the first `size` elements that aren't 0, −1 for each that is missing."""
        flat = self.reshape(self.truth(x), (-1,))
        count = flat.shape[0]
        if not count:
            return self.broadcast_to(self.lift(-1, _INT), (size,))
        key = self.where(flat, self.arange(count), count)
        first = self.sorted_along(key, 0)[:size]
        first = self.pad(first, 0, 0, size - first.shape[0], count)
        return self.where(self.equal(first, count), -1, first)

    # ---------------------------------------------------------------- order

    def order_along(self, x: Any, axis: Any, descending: Any = False, count: Any = None) -> Any:
        """The indices that sort x along an axis; NaN last, with `descending` first."""
        x = self.lift(x)
        axis = axis_in(axis, x.ndim)
        length = x.shape[axis]
        if not is_floating(x.dtype):
            return self._ordered(x, axis, descending, length if count is None else count)
        missing = self.isnan(x)
        first = self._ordered(self.where(missing, 0.0, x), axis, descending, length)
        rank = self._along(self.cast_to(missing, np.dtype(np.int32)), first, axis)
        second = self._ordered(rank, axis, descending, length)
        order = self._along(first, second, axis)
        lead = (slice(None),) * axis
        return order if count is None else self.slice_of(order, (*lead, slice(count)))

    def _ordered(self, x: Value, axis: int, descending: bool, count: int) -> Value:
        narrow = is_boolean(x.dtype) or x.dtype.itemsize < 4
        wide = np.dtype(np.float32 if is_floating(x.dtype) else np.int32) if narrow else x.dtype
        if wide.name in ("uint32", "uint64"):
            wide, x = _INT, self._signed(x)
        shape = [*x.shape[:axis], count, *x.shape[axis + 1 :]]
        _, order = self.ops("TopK", self.cast_to(x, wide), self.ints(count),
                            forms=[(shape, wide), (shape, _INT)], axis=axis,
                            largest=int(descending), sorted=1)  # fmt: skip
        return order

    def _signed(self, x: Value) -> Value:
        """Unsigned integers as int64 in the same order."""
        if x.dtype.itemsize < 8:
            return self.cast_to(x, _INT)
        return self.bitwise_xor(self.cast_to(x, _INT), np.iinfo(_INT).min)

    def _along(self, x: Value, order: Value, axis: int) -> Value:
        return self.op("GatherElements", x, order, shape=order.shape, dtype=x.dtype, axis=axis)

    def sorted_along(self, x: Any, axis: Any, descending: Any = False) -> Any:
        """The elements in order along an axis."""
        x = self.lift(x)
        axis = axis_in(axis, x.ndim)
        return self._along(x, self.order_along(x, axis, descending), axis)

    def lexsorted(self, *keys: Any, axis: int) -> Any:
        """The indices that sort by the last key, equal elements by the one before, …."""
        order: Any = None
        for key in map(self.lift, keys):
            place = axis_in(axis, key.ndim)
            moved = key if order is None else self._along(key, order, place)
            step = self.order_along(moved, place)
            order = step if order is None else self._along(order, step, place)
        return order

    def nanargmax(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The index of the first largest element that isn't NaN."""
        return self.argmax(self._known(x, -math.inf), axis, keepdims)

    def nanargmin(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The index of the first smallest element that isn't NaN."""
        return self.argmin(self._known(x, math.inf), axis, keepdims)

    def _known(self, x: Any, fill: float) -> Value:
        x = self.lift(x)
        return self.where(self.isnan(x), fill, x) if is_floating(x.dtype) else x

    def interval(self, x: Any, knots: Any) -> Any:
        """The last i in 0 … n − 2 with knotsᵢ ≤ x, 0 if there is none, n − 2 for NaN."""
        last = knots.shape[0] - 2
        place = self.searchsorted(knots, x, "right") - 1
        return self.minimum(self.maximum(place, 0), max(last, 0))

    def convolve(self, x: Any, y: Any, mode: Any = "full") -> Any:
        """Σᵢ xᵢ·yₙ₋ᵢ of two vectors: the product with a matrix of windows."""
        (x, y), _ = self.resolved("multiply", x, y)
        taps = y.shape[0]
        if mode == "full":
            x = self.pad(x, 0, taps - 1, taps - 1)
        rows = self.windows(self.reshape(x, (1, 1, *x.shape)), (taps,), (1,), (1,))
        flipped = self.slice_of(y, slice(None, None, -1))
        return self.reshape(self.matmul(rows, flipped), (-1,))

    def det(self, x: Any) -> Any:
        """The determinant of each matrix."""
        x = self.lift(x)
        return self.op("Det", x, shape=x.shape[:-2], dtype=x.dtype)

    # ---------------------------------------------------------------- running totals

    def running_sum(self, x: Any, axis: Any, reverse: Any = False) -> Any:
        """Σ xⱼ, j ≤ i, in the next wider dtype and rounded once."""
        x = self.lift(x)
        dtype = np.cumsum(np.ones(1, x.dtype)).dtype
        wide = wider(dtype) if is_floating(dtype) else _INT
        at = self.constant(np.asarray(axis_in(axis, x.ndim), _INT))
        total = self.op("CumSum", self.cast_to(x, wide), at, shape=x.shape, dtype=wide,
                        reverse=int(reverse))  # fmt: skip
        return self.cast_to(total, dtype)
