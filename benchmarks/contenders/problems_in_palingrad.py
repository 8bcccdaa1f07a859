"""The namespace in which palingrad solves `problems`: its own, under the names they share."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import palingrad as pg

NAMES = (
    "concatenate", "cos", "einsum", "exp", "fori_loop", "grad", "jvp", "log", "max",
    "min", "ones_like", "prod", "scan", "sigmoid", "sign", "sin", "sqrt", "squeeze", "stack",
    "sum", "tanh", "value_and_grad", "vmap", "where", "while_loop", "zeros_like",
)  # fmt: skip


def polynomial(x: Any, t: Any) -> Any:
    """x₀ + x₁t + x₂t² + … for each t, by running products."""
    shape = (t.shape[0], x.shape[0] - 1)
    return x[0] + pg.cumprod(pg.broadcast_to(t[:, None], shape), 1) @ x[1:]


NAMESPACE = SimpleNamespace(
    **{name: getattr(pg, name) for name in NAMES},
    zeros=lambda shape: pg.zeros(shape, dtype="float64"),
    constant=pg.tensor,
    polynomial=polynomial,
    jacobian=pg.jacobian,
)


def compiled(f: Callable[..., Any], arrays: Any, engine: str) -> Callable[[], Any]:
    f = pg.function(f, engine=engine)
    return lambda: f(*arrays)
