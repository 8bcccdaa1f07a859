"""Run every benchmark and write benchmarks/RESULTS.md.

The contenders of a benchmark are measured in turn within each of several rounds, so that a busy
machine is busy for all of them; what counts is the ratio of medians, with its spread over rounds.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import eager_add
import import_time
import mlp_step
import numpy as np

import palingrad as pg

HERE = Path(__file__).parent


@dataclass
class Benchmark:
    """Contenders (the first is the one that the promise is about), and what is promised."""

    title: str
    promise: str
    unit: str
    contenders: dict[str, Callable[[], float]]  # each call measures once, in seconds
    rounds: int


def benchmarks() -> list[Benchmark]:
    return [
        Benchmark(
            "Training step of 784-100-20-10, batch 64, Adam, float32, loss read back",
            "palingrad's numpy engine at most 1.25 × hand-written NumPy",
            "µs",
            mlp_step.contenders(),
            15,
        ),
        Benchmark(
            "One addition of two vectors of three float32 numbers",
            "palingrad's eager style at most 3 µs",
            "µs",
            eager_add.contenders(),
            15,
        ),
        Benchmark(
            "Importing in a fresh process",
            "palingrad at most 1.5 × numpy, which it includes",
            "ms",
            import_time.contenders(),
            15,
        ),
    ]


def measured(benchmark: Benchmark) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in benchmark.contenders}
    for contender in benchmark.contenders.values():
        contender()  # warm
    for _ in range(benchmark.rounds):
        for name, contender in benchmark.contenders.items():
            times[name].append(contender())
    return times


def table(benchmark: Benchmark, times: dict[str, list[float]]) -> str:
    scale = {"µs": 1e6, "ms": 1e3}[benchmark.unit]
    names = list(times)
    lines = [
        f"## {benchmark.title}",
        "",
        f"Promise: {benchmark.promise}.",
        "",
        f"| contender | median, {benchmark.unit} | fastest to slowest round | {names[0]} ÷ this |",
        "|---|---|---|---|",
    ]
    for name in names:
        ratios = sorted(a / b for a, b in zip(times[names[0]], times[name], strict=True))
        low, middle, high = ratios[0], statistics.median(ratios), ratios[-1]
        ratio = "" if name == names[0] else f"{middle:.2f} ({low:.2f} to {high:.2f})"
        lines.append(
            f"| {name} | {scale * statistics.median(times[name]):.2f} "
            f"| {scale * min(times[name]):.2f} to {scale * max(times[name]):.2f} | {ratio} |"
        )
    return "\n".join(lines) + "\n"


def machine() -> str:
    model = "unknown processor"
    if Path("/proc/cpuinfo").exists():
        text = Path("/proc/cpuinfo").read_text()
        model = next(
            (x.split(":")[1].strip() for x in text.splitlines() if "model name" in x), model
        )
        vectors = [name for name in ("avx512f", "avx2", "neon") if name in text]
        model += f" ({vectors[0]})" if vectors else ""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        cwd=HERE,
        check=False,
    ).stdout.strip()
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}, "
        f"palingrad {pg.__version__} at {commit}, {time.strftime('%Y-%m-%d')}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dry", action="store_true", help="print, and leave RESULTS.md alone")
    options = parser.parse_args()
    parts = [
        "# Results",
        "",
        "Written by `make bench`. Ratios are medians over rounds in which all contenders ran in",
        "turn; in brackets the smallest and the largest ratio of a round.",
        "",
        f"Machine: {machine()}.",
        "",
    ]
    for benchmark in benchmarks():
        part = table(benchmark, measured(benchmark))
        print(part, flush=True)
        parts.append(part)
    if not options.dry:
        (HERE / "RESULTS.md").write_text("\n".join(parts))


if __name__ == "__main__":
    sys.exit(main())
