"""Derivatives that users ask for by transforms, written once for all frameworks' namespaces."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from contenders import NATIVE
from task import Case, Task, numbers

Array = np.ndarray


def rosenbrock(m: Any, x: Any) -> Any:
    """Σ 100·(xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²."""
    return m.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def residuals(m: Any, x: Any) -> Any:
    """What Rosenbrock's function is the sum of squares of."""
    return m.concatenate([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])


def log_sum_exp(m: Any, x: Any, a: Any, b: Any) -> Any:
    """log Σ exp(Ax + b)."""
    return m.logsumexp(a @ x + b)


def example_loss(m: Any, *arrays: Any) -> Any:
    """Cross-entropy of a network with ReLU for one example: weights and biases, then x and the
    label's unit vector."""
    *parameters, x, label = arrays
    for place in range(0, len(parameters), 2):
        x = x @ parameters[place] + parameters[place + 1]
        x = m.maximum(x, 0) if place + 2 < len(parameters) else x
    return m.logsumexp(x) - m.sum(x * label)


def recurrence(m: Any, h: Any, w: Any, xs: Any) -> Any:
    """The sum of the last state of hₜ₊₁ = tanh(W hₜ + xₜ) + hₜ/2."""

    def step(h: Any, x: Any) -> Any:
        return m.tanh(w @ h + x) + 0.5 * h, None

    return m.sum(m.scan(step, h, xs)[0])


def lstm(m: Any, wx: Any, wh: Any, bias: Any, xs: Any) -> Any:
    """The mean square of the last state of an LSTM (Hochreiter & Schmidhuber 1997) over xs
    (steps, batch, inputs), whose gates are a quarter each of wx, wh and bias."""
    size = wh.shape[0]

    def step(carry: Any, x: Any) -> Any:
        h, c = carry
        gates = x @ wx + h @ wh + bias
        i, f, g, o = (gates[:, n * size : (n + 1) * size] for n in range(4))
        c = m.sigmoid(f) * c + m.sigmoid(i) * m.tanh(g)
        return (m.sigmoid(o) * m.tanh(c), c), None

    zeros = np.zeros((xs.shape[1], size), np.float32)
    (h, _), _ = m.scan(step, (zeros, zeros), xs)
    return m.mean(h * h)


# Each makes, of a framework's namespace, the function that is compiled and called.
TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "gradient": lambda m: m.value_and_grad(lambda x: rosenbrock(m, x)),
    "Hessian": lambda m: m.hessian(lambda x: rosenbrock(m, x)),
    "Jacobian": lambda m: m.jacobian(lambda x: residuals(m, x)),
    "Hessian, log-sum-exp": lambda m: m.hessian(lambda x, a, b: log_sum_exp(m, x, a, b)),
    "per example": lambda m: m.vmap(
        m.grad(lambda *arrays: example_loss(m, *arrays), (0, 1, 2, 3, 4, 5)), (None,) * 6 + (0, 0)
    ),
    "recurrence": lambda m: m.grad(lambda h, w, xs: recurrence(m, h, w, xs), (1, 0)),
    "LSTM": lambda m: m.grad(lambda *arrays: lstm(m, *arrays), (0, 1, 2)),
}


def arrays_of(name: str, size: int) -> tuple[Array, ...]:
    """The arguments of a transformed function; `size` is what its case names."""
    if name in ("gradient", "Hessian", "Jacobian"):
        return (numbers(size),)
    if name == "Hessian, log-sum-exp":
        return numbers(size), numbers(size, size, seed=1) / 30, numbers(size, seed=2)
    if name == "per example":
        sizes = [784, 100, 20, 10]
        weights = [
            one
            for n, (a, b) in enumerate(pairwise(sizes))
            for one in (numbers(a, b, seed=n) / np.float32(np.sqrt(a)), np.zeros(b, np.float32))
        ]
        labels = np.random.default_rng(1).integers(0, 10, size)
        return *weights, numbers(size, 784, seed=9), np.eye(10, dtype=np.float32)[labels]
    if name == "recurrence":
        return numbers(8), numbers(8, 8, seed=1) / 4, numbers(size, 8, seed=2)
    hidden, batch = 128, 32
    scale = np.float32(hidden**-0.5)
    return (
        numbers(hidden, 4 * hidden) * scale, numbers(hidden, 4 * hidden, seed=1) * scale,
        np.zeros(4 * hidden, np.float32), numbers(size, batch, hidden, seed=2),
    )  # fmt: skip


def task(title: str, goal: float, tiny: tuple[str, int], cases: dict[str, tuple[str, int]]) -> Task:
    """A task of transformed functions and their sizes, beside JAX; the last case is shown."""
    shown = [*cases][-1]
    return Task(
        title=title,
        cases=tuple(Case(name, given, shown=name == shown) for name, given in cases.items()),
        tiny=Case(f"size {tiny[1]}", tiny),
        make=lambda framework, given: framework.transform(given[0], *arrays_of(*given)),
        goal=goal,
        contenders=(NATIVE, "JAX"),
        peers=("JAX",),
    )
