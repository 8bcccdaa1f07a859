"""Twelve problems beside JAX and PyTorch: python benchmarks/twelve.py [PROBLEM ...] [options].

For each size of a problem the function and its derivative are measured: CPU time of one thread, the
minimum over rounds in which the contenders take turns, each in a process of its own. Each answer is
first checked against one that NumPy computes in another way (`problems/`). The last column of a row
is the gain over the fastest peer; compile times (with the first run) have columns of their own.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from typing import Any

import machine
from contenders import CONTENDERS, NATIVE
from problems import PROBLEMS
from problems.problem import PARTS
from process import Process, WorkerError
from timing import in_turn

WANTED = (NATIVE, "JAX", "PyTorch")
HEADER = f"{'problem':9} {'size':30} {'part':10}"


def row(
    name: str, size: str, part: str, processes: dict[str, Process], options: Any
) -> tuple[str, float | None]:
    """The table's row, and how many times faster palingrad is than the fastest peer."""
    compiled: dict[str, float] = {}
    words: dict[str, str] = {}
    for contender, process in processes.items():
        if contender != NATIVE and contender not in PROBLEMS[name].peers:
            words[contender] = "–"
            continue
        try:
            compiled[contender], error = process.ask("solve", problem=name, size=size, part=part)
            if error > 1:
                words[contender] = "wrong"
        except WorkerError as reason:
            words[contender] = "fails"
            print(f"{name}, {size}, {part}: {contender}: {reason}", file=sys.stderr)
    fit = {one: processes[one] for one in compiled if one not in words}
    turns = in_turn(fit, options.rounds, options.seconds)[0] if fit else {}
    times = {one: min(several) for one, several in turns.items()}
    peers = [seconds for one, seconds in times.items() if one != NATIVE]
    gain = min(peers) / times[NATIVE] if peers and NATIVE in times else None
    columns = [f"{words.get(one) or f'{1e6 * times[one]:.1f}':>12}" for one in processes]
    columns += [f"{compiled.get(one, math.nan):>10.2f}" for one in processes]
    return (
        f"{name:9} {size:30} {part:10} {' '.join(columns)} {f'{gain:.2f}' if gain else '–':>7}",
        gain,
    )


def mean(gains: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, gains)) / len(gains))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("problems", nargs="*", help=f"of {', '.join(PROBLEMS)}; default: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1, help="duration of a turn")
    parser.add_argument("--size", action="append", help="only sizes whose name contains this")
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--only", action="append", help=f"a contender of {', '.join(WANTED)}")
    parser.add_argument("--small", action="store_true", help="only the first size of each problem")
    options = parser.parse_args()
    unknown = set(options.problems) - set(PROBLEMS)
    if unknown:
        parser.error(f"unknown problem: {', '.join(unknown)}")
    print("\n".join(machine.description(1)))
    wanted = [one for one in WANTED if not options.only or one in options.only]
    for one in wanted:
        if reason := CONTENDERS[one].missing():
            print(f"{one} is left out: {reason}")
    there = [one for one in wanted if not CONTENDERS[one].missing()]
    units = [f"{one + ', µs':>12}" for one in there] + [f"{'compile, s':>10}" for one in there]
    print(HEADER, *units, f"{'gain':>7}", flush=True)
    gains: dict[str, list[float]] = {}
    for name in options.problems or PROBLEMS:
        processes = {one: Process(one, 1, cpu=True) for one in there}
        try:
            for size in [*PROBLEMS[name].sizes][: 1 if options.small else None]:
                if options.size and not any(part in size for part in options.size):
                    continue
                for part in [options.part] if options.part else PARTS:
                    line, gain = row(name, size, part, processes, options)
                    print(line, flush=True)
                    if gain and part == "derivative":
                        gains.setdefault(name, []).append(gain)
        finally:
            for process in processes.values():
                process.end()
    if gains:
        whole = mean([mean(several) for several in gains.values()])
        worst = min(gain for several in gains.values() for gain in several)
        print(f"derivatives: geometric mean {whole:.2f} (to reach: 2), smallest {worst:.2f} (1)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
