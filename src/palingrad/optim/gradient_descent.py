"""Gradient descent, plain and with momentum."""

from __future__ import annotations

from typing import Any

from ..graph.node import Node
from ..messages.checks import flag, within
from .base import Optimizer
from .schedules import Schedule


class GradientDescent(Optimizer):
    """θ ← θ − η·g (Cauchy 1847; with mini-batches Robbins & Monro 1951)."""

    def __init__(self, learning_rate: float | Schedule = 0.01, **options: Any) -> None:
        super().__init__(learning_rate, **options)

    def update(self, parameter, gradient, rate, step, **slots):
        return parameter - rate * gradient, {}


class Momentum(Optimizer):
    """v ← μ·v + g, θ ← θ − η·v (Polyak 1964).

    With `nesterov`, θ ← θ − η·(g + μ·v), Nesterov's look-ahead gradient (Sutskever et al. 2013).
    """

    slots = ("velocity",)

    def __init__(
        self,
        learning_rate: float | Schedule = 0.01,
        *,
        momentum: float = 0.9,
        nesterov: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.momentum = within("Momentum: momentum", momentum, "[0, 1)", like=0.9)
        self.nesterov = flag("Momentum: nesterov", nesterov)

    def update(self, parameter, gradient, rate, step, **slots: Node):
        velocity = self.momentum * slots["velocity"] + gradient
        direction = gradient + self.momentum * velocity if self.nesterov else velocity
        return parameter - rate * direction, {"velocity": velocity}
