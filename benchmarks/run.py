"""Measure palingrad and its peers: python benchmarks/run.py [TASK ...] [options].

All contenders of a task take turns within each round, each in its own process. Their results are
compared before the measurement. `make bench` runs all tasks and writes RESULTS.md and speed.svg. A
contender that isn't installed is left out, and listed in the results.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import footprint
import machine
import peak
import plot
import report
from contenders import CONTENDERS
from process import Process, WorkerError
from task import Task
from tasks import TASKS
from timing import CPU_HELP, disagreement, in_turn

HERE = Path(__file__).parent


@dataclass
class Measured:
    """One case: seconds per step by contender and round, and why others were left out."""

    task: str
    case: str
    times: dict[str, list[float]]
    left_out: dict[str, str]
    idle: float


def measured(
    name: str, task: Task, number: int, processes: dict[str, Process], options: Any
) -> Measured:
    """Measures one case in these processes. Processes that fail or disagree are left out."""
    left_out: dict[str, str] = {}
    results: dict[str, Any] = {}
    for contender, process in processes.items():
        try:
            process.ask("make", task=name, case=number)
            results[contender] = process.ask("check")
        except WorkerError as error:
            left_out[contender] = str(error)
    same = {name: found for name, found in results.items() if not CONTENDERS[name].derivative}
    left_out |= disagreement(same)
    fit = {one: processes[one] for one in results if one not in left_out}
    seconds = options.seconds or task.seconds
    times, idle = in_turn(fit, options.rounds, seconds) if fit else ({}, 0.0)
    if options.cpu:
        times = {one: [min(values)] for one, values in times.items()}
    return Measured(name, task.cases[number].name, times, left_out, idle)


def run_task(name: str, options: Any) -> list[Measured]:
    """Measures all requested cases of a task, in new processes."""
    task = TASKS[name]
    wanted = [one for one in task.contenders if not options.only or one in options.only]
    missing = {one: CONTENDERS[one].missing() for one in wanted}
    there = [one for one, reason in missing.items() if reason is None]
    processes = {one: Process(one, options.threads, cpu=options.cpu) for one in there}
    found: list[Measured] = []
    try:
        for process in processes.values():
            process.ask("ready")
        for number, case in enumerate(task.cases):
            if not options.case or any(part in case.name for part in options.case):
                one = measured(name, task, number, processes, options)
                one.left_out |= {key: reason for key, reason in missing.items() if reason}
                found.append(one)
                print(report.line(task, one), flush=True)
    finally:
        for process in processes.values():
            process.end()
    return found


def main() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("tasks", nargs="*", help=f"of {', '.join(TASKS)}; default: all")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, help="duration of a turn; default: the task's own")
    parser.add_argument("--threads", type=int, default=cores)
    parser.add_argument("--cpu", action="store_true", help=CPU_HELP)
    parser.add_argument("--case", action="append", help="run only cases whose name contains this")
    parser.add_argument("--only", action="append", help=f"a contender of {', '.join(CONTENDERS)}")
    parser.add_argument(
        "--footprint", action="store_true", help="measure the footprint; always if no task is given"
    )
    parser.add_argument("--check", action="store_true", help="fail if a goal is missed")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md and speed.svg")
    options = parser.parse_args()
    unknown = set(options.tasks) - set(TASKS)
    if unknown:
        parser.error(f"unknown task: {', '.join(unknown)}")
    if options.cpu:
        options.threads = 1
    results: dict[str, Any] = {"machine": machine.description(options.threads)}
    print("\n".join(results["machine"]), flush=True)
    results["peak"] = peak.measured(options.threads)
    print(report.peak_line(results["peak"]), flush=True)
    results["measured"] = [
        asdict(one) for name in options.tasks or TASKS for one in run_task(name, options)
    ]
    if options.footprint or not options.tasks:
        results["footprint"] = footprint.measured(options.threads)
        print(report.footprint_tables(results["footprint"]), flush=True)
    if options.write:
        (HERE / "RESULTS.md").write_text(report.page(results))
        plot.draw(results, HERE / "speed.svg")
    missed = report.shortfalls(results["measured"])
    if missed:
        print("\n".join(["Short of its goal:", *missed]), flush=True)
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
