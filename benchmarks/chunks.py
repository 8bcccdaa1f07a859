"""Where a step's time goes: python benchmarks/chunks.py TASK [--case N] [--threads N] [--steps N].

The native engine's code for one case of a task is made so that it notes, for every chunk of every
kernel, which thread did it and when it began and ended, by the processor's clock. What is printed
is the mean over the steps: each kernel's time on each thread, and how long each stage took. The
notes themselves cost some nanoseconds a chunk.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ["PALINGRAD_CACHE"] = "off"  # the code that is made here is nobody else's

import numpy as np
from contenders.in_palingrad import Framework
from llvmlite import ir
from tasks import TASKS

from palingrad.engines.native import executable, module
from palingrad.engines.native.llvm.loops import INT, integer

ROOM = 1 << 22  # chunks that can be noted
FIELDS = 4  # kernel, thread, begin, end


class Notes:
    """Room for notes, and the module that writes them."""

    def __init__(self) -> None:
        self.words = (ctypes.c_int64 * (FIELDS * ROOM + 1))()  # the first one: how many are used
        address = ctypes.addressof(self.words)

        class Traced(module.Module):
            """A module whose kernels' calls are noted."""

            def _call(self, b: Any, kernel: Any, table: Any, begin: Any, end: Any) -> None:
                clock = _declared(b.module, "llvm.readcyclecounter", INT, [])
                context = _declared(b.module, "llvm.frameaddress.p0", _POINTER, [_WORD])
                start = b.call(clock, [])
                super()._call(b, kernel, table, begin, end)
                stop = b.call(clock, [])
                words = b.inttoptr(integer(address), INT.as_pointer())
                place = b.atomic_rmw("add", words, integer(FIELDS), "seq_cst")
                stack = b.ptrtoint(b.call(context, [_WORD(0)]), INT)
                number = integer(self.schedule.kernels.index(kernel))
                for field, value in enumerate((number, stack, start, stop), 1):
                    b.store(value, b.gep(words, [b.add(place, integer(field))]))

        executable.Module = Traced

    def taken(self) -> np.ndarray[Any, Any]:
        """What was noted, a chunk a row: kernel, thread, begin, end."""
        count = self.words[0] // FIELDS
        if count > ROOM:
            raise SystemExit("too many chunks to note: ask for fewer --steps")
        rows = np.frombuffer(self.words, np.int64)[1 : 1 + FIELDS * count].reshape(-1, FIELDS)
        _, threads = np.unique(rows[:, 1] >> 16, return_inverse=True)  # each has a stack of its own
        found = rows.copy()
        found[:, 1] = threads
        return found[np.argsort(found[:, 2], kind="stable")]

    def forget(self) -> None:
        """Begin anew."""
        self.words[0] = 0


_POINTER, _WORD = ir.IntType(8).as_pointer(), ir.IntType(32)


def _declared(module: Any, name: str, result: Any, kinds: list[Any]) -> Any:
    found = module.globals.get(name)
    return found or ir.Function(module, ir.FunctionType(result, kinds), name)


@dataclass
class Run:
    """Steps that were noted."""

    schedule: Any
    notes: np.ndarray[Any, Any]
    steps: int
    seconds: float  # a step

    @property
    def cycles(self) -> float:
        """Of the processor's clock in a microsecond."""
        return (self.notes[:, 3].max() - self.notes[:, 2].min()) / (1e6 * self.seconds * self.steps)

    def kernels(self) -> list[str]:
        """A line for each kernel."""
        lines = [f"{'µs':>9}  {'by thread':20} chunks  kernel"]
        for number, kernel in enumerate(self.schedule.kernels):
            rows = self.notes[self.notes[:, 0] == number]
            if not len(rows):
                continue
            taken = (rows[:, 3] - rows[:, 2]) / self.cycles / self.steps
            threads = range(int(self.notes[:, 1].max()) + 1)
            by_thread = " ".join(f"{taken[rows[:, 1] == one].sum():.1f}" for one in threads)
            nodes = [type(node).__name__ for node in kernel.kernel.nodes]
            more = f", {len(nodes) - 4} more" if len(nodes) > 4 else ""
            lines.append(
                f"{taken.sum():9.2f}  {by_thread:20} {len(rows) / self.steps:6.0f}  "
                f"{kernel.kernel.label} {', '.join(nodes[:4])}{more}"
            )
        return lines

    def stages(self) -> list[str]:
        """A line for each stage: from its first chunk's begin to its last one's end."""
        stage = np.array([kernel.stage for kernel in self.schedule.kernels])[self.notes[:, 0]]
        first = np.flatnonzero((stage == 0) & (np.roll(stage, 1) != 0))
        step = np.searchsorted(first, np.arange(len(stage)), side="right")
        lines = [f"{'µs':>9}  {'busy':>9}  stage"]
        for number in np.unique(stage):
            live_ranges: list[float] = []
            for one in np.unique(step):
                rows = self.notes[(stage == number) & (step == one)]
                if len(rows):
                    live_ranges.append(rows[:, 3].max() - rows[:, 2].min())
            rows = self.notes[stage == number]
            busy = (rows[:, 3] - rows[:, 2]).sum() / self.cycles / self.steps
            lines.append(f"{np.median(live_ranges) / self.cycles:9.2f}  {busy:9.2f}  {number + 1}")
        return lines


def traced(step: Callable[[], Any], notes: Notes, steps: int) -> Run:
    """So many steps, after some that warm up."""
    step()
    found = [one for one in gc.get_objects() if isinstance(one, executable.NativeExecutable)]
    for _ in range(steps // 4):
        step()
    notes.forget()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    seconds = (time.perf_counter() - start) / steps
    return Run(found[-1].schedule, notes.taken(), steps, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("task", choices=[name for name in TASKS if name != "eager_add"])
    parser.add_argument("--case", type=int, default=0)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    task = TASKS[options.task]
    case = task.cases[options.case]
    notes = Notes()
    step = task.make(Framework(options.threads, "native"), case.given)
    run = traced(step, notes, options.steps)
    print(
        f"{task.title}: {case.name}, {options.threads} threads, {1e6 * run.seconds:.1f} µs a step"
    )
    print("\n".join([*run.kernels(), "", *run.stages()]))


if __name__ == "__main__":
    main()
