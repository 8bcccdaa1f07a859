"""x² and 2x, four times in turn: whether the framework runs, and what one call costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from problems.problem import Array, Problem


def square(x: Any) -> Any:
    return x * x


def alternated(value: Any, derivative: Any, x: Any = 1.0) -> float:
    """x ← x², then x ← d(x²)/dx, four times."""
    for _ in range(4):
        x = value(x)
        x = derivative(x)
    return float(x)


def reference(part: str, size: Any, x: Array) -> Array:
    return x * x if part == "value" else 2 * x


PROBLEM = Problem(
    sizes={"1": 1},
    tiny=1,
    arrays=lambda size: (np.array(1.5),),
    value=lambda m, size: square,
    derivative=lambda m, size: m.grad(square),
    reference=reference,
)
