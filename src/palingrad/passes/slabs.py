"""Slabs: values at a number or slice of one axis of an array of zeros."""

from __future__ import annotations

from typing import Any, NamedTuple


class Slab(NamedTuple):
    """Where on one axis a value is placed; `number` if the index was one, without the axis."""

    value: Any
    axis: int
    start: int
    stop: int
    number: bool


def placed_slab(y: Any) -> Slab | None:
    """Where a value is placed among zeros, at a number or slice of one axis; None elsewhere."""
    index, shape = y.attributes["index"], y.shape
    if None in shape or any(part is None for part in index):
        return None
    if Ellipsis in index:
        at = index.index(Ellipsis)
        fill = (slice(None),) * (len(shape) - len(index) + 1)
        index = (*index[:at], *fill, *index[at + 1 :])
    parts = [(axis, part) for axis, part in enumerate(index) if part != slice(None)]
    if len(parts) != 1:
        return None
    ((axis, part),) = parts
    if not isinstance(part, slice):
        start = int(part) % shape[axis]
        return Slab(y.inputs[0], axis, start, start + 1, True)
    start, stop, step = part.indices(shape[axis])
    return Slab(y.inputs[0], axis, start, stop, False) if step == 1 and start < stop else None
