"""One contender in a process of its own: does what is asked on stdin, a line of JSON at a time.

Thread pools of two frameworks in one process get in each other's way. Here each has its own
process, asleep while others have their turn.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from contenders import CONTENDERS
from tasks import TASKS

WARM = 0.1  # of a turn's steps, taken before the clock starts


class Worker:
    def __init__(self, contender: str, threads: int) -> None:
        self.framework = CONTENDERS[contender].framework(threads)
        self.step: Callable[[], Any] = lambda: None
        self.rest()

    def ready(self) -> None:
        """The framework is imported by now."""

    def make(self, task: str, case: int) -> float:
        """Build the step and take it once; seconds for both."""
        chosen = TASKS[task]
        given = (chosen.cases[case] if case >= 0 else chosen.tiny).given
        self.step = lambda: None  # the last one may go
        gc.collect()
        start = time.perf_counter()
        self.step = chosen.make(self.framework, given)
        self.first = self.step()
        return time.perf_counter() - start

    def check(self) -> list[float]:
        """Numbers that agree where contenders do the same: the losses of the first steps, or some
        of the elements of a result."""
        if isinstance(self.first, float):
            return [self.first, *(self.step() for _ in range(4))]
        result = np.asarray(
            self.first.numpy() if hasattr(self.first, "numpy") else self.first, np.float64
        ).ravel()
        return [float(result.mean()), *map(float, result[:: max(result.size // 97, 1)])]

    def calibrate(self, seconds: float) -> int:
        """How often the step is taken in so many seconds; at least once."""
        times = 1
        while True:
            taken = self._timed(times)
            if taken > seconds / 4 or times > 10**7:
                return max(round(times * seconds / taken), 1)
            times *= 4

    def turn(self, times: int) -> float:
        """Seconds a step, on average over so many."""
        self._timed(max(round(WARM * times), 1))
        return self._timed(times) / times

    def rest(self) -> None:
        """Others have their turn from now on."""
        self.resting_since = time.perf_counter(), time.process_time()

    def idle(self) -> float:
        """What part of a core this process used since `rest`."""
        wall, cpu = self.resting_since
        passed = time.perf_counter() - wall
        return (time.process_time() - cpu) / passed

    def memory(self) -> dict[str, float]:
        """Resident memory in MB, now and at its peak."""
        text = Path("/proc/self/status").read_text()
        found = dict(line.split(":", 1) for line in text.splitlines())
        return {
            "now": int(found["VmRSS"].split()[0]) / 1e3,
            "peak": int(found["VmHWM"].split()[0]) / 1e3,
        }

    def _timed(self, times: int) -> float:
        step = self.step
        start = time.perf_counter()
        for _ in itertools.repeat(None, times):
            step()
        return time.perf_counter() - start


def main(contender: str, threads: int) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a framework prints is no answer
    if hasattr(os, "sched_setaffinity"):  # thread pools are as large as what they may run on
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    worker = Worker(contender, threads)
    for line in sys.stdin:
        name, given = json.loads(line)
        try:
            answer: Any = {"answer": getattr(worker, name)(**given)}
        except Exception as error:
            first = f"{type(error).__name__}: {error}".splitlines()[0]
            answer = {"error": first[:200]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
