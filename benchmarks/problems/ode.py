"""Runge and Kutta's method for y₀' = x₀, yᵢ' = xᵢ·yᵢ₋₁, and the gradient of the last element."""

from __future__ import annotations

from typing import Any

import numpy as np

from problems.problem import Array, Problem

END = 2.0


def solution(m: Any, x: Any, steps: int) -> Any:
    """y at the end, from y = 0 at time 0 by equal steps (Kutta 1901)."""
    h = END / steps

    def slope(y: Any) -> Any:
        return m.concatenate([x[:1], x[1:] * y[:-1]])

    def step(_: Any, y: Any) -> Any:
        k1 = slope(y)
        k2 = slope(y + h / 2 * k1)
        k3 = slope(y + h / 2 * k2)
        k4 = slope(y + h * k3)
        return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    return m.fori_loop(0, steps, step, m.zeros_like(x))


def reference(part: str, size: tuple[int, int], x: Array) -> Array:
    """The gradient by hand: v is the cotangent of y, k that of a stage's slope, `later` that of the
    stage's own y, which its predecessor's slope has moved by `reach`."""
    steps = size[1]
    h = END / steps

    def shifted(y: Array) -> Array:
        return np.concatenate([[1.0], y[:-1]])

    def stages(y: Array) -> list[Array]:
        first = x * shifted(y)
        second = x * shifted(y + h / 2 * first)
        third = x * shifted(y + h / 2 * second)
        return [y, y + h / 2 * first, y + h / 2 * second, y + h * third]

    y, kept = np.zeros_like(x), []
    for _ in range(steps):
        kept.append(stages(y))
        one, two, three, four = (x * shifted(part) for part in kept[-1])
        y = y + h / 6 * (one + 2 * two + 2 * three + four)
    if part == "value":
        return y
    gradient, v = np.zeros_like(x), np.zeros_like(x)
    v[-1] = 1.0
    for ys in reversed(kept):
        carried, later = v, np.zeros_like(x)  # `later` is the cotangent of the stage's y
        for weight, reach, at in zip((1, 2, 2, 1), (0, h, h / 2, h / 2), reversed(ys), strict=True):
            k = h / 6 * weight * v + reach * later
            gradient = gradient + shifted(at) * k
            later = np.concatenate([(x * k)[1:], [0.0]])
            carried = carried + later
        v = carried
    return gradient


PROBLEM = Problem(
    sizes={
        f"n = {n:,}, {s} steps": (n, s)
        for n, s in (
            (1_000, 1),
            (1_000, 10),
            (1_000, 100),
            (10_000, 10),
            (100_000, 10),
            (100_000, 100),
        )
    },
    tiny=(4, 20),
    arrays=lambda size: (np.random.default_rng(0).random(size[0]),),
    value=lambda m, size: lambda x: solution(m, x, size[1]),
    derivative=lambda m, size: m.grad(lambda x: solution(m, x, size[1])[-1]),
    reference=reference,
)
