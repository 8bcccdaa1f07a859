"""The optimizers Adam and AdamW."""

from __future__ import annotations

import math
from typing import Any

from ..graph.node import Node
from ..graph.registry import ops
from ..messages.checks import within
from .base import Optimizer, positive_in
from .schedules import Schedule
from .shared import once


class Adam(Optimizer):
    """m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², θ ← θ − η·m̂/(√v̂ + ε).

    m̂ = m/(1 − β₁ᵗ) and v̂ = v/(1 − β₂ᵗ) correct the bias of the zero initialisation (Kingma & Ba
    2014, algorithm 1).
    """

    slots = ("mean", "square")

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        name = type(self).__name__
        self.beta1 = within(f"{name}: beta1", beta1, "[0, 1)", like=0.9)
        self.beta2 = within(f"{name}: beta2", beta2, "[0, 1)", like=0.999)
        self.epsilon = within(f"{name}: epsilon", epsilon, "[0, inf)", like=1e-8)

    def update(self, parameter, gradient, rate, step, **slots: Node):
        mean = self.beta1 * slots["mean"] + (1 - self.beta1) * gradient
        square = self.beta2 * slots["square"] + (1 - self.beta2) * (gradient * gradient)
        # The corrections are scalars and are combined with the other scalars, not with arrays:
        # η·m̂/(√v̂ + ε) = (η/c₁)·m / (√v·(1/√c₂) + ε), with ε outside the root as in algorithm 1.
        rate, scale = once(_corrected, rate, step, self.beta1, self.beta2)
        root = ops.sqrt(square) * scale
        new = parameter - rate * mean / (root + positive_in(self.epsilon, parameter))
        return new, {"mean": mean, "square": square}


def _corrected(rate: Node, step: Node, beta1: float, beta2: float) -> tuple[Node, Node]:
    """(η/c₁, 1/√c₂)."""
    return rate / _correction(beta1, step), 1 / ops.sqrt(_correction(beta2, step))


def _correction(beta: float, step: Any) -> Node:
    """1 − βᵗ as −expm1(t·log β): in float32, cancellation costs the difference half its digits."""
    return -ops.expm1(step * (math.log(beta) if beta else -math.inf))


class AdamW(Adam):
    """Adam with decoupled weight decay: in addition, θ ← θ − η·λ·θ (Loshchilov & Hutter 2017,
    algorithm 2)."""

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        *,
        weight_decay: float = 0.01,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        name = type(self).__name__
        self.weight_decay = within(f"{name}: weight_decay", weight_decay, "[0, inf)", like=0.01)

    def update(self, parameter, gradient, rate, step, **slots: Node):
        new, changed = super().update(parameter, gradient, rate, step, **slots)
        return new - rate * self.weight_decay * parameter, changed
