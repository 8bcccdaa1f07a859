"""Elements at several arrays of indices, and updates of them: what advanced indexing is made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import is_complex
from ...errors import DTypeError, ShapeError
from ...graph.batching.gathers import gather, scatter
from ...graph.declared.bounds import Bounds, rows_of_axes
from ...graph.describe.nonfinite import total_overflow
from ...graph.describe.notation import Piece, indexed, subscripted
from ...graph.kinds import Gather, ScatterUpdate
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.promotion import refuse_complex
from ...graph.registry import ops
from ...graph.samples import case, kink
from ...shapes import Shape, broadcast, same, size, sizes, text
from .duplicates import product_of_others
from .parts import check_arrays

_ROWS = np.array([[0], [-1]]), np.array([1, 0, 1])  # of two axes; (0, 1) and (2, 1) twice


class GatherND(Gather):
    """y = x at arrays of integers, one for each axis from `axis` on, which broadcast together.

    Their common shape takes these axes' place: y[a, i, b] = x[a, k₁[i], …, kₙ[i], b]. Negative
    integers count from the end. Errors call the axes as `named` does.
    """

    batched = gather
    math, onnx = r"{x}[{i}]", "GatherND"
    promotes = False
    stays_finite = True
    samples = [
        case((3, 4), *_ROWS, axis=0, named=(0, 1)),
        case((2, 3, 2, 2), np.array([0, 2, 2]), np.array(1), axis=1, named=(1, 2)),
    ]

    def notation(y, x, *indices):
        return indexed(x, _places(y.axis, indices))

    def f(m, x, *indices, axis, named):
        return m.gather(x, *indices, axis=axis)

    def shape_rule(y, *shapes):
        check_arrays(y.inputs[1:])
        return selected(y, shapes[0], shapes[1:])

    def bounds(y) -> Sequence[Bounds]:
        x, *indices = y.inputs
        return rows_of_axes(indices, x.shape or (), y.axis, named=y.named)

    def vjp(y, g, x, *indices):
        zeros = ops.broadcast_to(Constant.of(0, g.dtype), x.shape)
        return [
            _update(y, zeros, g, indices, "add"),
            *[None] * len(indices),
        ]

    def structure(y, position, size, out):
        return "selection"


class ScatterND(ScatterUpdate):
    """y = x, whose elements at arrays of integers are combined with values.

    The integers name the elements as in `gather_nd`. `how` is "set" (of several values for one
    element the last remains), "add", "multiply", "divide", "minimum" or "maximum": values for one
    element are combined in their order. Extremes share the gradient equally where they are tied.
    """

    batched = scatter
    math, onnx = r"{x}[i] \leftarrow {v}", "ScatterND"
    promotes = False
    samples = [
        case((3, 4), (2, 3), *_ROWS, axis=0, named=(0, 1), how="set"),
        case((3, 4), (2, 3), *_ROWS, axis=0, named=(0, 1), how="add"),
        case((2, 3, 2), (2, 4, 2), np.array([0, 2, 2, 2]), axis=1, named=(1,), how="multiply"),
        case((2,), (6,), np.zeros(6, np.int64), axis=0, named=(0,), how="multiply"),
        case((3, 4), (2, 3), *_ROWS, axis=0, named=(0, 1), how="divide", low=0.5),
        case((2, 3, 2), (2, 4, 2), np.array([0, 2, 2, 0]), axis=1, named=(1,), how="minimum"),
        kink([3.0, 1, 2, 2], [1.0, 2, 2, 2, 0, 5], [0, 0, 3, 3, 1, 1], axis=0, named=(0,),
             how="maximum", slopes=[[1, 0, 1, 1 / 3], [0, 0, 1 / 3, 1 / 3, 0, 1], None]),
    ]  # fmt: skip

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        nodes = super().align_inputs(inputs)
        dtype = nodes[0].dtype
        if self.how in ("minimum", "maximum") and dtype is not None and is_complex(dtype):
            refuse_complex(dtype)
        return nodes

    def notation(y, x, v, *indices):
        place = f"[{_places(y.axis, indices)}]"
        return subscripted(x, f"{place} {SIGNS[y.how]} {v.latex}")

    def f(m, x, v, *i, axis, named, how):
        return m.scatter(x, v, *i, axis=axis, how=how)

    def shape_rule(y, *shapes):
        x, values, *rest = shapes
        check_arrays(y.inputs[2:])
        found = selected(y, x, rest)
        if len(values) != len(found) or not all(map(same, values, found)):
            raise ShapeError(f"values of {text(values)} for elements of {text(found)}")
        of_x, of_values = y.inputs[0].dtype, y.inputs[1].dtype
        if of_x != of_values and of_x is not None and of_values is not None:
            raise DTypeError(f"values are {of_values}, x is {of_x}")
        return x

    def bounds(y) -> Sequence[Bounds]:
        x, _, *indices = y.inputs
        return rows_of_axes(indices, x.shape or (), y.axis, named=y.named)

    def vjp(y, g, x, v, *indices):
        return [*_SLOPES[y.how](y, g, x, v, indices), *[None] * len(indices)]

    def nonfinite(y, value, *x):
        return total_overflow(y.dtype, "combination of the values at one element")

    def structure(y, position, size, out):
        return "selection"


# How an update writes values to elements of x.
SIGNS = {
    "set": r"\leftarrow",
    "add": "{+}{=}",
    "multiply": r"{\cdot}{=}",
    "divide": "{/}{=}",
    "minimum": r"{\min}{=}",
    "maximum": r"{\max}{=}",
}


def _places(axis: int, indices: Sequence[Piece]) -> str:
    """LaTeX of an index of arrays, for axes from `axis` on."""
    return ", ".join([":"] * axis + [index.latex for index in indices])


def selected(y: Any, x: Shape, indices: Sequence[Shape]) -> Shape:
    """The shape of x at indices of these shapes; checks those that are constants."""
    axis: int = y.attributes["axis"]
    chosen = broadcast(*indices)
    if 0 not in (*x, *chosen):  # NumPy says what is wrong with an empty x
        for one in y.bounds():
            one.check_constant()
    return (*x[:axis], *chosen, *x[axis + len(indices) :])


# ---------------------------------------------------------------- derivatives of updates

# In each, g is the cotangent of y = scatter(x, v), and `at` reads elements as y's indices do.


def _at(y: Any, x: Node, indices: Sequence[Node]) -> Any:
    return GatherND(x, *indices, axis=y.axis, named=y.named)


def _update(y: Any, x: Node, v: Node, indices: Sequence[Node], how: str) -> Node:
    return ScatterND(x, v, *indices, axis=y.axis, named=y.named, how=how)


def _added(y: Any, g: Node, x: Node, v: Node, indices: Sequence[Node]) -> list[Any]:
    return [g, lambda: _at(y, g, indices)]


def _set(y: Any, g: Any, x: Node, v: Node, indices: Sequence[Node]) -> list[Any]:
    """Overwritten elements of x and values that another one replaces have no influence."""

    def values() -> Node:
        shape = sizes(v.shape)
        numbers = Constant(np.arange(math.prod(shape)).reshape(shape))
        zeros = ops.broadcast_to(Constant(np.int64(0)), x.shape)
        last = _at(y, _update(y, zeros, numbers, indices, "set"), indices)
        return ops.where(last == numbers, _at(y, g, indices), 0)

    zeros = ops.broadcast_to(Constant.of(0, g.dtype), v.shape)
    return [lambda: _update(y, g, zeros, indices, "set"), values]


def _multiplied(y: Any, g: Node, x: Node, v: Node, indices: Sequence[Node]) -> list[Any]:
    """∂y/∂x is the product of the values, ∂y/∂v that of x and the other values for the element."""

    def values() -> Node:
        others = product_of_others(v, _elements(y, x, v, indices))
        return ops.scaled(_at(y, ops.scaled(g, x), indices), others)

    return [lambda: _update(y, g, v, indices, "multiply"), values]


def _divided(y: Any, g: Node, x: Node, v: Node, indices: Sequence[Node]) -> list[Any]:
    def values() -> Node:
        return ops.negative(ops.scaled(_at(y, ops.scaled(g, y), indices), ops.divide(1, v)))

    return [lambda: _update(y, g, v, indices, "divide"), values]


def _extreme(y: Any, g: Node, x: Node, v: Node, indices: Sequence[Node]) -> list[Any]:
    """Each of x and the values that equals the extreme gets an equal share."""
    kept = ops.cast(x == y, g.dtype)
    chosen = v == _at(y, y, indices)
    ties = ScatterND(
        kept, ops.cast(chosen, g.dtype), *indices, axis=y.axis, named=y.named, how="add"
    )
    share = g / ops.maximum(ties, 1)
    return [ops.where(x == y, share, 0), lambda: ops.where(chosen, _at(y, share, indices), 0)]


_SLOPES: dict[str, Any] = {
    "set": _set, "add": _added, "multiply": _multiplied, "divide": _divided,
    "minimum": _extreme, "maximum": _extreme,
}  # fmt: skip


def _elements(y: Any, x: Node, v: Node, indices: Sequence[Node]) -> Node:
    """For each value, in row-major order, the position of its element in x."""
    positions = Constant(np.arange(size(x.shape)).reshape(sizes(x.shape)))
    return ops.reshape(_at(y, positions, indices), (-1,))
