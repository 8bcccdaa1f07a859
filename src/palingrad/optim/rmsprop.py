"""The RMSProp optimizer."""

from __future__ import annotations

from typing import Any

from ..graph.node import Node
from ..graph.registry import ops
from ..messages.checks import within
from .base import Optimizer, positive_in
from .schedules import Schedule


class RMSProp(Optimizer):
    """s ← ρ·s + (1 − ρ)·g², θ ← θ − η·g/(√s + ε) (Tieleman & Hinton 2012, lecture 6.5)."""

    slots = ("squares",)

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        *,
        decay: float = 0.9,
        epsilon: float = 1e-8,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.decay = within("RMSProp: decay", decay, "[0, 1)", like=0.9)
        self.epsilon = within("RMSProp: epsilon", epsilon, "[0, inf)", like=1e-8)

    def update(self, parameter, gradient, rate, step, **slots: Node):
        squares = self.decay * slots["squares"] + (1 - self.decay) * (gradient * gradient)
        return parameter - rate * gradient / (
            ops.sqrt(squares) + positive_in(self.epsilon, parameter)
        ), {"squares": squares}
