"""What losses share: their reduction to one number, and two inputs of one shape."""

from __future__ import annotations

from typing import Any, Literal

from ...errors import ShapeError
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.registry import ops
from ...messages.checks import did_you_mean
from ...shapes import Shape, broadcast, broadcast_dim, same, text

Reduction = Literal["mean", "sum", "none"]


class ElementLoss(Composite):
    """A loss of each element of a prediction and a target, which have one shape: broadcasting a
    loss hides mistakes. Further inputs are weights, which broadcast to it."""

    floats = True
    complexes = False

    def shape_rule(self, *shapes: Shape) -> Shape:
        shape = one_shape(shapes[0], shapes[1])
        for other in shapes[2:]:
            if len(other) > len(shape) or not all(map(same, broadcast(shape, other), shape)):
                raise ShapeError(f"a weight {text(other)} doesn't broadcast to {text(shape)}")
        return shape


def one_shape(prediction: Shape, target: Shape) -> Shape:
    """The shape of both. Raises ShapeError where they differ."""
    fits = len(prediction) == len(target)
    if not fits or not all(map(same, prediction, target)):
        raise ShapeError(
            f"prediction {text(prediction)} and target {text(target)} differ in shape",
            hint="Reshape one of them: prediction[:, 0] drops a last axis of size 1."
            if prediction[-1:] == (1,) and len(prediction) == len(target) + 1
            else "Reshape one of them.",
        )
    return tuple(map(broadcast_dim, prediction, target))


def check_reduction(reduction: Any) -> None:
    """Raise ShapeError for anything but 'mean', 'sum' and 'none'."""
    if reduction not in ("mean", "sum", "none"):
        raise ShapeError(
            f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}",
            hint=did_you_mean(reduction, ("mean", "sum", "none"), quoted=True),
        )


def reduced(
    loss: type[Composite],
    inputs: tuple[Any, ...],
    reduction: Reduction,
    name: str | None,
    **options: Any,
) -> Node:
    """The loss of each element or example, or their mean or sum."""
    check_reduction(reduction)
    if reduction == "none":
        return loss(*inputs, name=name, **options)
    each = loss(*inputs, **options)
    return (ops.mean if reduction == "mean" else ops.sum)(each, name=name)
