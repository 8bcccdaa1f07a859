"""Indices of several axes as positions in row-major order, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from ...errors import ShapeError
from ...graph.node import Node
from ...graph.registry import ops, register
from ...shapes import as_shape, sizes
from .known import InRange, integers


@register
def ravel_multi_index(
    multi_index: Sequence[Any], dims: Any, /, *,
    mode: Literal["raise", "wrap", "clip"] = "raise", order: Literal["C", "F"] = "C",
    name: str | None = None,
) -> Node:  # fmt: skip
    """The positions of elements, counted in row-major order (order "F": column-major), from their
    indices, an array for each axis of the shape `dims`."""
    shape = sizes(as_shape(dims))
    if len(multi_index) != len(shape):
        raise ShapeError(f"ravel_multi_index: {len(multi_index)} indices for {len(shape)} axes")
    total: Any = None
    for number, (one, size) in enumerate(zip(multi_index, shape, strict=True)):
        node = ops.cast(integers("ravel_multi_index", one), "int64")
        if mode == "wrap":
            node = ops.remainder(node, size)
        elif mode == "clip":
            node = ops.clip(node, 0, size - 1)
        else:
            node = InRange(node, size=size)
        rest = shape[number + 1 :] if order == "C" else shape[:number]
        term = ops.multiply(node, math.prod(rest))
        total = term if total is None else ops.add(total, term)
    return total if name is None else ops.positive(total, name=name)


@register
def unravel_index(
    indices: Any, shape: Any, /, *, order: Literal["C", "F"] = "C"
) -> tuple[Node, ...]:
    """The indices, an array for each axis of `shape`, of elements from their positions, counted in
    row-major order (order "F": column-major)."""
    dims = sizes(as_shape(shape))
    numbers = ops.cast(integers("unravel_index", indices), "int64")
    rest: Any = InRange(numbers, size=math.prod(dims))
    found: list[Node] = []
    for size in dims if order == "F" else dims[::-1]:
        found.append(ops.remainder(rest, size))
        rest = ops.floor_divide(rest, size)
    return tuple(found if order == "F" else found[::-1])
