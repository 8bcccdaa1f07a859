"""Interleaved measurement of contenders, so that load on the machine affects all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from process import Process

PAUSE = 0.03  # seconds in which a process that sleeps uses less than this part of a core:
ASLEEP = 0.03
CPU_HELP = "CPU time of one thread, the minimum over the rounds: for a machine that others load"


@dataclass(frozen=True)
class Spread:
    """The median, minimum and maximum over some rounds."""

    middle: float
    low: float
    high: float

    def __format__(self, form: str) -> str:
        return f"{self.middle:{form}} ({self.low:{form}}–{self.high:{form}})"


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))


def ratios(over: Sequence[float], under: Sequence[float]) -> Spread:
    """The ratios of the times of equal rounds."""
    return spread([a / b for a, b in zip(over, under, strict=True)])


def in_turn(
    processes: Mapping[str, Process], rounds: int, seconds: float
) -> tuple[dict[str, list[float]], float]:
    """Seconds per step for each contender and round, and the largest fraction of a core that a
    process used while it waited. Each round begins with another contender."""
    counts: dict[str, int] = {}
    for name, process in processes.items():
        counts[name] = process.ask("calibrate", seconds=seconds)
        settle(process)
    times: dict[str, list[float]] = {name: [] for name in processes}
    names = list(processes)
    idle = 0.0
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            if number:
                idle = max(idle, processes[name].ask("idle"))
            times[name].append(processes[name].ask("turn", times=counts[name]))
            settle(processes[name])
    return times, idle


def settle(process: Process) -> None:
    """Waits until the process's threads sleep: OpenBLAS's threads spin for another 0.1 s."""
    for _ in range(30):
        process.ask("rest")
        time.sleep(PAUSE)
        if process.ask("idle") < ASLEEP:
            break
    process.ask("rest")


def disagreement(results: Mapping[str, Any], tolerance: float = 3e-5) -> dict[str, str]:
    """The contenders whose results differ from the median, and by how much. float32 meets the
    tolerance; products in a shorter format don't."""
    differences: dict[str, str] = {}
    middle = [statistics.median(column) for column in zip(*results.values(), strict=True)]
    size = max(max(map(abs, middle)), 1e-6)
    for name, numbers in results.items():
        error = max(abs(a - b) for a, b in zip(numbers, middle, strict=True)) / size
        if not error <= tolerance:
            differences[name] = f"its results differ by {error:.1g} of the largest number"
    return differences
