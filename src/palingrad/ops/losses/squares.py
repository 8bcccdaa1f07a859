"""The mean squared error."""

from __future__ import annotations

from typing import Any

from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case
from ...shapes import Shape, size
from ..reduction.axes import narrowed, widened
from .reducing import ElementLoss, Reduction, one_shape, reduced


class SquaredError(ElementLoss):
    """z = (x − y)², elementwise, for two inputs of one shape."""

    math = "({x} - {y})^2"
    commutes = True
    samples = [case((3, 4), (3, 4)), case((), ()), case((0, 2), (0, 2))]

    def expand(z, x, y):
        return ops.square(x - y)


class MeanSquaredError(Composite):
    """z = Σ (x − y)² / n over all n elements of two inputs of one shape; NaN if n = 0.

    ∂z/∂x = 2(x − y)/n = −∂z/∂y.
    """

    math = r"\operatorname{mean}\left(({x} - {y})^2\right)"
    floats = True
    samples = [case((3, 4), (3, 4)), case((), ()), case((12,), (12,), low=-95, high=95)]

    def shape_rule(self, *shapes: Shape) -> Shape:
        one_shape(shapes[0], shapes[1])
        return ()

    def expand(z, x, y):
        return narrowed(ops.mean(ops.square(widened(x) - widened(y))), x.dtype)

    def vjp(z, g, x, y):
        slope = widened(g) * (2 / max(size(x.shape), 1)) * (widened(x) - widened(y))
        return [lambda: narrowed(slope, x.dtype), lambda: narrowed(-slope, y.dtype)]


@register
def mse(
    prediction: Any, target: Any, *, reduction: Reduction = "mean", name: str | None = None
) -> Node:
    """The mean over all elements of (prediction − target)², of two arrays of one shape.

    reduction: 'mean', 'sum' or 'none'. Raises ShapeError if the shapes differ, because broadcasting
    a loss hides mistakes.
    """
    if reduction == "mean":
        return MeanSquaredError(prediction, target, name=name)
    return reduced(SquaredError, (prediction, target), reduction, name)
