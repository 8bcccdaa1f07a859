"""A profile by chunk: python benchmarks/chunks.py TASK [options].

The native engine's code for one case of a task is instrumented: for every chunk of every kernel it
records the thread, and the begin and end by the processor's cycle counter. The output is the mean
over the steps: each kernel's time on each thread, and the duration of each stage. Recording costs
some nanoseconds per chunk.

With --cpu, for a machine that others load: the CPU time of one thread, as the median over the
steps, and the GFLOP/s of products, for all kernels of a kind together.
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

os.environ["PALINGRAD_CACHE"] = "off"  # instrumented code must not be cached

import numpy as np
from contenders.in_palingrad import Framework
from llvmlite import ir
from tasks import TASKS

from palingrad.engines.native import executable, module
from palingrad.engines.native.llvm.loops import INT, integer
from palingrad.engines.native.runtime import dispatch
from palingrad.graph.kinds import Contract
from palingrad.ops.flops import total_flops

ROOM = 1 << 22  # maximum number of records
RECORD = 8 * len(dispatch.KERNEL_RECORD.elements)  # bytes of a kernel's record
FIELDS = 4  # kernel, thread, begin, end


class Notes:
    """The buffer of records, and the patched module whose kernels write them."""

    def __init__(self, *, cpu: bool) -> None:
        """`cpu`: whether the records are CPU time of the thread, in ns, instead of cycles."""
        self.words = (ctypes.c_int64 * (FIELDS * ROOM + 1))()  # word 0 counts the words in use
        address = ctypes.addressof(self.words)

        class Traced(module.Module):
            """A module that records the calls of its kernels."""

            def _call(self, b: Any, record: Any, table: Any, begin: Any, end: Any) -> None:
                now = _cpu_time if cpu else _cycles
                context = _declared(b.module, "llvm.frameaddress.p0", _POINTER, [_WORD])
                start = now(b)
                super()._call(b, record, table, begin, end)
                stop = now(b)
                words = b.inttoptr(integer(address), INT.as_pointer())
                place = b.atomic_rmw("add", words, integer(FIELDS), "seq_cst")
                stack = b.ptrtoint(b.call(context, [_WORD(0)]), INT)
                number = b.sub(b.ptrtoint(record, INT), self._records.ptrtoint(INT))
                for field, value in enumerate((number, stack, start, stop), 1):
                    b.store(value, b.gep(words, [b.add(place, integer(field))]))

        executable.Module = Traced

    def taken(self) -> np.ndarray[Any, Any]:
        """The records (chunks, 4), sorted by begin: kernel, thread, begin, end."""
        count = self.words[0] // FIELDS
        if count > ROOM:
            raise SystemExit("too many chunks to record: use fewer --steps")
        rows = np.frombuffer(self.words, np.int64)[1 : 1 + FIELDS * count].reshape(-1, FIELDS)
        rows[:, 0] //= RECORD
        _, threads = np.unique(rows[:, 1] >> 16, return_inverse=True)  # identified by stack
        records = rows.copy()
        records[:, 1] = threads
        return records[np.argsort(records[:, 2], kind="stable")]

    def forget(self) -> None:
        """Discards all records."""
        self.words[0] = 0


_POINTER, _WORD = ir.IntType(8).as_pointer(), ir.IntType(32)


def _declared(module: Any, name: str, result: Any, kinds: list[Any]) -> Any:
    found = module.globals.get(name)
    return found or ir.Function(module, ir.FunctionType(result, kinds), name)


def _cycles(b: Any) -> Any:
    return b.call(_declared(b.module, "llvm.readcyclecounter", INT, []), [])


def _cpu_time(b: Any) -> Any:
    """The CPU time of this thread in ns, by a call of C's clock_gettime."""
    pair = ir.ArrayType(INT, 2)
    with b.goto_entry_block():
        found = b.alloca(pair)
    address = ctypes.cast(ctypes.CDLL(None).clock_gettime, ctypes.c_void_p).value
    kind = ir.FunctionType(_WORD, [_WORD, pair.as_pointer()]).as_pointer()
    clock = _WORD(time.CLOCK_THREAD_CPUTIME_ID)
    b.call(b.inttoptr(integer(address or 0), kind), [clock, found])
    seconds, rest = (b.load(b.gep(found, [_WORD(0), _WORD(place)])) for place in range(2))
    return b.add(b.mul(seconds, integer(10**9)), rest)


@dataclass
class Run:
    """The records of some steps."""

    schedule: Any
    notes: np.ndarray[Any, Any]
    steps: int
    seconds: float  # per step

    @property
    def order(self) -> list[Any]:
        """The kernels in the order of their records."""
        stages = [stage for stage in self.schedule.stages if module.is_native(stage)]
        return [kernel for stage in stages for kernel in stage]

    @property
    def cycles(self) -> float:
        """Cycles of the processor's counter per microsecond."""
        return (self.notes[:, 3].max() - self.notes[:, 2].min()) / (1e6 * self.seconds * self.steps)

    def kernels(self) -> list[str]:
        """A table with a line for each kernel."""
        lines = [f"{'µs':>9}  {'by thread':20} chunks  kernel"]
        for number, kernel in enumerate(self.order):
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

    def kinds(self) -> list[str]:
        """A table with a line for each kind of kernel, from records of CPU time."""
        found: dict[str, list[Any]] = {}  # the number of kernels, ns and operations of a step
        for number, kernel in enumerate(self.order):
            rows = self.notes[self.notes[:, 0] == number]
            if not len(rows):
                continue
            taken = (rows[:, 3] - rows[:, 2]).reshape(self.steps, -1).sum(axis=1)
            nodes = [type(node).__name__ for node in kernel.kernel.nodes]
            more = f", {len(nodes) - 4} more" if len(nodes) > 4 else ""
            work = [node for node in kernel.kernel.computed if isinstance(node, Contract)]
            name = f"{kernel.kernel.label} {kernel.kernel.space()} {', '.join(nodes[:4])}{more}"
            row = found.setdefault(name, [0, 0.0, 0])
            for place, value in enumerate((1, np.median(taken), total_flops(work))):
                row[place] += value
        lines = [f"{'µs':>9}  kernels  GFLOP/s  kind"]
        for name, (count, taken, work) in sorted(found.items(), key=lambda one: -one[1][1]):
            speed = f"{work / taken:.1f}" if work else ""
            lines.append(f"{taken / 1e3:9.2f}  {count:7}  {speed:>7}  {name}")
        return lines

    def stages(self) -> list[str]:
        """A table with a line for each stage: from the begin of its first chunk to its last end."""
        stage = np.array([kernel.stage for kernel in self.order])[self.notes[:, 0]]
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
    """Runs and records `steps` steps, after some warm-up steps."""
    step()
    executables = [x for x in gc.get_objects() if isinstance(x, executable.NativeExecutable)]
    for _ in range(steps // 4):
        step()
    notes.forget()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    seconds = (time.perf_counter() - start) / steps
    return Run(executables[-1].schedule, notes.taken(), steps, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("task", choices=[name for name in TASKS if name != "eager_add"])
    parser.add_argument("--case", type=int, default=0)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--cpu", action="store_true", help="CPU time of one thread by kind")
    options = parser.parse_args()
    if options.cpu:
        options.threads = 1
    task = TASKS[options.task]
    case = task.cases[options.case]
    notes = Notes(cpu=options.cpu)
    step = task.make(Framework(options.threads, "native"), case.given)
    run = traced(step, notes, options.steps)
    print(
        f"{task.title}: {case.name}, {options.threads} threads, {1e6 * run.seconds:.1f} µs a step"
    )
    lines = run.kinds() if options.cpu else [*run.kernels(), "", *run.stages()]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
