"""Models: functions that make the nodes of a whole network, with an input of their own."""

from __future__ import annotations

from collections.abc import Sequence

from .core import Node, Variable, name_scope
from .layer import fc
from .ops import Add, MatMul

__all__ = ["logistic_regression", "multilayer_perception"]


def logistic_regression(input_size: int, classes: int) -> tuple[Variable, Node]:
    """(x, logits): W · x + b, with `classes` rows."""
    with name_scope("Input"):
        x = Variable((input_size, 1), init=False, trainable=False)
    with name_scope("Parameter"):
        w = Variable((classes, input_size), init=True, trainable=True)
        b = Variable((classes, 1), init=True, trainable=True)
    with name_scope("Logits"):
        return x, Add(MatMul(w, x), b)


def multilayer_perception(
    input_size: int, classes: int, hidden_layers: Sequence[int], activation: str | None
) -> tuple[Variable, Node]:
    """(x, logits): layers of these sizes with an activation, and a last one without."""
    with name_scope("Input"):
        x = Variable((input_size, 1), init=False, trainable=False)
    output: Node = x
    with name_scope("Hidden"):
        for size in hidden_layers:
            output = fc(output, input_size, size, activation)
            input_size = size
    with name_scope("Logits"):
        return x, fc(output, input_size, classes, None)
