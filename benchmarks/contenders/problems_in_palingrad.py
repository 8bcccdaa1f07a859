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


def powers(t: Any, count: int) -> Any:
    """(n, count): t, t², …"""
    return pg.cumprod(pg.broadcast_to(t[:, None], (t.shape[0], count)), 1)


NAMESPACE = SimpleNamespace(
    **{name: getattr(pg, name) for name in NAMES},
    zeros=lambda shape: pg.zeros(shape, dtype="float64"),
    constant=pg.tensor,
    powers=powers,
    jacobian=pg.jacobian,
)


def compiled(f: Callable[..., Any], arrays: Any, engine: str) -> Callable[[], Any]:
    f = pg.function(f, engine=engine)
    return lambda: f(*arrays)
