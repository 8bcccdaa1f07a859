"""Reductions: sum, prod, max, min, any, all, argmax, argmin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import DType, highest, int64, is_floating, lowest
from ...errors import ShapeError
from ...graph.describe.nonfinite import total_overflow
from ...graph.functions import Accumulation, ExtremeReduction, MaskedReduction, reduction
from ...graph.kinds import Reduce
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case, kink, spread
from ...shapes import Shape, axes_in, size, sizes
from .axes import FIRST, LAST, PAIR, WHOLE, equal_rows, restored
from .options import accumulated, extreme, tested


def sum_to(x: Node, shape: Shape) -> Node:
    """The sum of x over the axes along which `shape` broadcasts to x.shape.

    The adjoint of broadcasting.
    """
    if x.shape == shape:
        return x
    assert x.shape is not None
    extra = len(x.shape) - len(shape)
    ones = [axis + extra for axis, dim in enumerate(shape) if dim == 1 != x.shape[axis + extra]]
    axes = (*range(extra), *ones)
    total = ops.sum(x, axis=axes)
    return total if total.shape == shape else ops.reshape(total, shape)


class Sum(Reduce):
    """y = Σ x over `axis`; booleans and small integers are summed as 64-bit integers."""

    math, onnx = r"\sum {x}", "ReduceSum"
    linear = complexes = True
    samples = [
        case((3, 4), **WHOLE),
        case((4, 4), **FIRST),
        case((2, 3, 4), **PAIR),
        case((3, 4), **LAST),
        case((), **WHOLE),
        case((0, 3), **FIRST),
        case(np.array([True, True, False]), **WHOLE),
    ]

    def f(m: Any, x, *, axis, keepdims):
        return m.sum(x, axis=axis, keepdims=keepdims)

    def identity(dtype):
        return 0

    def combine(m, a, b):
        return m.add(a, b)

    def vjp(y, g, x):
        return [ops.broadcast_to(restored(g, y, x), x.shape)]

    def nonfinite(y, value, *x):
        return total_overflow(y.dtype, "sum")

    def structure(y, position, size, out):
        return equal_rows(out)


class Prod(Reduce):
    """y = Π x over `axis`. ∂y/∂xᵢ = Π xⱼ over j ≠ i, which is computed without division by xᵢ."""

    math, onnx = r"\prod {x}", "ReduceProd"
    complexes = True
    samples = [
        case((3, 4), **WHOLE),
        case((4, 4), **FIRST),
        case((2, 3, 4), **FIRST),
        case((2, 3, 4), **PAIR),
        case((3, 5), **LAST),
        case(np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 4.0]]), **LAST),
        case((0, 3), **FIRST),
    ]

    def f(m: Any, x, *, axis, keepdims):
        return m.prod(x, axis=axis, keepdims=keepdims)

    def identity(dtype):
        return 1

    def combine(m, a, b):
        return m.multiply(a, b)

    def vjp(y, g, x):
        return [ops.scaled(restored(g, y, x), _product_of_others(x, axes_in(y.axis, x.ndim)))]

    def nonfinite(y, value, *x):
        return total_overflow(y.dtype, "product")


def _product_of_others(x: Any, axes: tuple[int, ...]) -> Node:
    """For each element, the product of all other elements on `axes`.

    That is the product of the elements before it times the product of those after it, which, unlike
    a division, is also right if elements are 0.
    """
    kept = tuple(axis for axis in range(x.ndim) if axis not in axes)
    order = kept + axes
    moved = ops.permute_dims(x, order)
    lined = ops.reshape(moved, (*moved.shape[: len(kept)], size(moved.shape[len(kept) :])))
    others = _before(lined) * _before(lined[..., ::-1])[..., ::-1]
    back = tuple(int(axis) for axis in np.argsort(order))
    return ops.permute_dims(ops.reshape(others, moved.shape), back)


def _before(x: Any) -> Node:
    """The exclusive cumulative product along the last axis, in log₂ n doubling steps."""
    ones = ops.ones_like(x)
    product = ops.concat([ones[..., :1], x[..., :-1]], axis=-1)
    step = 1
    while step < x.shape[-1]:
        product = product * ops.concat([ones[..., :step], product[..., :-step]], axis=-1)
        step *= 2
    return product


class Extreme(Reduce):
    """The largest or smallest element; tied elements share the gradient equally."""

    stays_finite = True

    samples = [
        spread((3, 4), **WHOLE),
        spread((4, 4), **FIRST),
        spread((2, 3, 4), **PAIR),
        spread((3, 4), **LAST),
        case((), **WHOLE),
        case(np.array([[1.0, np.nan], [np.inf, -np.inf]]), **LAST),
        case(np.array([3, 1, 2]), **WHOLE),
        kink([[1.0, 1.0], [np.inf, np.inf]], slopes=[[[0.5, 0.5], [0.5, 0.5]]], **LAST),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        _check_not_empty(self, shapes[0])
        return super().shape_rule(*shapes)

    def vjp(y, g, x):
        chosen = x == restored(y, y, x)
        ties = ops.sum(ops.cast(chosen, x.dtype), axis=y.axis, keepdims=True)
        return [ops.where(chosen, restored(g, y, x) / ties, 0)]


def _check_not_empty(y: Any, shape: Shape) -> None:
    if 0 in [shape[axis] for axis in axes_in(y.axis, len(shape))]:
        raise ShapeError("no element to choose on an axis of size 0")


class Max(Extreme):
    """y = max x over `axis`, NaN if an element is NaN; tied elements share the gradient equally."""

    math, onnx = r"\max {x}", "ReduceMax"

    def f(m: Any, x, *, axis, keepdims):
        return m.max(x, axis=axis, keepdims=keepdims)

    def identity(dtype: Any):
        return lowest(dtype)

    def combine(m, a, b):
        return m.maximum(a, b)


class Min(Extreme):
    """y = min x over `axis`, NaN if an element is NaN; tied elements share the gradient equally."""

    math, onnx = r"\min {x}", "ReduceMin"

    def f(m: Any, x, *, axis, keepdims):
        return m.min(x, axis=axis, keepdims=keepdims)

    def identity(dtype: Any):
        return highest(dtype)

    def combine(m, a, b):
        return m.minimum(a, b)


class Test(Reduce):
    """A reduction of truth values to a boolean, which has no derivative."""

    stays_finite = complexes = True

    samples = [
        case(np.array([[True, False], [True, True]]), **WHOLE),
        case(np.array([[True, False], [True, True]]), **FIRST),
        case(np.array([[True, False], [True, True]]), **LAST),
        case((0, 3), **FIRST),
    ]

    def vjp(y, g: Any, *x: Node) -> Sequence[Node | None]:
        return [None]


class Any_(Test):
    """y = whether any element over `axis` is true; False over no elements."""

    math = r"\exists {x}"

    def f(m: Any, x, *, axis, keepdims):
        return m.any(x, axis=axis, keepdims=keepdims)

    def identity(dtype):
        return False

    def combine(m, a, b):
        return m.logical_or(a, b)


class All(Test):
    """y = whether all elements over `axis` are true; True over no elements."""

    math = r"\forall {x}"

    def f(m: Any, x, *, axis, keepdims):
        return m.all(x, axis=axis, keepdims=keepdims)

    def identity(dtype):
        return True

    def combine(m, a, b):
        return m.logical_and(a, b)


class ArgExtreme(Reduce):
    """The index of the first extreme element, as int64; with `axis` None, in row-major order."""

    stays_finite = True

    samples = [
        spread((3, 4), **WHOLE),
        spread((4, 4), **FIRST),
        spread((3, 4), **LAST),
        case(np.array([1.0, 3.0, 3.0]), **WHOLE),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        if isinstance(self.attributes["axis"], tuple):
            raise ShapeError(f"expected one axis or None, got {self.attributes['axis']}")
        _check_not_empty(self, shapes[0])
        return super().shape_rule(*shapes)

    def dtype_rule(self, *dtypes: DType) -> DType:
        return int64

    def below(y) -> int | None:
        shape, axis = y.inputs[0].shape, y.attributes["axis"]
        if shape is None or None in shape:
            return None
        return size(shape) if axis is None else shape[axis]

    def extreme(y, x: Node, axis: int) -> Node:
        """The largest or smallest element along the axis, which is kept with size 1."""
        raise NotImplementedError

    def simpler(y, *given: Node) -> Node | None:
        """The index of the first element that equals the extreme, or of the first NaN."""
        (x,) = given
        axis, shape = y.attributes["axis"], sizes(x.shape)
        if not shape or 0 in shape:
            return None
        if axis is None:
            x, axis, shape = ops.reshape(x, (-1,)), 0, (size(shape),)
        matches = ops.equal(x, y.extreme(x, axis))
        if is_floating(x.dtype):
            matches = ops.logical_or(matches, ops.isnan(x))
        length = shape[axis]
        along = [length if place == axis % len(shape) else 1 for place in range(len(shape))]
        indices = Constant(np.arange(length).reshape(along))
        first = ops.min(ops.where(matches, indices, length), axis=axis, keepdims=True)
        return ops.reshape(first, y.shape)

    def vjp(y, g: Any, *x: Node) -> Sequence[Node | None]:
        return [None]


class Argmax(ArgExtreme):
    """y = the index of the first largest element along `axis`, or of the first NaN."""

    math, onnx = r"\arg\max {x}", "ArgMax"

    def f(m: Any, x, *, axis, keepdims):
        return m.argmax(x, axis=axis, keepdims=keepdims)

    def extreme(y, x: Node, axis: int) -> Node:
        return ops.max(x, axis=axis, keepdims=True)


class Argmin(ArgExtreme):
    """y = the index of the first smallest element along `axis`, or of the first NaN."""

    math, onnx = r"\arg\min {x}", "ArgMin"

    def f(m: Any, x, *, axis, keepdims):
        return m.argmin(x, axis=axis, keepdims=keepdims)

    def extreme(y, x: Node, axis: int) -> Node:
        return ops.min(x, axis=axis, keepdims=True)


argmax = register(reduction(Argmax))
argmin = register(reduction(Argmin))
sum = register(reduction(Sum, Accumulation, accumulated))
prod = register(reduction(Prod, Accumulation, accumulated))
max = register(reduction(Max, ExtremeReduction, extreme))
min = register(reduction(Min, ExtremeReduction, extreme))
any = register(reduction(Any_, MaskedReduction, tested))
all = register(reduction(All, MaskedReduction, tested))
register(sum_to)
