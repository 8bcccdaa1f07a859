"""What a task is: cases, who takes part, and how a framework makes the step that is timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from contenders import NATIVE, PEERS, Framework, Step


@dataclass(frozen=True)
class Case:
    """One size of a task. `given` goes to the task's `make`."""

    name: str
    given: Any
    flops: float | None = None
    bytes: float | None = None  # read and written at least
    shown: bool = False  # in the plot


@dataclass(frozen=True)
class Task:
    """`make(framework, given)` returns the step; `goal` is how many times faster than the fastest
    peer palingrad shall be; `tiny` is a small case for the tests."""

    title: str
    cases: tuple[Case, ...]
    tiny: Case
    make: Callable[[Framework, Any], Step]
    goal: float | None = None
    contenders: tuple[str, ...] = (NATIVE, *PEERS)
    baseline: str | None = None  # who takes the peers' place in the ratio
    seconds: float = 0.2  # of one contender's turn


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    """Normally distributed float32 numbers."""
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def training(network: Any, name: str, *, shown: bool = False) -> Case:
    return Case(name, network, flops=network.flops(), shown=shown)
