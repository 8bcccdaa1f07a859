"""Gathering of rows by integer indices, its adjoint, a scatter-add; iteration over rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import is_boolean, is_integer
from ...errors import ArgumentError, DTypeError, GraphError, ShapeError
from ...graph.declared.bounds import Bounds
from ...graph.describe.nonfinite import total_overflow
from ...graph.kinds import Gather, ScatterAdd
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import register
from ...graph.samples import case
from ...messages.calls import explains, misfit
from ...shapes import axis_in, same, sizes, text


class Take(Gather):
    """y = x at integer `indices` along `axis`; the shape of the indices replaces that axis.

    A negative index counts from the end.
    """

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
        return (*x[:axis], *indices, *x[axis + 1 :])

    def bounds(y) -> Bounds | None:
        rows = sizes(y.inputs[0].shape)[axis_in(y.axis, y.inputs[0].ndim or 0)]
        return _rows(y.inputs[1], rows)

    def vjp(y, g, x, indices):
        axis = axis_in(y.axis, x.ndim)
        return [TakeAdd(g, indices, axis=axis, size=x.shape[axis]), None]

    def structure(y, position, size, out):
        return "selection"


def _check_not_mask(indices: Node) -> None:
    """Raise DTypeError for booleans, which NumPy would take for the indices 0 and 1."""
    if is_boolean(indices.dtype):
        raise DTypeError(
            "take: indices are booleans, expected integers",
            hint="For a mask: pg.where(mask, x, 0), or its indices np.flatnonzero(mask).",
        )


def _rows(indices: Node, rows: int) -> Bounds:
    def error(least: int, most: int) -> Exception:
        return IndexError(f"take: indices {least} … {most} for {rows} rows")

    return Bounds(indices, -rows, rows, error)


class TakeAdd(ScatterAdd):
    """y = zeros with each row of g added at its index along `axis`: the adjoint of `take`."""

    math = r"\sum {x}[{i}]"
    promotes = False
    samples = [
        case((3, 3), np.array([0, 4, 4]), axis=0, size=5),
        case((2, 2, 3), np.array([[0, -1], [2, 2]]), axis=0, size=5),
        case((2, 3, 3), np.array([1, 1, 3]), axis=1, size=5),
    ]

    def f(m, g, indices, *, axis, size):
        return m.take_add(g, indices, axis, size)

    def shape_rule(y, *shapes):
        g, indices = shapes
        axis: int = y.attributes["axis"]
        rows = g[axis : axis + len(indices)]
        if len(rows) != len(indices) or not all(map(same, rows, indices)):
            raise ShapeError(f"a cotangent of {text(g)} doesn't fit indices of {text(indices)}")
        return (*g[:axis], y.attributes["size"], *g[axis + len(indices) :])

    def bounds(y) -> Bounds | None:
        return _rows(y.inputs[1], y.attributes["size"])

    def vjp(y, h, g, indices):
        return [Take(h, indices, axis=y.axis), None]

    def nonfinite(y, value, *x):
        return total_overflow(y.dtype, "sum of rows")

    def structure(y, position, size, out):
        return "selection, rows added"


@register
@explains
def take(
    x: Any, indices: Any, axis: int = 0, *more: Any, name: str | None = None, **unknown: Any
) -> Node:
    """y = x at integer `indices` along `axis`; the shape of the indices replaces that axis.

    A negative index counts from the end. Raises ShapeError for an index out of range that is known
    when the graph is built, IndexError for one that is fed.
    """
    if more or unknown:
        raise misfit(take, (x, indices, axis, *more), unknown)
    source, rows = as_node(x), as_node(indices)
    _check_not_mask(rows)
    values = rows._known()
    if values is not None and values.size and source.shape is not None:
        length = source.shape[axis_in(axis, len(source.shape))]
        low, high = int(values.min()), int(values.max())
        if is_integer(values.dtype) and length is not None:
            if low < -length or high >= length:
                raise ShapeError(
                    f"take: indices {low} … {high} for {length} rows",
                    hint=f"Rows count from 0 to {length - 1}; a table for index {high} has "
                    f"{high + 1}."
                    if high >= length
                    else f"Negative ones count from the end, down to -{length}.",
                )
    return Take(source, rows, axis=int(axis), name=name)


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
