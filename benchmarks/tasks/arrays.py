"""Functions of arrays beside NumPy's, of 10³ to 10⁶ numbers: values, and palingrad's gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
from contenders import NATIVE
from task import Case, Task, numbers


def _pair(*shape: int) -> tuple[Any, ...]:
    return numbers(*shape), numbers(*shape, seed=1)


def _indexed(rows: int, columns: int) -> tuple[Any, ...]:
    return numbers(rows, columns), np.random.default_rng(1).integers(0, rows, rows)


def _added(rows: int, columns: int) -> tuple[Any, ...]:
    return *_indexed(rows, columns), numbers(rows, columns, seed=2)


def _positive_definite(n: int) -> tuple[Any, ...]:
    x = numbers(n, n)
    return (x @ x.T / n + np.eye(n, dtype=np.float32),)


def _system(n: int) -> tuple[Any, ...]:
    return *_positive_definite(n), numbers(n, 8, seed=1)


# For each function: the sizes, and how its arrays are made.
_ROWS: dict[str, tuple[Any, list[tuple[int, ...]]]] = {
    "einsum": (_pair, [(32, 32), (316, 316), (1000, 1000)]),
    "attention": (_pair, [(2, 4, 12, 10), (4, 8, 64, 48), (8, 8, 128, 64)]),
    "gather": (_indexed, [(100, 10), (10_000, 10), (10_000, 100)]),
    "scatter": (_added, [(100, 10), (10_000, 10), (10_000, 100)]),
    "cumsum": (lambda *shape: (numbers(*shape),), [(1000,), (100_000,), (1000, 1000)]),
    "cumsum, columns": (lambda *shape: (numbers(*shape),), [(32, 32), (316, 316), (1000, 1000)]),
    "sort": (lambda *shape: (numbers(*shape),), [(1000,), (100_000,), (1000, 1000)]),
    "solve": (_system, [(32,), (316,), (1000,)]),
    "cholesky": (_positive_definite, [(32,), (316,), (1000,)]),
    "svd": (lambda n: (numbers(n, n),), [(32,), (316,)]),
}


def make(framework: Any, given: Any) -> Any:
    name, shape = given
    return framework.formula(name, *_ROWS[name][0](*shape))


TASK = Task(
    title="Functions of arrays",
    cases=tuple(
        Case(f"{name} {' × '.join(map(str, shape))}", (name, shape), shown=len(shapes) == place + 1)
        for name, (_, shapes) in _ROWS.items()
        for place, shape in enumerate(shapes)
    ),
    tiny=Case("cumsum 21", ("cumsum", (21,))),
    make=make,
    goal=1 / 1.2,
    contenders=(NATIVE, "palingrad, gradient", "NumPy", "PyTorch", "JAX"),
    peers=("NumPy", "PyTorch", "JAX"),
    seconds=0.1,
)
