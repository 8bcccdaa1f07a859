"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from ...graph.describe.notation import applied, operator
from ...graph.describe.template import below, stated_options
from ...graph.kinds import Composite
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case
from ...messages.checks import whole
from ...shapes import Dim, Shape, axis_in


def _length(rows: Dim, columns: Dim, offset: int) -> Dim:
    """The number of elements of a diagonal."""
    if rows is None or columns is None:
        return None
    return max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)


def _pair(y: Any, ndim: int) -> tuple[int, int]:
    if ndim < 2:
        raise ShapeError(f"a matrix has two axes or more, got {ndim}",
                         hint="pg.diag(v) puts a vector on a diagonal.")  # fmt: skip
    first, second = axis_in(y.attributes["axis1"], ndim), axis_in(y.attributes["axis2"], ndim)
    if first == second:
        raise ShapeError(f"axis1 and axis2 are both axis {first}", hint="Write axis1=0, axis2=1.")
    return first, second


class Diagonal(Composite):
    """y = the elements x[…, i, i + offset] of the matrices on two axes, along a new last axis."""

    math = r"\operatorname{diagonal}({x})"
    promotes = False
    samples = [
        case((3, 4), offset=0, axis1=0, axis2=1),
        case((4, 3), offset=-1, axis1=-2, axis2=-1),
        case((2, 3, 3), offset=1, axis1=2, axis2=0),
        case((2, 3), offset=5, axis1=0, axis2=1),
    ]

    def shape_rule(y, *shapes: Shape):
        first, second = _pair(y, len(shapes[0]))
        rest = [dim for at, dim in enumerate(shapes[0]) if at not in (first, second)]
        return (*rest, _length(shapes[0][first], shapes[0][second], y.attributes["offset"]))

    def expand(y, x):
        first, second = _pair(y, x.ndim)
        rows, columns = x.shape[first], x.shape[second]
        rest = [at for at in range(x.ndim) if at not in (first, second)]
        x = ops.permute_dims(x, (*rest, first, second))
        x = ops.reshape(x, (*x.shape[:-2], rows * columns))  # (…, rows · columns)
        start = y.offset if y.offset >= 0 else -y.offset * columns
        length = _length(rows, columns, y.offset) or 0
        stop = start + (length - 1) * (columns + 1) + 1 if length else start
        return x[..., start : stop : columns + 1]

    def structure(y, position, size, out):
        return "selection"


class Diag(Composite):
    """y = a matrix of zeros with x on its k-th diagonal, or the k-th diagonal of a matrix x."""

    math = r"\operatorname{diag}({x})"
    promotes = False
    samples = [case((3,), k=0), case((2,), k=1), case((2,), k=-2), case((3, 4), k=1)]

    def shape_rule(y, *shapes: Shape):
        k: int = y.attributes["k"]
        if len(shapes[0]) == 2:
            return (_length(*shapes[0], k),)
        if len(shapes[0]) != 1:
            raise ShapeError(f"expected a vector or a matrix, got {len(shapes[0])} axes",
                             hint="pg.diagonal takes more axes.")  # fmt: skip
        (length,) = shapes[0]
        return (None, None) if length is None else (length + abs(k),) * 2

    def expand(y, x):
        if x.ndim == 2:
            return ops.diagonal(x, y.k)
        size = x.shape[0] + abs(y.k)
        if y.k:  # the elements beyond the diagonal's end
            x = ops.concat([x, Constant(np.zeros(abs(y.k), x.dtype))])
        line = x[:, None] if y.k >= 0 else x[None, :]
        return ops.where(np.eye(size, k=y.k, dtype=bool), line, False)

    def structure(y, position, size, out):
        return "selection"


class Trace(Composite):
    """y = Σ x[…, i, i + offset] over the matrices on two axes: the sum of the diagonal."""

    math = r"\operatorname{tr} {x}"
    promotes = False
    samples = [
        case((3, 4), offset=0, axis1=0, axis2=1),
        case((2, 3, 3), offset=1, axis1=1, axis2=2),
    ]

    def expand(y, x):
        return ops.sum(ops.diagonal(x, y.offset, y.axis1, y.axis2), axis=-1)

    def notation(y, x):
        plain = y.inputs[0].ndim == 2 and (y.offset, y.axis1 % 2, y.axis2 % 2) == (0, 0, 1)
        return (
            super().notation(x)
            if plain
            else applied(operator("trace") + below(stated_options(y)), [x])
        )


class Triangle(Composite):
    """A triangle of the matrices on the last two axes; the other elements are 0, or False."""

    promotes = False
    samples = [case((3, 4), k=0), case((2, 3, 3), k=-1), case((3, 3), k=1)]

    def shape_rule(y, *shapes: Shape):
        if len(shapes[0]) < 2:
            raise ShapeError(f"a matrix has two axes or more, got {len(shapes[0])}",
                             hint="pg.diag(v) puts a vector on a diagonal.")  # fmt: skip
        return shapes[0]

    def notation(y, x):
        below = f"_{{{y.k}}}" if y.k else ""
        return applied(operator(y.kind_name()) + below, [x])

    def structure(y, position, size, out):
        return "diagonal of ones and zeros"


class Tril(Triangle):
    """y = x at and below the k-th diagonal of the last two axes, 0 above it."""

    math = r"\operatorname{tril}({x})"

    def expand(y, x):
        return ops.where(np.tri(*x.shape[-2:], k=y.k, dtype=bool), x, False)


class Triu(Triangle):
    """y = x at and above the k-th diagonal of the last two axes, 0 below it."""

    math = r"\operatorname{triu}({x})"

    def expand(y, x):
        return ops.where(~np.tri(*x.shape[-2:], k=y.k - 1, dtype=bool), x, False)


@register
def diagonal(
    x: Any, /, offset: int = 0, axis1: int = 0, axis2: int = 1, *, name: str | None = None
) -> Node:
    """y = the elements x[…, i, i + offset] of the matrices on two axes, along a new last axis.

    The default axes are NumPy's; those of the array API standard are axis1=-2, axis2=-1.
    """
    return Diagonal(x, offset=int(offset), axis1=int(axis1), axis2=int(axis2), name=name)


@register
def diag(x: Any, /, k: int = 0, *, name: str | None = None) -> Node:
    """y = a matrix of zeros with the vector x on its k-th diagonal, or the k-th diagonal of x."""
    return Diag(x, k=int(k), name=name)


@register
def diagflat(x: Any, /, k: int = 0, *, name: str | None = None) -> Node:
    """y = a matrix of zeros with the elements of x on its k-th diagonal."""
    return Diag(ops.reshape(x, (-1,)), k=int(k), name=name)


@register
def trace(
    x: Any, /, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, *,
    name: str | None = None,
) -> Node:  # fmt: skip
    """y = Σ x[…, i, i + offset], the sum of the diagonal; axes as for `diagonal`."""
    x = x if dtype is None else ops.cast(x, dtype)
    return Trace(x, offset=int(offset), axis1=int(axis1), axis2=int(axis2), name=name)


@register
def tril(x: Any, /, k: int = 0, *, name: str | None = None) -> Node:
    """y = x at and below the k-th diagonal of the last two axes, 0 above it."""
    return Tril(x, k=int(k), name=name)


@register
def triu(x: Any, /, k: int = 0, *, name: str | None = None) -> Node:
    """y = x at and above the k-th diagonal of the last two axes, 0 below it."""
    return Triu(x, k=int(k), name=name)


@register
def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Node, Node]:
    """The rows and columns of the elements at and below the k-th diagonal of a matrix (n, m)."""
    return _positions(np.tri(whole("tril_indices: n", n), n if m is None else m, k, bool))


@register
def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Node, Node]:
    """The rows and columns of the elements at and above the k-th diagonal of a matrix (n, m)."""
    return _positions(~np.tri(whole("triu_indices: n", n), n if m is None else m, k - 1, bool))


@register
def diag_indices(n: int, ndim: int = 2) -> tuple[Node, ...]:
    """The index of the main diagonal of an array of `ndim` axes of size n."""
    return (Constant(np.arange(whole("diag_indices: n", n))),) * ndim


def _positions(mask: Any) -> tuple[Node, Node]:
    rows, columns = np.nonzero(mask)
    return Constant(rows), Constant(columns)
