"""One eager addition of two small vectors: the cost of making a node."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import palingrad as pg

TIMES = 20_000


def timed(x: Any, y: Any) -> Callable[[], float]:
    def measure() -> float:
        start = time.perf_counter()
        for _ in range(TIMES):
            x + y
        return (time.perf_counter() - start) / TIMES

    return measure


def contenders() -> dict[str, Callable[[], float]]:
    x, y = np.ones(3, np.float32), np.ones(3, np.float32)
    return {
        "palingrad, eager": timed(pg.tensor(x), pg.tensor(y)),
        "palingrad, eager, with a Python number": timed(pg.tensor(x), 1.0),
        "NumPy": timed(x, y),
    }
