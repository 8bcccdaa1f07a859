"""Whether the native engine's tuned constants matter on this CPU: each is halved and doubled.

    python benchmarks/constants.py [NAME ...] [--cpu] [--rounds N] [--limit 0.03]

NAME is part of a constant's name. Prints the time of each case with the changed constant, divided
by that with the constant as it is, where the two differ by more than `--limit`. Contenders are
processes of their own without a cache, measured in turn. PALINGRAD_CPU=x86-64-v3 measures code for
AVX2.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from contenders import NATIVE
from process import Process, WorkerError
from tasks import TASKS
from timing import CPU_HELP, in_turn

_ENGINE = "palingrad.engines.native"


@dataclass(frozen=True)
class Constant:
    """A module's constant, and the cases of tasks whose code depends on it."""

    module: str
    name: str
    cases: tuple[tuple[str, int], ...]

    @property
    def value(self) -> float:
        """The constant as it is."""
        return getattr(import_module(f"{_ENGINE}.{self.module}"), self.name)

    def changed(self, factor: float) -> dict[str, str]:
        """The environment of a worker that changes the constant before anything is compiled."""
        value = type(self.value)(self.value * factor)
        return {"BENCHMARK_CONSTANT": f"{_ENGINE}.{self.module}:{self.name}={value}"}


_MLPS = (("mlp_small", 0), ("mlp_large", 0), ("mlp_others", 4))
_PRODUCTS = (("mlp_large", 0), ("mlp_others", 4), ("matmul", 3), ("matmul", 10))
_GPT = (("transformer_small", 0),)
_CNN = (("cnn", 0),)
_ROWS = (("softmax", 0), ("layer_norm", 0), *_GPT)
CONSTANTS = (
    Constant("kernels.gemm.blocked", "_STRIP", (*_PRODUCTS, *_GPT)),
    Constant("kernels.gemm.panels", "_DEPTH", _PRODUCTS),
    Constant("kernels.gemm.panels", "_ROWS", (*_PRODUCTS, *_GPT)),
    Constant("kernels.gemm.panels", "_STRIP", (*_PRODUCTS, *_GPT)),
    Constant("kernels.gemm.panels", "_RIGHT", (*_PRODUCTS, *_GPT)),
    Constant("kernels.gemm.panels", "_SHARED", (*_PRODUCTS, *_GPT)),
    Constant("kernels.gemm.epilogue", "_CACHED", (*_PRODUCTS, *_GPT)),
    Constant("kernels.gemm.family", "_LARGE", (*_PRODUCTS, *_MLPS[:1], *_GPT)),
    Constant("kernels.gemm.microkernel", "_AHEAD", _PRODUCTS),
    Constant("kernels.gemm.microkernel", "_NEXT", _PRODUCTS),
    Constant("kernels.gemm.split_k", "_PART", _MLPS),
    Constant("kernels.gemm.split_k", "_DEEP", _MLPS),
    Constant("kernels.gemm.split_k", "_SUMS", _MLPS),
    Constant("kernels.gemm.split_k", "_CACHED", (("inference", 0), *_MLPS)),
    Constant("kernels.attention.plan", "_BLOCK", _GPT),
    Constant("kernels.conv.plans", "_TERMS", _CNN),
    Constant("kernels.conv.plans", "_SUMS", _CNN),
    Constant("plan.fusion", "_ROW", _ROWS),
    Constant("kernels.row", "_STREAMS", _ROWS),
    Constant("plan.schedule", "_CHUNK", (*_MLPS, *_GPT)),
    Constant("plan.schedule", "_SERIAL", (*_MLPS, *_GPT)),
    Constant("runtime.thread_pool", "_SPINS", (*_MLPS, *_GPT)),
    Constant("runtime.thread_pool", "_PATIENCE", (*_MLPS, *_GPT)),
)


def compared(constant: Constant, threads: int, rounds: int, *, cpu: bool) -> list[list[str]]:
    """For each case its name, and the relative time with half and with twice the constant."""
    factors = {"½": 0.5, "1": 1.0, "2": 2.0}
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
            rows.append([name, *(f"{best[factor] / best['1']:.2f}" for factor in ("½", "2"))])
    finally:
        for worker in workers.values():
            worker.end()
    return rows


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
    options = parser.parse_args(arguments)
    print("| constant | value | case | half | twice |\n|---|---|---|---|---|")
    for constant in CONSTANTS:
        title = f"{constant.module}.{constant.name}"
        if options.names and not any(name in title for name in options.names):
            continue
        value = f"{constant.value:,}"
        threads = 1 if options.cpu else options.threads
        try:
            rows = compared(constant, threads, options.rounds, cpu=options.cpu)
        except WorkerError as error:
            print(f"| `{title}` | {value} | {error} | | |", flush=True)
            continue
        shown = [row for row in rows if any(abs(float(x) - 1) > options.limit for x in row[1:])]
        for row in shown or [[f"all {len(rows)} within {options.limit:.0%}", "", ""]]:
            print(f"| `{title}` | {value} | {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
