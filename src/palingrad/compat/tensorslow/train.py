"""Gradients of a loss, and gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...autodiff.gradients import gradients as of_nodes
from ...errors import GradientError
from ..arrays import floating
from .gradients import _gradient_registry
from .graph import Node, Operation, Variable, is_compiled, traverse_postorder
from .session import Session, compiled, leaves_of


def compute_gradients(loss: Any) -> dict[Any, Any]:
    """The gradient of the loss by each node that it depends on, at the values of the last run."""
    order = traverse_postorder(loss)
    for node in order:
        if not hasattr(node, "output"):
            raise GradientError(
                "the gradients are those at the last run, and the loss hasn't run yet",
                hint="First session.run(loss, feed_dict).",
            )
    registered = _gradient_registry.registered
    if all(is_compiled(node) and type(node) not in registered for node in order):
        leaves = [floating(leaf.output) for leaf in leaves_of(order)]
        run = compiled("gradients", loss, lambda nodes: of_nodes(nodes[-1], nodes))
        found = [np.array(one)[()] for one in run(*leaves)]
        return dict(zip(reversed(order), reversed(found), strict=True))
    return _accumulated(loss, order)


def _accumulated(loss: Node, order: list[Node]) -> dict[Any, Any]:
    """Gradients by the registered functions, one operation after another."""
    table: dict[Any, Any] = {loss: 1.0}
    for node in reversed(order):
        if isinstance(node, Operation) and node in table and node.input_nodes:
            found = _gradient_registry[type(node)](node, table[node])
            pieces = [found] if len(node.input_nodes) == 1 else list(found)
            for x, piece in zip(node.input_nodes, pieces, strict=True):
                table[x] = table[x] + piece if x in table else piece
    return table


class GradientDescentOptimizer:
    """Gradient descent with a constant learning rate."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate

    def minimize(self, loss: Any) -> Operation:
        """An operation whose run takes one step: each Variable loses learning_rate · gradient."""
        return MinimizationOperation(loss, self.learning_rate)


class MinimizationOperation(Operation):
    """One step of gradient descent, at the fed values; without feeds, at those of the last run."""

    rule = None

    def __init__(self, loss: Any, learning_rate: float) -> None:
        super().__init__([])
        self._loss, self._learning_rate = loss, learning_rate

    def prepare(self, session: Session, feed_dict: Mapping[Any, Any]) -> None:
        """Runs the loss, if values are fed."""
        if feed_dict or not hasattr(self._loss, "output"):
            session.run(self._loss, feed_dict)

    def compute(self, *values: Any) -> None:
        for node, gradient in compute_gradients(self._loss).items():
            if isinstance(node, Variable):
                node.value = np.asarray(node.value) - self._learning_rate * gradient
