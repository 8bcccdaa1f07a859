"""Compare this checkout of palingrad with another: python benchmarks/against.py FOLDER [TASK ...].

FOLDER is the root of the other checkout. Both run the same tasks natively, each in its own process,
alternating within one run. A ratio above 1 means that this checkout is faster.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from contenders import NATIVE
from process import Process, WorkerError
from tasks import TASKS
from timing import CPU_HELP, in_turn, ratios, spread

HERE = Path(__file__).resolve().parent.parent


def difference(results: dict[str, list[float]]) -> str:
    """The difference between the results of both checkouts, in words."""
    here, there = (np.array(one) for one in results.values())
    if here.shape != there.shape:
        return "other shapes"
    if np.array_equal(here, there, equal_nan=True):
        return "same bits"
    return f"differ by {np.max(np.abs(here - there) / np.maximum(np.abs(there), 1e-30)):.1e}"


def compared(name: str, number: int, processes: dict[str, Process], options: Any) -> str:
    """The line of one case: its time here in µs, the ratio other / here, and whether bits agree."""
    results: dict[str, list[float]] = {}
    for checkout, process in processes.items():
        try:
            process.ask("make", task=name, case=number)
            results[checkout] = process.ask("check")
        except WorkerError as error:
            return f"{checkout}: {error}"
    times, _ = in_turn(processes, options.rounds, options.seconds or TASKS[name].seconds)
    here, there = [[min(one)] for one in times.values()] if options.cpu else times.values()
    return (
        f"{spread(here).middle * 1e6:10.1f} µs   ratio {ratios(there, here):.2f}   "
        f"{difference(results)}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path, help="the root of the other checkout")
    parser.add_argument("tasks", nargs="*", help=f"of {', '.join(TASKS)}; default: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, help="duration of a turn; default: the task's own")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--cpu", action="store_true", help=CPU_HELP)
    options = parser.parse_args()
    if options.cpu:
        options.threads = 1
    if not (options.folder / "src" / "palingrad").is_dir():
        parser.error(f"{options.folder} isn't a checkout: it has no src/palingrad")
    for name in options.tasks or TASKS:
        processes = {
            checkout: Process(
                NATIVE, options.threads, {"PYTHONPATH": str(root / "src")}, cpu=options.cpu
            )
            for checkout, root in (("here", HERE), ("there", options.folder.resolve()))
        }
        try:
            for number, case in enumerate(TASKS[name].cases):
                line = compared(name, number, processes, options)
                print(f"{f'{name} {case.name}':34} {line}", flush=True)
        finally:
            for process in processes.values():
                process.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
