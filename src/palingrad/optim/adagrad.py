"""The AdaGrad optimizer."""

from __future__ import annotations

from typing import Any

from ..graph.node import Node
from ..graph.registry import ops
from ..messages.checks import within
from .base import Optimizer, positive_in
from .schedules import Schedule


class AdaGrad(Optimizer):
    """s ← s + g², θ ← θ − η·g/(√s + ε) (Duchi, Hazan & Singer 2011, diagonal form)."""

    slots = ("squares",)

    def __init__(
        self, learning_rate: float | Schedule = 0.01, *, epsilon: float = 1e-10, **options: Any
    ) -> None:
        super().__init__(learning_rate, **options)
        self.epsilon = within("AdaGrad: epsilon", epsilon, "[0, inf)", like=1e-10)

    def update(self, parameter, gradient, rate, step, **slots: Node):
        squares = slots["squares"] + gradient * gradient
        return parameter - rate * gradient / (
            ops.sqrt(squares) + positive_in(self.epsilon, parameter)
        ), {"squares": squares}
