"""The polynomial that fits sign(t) at n places: half the sum of squares, and its gradient by the
polynomial's coefficients. The powers of t are running products."""

from __future__ import annotations

from typing import Any

import numpy as np

from problems.problem import Array, Problem

COEFFICIENTS = 128


def loss(m: Any, x: Any, t: Any) -> Any:
    return m.sum((m.sign(t) - m.polynomial(x, t)) ** 2) / 2


def arrays(n: int) -> tuple[Array, ...]:
    """x and t: t is fed, or a compiler could compute its powers once and for all."""
    return np.random.default_rng(0).random(COEFFICIENTS), -1 + 2 * np.arange(n) / (n - 1)


def reference(part: str, n: int, x: Array, t: Array) -> Array:
    powers = t[:, None] ** np.arange(len(x))
    residuals = np.sign(t) - powers @ x
    return residuals @ residuals / 2 if part == "value" else -residuals @ powers


PROBLEM = Problem(
    sizes={f"{n:,}": n for n in (16, 512, 4_096, 16_392)},
    tiny=5,
    arrays=arrays,
    value=lambda m, n: lambda x, t: loss(m, x, t),
    derivative=lambda m, n: m.grad(lambda x, t: loss(m, x, t)),
    reference=reference,
)
