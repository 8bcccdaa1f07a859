"""Whether the native engine's tuned constants matter on this CPU: each is halved and doubled.

    python benchmarks/constants.py [NAME ...] [--cpu] [--rounds N] [--limit 0.03] [--write]

NAME is part of a constant's name (`tuned.py` lists them). Prints the time of each case with the
changed constant, divided by that with the constant as it is, where the two differ by more than
`--limit`. Noise is the same for a process that changes nothing. Contenders are processes of their
own without a cache, measured in turn. PALINGRAD_CPU=x86-64-v3 measures code for AVX2. `--write`
puts the measured constants into CONSTANTS.md, beside those measured before.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import machine
from contenders import NATIVE
from process import Process, WorkerError
from tasks import TASKS
from timing import CPU_HELP, in_turn
from tuned import CONSTANTS, Constant

PAGE = Path(__file__).with_name("CONSTANTS.md")
HEAD = "| constant | value | case | half | twice | noise |\n|---|---|---|---|---|---|"


def compared(constant: Constant, threads: int, rounds: int, *, cpu: bool) -> list[list[str]]:
    """For each case its name, and the relative time with half the constant, with twice the
    constant, and in another process with the constant as it is."""
    factors = {"½": 0.5, "1": 1.0, "2": 2.0, "noise": 1.0}
    off = {"PALINGRAD_CACHE": "off"}
    workers = {
        name: Process(NATIVE, threads, {**off, **constant.changed(factor)}, cpu=cpu)
        for name, factor in factors.items()
    }
    rows: list[list[str]] = []
    try:
        for task, case in constant.cases:
            for worker in workers.values():
                worker.ask("make", task=task, case=case)
            times, _ = in_turn(workers, rounds, TASKS[task].seconds)
            middle = min if cpu else statistics.median
            best = {name: middle(found) for name, found in times.items()}
            name = f"{task} · {TASKS[task].cases[case].name}"
            rows.append([name, *(f"{best[one] / best['1']:.2f}" for one in ("½", "2", "noise"))])
    finally:
        for worker in workers.values():
            worker.end()
    return rows


def shown(rows: list[list[str]], limit: float) -> list[list[str]]:
    """The cases that half or twice the constant changes by more than `limit`, or that there are
    none, with the largest differences found."""
    different = [row for row in rows if any(abs(float(x) - 1) > limit for x in row[1:3])]
    if different:
        return different
    most = [max((row[n] for row in rows), key=lambda x: abs(float(x) - 1)) for n in (1, 2, 3)]
    return [[f"all {len(rows)} within {limit:.0%}", *most]]


def lines(constant: Constant, options: Any) -> list[str]:
    """The lines of the table for one constant."""
    start = f"| `{constant.title}` | {constant.value:,}"
    threads = 1 if options.cpu else options.threads
    try:
        rows = compared(constant, threads, options.rounds, cpu=options.cpu)
    except WorkerError as error:
        return [f"{start} | {error} | | | |"]
    return [f"{start} | {' | '.join(row)} |" for row in shown(rows, options.limit)]


def merged(page: str, found: dict[str, list[str]], description: Sequence[str], how: str) -> str:
    """The page with these lines in place of those of the same constants, in the constants' order;
    lines of constants that there are no more are left out."""
    kept: dict[str, list[str]] = {}
    for line in page.splitlines():
        if line.startswith("| `"):
            kept.setdefault(line.split("`")[1], []).append(line)
    kept |= found
    table = [line for one in CONSTANTS for line in kept.get(one.title, ())]
    text = (
        "# Whether tuned constants matter\n\n"
        "Written by `python benchmarks/constants.py --write`, whose docstring says what the\n"
        "columns mean. A difference counts if it exceeds *noise*, that of a process that changes\n"
        "nothing.\n"
    )
    facts = [f"- {line}" for line in (*description, how)]
    return "\n".join([text, *facts, "", HEAD, *table, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="parts of constants' names; default: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=float, default=0.03, help="differences that are printed")
    parser.add_argument("--cpu", action="store_true", help=CPU_HELP)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args(arguments)
    threads = 1 if options.cpu else options.threads
    clock = "CPU time, minimum" if options.cpu else "wall time, median"
    how = f"{clock} of {options.rounds} rounds in turn; within {options.limit:.0%} isn't listed"
    print(HEAD)
    for constant in CONSTANTS:
        if options.names and not any(name in constant.title for name in options.names):
            continue
        found = lines(constant, options)
        print("\n".join(found), flush=True)
        if options.write:
            page = PAGE.read_text() if PAGE.exists() else ""
            PAGE.write_text(
                merged(page, {constant.title: found}, machine.description(threads), how)
            )


if __name__ == "__main__":
    main()
