"""The batching rules of gathers and scatters.

If the indices differ between examples, each element's example is an index of its own, before them.
"""

from __future__ import annotations

from typing import Any

from ...shapes import axis_in, sizes
from ..leaves import Constant
from ..registry import ops
from .batch import Batch, moved


def take(y: Any, batch: Batch) -> Any:
    """y = x[…, i, …] along one axis."""
    (x, indices), (of_x, of_indices) = batch.xs, batch.mapped
    axis = axis_in(y.attributes["axis"], len(y.inputs[0].shape))
    if not of_indices:
        return y.applied([x, indices], {**y.attributes, "axis": axis + 1})
    if not of_x:
        result = y.applied([x, indices], {**y.attributes, "axis": axis})
        return moved(result, axis, 0)  # the axis of the examples is that of the indices
    rank = len(y.inputs[1].shape)
    rows = moved(x, axis + 1, 1)  # (examples, rows, *before, *after)
    found = ops.at(rows)[batch.positions(rank), indices].get()
    return _behind(found, rank, axis)  # (examples, *before, *indices, *after)


def take_add(y: Any, batch: Batch) -> Any:
    """The adjoint of `take`: rows of g added at integers."""
    axis, size = y.attributes["axis"], y.attributes["size"]
    if not batch.mapped[1]:
        return y.applied(batch.xs, {**y.attributes, "axis": axis + 1})
    rank = len(y.inputs[1].shape)
    rows = _front(batch.front(0), rank, axis)  # (examples, *indices, *before, *after)
    shape = (batch.size, size, *sizes(rows.shape)[1 + rank :])
    zeros = ops.broadcast_to(Constant.of(0, rows.dtype), shape)
    total = ops.at(zeros)[batch.positions(rank), batch.xs[1]].add(rows)
    return moved(total, 1, axis + 1)


def gather(y: Any, batch: Batch) -> Any:
    """Elements at several arrays of integers, for axes from `axis` on."""
    axis, count = y.attributes["axis"], len(y.inputs) - 1
    rank = max(len(x.shape) for x in y.inputs[1:])
    if not any(batch.mapped[1:]):
        return y.applied(batch.xs, {**y.attributes, "axis": axis + 1})
    indices = batch.aligned(rank)[1:]
    if not batch.mapped[0]:
        return moved(y.applied([batch.xs[0], *indices], y.attributes), axis, 0)
    x = _front(batch.xs[0], count, axis)  # (examples, *indexed, *before, *after)
    options = {**y.attributes, "axis": 0, "named": (0, *y.attributes["named"])}
    found = y.applied([x, batch.positions(rank), *indices], options)
    return _behind(found, rank, axis)


def scatter(y: Any, batch: Batch) -> Any:
    """x, whose elements at several arrays of integers are combined with values."""
    axis, count = y.attributes["axis"], len(y.inputs) - 2
    x, values = batch.front(0), batch.front(1)
    if not any(batch.mapped[2:]):
        return y.applied([x, values, *batch.xs[2:]], {**y.attributes, "axis": axis + 1})
    rank = max(len(one.shape) for one in y.inputs[2:])
    indices = batch.aligned(rank)[2:]
    options = {**y.attributes, "axis": 0, "named": (0, *y.attributes["named"])}
    operands = [_front(x, count, axis), _front(values, rank, axis), batch.positions(rank)]
    return _behind(y.applied([*operands, *indices], options), count, axis)


def _front(x: Any, count: int, axis: int) -> Any:
    """(examples, *before, *inner, *after), with `count` inner axes from `axis` on, as
    (examples, *inner, *before, *after)."""
    inner = range(axis + 1, axis + 1 + count)
    rest = [place for place in range(1, len(x.shape)) if place not in inner]
    return ops.permute_dims(x, (0, *inner, *rest)) if axis else x


def _behind(x: Any, count: int, axis: int) -> Any:
    """The inverse of `_front`."""
    if not axis:
        return x
    before = range(1 + count, 1 + count + axis)
    after = range(1 + count + axis, len(x.shape))
    return ops.permute_dims(x, (0, *before, *range(1, 1 + count), *after))
