"""Gradient descent with a model of scalars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class GradientDescent:
    """Minimises the loss of a model's predictions."""

    def __init__(self, model: Any, loss_fn: Callable[..., Any]) -> None:
        self.model, self.loss_fn = model, loss_fn

    def run(
        self, xs: Sequence[Any], ys: Sequence[Any], lr: float = 0.01, n_steps: int = 1000
    ) -> None:
        """Takes `n_steps` steps."""
        for _ in range(n_steps):
            loss = self.loss_fn([self.model.forward(x) for x in xs], ys)
            loss.backward()
            self.model.gradient_update(lr)
