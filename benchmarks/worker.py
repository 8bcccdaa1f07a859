"""The process of one contender: answers requests on stdin, one line of JSON each.

Thread pools of two frameworks in one process would disturb each other. So each framework has its
own process, which sleeps while others are measured.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from contenders import CONTENDERS
from problems import PROBLEMS
from problems.problem import error
from tasks import TASKS

WARM = 0.1  # warm-up steps before the measurement, as a fraction of the steps of a turn


class Worker:
    def __init__(self, contender: str, threads: int, clock: str = "wall") -> None:
        self.clock = time.process_time if clock == "cpu" else time.perf_counter
        self.framework = CONTENDERS[contender].framework(threads)
        self.step: Callable[[], Any] = lambda: None
        self.rest()

    def ready(self) -> None:
        """Answers once the framework has been imported."""

    def make(self, task: str, case: int) -> float:
        """Builds the step and runs it once. Returns the time of both in seconds."""
        chosen = TASKS[task]
        given = (chosen.cases[case] if case >= 0 else chosen.tiny).given
        self.step = lambda: None  # frees the previous step
        gc.collect()
        start = time.perf_counter()
        self.step = chosen.make(self.framework, given)
        self.first = self.step()
        return time.perf_counter() - start

    def solve(self, problem: str, size: str, part: str) -> tuple[float, float]:
        """Builds the step of a problem and runs it once. Returns the CPU time of both, and the
        error of the answer as a multiple of what is allowed."""
        chosen = PROBLEMS[problem]
        given = chosen.sizes.get(size, chosen.tiny)
        self.step = lambda: None
        gc.collect()
        arrays = chosen.arrays(given)
        start = time.process_time()
        self.step = self.framework.problem(lambda m: chosen.part(part, m, given), arrays)
        answer = self.step()
        taken = time.process_time() - start
        return taken, error(answer, chosen.reference(part, given, *arrays))

    def check(self) -> list[float]:
        """Numbers that must agree between contenders: the losses of the first steps, or a sample of
        the elements of a result."""
        if isinstance(self.first, float):
            return [self.first, *(self.step() for _ in range(4))]
        first = self.first[0] if isinstance(self.first, tuple) else self.first  # of gradients
        result = np.asarray(first.numpy() if hasattr(first, "numpy") else first, np.float64).ravel()
        return [float(result.mean()), *map(float, result[:: max(result.size // 97, 1)])]

    def calibrate(self, seconds: float) -> int:
        """The number of steps that fit in `seconds`, at least 1."""
        times = 1
        while True:
            taken = self._timed(times)
            if taken > seconds / 4 or times > 10**7:
                return max(round(times * seconds / taken), 1)
            times *= 4

    def turn(self, times: int) -> float:
        """Seconds per step, averaged over `times` steps."""
        self._timed(max(round(WARM * times), 1))
        return self._timed(times) / times

    def rest(self) -> None:
        """Marks the begin of the other contenders' turns."""
        self.resting_since = time.perf_counter(), time.process_time()

    def idle(self) -> float:
        """The fraction of a core that this process has used since `rest`."""
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
        step, clock = self.step, self.clock
        start = clock()
        for _ in itertools.repeat(None, times):
            step()
        return clock() - start


def main(contender: str, threads: int, clock: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # output of the frameworks goes to stderr, not among the answers
    if hasattr(os, "sched_setaffinity"):  # thread pools have the size of the affinity mask
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    if changed := os.environ.get("BENCHMARK_CONSTANT"):  # by `constants.py`
        place, _, value = changed.partition("=")
        module, _, name = place.partition(":")
        setattr(import_module(module), name, json.loads(value))
    worker = Worker(contender, threads, clock)
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
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
