"""Arrays cut into pieces or put together from them: unstack, array_split, block, and their like."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from ...dtypes import is_inexact, is_integer
from ...errors import ArgumentError, DTypeError, ShapeError
from ...graph.node import Node
from ...graph.promotion import as_node, as_nodes
from ...graph.registry import ops, register
from ...messages.checks import whole
from .join import length_of


@register
def unstack(x: Any, /, *, axis: int = 0, name: str | None = None) -> tuple[Node, ...]:
    """The slices of x along `axis`, without that axis: the inverse of `stack`."""
    length = length_of(x, axis)
    if length is None:
        raise ShapeError(f"unstack: the size of axis {axis} isn't known yet",
                         hint="Index single slices: x[0].")  # fmt: skip
    pieces = ops.split(x, axis=axis, sizes=[1] * length, name=name)
    return tuple(ops.squeeze(piece, axis=axis) for piece in pieces)


@register
def array_split(
    x: Any,
    indices_or_sections: int | Sequence[int],
    /,
    axis: int = 0,
    *,
    name: str | None = None,
) -> tuple[Node, ...]:
    """Pieces of x along `axis`: a number of pieces of nearly equal sizes, or those between indices.

    Of n elements in k pieces, the first n mod k pieces hold one element more than the others.
    """
    if not isinstance(indices_or_sections, (int, np.integer)):
        return ops.split(x, indices_or_sections, axis=axis, name=name)
    count = whole("array_split: indices_or_sections", indices_or_sections, least=1, like=3)
    length = length_of(x, axis)
    if length is None:
        raise ShapeError(f"array_split: the size of axis {axis} isn't known yet",
                         hint="Give indices between the pieces.")  # fmt: skip
    each, more = divmod(length, count)
    sizes = [each + 1] * more + [each] * (count - more)
    return ops.split(x, axis=axis, sizes=sizes, name=name)


@register
def hsplit(x: Any, indices_or_sections: int | Sequence[int], /) -> tuple[Node, ...]:
    """Pieces of x along axis 1, or along the only axis: see `split`."""
    x = as_node(x)
    if x.ndim is None:
        raise ShapeError("hsplit: the number of axes isn't known yet", hint="Write pg.split.")
    return ops.split(_with_axes(x, 1, "hsplit"), indices_or_sections, axis=min(x.ndim - 1, 1))


@register
def vsplit(x: Any, indices_or_sections: int | Sequence[int], /) -> tuple[Node, ...]:
    """Pieces of x, which has two axes or more, along axis 0: see `split`."""
    return ops.split(_with_axes(x, 2, "vsplit"), indices_or_sections, axis=0)


@register
def dsplit(x: Any, indices_or_sections: int | Sequence[int], /) -> tuple[Node, ...]:
    """Pieces of x, which has three axes or more, along axis 2: see `split`."""
    return ops.split(_with_axes(x, 3, "dsplit"), indices_or_sections, axis=2)


def _with_axes(x: Any, least: int, function: str) -> Node:
    x = as_node(x)
    if x.ndim is not None and x.ndim < least:
        raise ShapeError(f"{function}: x has {x.ndim} axes; expected {least} or more",
                         hint="pg.split takes the axis: pg.split(x, 2, axis=0).")  # fmt: skip
    return x


@register
def block(arrays: Any, /) -> Node:
    """The array put together from nested lists of blocks, as matrices are written on paper.

    The innermost lists are joined along the last axis, those around them along the one before, and
    so on; blocks with fewer axes get leading ones.

    >>> import palingrad as pg
    >>> pg.block([[1.0, 2.0], [3.0, 4.0]]).value
    array([[1., 2.],
           [3., 4.]], dtype=float32)
    """
    levels: list[list[Any]] = [[arrays]]  # the lists of each depth, outermost first
    while any(isinstance(part, list) for part in levels[-1]):
        if not all(isinstance(part, list) for part in levels[-1]):
            raise ArgumentError("block: the lists are nested to different depths.",
                                hint="Write pg.block([[a, b], [c, d]]).")  # fmt: skip
        if not all(levels[-1]):
            raise ArgumentError("block: a list is empty.", hint="Write pg.block([[a, b]]).")
        levels.append([part for parts in levels[-1] for part in parts])
    blocks = [as_node(part) for part in levels[-1]]
    ranks = [part.ndim for part in blocks]
    if None in ranks:
        raise ShapeError("block: the number of axes of a block isn't known yet",
                         hint="Write pg.concat([…], axis=0).")  # fmt: skip
    ndim = max(len(levels) - 1, *(rank or 0 for rank in ranks))
    blocks = [
        ops.expand_dims(part, axis=tuple(range(ndim - (part.ndim or 0)))) if part.ndim != ndim
        else part for part in blocks
    ]  # fmt: skip
    for depth in range(1, len(levels)):
        parts = iter(blocks)
        groups = [[next(parts) for _ in group] for group in levels[-1 - depth]]
        blocks = [ops.concat(group, axis=ndim - depth) for group in groups]
    return blocks[0]


@register
def append(x: Any, values: Any, /, axis: int | None = None, *, name: str | None = None) -> Node:
    """y = x with `values` joined behind it along `axis`; without an axis, both flattened."""
    if axis is None:
        (x, values), axis = (ops.reshape(part, -1) for part in as_nodes(x, values)), 0
    return ops.concat([x, values], axis=axis, name=name)


@register
def insert(
    x: Any, obj: Any, values: Any, /, axis: int | None = None, *, name: str | None = None
) -> Node:
    """y = x with `values` inserted before the indices `obj` along `axis`; without one, flattened.

    obj: an integer, several, a slice or a mask, known when the graph is built, each counted in x.
    Values broadcast to the inserted slices, as in NumPy, and are converted to x's dtype.
    """
    x, axis, length = _along("insert", x, axis)
    positions = _positions("insert", obj, length, most=length)
    _, values = as_nodes(x, values)
    if is_inexact(values.dtype) and is_integer(x.dtype):
        raise DTypeError(f"insert: {values.dtype} values don't fit x, which is {x.dtype}.",
                         hint="Convert one of them: pg.cast(x, 'float32').")  # fmt: skip
    values = values if x.dtype is None else ops.cast(values, x.dtype)
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    rows = np.insert(np.arange(length), positions, 0)
    if np.ndim(positions) == 0:  # one place: `values` are whole slices there
        values = ops.expand_dims(values, axis=tuple(range(max(x.ndim - values.ndim, 0))))
        values = ops.moveaxis(values, 0, axis)
        rows = np.insert(np.arange(length), [int(positions)] * values.shape[axis], 0)
    count = len(rows) - length
    inserted = ops.broadcast_to(values, (*before, count, *after))
    marks = np.insert(np.zeros(length, bool), positions if np.ndim(positions) else
                      [int(positions)] * count, values=True)  # fmt: skip
    order = np.empty(length + count, np.int64)
    order[~marks] = np.arange(length)
    order[marks] = length + _order_of(positions, count, length)
    return ops.take(ops.concat([x, inserted], axis=axis), order, axis=axis, name=name)


def _order_of(positions: Any, count: int, length: int) -> Any:
    """The order in which the inserted slices come: by position, then as they are given."""
    if np.ndim(positions) == 0:
        return np.arange(count)
    wrapped = np.where(positions < 0, positions + length, positions)
    return np.argsort(wrapped, kind="stable")


@register
def delete(x: Any, obj: Any, /, axis: int | None = None, *, name: str | None = None) -> Node:
    """y = x without the slices at the indices `obj` along `axis`; without an axis, x flattened.

    obj: an integer, several, a slice or a mask, known when the graph is built.
    """
    x, axis, length = _along("delete", x, axis)
    kept = np.delete(np.arange(length), _positions("delete", obj, length, most=length - 1))
    return ops.take(x, kept, axis=axis, name=name)


def _along(function: str, x: Any, axis: int | None) -> tuple[Any, int, int]:
    """x, flattened if there is no axis, the axis from 0 and its size."""
    x, axis = (ops.reshape(x, -1), 0) if axis is None else (as_node(x), index(axis))
    length = length_of(x, axis)
    if length is None or None in x.shape:
        raise ShapeError(f"{function}: the shape of x isn't known yet",
                         hint="Give the placeholder a shape.")  # fmt: skip
    return x, axis % x.ndim, length


def _positions(function: str, obj: Any, length: int, *, most: int) -> Any:
    """The indices as an integer or an array of integers."""
    if isinstance(obj, slice):
        return np.arange(*obj.indices(length))
    values = as_node(obj)._known()
    if values is None:
        raise ShapeError(f"{function}: the indices aren't known yet, and the shape depends on them",
                         hint="Pass them as an array.")  # fmt: skip
    if values.dtype == bool:
        if values.shape != (length,):
            raise ShapeError(f"{function}: a mask of shape {values.shape} for {length} slices",
                             hint="A mask has one element for each slice.")  # fmt: skip
        return np.flatnonzero(values)
    if not values.size:
        return np.zeros(0, np.int64)
    if not is_integer(values.dtype) or values.ndim > 1:
        raise ArgumentError(f"{function}: obj is {obj!r:.60}; expected integers, slice or mask.",
                            hint="Write obj=[0, 2].")  # fmt: skip
    low, high = int(values.min()), int(values.max())
    if low < -length or high > most:
        raise ShapeError(f"{function}: indices {low} … {high} for {length} slices",
                         hint=f"They count from 0 to {most}, or from the end.")  # fmt: skip
    return values.copy()


@register
def ediff1d(
    x: Any, /, to_end: Any = None, to_begin: Any = None, *, name: str | None = None
) -> Node:
    """y = the differences of successive elements of x, flattened, with `to_begin` and `to_end`
    before and behind them."""
    given = [part for part in (x, to_begin, to_end) if part is not None]
    flat, *ends = (ops.reshape(part, -1) for part in as_nodes(*given))
    first = [] if to_begin is None else [ends.pop(0)]
    return ops.concat([*first, flat[1:] - flat[:-1], *ends], axis=0, name=name)


@register
def trim_zeros(x: Any, /, trim: str = "fb") -> Node:
    """x without the zeros at its ends; its values must be known, because they decide the shape.

    trim: which ends, 'f' for the front and 'b' for the back. x has one axis.
    """
    x = as_node(x)
    values = x._known()
    if values is None:
        raise ShapeError("trim_zeros: the values of x aren't known yet, and the shape depends on "
                         "them", hint="Slice with constant bounds: x[first:last].")  # fmt: skip
    if values.ndim != 1:
        raise ShapeError(f"trim_zeros: x has {values.ndim} axes; expected 1", hint="Slice x.")
    places = np.flatnonzero(values)
    if not len(places):
        return x[:0]
    first = int(places[0]) if "f" in trim.lower() else None
    last = int(places[-1]) + 1 if "b" in trim.lower() else None
    return x[first:last]
