"""Softmax and its logarithm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...graph.batching.rules import along_axes
from ...graph.functions import frozen
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case
from ...shapes import Shape, axes_in
from .axes import count, narrowed, widened

_SAMPLES = [
    case((3, 4), axis=-1),
    case((4, 4), axis=0),
    case((2, 3, 4), axis=1),
    case((3,), axis=-1),
    case((0, 3), axis=-1),
    case(np.array([[1000.0, 999.0], [-1000.0, -1001.0]]), axis=-1),
    case(np.array([[-np.inf, 1.0, 2.0]]), axis=-1),
]


def _below_top(x: Any, axis: Any) -> Any:
    """x − max x over `axis`: the softmax stays the same, and no exponential overflows."""
    if count(x, axis) == 0:
        return x
    return x - ops.stop_gradient(ops.max(x, axis=axis, keepdims=True))


class Normalised(Composite):
    """An operation that normalises along one axis; integers are converted to floats."""

    floats = True
    samples = _SAMPLES

    def shape_rule(self, *shapes: Shape) -> Shape:
        axes_in(self.attributes["axis"], len(shapes[0]))
        return shapes[0]

    def structure(y, position, size, out):
        return "diagonal less outer"


class Softmax(Normalised):
    """yᵢ = eˣⁱ / Σⱼ eˣʲ along `axis`, without overflow. ∂L/∂x = y·(g − Σ g·y), g = ∂L/∂y."""

    batched = along_axes
    math, onnx = r"\operatorname{softmax}({x})", "Softmax"

    def expand(y, x):
        weights = ops.exp(widened(_below_top(x, y.axis)))
        return narrowed(weights / ops.sum(weights, axis=y.axis, keepdims=True), x.dtype)

    def vjp(y, g, x):
        g, wide = widened(g), widened(y)
        total = ops.sum(ops.scaled(g, wide), axis=y.axis, keepdims=True)
        return [narrowed(ops.scaled(g - total, wide), x.dtype)]


class LogSoftmax(Normalised):
    """y = x − log Σ eˣ along `axis`, without overflow. ∂L/∂x = g − eʸ·Σ g, g = ∂L/∂y."""

    batched = along_axes
    math, onnx = r"\log\operatorname{softmax}({x})", "LogSoftmax"

    def expand(y, x):
        lowered = widened(_below_top(x, y.axis))
        total = ops.sum(ops.exp(lowered), axis=y.axis, keepdims=True)
        return narrowed(lowered - ops.log(total), x.dtype)

    def vjp(y, g, x):
        g = widened(g)
        total = ops.sum(g, axis=y.axis, keepdims=True)
        return [narrowed(g - ops.scaled(total, ops.exp(widened(y))), x.dtype)]


@register
def softmax(x: Any, /, axis: int = -1, *, where: Any = None, name: str | None = None) -> Node:
    """yᵢ = eˣⁱ / Σⱼ eˣʲ along `axis`, without overflow.

    where: a mask of booleans; the softmax of the elements where it holds, and 0 elsewhere.
    """
    if where is None or where is True:
        return Softmax(x, axis=frozen(axis), name=name)
    chosen = Softmax(ops.where(where, x, -math.inf), axis=frozen(axis))
    return ops.where(where, chosen, 0, name=name)


@register
def log_softmax(x: Any, /, axis: int = -1, *, where: Any = None, name: str | None = None) -> Node:
    """y = x − log Σ eˣ along `axis`, the logarithm of the softmax, without overflow.

    where: a mask of booleans; of the elements where it holds, and −∞ elsewhere.
    """
    if where is None or where is True:
        return LogSoftmax(x, axis=frozen(axis), name=name)
    chosen = LogSoftmax(ops.where(where, x, -math.inf), axis=frozen(axis))
    return ops.where(where, chosen, -math.inf, name=name)
