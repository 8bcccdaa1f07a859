"""The functions of `m` that depend on shapes, written as ONNX operators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ...dtypes import accumulates_in, is_boolean, is_floating, is_integer
from ...shapes import axes_in, axis_in, broadcast, reduced
from .bits import BitsOnnx
from .values import Value

_INT = np.dtype(np.int64)
_BOOL = np.dtype(bool)
_LAST = np.iinfo(np.int64).min  # an end before the first element, for steps backwards


class ArraysOnnx(BitsOnnx):
    """The functions of `ArrayMaths`."""

    def ints(self, numbers: Any) -> Value:
        """A constant of int64."""
        return self.constant(np.asarray(numbers, _INT).reshape(-1))

    # ---------------------------------------------------------------- reductions

    def _reduced(
        self, op: str, x: Value, axis: Any, keepdims: bool, dtype: Any = None, **attributes: Any
    ) -> Value:
        axes = axes_in(axis, x.ndim)
        shape = reduced(x.shape, axes, keepdims)
        if not axes:
            return x
        dtype = x.dtype if dtype is None else dtype
        if self.opset < (13 if op == "ReduceSum" else 18):
            attributes["axes"] = list(axes)
            return self.op(op, x, shape=shape, dtype=dtype, keepdims=int(keepdims), **attributes)
        return self.op(op, x, self.ints(axes), shape=shape, dtype=dtype, keepdims=int(keepdims))

    def sum(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """Σ x over axes."""
        return self._total("ReduceSum", np.sum, x, axis, keepdims)

    def prod(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """Π x over axes."""
        return self._total("ReduceProd", np.prod, x, axis, keepdims)

    def _total(self, op: str, numpy: Any, x: Any, axis: Any, keepdims: Any) -> Any:
        x = self.lift(x)
        dtype = numpy(np.ones(1, x.dtype)).dtype
        wide = accumulates_in(dtype) if is_floating(dtype) else np.dtype(np.int64)
        if dtype.itemsize >= 4 and is_floating(dtype):
            wide = dtype
        return self.cast_to(self._reduced(op, self.cast_to(x, wide), axis, keepdims), dtype)

    def max(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The largest element over axes; NaN if any is."""
        return self._most("ReduceMax", x, axis, keepdims)

    def min(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The smallest element over axes; NaN if any is."""
        return self._most("ReduceMin", x, axis, keepdims)

    def _most(self, op: str, x: Any, axis: Any, keepdims: Any) -> Any:
        x = self.lift(x)
        if is_boolean(x.dtype):
            return (self.any if op == "ReduceMax" else self.all)(x, axis, keepdims)
        narrow = x.dtype.name in ("int16", "uint16", "uint32", "uint64")
        wide = np.dtype(np.int64) if narrow else x.dtype
        found = self.cast_to(self._reduced(op, self.cast_to(x, wide), axis, keepdims), x.dtype)
        if not is_floating(x.dtype):
            return found
        return self.where(self.any(self.isnan(x), axis, keepdims), math.nan, found)

    def all(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """Whether all elements differ from 0."""
        return self.equal(self.sum(self.logical_not(x), axis, keepdims), 0)

    def any(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """Whether any element differs from 0."""
        return self.greater(self.sum(self.truth(x), axis, keepdims), 0)

    def argmax(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The index of the first largest element, or of the first NaN."""
        return self._place_of("ArgMax", x, axis, keepdims)

    def argmin(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The index of the first smallest element, or of the first NaN."""
        return self._place_of("ArgMin", x, axis, keepdims)

    def _place_of(self, op: str, x: Any, axis: Any, keepdims: Any) -> Any:
        x = self.lift(x)
        ndim = x.ndim
        if axis is None:
            flat = self.reshape(x, (-1,))
            found = self._place_of(op, flat, 0, False)
            return self.reshape(found, (1,) * ndim) if keepdims else found
        place = axis_in(axis, ndim)
        shape = reduced(x.shape, (place,), keepdims)
        options = dict(axis=place, keepdims=int(keepdims), shape=shape, dtype=_INT)
        narrow = is_boolean(x.dtype) or x.dtype.name in ("int16", "uint16")
        key = self.cast_to(x, np.dtype(np.int32)) if narrow else x
        found = self.op(op, key, **options)
        if not is_floating(x.dtype):
            return found
        missing = self.cast_to(self.isnan(x), np.dtype(np.int32))
        first = self.op("ArgMax", missing, **options)
        return self.where(self.any(missing, place, keepdims), first, found)

    def matmul(self, x: Any, y: Any) -> Any:
        """The matrix product; leading axes broadcast."""
        (x, y), dtype = self.resolved("matmul", x, y)
        rows, columns = x.shape[:-1], y.shape[-1:] if y.ndim > 1 else ()
        lead = broadcast(x.shape[:-2], y.shape[:-2])
        shape = (*lead, *rows[-1:], *columns) if x.ndim > 1 else (*lead, *columns)
        if is_boolean(dtype):
            return self.truth(self.matmul(self.cast_to(x, _INT), self.cast_to(y, _INT)))
        wide = np.dtype(np.int32) if dtype.itemsize < 4 and is_integer(dtype) else dtype
        found = self.op("MatMul", self.cast_to(x, wide), self.cast_to(y, wide), shape=shape,
                        dtype=wide)  # fmt: skip
        return self.cast_to(found, dtype)

    # ---------------------------------------------------------------- shapes

    def asarray(self, x: Any) -> Any:
        """x as a value."""
        return self.lift(x)

    def arange(self, stop: Any) -> Any:
        """The integers from 0 to `stop` − 1."""
        ends = [self.constant(np.asarray(one, _INT)) for one in (0, stop, 1)]
        return self.op("Range", *ends, shape=(stop,), dtype=_INT)

    def ones(self, shape: Any) -> Any:
        """An array of ones."""
        return self.broadcast_to(1.0, shape)

    def zeros(self, shape: Any) -> Any:
        """An array of zeros."""
        return self.broadcast_to(0.0, shape)

    def broadcast_to(self, x: Any, shape: Any) -> Any:
        """x repeated along axes of size 1 and along new leading axes."""
        x = self.lift(x)
        shape = tuple(map(int, np.atleast_1d(shape))) if not isinstance(shape, tuple) else shape
        if x.shape == tuple(shape) and not self.general:
            return x
        if 0 in shape:  # which onnxruntime doesn't expand axes of size 1 to
            return self.constant(np.empty(shape, x.dtype))
        return self.op("Expand", x, self.ints(shape), shape=shape, dtype=x.dtype)

    def reshape(self, x: Any, shape: Any) -> Any:
        """The elements of x in another shape."""
        x = self.lift(x)
        shape = [int(shape)] if isinstance(shape, int) else list(shape)
        if -1 in shape:
            rest = math.prod(size for size in shape if size != -1)
            shape[shape.index(-1)] = x.size // rest if rest else 0
        if tuple(shape) == x.shape and not self.general:
            return x
        more = {"allowzero": 1} if 0 in shape else {}
        if self.opset < 14:
            more = {}
        return self.op("Reshape", x, self.ints(shape), shape=shape, dtype=x.dtype, **more)

    def squeeze(self, x: Any, axis: Any = None) -> Any:
        """x without axes of size 1."""
        x = self.lift(x)
        if axis is None:
            axis = tuple(place for place, size in enumerate(x.shape) if size == 1)
        axes = axes_in(axis, x.ndim)
        if not axes:
            return x
        return self.op("Squeeze", x, self.ints(axes), shape=reduced(x.shape, axes, False),
                       dtype=x.dtype)  # fmt: skip

    def expand_dims(self, x: Any, axis: Any) -> Any:
        """x with new axes of size 1."""
        x = self.lift(x)
        given = axis if isinstance(axis, tuple) else (axis,)
        axes = axes_in(given, x.ndim + len(given))
        sizes = iter(x.shape)
        shape = [1 if place in axes else next(sizes) for place in range(x.ndim + len(given))]
        return self.op("Unsqueeze", x, self.ints(axes), shape=shape, dtype=x.dtype)

    def transpose(self, x: Any, axes: Any = None) -> Any:
        """x with its axes in another order."""
        x = self.lift(x)
        axes = range(x.ndim - 1, -1, -1) if axes is None else axes
        order = [axis_in(axis, x.ndim) for axis in axes]
        if order == list(range(x.ndim)):
            return x
        shape = [x.shape[axis] for axis in order]
        return self.op("Transpose", x, shape=shape, dtype=x.dtype, perm=order)

    def swapaxes(self, x: Any, axis1: Any, axis2: Any) -> Any:
        """x with two axes exchanged."""
        x = self.lift(x)
        order = list(range(x.ndim))
        order[axis1], order[axis2] = order[axis2], order[axis1]
        return self.transpose(x, order)

    def concatenate(self, arrays: Any, axis: Any = 0) -> Any:
        """The arrays joined along an axis."""
        dtype = np.result_type(*(x.dtype for x in arrays))
        parts = [self.lift(x, dtype) for x in arrays]
        axis = axis_in(axis, parts[0].ndim)
        if len(parts) == 1:
            return parts[0]
        shape = list(parts[0].shape)
        shape[axis] = sum(x.shape[axis] for x in parts)
        return self.op("Concat", *parts, shape=shape, dtype=dtype, axis=axis)

    def stack(self, arrays: Any, axis: Any = 0) -> Any:
        """The arrays joined along a new axis."""
        place = axis_in(axis, len(arrays[0].shape) + 1)
        return self.concatenate([self.expand_dims(x, place) for x in arrays], place)

    def split(self, x: Any, ends: Any, axis: Any = 0) -> Any:
        """The pieces of x between offsets along an axis."""
        x = self.lift(x)
        axis = axis_in(axis, x.ndim)
        offsets = [0, *ends, x.shape[axis]]
        lead = (slice(None),) * axis
        return [self.slice_of(x, (*lead, slice(a, b))) for a, b in pairwise(offsets)]

    # ---------------------------------------------------------------- indices

    def slice_of(self, x: Any, index: Any) -> Any:
        """x[index] for a basic index."""
        x = self.lift(x)
        parts, new, dropped = basic(index, x.shape)
        starts, ends, axes, steps, shape = [], [], [], [], []
        for axis, (size, (start, end, step)) in enumerate(zip(x.shape, parts, strict=True)):
            count = len(range(start, end, step))
            shape.append(count)
            if (start, count, step) != (0, size, 1):
                starts.append(start)
                ends.append(_LAST if end < 0 else end)
                axes.append(axis)
                steps.append(step)
        if axes:
            bounds = [self.ints(one) for one in (starts, ends, axes, steps)]
            x = self.op("Slice", x, *bounds, shape=shape, dtype=x.dtype)
        if dropped:
            x = self.squeeze(x, tuple(dropped))
        return self.expand_dims(x, tuple(new)) if new else x

    def place(self, x: Any, shape: Any, index: Any) -> Any:
        """Zeros of `shape` with x at a basic index."""
        x = self.lift(x)
        parts, new, dropped = basic(index, tuple(shape))
        if new:
            x = self.squeeze(x, tuple(new))
        if dropped:
            x = self.expand_dims(x, tuple(dropped))
        for axis, (size, (start, end, step)) in enumerate(zip(shape, parts, strict=True)):
            x = self.spread(x, axis, size, start, step, len(range(start, end, step)))
        return x

    def spread(self, x: Value, axis: int, size: int, start: int, step: int, count: int) -> Value:
        """x along an axis at start, start + step, … of `size` elements, the others 0."""
        if (start, step, count) == (0, 1, size):
            return x
        shape = [*x.shape[:axis], size, *x.shape[axis + 1 :]]
        if step == 1 or count == 1:
            return self.pad(x, axis, start, size - start - count)
        source = np.full(size, count, _INT)  # of each element: where it comes from, or the zero
        source[np.arange(start, start + step * count, step)] = np.arange(count)
        padded = self.pad(x, axis, 0, 1)
        return self.op("Gather", padded, self.constant(source), shape=shape, dtype=x.dtype,
                       axis=axis)  # fmt: skip

    def pad(self, x: Value, axis: int, low: int, high: int, value: Any = 0) -> Value:
        """x with `low` and `high` elements `value` before and after it along an axis."""
        if not (low or high):
            return x
        shape = [*x.shape]
        shape[axis] += low + high
        sides = np.zeros((2, x.ndim), _INT)
        sides[:, axis] = low, high
        narrow = is_boolean(x.dtype) or x.dtype.name in ("int16", "uint16")
        wide = np.dtype(np.int32) if narrow else x.dtype
        fill = self.constant(np.asarray(value, wide))
        padded = self.op("Pad", self.cast_to(x, wide), self.ints(sides), fill, shape=shape,
                         dtype=wide)  # fmt: skip
        return self.cast_to(padded, x.dtype)

    # ---------------------------------------------------------------- windows

    def padded(self, x: Any, padding: Any, value: Any = 0) -> Any:
        """x (n, c, *space) padded on its spatial axes."""
        x = self.lift(x)
        for axis, (low, high) in enumerate(padding, start=2):
            x = self.pad(x, axis, low, high, value)
        return x

    def windows(self, x: Any, size: Any, stride: Any, dilation: Any) -> Any:
        """The windows of x (n, c, *space) as (n, c, *places, *size)."""
        x, ndim = self.lift(x), len(size)
        for axis in range(ndim):
            at = 2 + 2 * axis
            length, k, s, d = x.shape[at], size[axis], stride[axis], dilation[axis]
            places = (length - (k - 1) * d - 1) // s + 1
            taken = np.arange(places)[:, None] * s + np.arange(k) * d
            shape = [*x.shape[:at], places, k, *x.shape[at + 1 :]]
            x = self.op("Gather", x, self.constant(taken.astype(_INT)), shape=shape,
                        dtype=x.dtype, axis=at)  # fmt: skip
        order = [0, 1, *range(2, 2 + 2 * ndim, 2), *range(3, 3 + 2 * ndim, 2)]
        return self.transpose(x, order)

    def unwindowed(self, parts: Any, space: Any, stride: Any, padding: Any, dilation: Any) -> Any:
        """The adjoint of `padded` followed by `windows`, one spatial axis after the other."""
        x, ndim = self.lift(parts), len(space)
        for axis in range(ndim):
            taps_at = 2 + ndim  # the taps of this axis; those of earlier axes are gone
            low, high = padding[axis]
            extent = space[axis] + low + high
            count, s, d = x.shape[2 + axis], stride[axis], dilation[axis]
            total: Any = None
            for tap in range(x.shape[taps_at]):
                one = self.slice_of(x, (*(slice(None),) * taps_at, tap))
                one = self.spread(one, 2 + axis, extent, tap * d, s, count)
                total = one if total is None else self.add(total, one)
            inner = (*(slice(None),) * (2 + axis), slice(low, low + space[axis]))
            x = self.slice_of(total, inner)
        return x


def basic(
    index: Any, shape: Sequence[int]
) -> tuple[list[tuple[int, int, int]], list[int], list[int]]:
    """A basic index as (start, end, step) for each axis, the new axes, counted in the result, and
    the axes that integers drop."""
    given = list(index) if isinstance(index, tuple) else [index]
    used = sum(part is not None and part is not Ellipsis for part in given)
    rest = [slice(None)] * (len(shape) - used)
    at = next((n for n, part in enumerate(given) if part is Ellipsis), len(given))
    given[at : at + 1] = rest
    parts: list[tuple[int, int, int]] = []
    new: list[int] = []
    dropped: list[int] = []
    place = 0
    for part in given:
        if part is None:
            new.append(place)
            place += 1
            continue
        size = shape[len(parts)]
        if isinstance(part, slice):
            parts.append(part.indices(size))
            place += 1
        else:
            start = int(part) + size if part < 0 else int(part)
            dropped.append(len(parts))
            parts.append((start, start + 1, 1))
    return parts, new, dropped
