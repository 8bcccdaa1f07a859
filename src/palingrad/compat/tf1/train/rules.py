"""TensorFlow's update rules, where they differ from palingrad's: where ε stands, and the slots'
initial values, which `INITIAL` has."""

from __future__ import annotations

import math
from typing import Any

from ....graph.node import Node
from ....graph.registry import ops
from ....optim.base import Optimizer


class Adam(Optimizer):
    """θ ← θ − η·√(1 − β₂ᵗ)/(1 − β₁ᵗ)·m/(√v + ε̂): ε isn't divided by √(1 − β₂ᵗ), as in the
    shorter form that Kingma & Ba 2014 name after algorithm 1."""

    slots = ("mean", "square")

    def __init__(self, rate: Any, beta1: float, beta2: float, epsilon: float) -> None:
        super().__init__(rate)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def update(self, parameter, gradient, rate, step, **slots: Node):
        mean = self.beta1 * slots["mean"] + (1 - self.beta1) * gradient
        square = self.beta2 * slots["square"] + (1 - self.beta2) * ops.square(gradient)
        first, second = _correction(self.beta1, step), _correction(self.beta2, step)
        rate = rate * ops.sqrt(second) / first
        new = parameter - rate * mean / (ops.sqrt(square) + self.epsilon)
        return new, {"mean": mean, "square": square}


def _correction(beta: float, step: Any) -> Node:
    """1 − βᵗ, without cancellation."""
    return -ops.expm1(step * (math.log(beta) if beta else -math.inf))


class RMSProp(Optimizer):
    """s ← ρs + (1 − ρ)g², m ← μm + η·g/√(s + ε), θ ← θ − m; centred, s − (mean of g)² + ε."""

    slots = ("squares", "velocity", "mean")

    def __init__(
        self, rate: Any, decay: float, momentum: float, epsilon: float, centered: bool
    ) -> None:
        super().__init__(rate)
        self.decay, self.momentum, self.epsilon = decay, momentum, epsilon
        self.centered = centered

    def update(self, parameter, gradient, rate, step, **slots: Node):
        squares = self.decay * slots["squares"] + (1 - self.decay) * ops.square(gradient)
        changed = {"squares": squares}
        spread = squares
        if self.centered:
            mean = self.decay * slots["mean"] + (1 - self.decay) * gradient
            changed["mean"], spread = mean, squares - ops.square(mean)
        change = rate * gradient / ops.sqrt(spread + self.epsilon)
        if self.momentum:
            change = changed["velocity"] = self.momentum * slots["velocity"] + change
        return parameter - change, changed


class Adagrad(Optimizer):
    """s ← s + g², θ ← θ − η·g/√s."""

    slots = ("squares",)

    def update(self, parameter, gradient, rate, step, **slots: Node):
        squares = slots["squares"] + ops.square(gradient)
        return parameter - rate * gradient / ops.sqrt(squares), {"squares": squares}


class Adadelta(Optimizer):
    """s ← ρs + (1 − ρ)g², d = √(u + ε)/√(s + ε)·g, u ← ρu + (1 − ρ)d², θ ← θ − η·d (Zeiler
    2012)."""

    slots = ("squares", "updates")

    def __init__(self, rate: Any, rho: float, epsilon: float) -> None:
        super().__init__(rate)
        self.rho, self.epsilon = rho, epsilon

    def update(self, parameter, gradient, rate, step, **slots: Node):
        squares = self.rho * slots["squares"] + (1 - self.rho) * ops.square(gradient)
        ratio = ops.sqrt(slots["updates"] + self.epsilon) / ops.sqrt(squares + self.epsilon)
        change = ratio * gradient
        updates = self.rho * slots["updates"] + (1 - self.rho) * ops.square(change)
        return parameter - rate * change, {"squares": squares, "updates": updates}
