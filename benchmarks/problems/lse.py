"""log Σ exp xᵢ from its parts, and its gradient, which is the softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from problems.problem import Array, Problem


def logsumexp(m: Any, x: Any) -> Any:
    shift = m.max(x)
    return shift + m.log(m.sum(m.exp(x - shift)))


def reference(part: str, size: int, x: Array) -> Array:
    total = np.exp(x).sum()
    return np.log(total) if part == "value" else np.exp(x) / total


PROBLEM = Problem(
    sizes={f"{n:,}": n for n in (2_500, 40_000, 160_000, 1_280_000)},
    tiny=7,
    arrays=lambda n: (np.random.default_rng(0).random(n),),
    value=lambda m, n: lambda x: logsumexp(m, x),
    derivative=lambda m, n: m.grad(lambda x: logsumexp(m, x)),
    reference=reference,
)
