"""Gradient clipping, by value and by global norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dtypes import is_complex
from ..errors import GradientError
from ..graph.node import Node
from ..graph.registry import ops
from ..messages.calls import public
from ..messages.checks import within
from ..ops.reduction.axes import narrowed, widened


@public
def clip_by_value(gradients: Sequence[Node], bound: float) -> list[Node]:
    """Each element of each gradient clipped to [−bound, bound]."""
    _check(bound)
    return [ops.clip(g, -bound, bound) for g in gradients]


@public
def clip_by_global_norm(gradients: Sequence[Node], bound: float) -> list[Node]:
    """All gradients multiplied by min(1, bound/global norm), which preserves their direction
    (Pascanu et al. 2013)."""
    _check(bound)
    norm: Any = global_norm(gradients)
    scale = bound / ops.maximum(norm, bound)
    return [narrowed(widened(g) * scale, g.dtype) for g in gradients]


def global_norm(gradients: Sequence[Node]) -> Node:
    """√Σ |g|² over all elements of all gradients, scaled so that no square overflows. Half floats
    are computed in float32."""
    gradients = [_size(g) for g in gradients if g.shape is None or 0 not in g.shape]
    if not gradients:
        raise GradientError("global_norm: expected gradients with elements, got none")
    top: Any = ops.max(ops.abs(gradients[0]))
    for g in gradients[1:]:
        top = ops.maximum(top, ops.max(ops.abs(g)))
    top = ops.where(top == 0, 1, top)
    total: Any = ops.sum(ops.square(gradients[0] / top))
    for g in gradients[1:]:
        total = total + ops.sum(ops.square(g / top))
    return top * ops.sqrt(total)


def _size(g: Node) -> Node:
    """|g| for complex numbers, and g itself for real ones."""
    return ops.abs(g) if is_complex(g.dtype) else widened(g)


def _check(bound: float) -> None:
    within("gradient clipping: bound", bound, "(0, inf)", like=1.0)
