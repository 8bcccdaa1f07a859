"""Functions of NumPy that give arrays more axes, a common shape or join them along one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import ArgumentError, ShapeError
from ...graph.node import Node
from ...graph.promotion import as_node, as_nodes
from ...graph.registry import ops, register
from ...shapes import Shape, as_shape, axis_in, broadcast, known, sizes


@register
def ravel(x: Any, /, *, name: str | None = None) -> Node:
    """y = the elements of x, in row-major order, as a vector."""
    return ops.reshape(x, (-1,), name=name)


@register
def shape(x: Any, /) -> Shape | None:
    """The shape of x, a tuple; None for a size that isn't known yet."""
    return as_node(x).shape


@register
def ndim(x: Any, /) -> int | None:
    """The number of axes of x."""
    return as_node(x).ndim


@register
def size(x: Any, /, axis: int | None = None) -> int | None:
    """The number of elements of x, or its size on an axis."""
    node = as_node(x)
    if axis is None or node.shape is None:
        return node.size
    return node.shape[axis_in(axis, len(node.shape))]


@register
def broadcast_shapes(*shapes: Any) -> Shape:
    """The shape that arrays of these shapes broadcast to."""
    return broadcast(*map(as_shape, shapes))


@register
def broadcast_arrays(*xs: Any) -> list[Node]:
    """The arrays, broadcast to one shape, which must be known."""
    nodes = [as_node(x) for x in xs]
    target = broadcast(*(_shape(x) for x in nodes))
    return [x if x.shape == target else ops.broadcast_to(x, target) for x in nodes]


def _shape(x: Node) -> Shape:
    if x.shape is None or not known(x.shape):
        raise ShapeError(f"the shape of {x.label()} isn't known yet{x.built()}.",
                         hint="Give the placeholder a shape.")  # fmt: skip
    return x.shape


def _at_least(xs: Sequence[Any], place: Any) -> Any:
    """`place(x)` for each array; a single one isn't put into a tuple."""
    found = tuple(place(as_node(x)) for x in xs)
    return found[0] if len(found) == 1 else found


@register
def atleast_1d(*xs: Any) -> Any:
    """The arrays, a scalar as a vector of one element; several as a tuple."""
    return _at_least(xs, lambda x: ops.reshape(x, (1,)) if x.ndim == 0 else x)


@register
def atleast_2d(*xs: Any) -> Any:
    """The arrays, scalars and vectors as matrices of one row; several as a tuple."""
    return _at_least(xs, _matrix)


def _matrix(x: Any) -> Any:
    if x.ndim == 0:
        return ops.reshape(x, (1, 1))
    return ops.expand_dims(x, 0) if x.ndim == 1 else x


@register
def atleast_3d(*xs: Any) -> Any:
    """The arrays with three axes or more: a vector as (1, n, 1), a matrix as (n, m, 1)."""
    return _at_least(xs, _block)


def _block(x: Any) -> Any:
    x = _matrix(x)
    return ops.expand_dims(x, -1) if x.ndim == 2 else x


def _listed(name: str, xs: Any) -> Sequence[Any]:
    if isinstance(xs, Node) and xs.shape:
        return [xs[place] for place in range(sizes(xs.shape)[0])]
    if not isinstance(xs, (list, tuple)) or not xs:
        raise ArgumentError(f"{name}: expected a list of arrays.",
                            hint=f"Write pg.{name}([x, y]).")  # fmt: skip
    return xs


@register
def hstack(xs: Sequence[Any], *, dtype: Any = None, name: str | None = None) -> Node:
    """y = the arrays joined along axis 1, vectors along axis 0."""
    parts = [atleast_1d(x) for x in as_nodes(*_listed("hstack", xs))]
    return _joined(parts, 0 if parts[0].ndim == 1 else 1, dtype, name)


@register
def vstack(xs: Sequence[Any], *, dtype: Any = None, name: str | None = None) -> Node:
    """y = the arrays joined along axis 0, vectors as rows."""
    return _joined([_matrix(x) for x in as_nodes(*_listed("vstack", xs))], 0, dtype, name)


@register
def dstack(xs: Sequence[Any], *, dtype: Any = None, name: str | None = None) -> Node:
    """y = the arrays joined along axis 2, of which matrices get one."""
    return _joined([_block(x) for x in as_nodes(*_listed("dstack", xs))], 2, dtype, name)


@register
def column_stack(xs: Sequence[Any], *, name: str | None = None) -> Node:
    """y = the arrays joined along axis 1, vectors as columns."""
    nodes = as_nodes(*_listed("column_stack", xs))
    return _joined([x if x.ndim == 2 else ops.reshape(x, (-1, 1)) for x in nodes], 1, None, name)


def _joined(parts: list[Any], axis: int, dtype: Any, name: str | None) -> Node:
    parts = parts if dtype is None else [ops.cast(part, dtype) for part in parts]
    return ops.concat(parts, axis, name=name)
