"""The batching rules of layout operations, which put the same elements elsewhere."""

from __future__ import annotations

from typing import Any

from ...shapes import axes_in, sizes
from ..leaves import Constant
from ..registry import ops
from .batch import Batch, part_of_units, with_axes

_ALL = slice(None)


def to_shape(y: Any, batch: Batch) -> Any:
    """Operations that keep the order of the elements."""
    return ops.reshape(batch.xs[0], (batch.size, *sizes(y.shape)))


def to_broadcast(y: Any, batch: Batch) -> Any:
    """Elements repeated along axes of size 1 and axes before those of the example."""
    x = with_axes(batch.xs[0], len(y.shape) + 1)
    return ops.broadcast_to(x, (batch.size, *sizes(y.shape)))


def permuted(y: Any, batch: Batch) -> Any:
    """Axes in another order, which y gives as `order`."""
    order = y.order(len(y.inputs[0].shape))
    return ops.permute_dims(batch.xs[0], (0, *(axis + 1 for axis in order)))


def transposed(y: Any, batch: Batch) -> Any:
    """The last two axes exchanged."""
    return ops.matrix_transpose(batch.xs[0])


def at_index(y: Any, batch: Batch) -> Any:
    """Parts at a basic index, of arrays whose shape is that of an input or the attribute."""
    if len(y.inputs) == 1 and "shape" not in y.attributes:
        units = part_of_units(batch.xs[0], y.attributes["index"])
        if units is not None:
            return units
    options = {**y.attributes, "index": (_ALL, *y.attributes["index"])}
    if "shape" in options:
        options["shape"] = (batch.size, *sizes(y.shape))
    return y.applied(batch.fronts(), options)


def placed(y: Any, batch: Batch) -> Any:
    """A part of zeros. A piece of one axis is joined with zeros: what computes it can write it into
    the whole, where many examples would be copied."""
    shape = (batch.size, *sizes(y.shape))
    piece = piece_of((_ALL, *y.attributes["index"]), shape)
    if piece is None:
        return at_index(y, batch)
    axis, start, stop = piece
    before, after = shape[:axis], shape[axis + 1 :]
    part = ops.reshape(batch.xs[0], (*before, stop - start, *after))
    zero = Constant.of(0, part.dtype)
    around = [ops.broadcast_to(zero, (*before, n, *after)) for n in (start, shape[axis] - stop)]
    parts = [around[0], part, around[1]]
    return ops.concat([x for x in parts if x.shape[axis]], axis=axis)


def piece_of(index: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """(axis, start, stop) if x[index] is that piece of one axis and all of the others, not empty,
    and without new axes; else None."""
    if None in index:
        return None
    place = index.index(Ellipsis) if Ellipsis in index else len(index)
    rest = (_ALL,) * (len(shape) - len(index) + (Ellipsis in index))
    parts = (*index[:place], *rest, *index[place + 1 :])
    ranges = [range(*part.indices(size)) if isinstance(part, slice)
              else range(part % size, part % size + 1)
              for part, size in zip(parts, shape, strict=True)]  # fmt: skip
    cut = [axis for axis, (one, size) in enumerate(zip(ranges, shape)) if one != range(size)]
    if 0 in shape or len(cut) != 1 or ranges[cut[0]].step != 1 or not ranges[cut[0]]:
        return None
    one = ranges[cut[0]]
    return cut[0], one.start, one.stop


def reversed_axes(y: Any, batch: Batch) -> Any:
    """Elements in reverse order along axes; None stands for all axes of an example."""
    axes = axes_in(y.attributes["axis"], len(y.shape))
    return y.applied(batch.xs, {**y.attributes, "axis": tuple(axis + 1 for axis in axes)})
