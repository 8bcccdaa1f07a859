"""Rotary positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops
from ...messages.checks import within


def rotary(x: Any, positions: Any = None, *, base: float = 10_000.0) -> Node:
    """x (…, time, depth) with its halves rotated by angles that grow with the position, so that
    products of queries and keys depend on the distance alone (Su et al. 2021, equation 34).

    yᵢ = xᵢ cos pθᵢ − xᵢ₊ₕ sin pθᵢ and yᵢ₊ₕ = xᵢ₊ₕ cos pθᵢ + xᵢ sin pθᵢ for i < h = depth/2, with
    θᵢ = base^(−i/h). positions p: integers (time,), by default 0, 1, …. depth must be even.
    """
    x = as_node(x)
    if x.shape is None or len(x.shape) < 2 or x.shape[-1] is None or x.shape[-1] % 2:
        raise ShapeError(f"rotary: expected x (…, time, depth) of an even depth, got {x.shape}")
    within("rotary: base", base, "(0, inf)", like=10_000)
    half = x.shape[-1] // 2
    if positions is None:
        if x.shape[-2] is None:
            raise ShapeError("rotary: the number of steps isn't known yet.",
                             hint="Pass positions=, integers (time,).")  # fmt: skip
        positions = np.arange(x.shape[-2])
    speeds = base ** (-np.arange(half) / half)  # radians a position
    angles: Any = ops.expand_dims(ops.astype(positions, "float64"), -1) * speeds  # (time, half)
    cos, sin = ops.astype(ops.cos(angles), x.dtype), ops.astype(ops.sin(angles), x.dtype)
    first, second = x[..., :half], x[..., half:]
    return ops.concat([first * cos - second * sin, second * cos + first * sin], axis=-1)
