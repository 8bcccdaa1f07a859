"""Gathering of rows by integer indices, its adjoint, a scatter-add; iteration over rows."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any, Literal

import numpy as np

from ...dtypes import is_boolean, is_integer
from ...errors import ArgumentError, DTypeError, GraphError, ShapeError
from ...graph.batching import gathers as batching
from ...graph.declared.bounds import Bounds, rows_of_axes
from ...graph.describe.nonfinite import total_overflow
from ...graph.describe.notation import Piece, indexed
from ...graph.kinds import Gather, ScatterAdd
from ...graph.node import Node
from ...graph.promotion import as_indices, as_node
from ...graph.registry import ops, register
from ...graph.samples import case
from ...messages.calls import explains, misfit
from ...shapes import axis_in, same, text


class Take(Gather):
    """y = x at integer `indices` along `axis`; the shape of the indices replaces that axis.

    A negative index counts from the end.
    """

    batched = batching.take
    math, onnx = r"{x}[{i}]", "Gather"
    promotes = False
    stays_finite = True
    samples = [
        case((5, 3), np.array([0, 4, 4]), axis=0),
        case((5, 3), np.array([[0, -1], [2, 2]]), axis=0),
        case((2, 5, 3), np.array([1, 1, 3]), axis=1),
        case((2, 5), np.array(3), axis=-1),
        case((5, 3), np.zeros((0,), np.int64), axis=0),
    ]

    def notation(y, x, indices):
        return indexed(x, _rows(y, indices))

    def f(m, x, indices, *, axis):
        return m.take(x, indices, axis=axis)

    def shape_rule(y, *shapes):
        x, indices = shapes
        _check_not_mask(y.inputs[1])
        if y.inputs[1].dtype is not None and not is_integer(y.inputs[1].dtype):
            raise DTypeError(
                f"indices are {y.inputs[1].dtype}, expected integers",
                hint="Write np.array([1, 2]), or pg.cast(indices, 'int64').",
            )
        axis = axis_in(y.attributes["axis"], len(x))
        for one in y.bounds() if 0 not in x else []:  # NumPy says what is wrong with an empty x
            one.check_constant()
        return (*x[:axis], *indices, *x[axis + 1 :])

    def bounds(y) -> Sequence[Bounds]:
        x, indices = y.inputs
        return rows_of_axes([indices], x.shape or (), axis_in(y.axis, x.ndim or 0))

    def vjp(y, g, x, indices):
        axis = axis_in(y.axis, x.ndim)
        return [TakeAdd(g, indices, axis=axis, size=x.shape[axis]), None]

    def structure(y, position, size, out):
        return "selection"


def _rows(y: Any, indices: Piece) -> str:
    """LaTeX of the index of rows along the axis."""
    axis, ndim = y.attributes["axis"], y.inputs[0].ndim
    axis = axis % ndim if ndim else axis
    return ", ".join([":"] * axis + [indices.latex])


def _check_not_mask(indices: Node) -> None:
    """Raise DTypeError for booleans, which NumPy would take for the indices 0 and 1."""
    if is_boolean(indices.dtype):
        raise DTypeError(
            "take: indices are booleans, expected integers",
            hint="For a mask: pg.where(mask, x, 0), or its indices np.flatnonzero(mask).",
        )


class TakeAdd(ScatterAdd):
    """y = zeros with each row of g added at its index along `axis`: the adjoint of `take`."""

    batched = batching.take_add
    math = r"\sum {x}[{i}]"
    promotes = False
    samples = [
        case((3, 3), np.array([0, 4, 4]), axis=0, size=5),
        case((2, 2, 3), np.array([[0, -1], [2, 2]]), axis=0, size=5),
        case((2, 3, 3), np.array([1, 1, 3]), axis=1, size=5),
    ]

    def notation(y, g, indices):
        return Piece(rf"\mathbf{{0}}_{{[{_rows(y, indices)}] {{+}}{{=}} {g.latex}}}")

    def f(m, g, indices, *, axis, size):
        return m.take_add(g, indices, axis, size)

    def shape_rule(y, *shapes):
        g, indices = shapes
        axis: int = y.attributes["axis"]
        rows = g[axis : axis + len(indices)]
        if len(rows) != len(indices) or not all(map(same, rows, indices)):
            raise ShapeError(f"a cotangent of {text(g)} doesn't fit indices of {text(indices)}")
        return (*g[:axis], y.attributes["size"], *g[axis + len(indices) :])

    def bounds(y) -> Sequence[Bounds]:
        return rows_of_axes([y.inputs[1]], (y.attributes["size"],), 0)

    def vjp(y, h, g, indices):
        return [Take(h, indices, axis=y.axis), None]

    def nonfinite(y, value, *x):
        return total_overflow(y.dtype, "sum of rows")

    def structure(y, position, size, out):
        return "selection, rows added"


@register
@explains
def take(
    x: Any, indices: Any, axis: int | None = None, *more: Any,
    mode: Literal["raise", "wrap", "clip"] = "raise", name: str | None = None, **unknown: Any,
) -> Node:  # fmt: skip
    """y = x at integer `indices` along `axis`; the shape of the indices replaces that axis.

    Without an axis, the indices count x's elements in row-major order, as in NumPy. A negative
    index counts from the end; one out of range raises OutOfRangeError, or with mode "wrap" is
    taken modulo the size, with mode "clip" replaced by the nearest of 0 … size − 1.
    """
    if more or unknown:
        raise misfit(take, (x, indices, axis, *more), unknown)
    source, rows = as_node(x), as_indices(indices)
    _check_not_mask(rows)
    if axis is None:
        source, axis = source if source.ndim == 1 else ops.reshape(source, (-1,)), 0
    if mode != "raise":
        rows = _within(rows, source, axis, mode)
    return Take(source, rows, axis=index(axis), name=name)


def _within(rows: Node, x: Node, axis: int, mode: str) -> Node:
    """The indices, of which those out of range are replaced by ones in range."""
    if mode not in ("wrap", "clip"):
        raise ArgumentError(f"take: mode is 'raise', 'wrap' or 'clip', got {mode!r:.40}")
    length = None if x.shape is None else x.shape[axis_in(axis, len(x.shape))]
    if length is None:
        raise ShapeError(
            f"take: mode={mode!r} needs the size of axis {axis}, which isn't known yet"
        )
    return ops.remainder(rows, length) if mode == "wrap" else ops.clip(rows, 0, length - 1)


@register
def embedding(indices: Any, table: Any, *, name: str | None = None) -> Node:
    """y = the rows of `table` (rows, size) at the integers `indices` (…): y (…, size)."""
    return take(table, indices, axis=0, name=name)


@register
def iterate(x: Any) -> Any:
    """An iterator over the slices of x along its first axis, whose size must be known."""
    shape = x.shape
    if shape is None or (shape and shape[0] is None):
        fact = f"{x.label()} can't be iterated over: its length isn't known{x.built()}."
        raise GraphError(fact, hint="Write pg.sum(x) for a loop, or give the placeholder a shape.")
    if not shape:
        fact = f"{x.label()} is a scalar{x.built()}, which has no axes to iterate over."
        raise ArgumentError(fact, hint="Put it into a list, [x], to go through one element.")
    return iter([x[place] for place in range(shape[0])])
