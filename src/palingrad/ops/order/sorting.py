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
from ...graph.batching.rules import along_front
from ...graph.describe.notation import applied, operator
from ...graph.describe.template import below, stated_options
from ...graph.kinds import Composite
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

    batched = along_front

    def shape_rule(y, *shapes: Shape) -> Shape:
        axis_in(y.attributes["axis"], len(shapes[0]))
        return shapes[0]

    def _length(y) -> int | None:
        """The number of elements that are compared."""
        shape = y.inputs[0].shape
        return None if shape is None else shape[axis_in(y.attributes["axis"], len(shape))]


class Sort(Ordering):
    """y = the elements of x along `axis` in ascending order, NaN last; in the reverse order with
    `descending`. ∂y/∂x is the permutation that sorts x stably."""

    math = r"\operatorname{sort} {x}"
    _library = "sort"
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
        return [ops.put_along_axis(ops.zeros_like(g), y._order(x), g, y.axis)]

    def jvp(y, tangents, *x):
        return ops.take_along_axis(tangents[0], y._order(*x), y.axis)

    def _order(y, x: Any) -> Node:
        return Argsort(x, axis=y.axis, descending=y.descending, count=None)

    def structure(y, position, size, out):
        return "permutation"


class Argsort(Ordering):
    """y = the indices that sort x along `axis`, stably, or the first `count` of them; int64."""

    math, onnx = r"\operatorname{argsort} {x}", None
    _library = "argsort"
    stays_finite = True
    samples = [
        spread((5,), **_UP, count=None),
        case(_MIXED, **_UP, count=2),
        case(np.array([3, 1, 3, 2], np.int64), **_DOWN, count=3),
    ]

    def kind_name(self) -> str:
        return "argsort" if self.attributes["count"] is None else "top_k"

    def below(y) -> int | None:
        return y._length()

    def f(m, x, *, axis, descending, count):
        return m.order_along(x, axis, descending, count)

    def _evaluate(self, values: Sequence[Any]) -> Any:
        self._infer()  # a count that is too large would be clipped, not refused
        return super()._evaluate(values)

    def shape_rule(y, *shapes: Shape) -> Shape:
        (shape,), axis = shapes, axis_in(y.attributes["axis"], len(shapes[0]))
        count, length = y.attributes["count"], shapes[0][axis]
        if count is None:
            return shape
        if length is not None and count > length:
            raise ShapeError(
                f"{count} of {counted(length, 'element')} on axis {axis}",
                hint=f"k is at most {length}.",
            )
        return (*shape[:axis], count, *shape[axis + 1 :])

    def dtype_rule(y, *dtypes: DType) -> DType:
        return int64

    def vjp(y, g: Any, *x: Node):
        return [None]


class TopValues(Composite):
    """y = the elements of x at the integers that `argsort` gave along `axis`."""

    math = r"\operatorname{takealong}({x}, {i})"
    promotes = False
    stays_finite = True
    samples = [
        case((2, 3), np.array([[2, 0], [1, 2]]), axis=1),
        case((3, 2), np.array([[2, 0]]), axis=0),
    ]

    def shape_rule(y, *shapes: Shape) -> Shape:
        x, found = shapes
        axis = axis_in(y.attributes["axis"], len(x))
        if len(x) != len(found) or not all(
            same(*sizes) for at, sizes in enumerate(zip(x, found, strict=True)) if at != axis
        ):
            raise ShapeError(f"indices {text(found)} aren't those of {text(x)} along axis {axis}")
        return found

    def expand(y, x, indices):
        return ops.take_along_axis(x, indices, y.axis)

    def structure(y, position, size, out):
        return "selection"


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

    def notation(y, *x):
        return applied(operator("lexsort") + below(stated_options(y)), x)

    def f(m, *x, axis):
        return m.lexsorted(*x, axis=axis)

    def below(y) -> int | None:
        return y._length()

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
            hint="Elements of several axes are one axis after pg.reshape(x, (-1,)), for example.",
        ) from None


def _check_kind(function: str, kind: str | None) -> None:
    """Raise ArgumentError for what isn't one of NumPy's kinds of sorting."""
    if kind is not None and kind not in ("quicksort", "mergesort", "heapsort", "stable"):
        raise ArgumentError(
            f"{function}: kind {kind!r} isn't known.", hint="Leave it out: every order is stable."
        )


@register
def sort(
    x: Any,
    /,
    axis: int | None = -1,
    kind: str | None = None,
    *,
    descending: bool = False,
    stable: bool = True,
    name: str | None = None,
) -> Node:
    """The elements of x along `axis` in ascending order, NaN last; `axis=None` sorts all of them.

    descending: the reverse order, NaN first. Every order is stable, whatever `kind` and `stable`
    say: where elements are equal, the gradient of the first of them goes to the first in x.
    """
    _check_kind("sort", kind)
    x, axis = _lined("sort", x, axis)
    return Sort(x, axis=axis, descending=bool(descending), name=name)


@register
def argsort(
    x: Any,
    /,
    axis: int | None = -1,
    kind: str | None = None,
    *,
    descending: bool = False,
    stable: bool = True,
    name: str | None = None,
) -> Node:
    """The indices that sort x along `axis`, as int64; equal elements keep their order.

    descending: the largest first; equal elements keep their order here too. NaN is the largest.
    """
    _check_kind("argsort", kind)
    x, axis = _lined("argsort", x, axis)
    return Argsort(x, axis=axis, descending=bool(descending), count=None, name=name)


@register
def top_k(
    x: Any,
    k: int,
    /,
    axis: int | None = -1,
    *,
    largest: bool = True,
    name: str | None = None,
) -> tuple[Node, Node]:
    """The k largest elements of x along `axis`, the largest first, and their indices (int64);
    `axis=None` takes x as one vector.

    largest=False: the k smallest, the smallest first. Of equal elements the first come first; NaN
    is larger than all numbers. The values are differentiable.
    """
    x, axis = _lined("top_k", as_node(x), axis)
    if index(k) < 0:
        raise ArgumentError(f"top_k: k must not be negative, got {k}.", hint="It counts elements.")
    order = Argsort(x, axis=axis, descending=bool(largest), count=index(k))
    return TopValues(x, order, axis=axis, name=name), order


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
def lexsort(keys: Any, /, axis: int = -1, *, name: str | None = None) -> Node:
    """The indices that sort by the last of the keys, equal elements by the one before it and so
    on, along `axis`, as int64. An array's rows are its keys."""
    rows = list(keys)
    if not rows:
        raise ArgumentError("lexsort: expected keys to sort by, got none.", hint="Write [x, y].")
    return Lexsort(*rows, axis=index(axis), name=name)
