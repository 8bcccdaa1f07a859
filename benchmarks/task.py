"""The class of tasks: cases, contenders, and the function that builds the step to measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from contenders import NATIVE, PEERS, Framework, Step


@dataclass(frozen=True)
class Case:
    """One size of a task. `given` is passed to the task's `make`."""

    name: str
    given: Any
    flops: float | None = None
    bytes: float | None = None  # minimum memory traffic
    shown: bool = False  # whether the plot shows it


@dataclass(frozen=True)
class Task:
    """`make(framework, given)` returns the step; `goal` is the speedup over the fastest peer that
    palingrad aims at, `goals` are speedups over single contenders, and `limit` is the number of
    seconds that a step may take; `tiny` is a small case for the tests."""

    title: str
    cases: tuple[Case, ...]
    tiny: Case
    make: Callable[[Framework, Any], Step]
    goal: float | None = None
    goals: Mapping[str, float] = field(default_factory=dict)
    limit: float | None = None
    contenders: tuple[str, ...] = (NATIVE, *PEERS)
    peers: tuple[str, ...] = PEERS
    seconds: float = 0.2  # duration of one contender's turn


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    """Normally distributed float32 numbers."""
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def training(network: Any, name: str, *, shown: bool = False) -> Case:
    return Case(name, network, flops=network.flops(), shown=shown)
