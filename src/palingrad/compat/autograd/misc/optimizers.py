"""Optimizers of functions grad(x, step), for x of any structure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .flatten import flatten

Gradient = Callable[[Any, int], Any]
Callback = Callable[[Any, int, Any], Any] | None
Step = Callable[[int, Any, Any], Any]


def _optimized(
    grad: Gradient,
    x0: Any,
    callback: Callback,
    num_iters: int,
    step: Step,
) -> Any:
    """x after steps that `step(number, x, g)` takes, on vectors."""
    x, unflatten = flatten(x0)
    x = np.asarray(x, np.result_type(x, np.float64))
    for number in range(num_iters):
        g = flatten(grad(unflatten(x), number))[0]
        if callback:
            callback(unflatten(x), number, unflatten(g))
        x = step(number, x, g)
    return unflatten(x)


def sgd(
    grad: Gradient, x: Any, callback: Callback = None, num_iters: int = 200,
    step_size: float = 0.1, mass: float = 0.9,
) -> Any:  # fmt: skip
    """Gradient descent with momentum."""
    velocity: Any = 0.0

    def step(number: int, x: Any, g: Any) -> Any:
        nonlocal velocity
        velocity = mass * velocity - (1.0 - mass) * g
        return x + step_size * velocity

    return _optimized(grad, x, callback, num_iters, step)


def rmsprop(
    grad: Gradient, x: Any, callback: Callback = None, num_iters: int = 100,
    step_size: float = 0.1, gamma: float = 0.9, eps: float = 1e-8,
) -> Any:  # fmt: skip
    """RMSProp (Tieleman and Hinton, 2012)."""
    squares: Any = 1.0

    def step(number: int, x: Any, g: Any) -> Any:
        nonlocal squares
        squares = squares * gamma + g**2 * (1 - gamma)
        return x - step_size * g / (np.sqrt(squares) + eps)

    return _optimized(grad, x, callback, num_iters, step)


def adam(
    grad: Gradient, x: Any, callback: Callback = None, num_iters: int = 100,
    step_size: float = 0.001, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8,
) -> Any:  # fmt: skip
    """Adam (Kingma and Ba, 2015)."""
    m: Any = 0.0
    v: Any = 0.0

    def step(number: int, x: Any, g: Any) -> Any:
        nonlocal m, v
        m = (1 - b1) * g + b1 * m
        v = (1 - b2) * g**2 + b2 * v
        m_hat = m / (1 - b1 ** (number + 1))
        v_hat = v / (1 - b2 ** (number + 1))
        return x - step_size * m_hat / (np.sqrt(v_hat) + eps)

    return _optimized(grad, x, callback, num_iters, step)
