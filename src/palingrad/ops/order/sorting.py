"""Sorted elements, the indices that sort, and the largest few.

All orders are stable: equal elements, also 0.0 and −0.0, keep their order, so that the derivative
of a sorted element is that of one element of x, also where elements are tied. NaN is greater than
all numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from ...dtypes import DType, int64
from ...errors import ArgumentError, ShapeError
from ...graph.describe.nonfinite import total_overflow
from ...graph.kinds import Index
from ...graph.node import Node
from ...graph.operation import Operation
from ...graph.promotion import as_node
from ...graph.registry import ops, register
from ...graph.samples import case, spread
from ...messages.checks import counted
from ...shapes import Shape, axis_in, same, text

_UP: dict[str, Any] = dict(axis=-1, descending=False)
_DOWN: dict[str, Any] = dict(axis=0, descending=True)
_MIXED = np.array([[3.0, np.nan, -np.inf, 3.0], [-0.0, 0.0, np.inf, -1.0]])


class Ordering(Operation):
    """An operation that compares the elements along one axis."""

    def shape_rule(y, *shapes: Shape) -> Shape:
        axis_in(y.attributes["axis"], len(shapes[0]))
        return shapes[0]


class Sort(Ordering):
    """y = the elements of x along `axis` in ascending order, NaN last; in the reverse order with
    `descending`. ∂y/∂x is the permutation that sorts x stably."""

    math = r"\operatorname{sort} {x}"
    stays_finite = True
    samples = [
        spread((5,), **_UP),
        spread((4, 3), **_DOWN),
        case(_MIXED, **_UP),
        case(np.array([3, 1, 3, 2], np.int64), **_DOWN),
        case((2, 0), **_UP),
    ]

    def f(m, x, *, axis, descending):
        return m.sorted_along(x, axis, descending)

    def vjp(y, g, x):
        order = Argsort(x, axis=y.axis, descending=y.descending, count=None)
        length = x.shape[axis_in(y.axis, x.ndim)]
        return [AddAlong(g, order, axis=y.axis, size=length, distinct=True)]

    def structure(y, position, size, out):
        return "permutation"


class Argsort(Ordering):
    """y = the indices that sort x along `axis`, stably, or the first `count` of them; int64."""

    math, onnx = r"\operatorname{argsort} {x}", None
    stays_finite = True
    samples = [
        spread((5,), **_UP, count=None),
        case(_MIXED, **_UP, count=2),
        case(np.array([3, 1, 3, 2], np.int64), **_DOWN, count=3),
    ]

    def f(m, x, *, axis, descending, count):
        return m.order_along(x, axis, descending, count)

    def shape_rule(y, *shapes: Shape) -> Shape:
        (shape,), axis = shapes, axis_in(y.attributes["axis"], len(shapes[0]))
        count, length = y.attributes["count"], shapes[0][axis]
        if count is None:
            return shape
        if length is not None and count > length:
            raise ShapeError(f"{count} of {counted(length, 'element')} on axis {axis}")
        return (*shape[:axis], count, *shape[axis + 1 :])

    def dtype_rule(y, *dtypes: DType) -> DType:
        return int64

    def vjp(y, g: Any, *x: Node):
        return [None]


class TakeAlong(Index):
    """y = the elements of x at integer indices along `axis`: y[a, i, b] = x[a, k[a, i, b], b]."""

    math = r"{x}[{i}]"
    promotes = False
    stays_finite = True
    samples = [
        case((2, 3), np.array([[2, 0], [1, 1]]), axis=1),
        case((3, 2), np.array([[2, 0]]), axis=0),
    ]

    def f(m, x, indices, *, axis):
        return m.taken_along(x, indices, axis)

    def shape_rule(y, *shapes: Shape) -> Shape:
        x, indices = shapes
        axis = axis_in(y.attributes["axis"], len(x))
        rest = [at for at in range(len(x)) if at != axis]
        if len(x) != len(indices) or not all(same(x[at], indices[at]) for at in rest):
            raise ShapeError(f"indices of {text(indices)} for an array of {text(x)}")
        return indices

    def vjp(y, g, x, indices):
        length = x.shape[axis_in(y.axis, x.ndim)]
        return [AddAlong(g, indices, axis=y.axis, size=length, distinct=False), None]

    def structure(y, position, size, out):
        return "selection"


class AddAlong(Index):
    """y = zeros with each element of g added at its index along `axis`: the adjoint of taking them.

    `distinct` promises that no index comes twice along the axis.
    """

    math = r"\sum {x}[{i}]"
    promotes = False
    samples = [
        case((2, 3), np.array([[2, 0, 0], [1, 1, 1]]), axis=1, size=4, distinct=False),
        case((2, 2), np.array([[2, 0], [1, 1]]), axis=0, size=3, distinct=True),
    ]

    def f(m, g, indices, *, axis, size, distinct):
        return m.added_along(g, indices, axis, size, distinct)

    def shape_rule(y, *shapes: Shape) -> Shape:
        g, _ = shapes
        axis = axis_in(y.attributes["axis"], len(g))
        return (*g[:axis], y.attributes["size"], *g[axis + 1 :])

    def vjp(y, h, g, indices):
        return [TakeAlong(h, indices, axis=y.axis), None]

    def structure(y, position, size, out):
        return "selection, elements added"

    def nonfinite(y, value, *x):
        return total_overflow(y.dtype, "sum of elements")


class Lexsort(Ordering):
    """y = the indices that sort by the last of the keys, equal elements by the one before it and so
    on, along `axis`; stable, int64."""

    math = r"\operatorname{lexsort}({x}, {y})"
    promotes = False
    stays_finite = True
    samples = [
        case(np.array([1.0, 0.0, 2.0, 1.0]), np.array([1, 1, 0, 0]), axis=-1),
        case(np.array([[2.0, 1.0], [0.0, 1.0]]), axis=0),
    ]

    def f(m, *x, axis):
        return m.lexsorted(*x, axis=axis)

    def shape_rule(y, *shapes: Shape) -> Shape:
        for shape in shapes[1:]:
            if len(shape) != len(shapes[0]) or not all(map(same, shape, shapes[0])):
                raise ShapeError(f"keys of shapes {text(shapes[0])} and {text(shape)} differ")
        return super().shape_rule(*shapes)

    def dtype_rule(y, *dtypes: DType) -> DType:
        return int64

    def vjp(y, g: Any, *x: Node):
        return [None] * len(x)


# ---------------------------------------------------------------- the functions


def _lined(function: str, x: Any, axis: Any) -> tuple[Any, int]:
    """x and the axis that is sorted: of all elements in row-major order if it is None."""
    if axis is None:
        return ops.reshape(x, (-1,)), 0
    try:
        return x, index(axis)
    except TypeError:
        raise ShapeError(
            f"{function}: expected one axis or None, got {axis!r}.",
            hint="Elements of several axes are sorted as one: pg.reshape(x, (n, -1)) first.",
        ) from None


@register
def sort(
    x: Any,
    /,
    axis: int | None = -1,
    *,
    descending: bool = False,
    stable: bool = True,
    name: str | None = None,
) -> Node:
    """The elements of x along `axis` in ascending order, NaN last; `axis=None` sorts all of them.

    descending: the reverse order, NaN first. `stable` is accepted, and every order is stable: where
    elements are equal, the gradient of the first of them goes to the one that comes first in x.
    """
    x, axis = _lined("sort", x, axis)
    return Sort(x, axis=axis, descending=bool(descending), name=name)


@register
def argsort(
    x: Any,
    /,
    axis: int | None = -1,
    *,
    descending: bool = False,
    stable: bool = True,
    name: str | None = None,
) -> Node:
    """The indices that sort x along `axis`, as int64; equal elements keep their order.

    descending: the largest first; equal elements keep their order here too. NaN is the largest.
    """
    x, axis = _lined("argsort", x, axis)
    return Argsort(x, axis=axis, descending=bool(descending), count=None, name=name)


@register
def top_k(
    x: Any,
    k: int,
    /,
    axis: int = -1,
    *,
    largest: bool = True,
    name: str | None = None,
) -> tuple[Node, Node]:
    """The k largest elements of x along `axis`, the largest first, and their indices (int64).

    largest=False: the k smallest, the smallest first. Of equal elements the first come first; NaN
    is larger than all numbers. The values are differentiable.
    """
    x, (_, axis) = as_node(x), _lined("top_k", x, axis)
    if index(k) < 0:
        raise ArgumentError(f"top_k: k must not be negative, got {k}.", hint="It counts elements.")
    order = Argsort(x, axis=axis, descending=bool(largest), count=index(k))
    return TakeAlong(x, order, axis=axis, name=name), order


@register
def partition(x: Any, /, kth: Any, axis: int | None = -1, *, name: str | None = None) -> Node:
    """x along `axis` in an order in which element `kth` is where sorting puts it, smaller ones
    before it and larger ones after it: here in sorted order."""
    x, axis = _lined("partition", x, axis)
    _check_kth("partition", as_node(x), kth, axis)
    return Sort(x, axis=axis, descending=False, name=name)


@register
def argpartition(x: Any, /, kth: Any, axis: int | None = -1, *, name: str | None = None) -> Node:
    """The indices of `partition`, as int64: here those that sort x."""
    x, axis = _lined("argpartition", x, axis)
    _check_kth("argpartition", as_node(x), kth, axis)
    return Argsort(x, axis=axis, descending=False, count=None, name=name)


def _check_kth(function: str, x: Node, kth: Any, axis: int) -> None:
    """Raise ShapeError unless all of `kth` are indices on the axis."""
    length = None if x.shape is None else x.shape[axis_in(axis, len(x.shape))]
    for one in kth if isinstance(kth, (tuple, list)) else [kth]:
        if length is not None and not -length <= index(one) < length:
            raise ShapeError(f"{function}: kth={one} for {counted(length, 'element')}.")


@register
def lexsort(keys: Sequence[Any], /, axis: int = -1, *, name: str | None = None) -> Node:
    """The indices that sort by the last of the keys, equal elements by the one before it and so
    on, along `axis`, as int64. An array's rows are its keys."""
    rows = list(keys)
    if not rows:
        raise ArgumentError("lexsort: expected keys to sort by, got none.", hint="Write [x, y].")
    return Lexsort(*rows, axis=index(axis), name=name)
