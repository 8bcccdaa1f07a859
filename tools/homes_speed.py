"""CPU time of programs written for another library, with it and with palingrad in its place.

    python tools/homes_speed.py lifelines            in an environment with lifelines and autograd
    python tools/homes_speed.py micrograd --source FOLDER

Each library runs in processes of its own, in turn, on one thread; the least time of each counts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

_ROUNDS = 2  # in which the libraries take turns
_RUNS = 4  # of each program in a round


def fits() -> dict[str, Callable[[], Any]]:
    """lifelines' fitters on its own data sets; each returns the log-likelihood."""
    lines, data = import_module("lifelines"), import_module("lifelines.datasets")
    waltons, rossi = data.load_waltons(), data.load_rossi()

    def univariate(name: str, *args: Any) -> Callable[[], Any]:
        fit = getattr(lines, f"{name}Fitter")
        return lambda: fit(*args).fit(waltons["T"], waltons["E"]).log_likelihood_

    def regression(name: str, *args: Any, **options: Any) -> Callable[[], Any]:
        fit = getattr(lines, f"{name}Fitter")
        return lambda: fit(*args, **options).fit(rossi, "week", "arrest").log_likelihood_

    names = ("Weibull", "Exponential", "LogNormal", "LogLogistic", "GeneralizedGamma")
    aft = ("WeibullAFT", "LogNormalAFT", "LogLogisticAFT")
    return {
        **{name: univariate(name) for name in names},
        "Spline": univariate("Spline", [6, 20, 40.0]),
        "PiecewiseExponential": univariate("PiecewiseExponential", [30, 60.0]),
        **{name: regression(name) for name in aft},
        "PiecewiseExponentialRegression": regression("PiecewiseExponentialRegression", [20, 40.0]),
        "Cox with splines": regression(
            "CoxPH", baseline_estimation_method="spline", n_baseline_knots=3
        ),
    }


def moons() -> dict[str, Callable[[], Any]]:
    """A training step of the demo of micrograd: 100 points, MLP 2-16-16-1; the loss."""
    engine, nn = import_module("micrograd.engine"), import_module("micrograd.nn")
    random.seed(1337)
    rng = np.random.default_rng(0)
    angle, sign = rng.uniform(0, np.pi, 100), rng.integers(0, 2, 100) * 2 - 1
    upper = sign < 0
    points = np.stack([np.where(upper, np.cos(angle), 1 - np.cos(angle)),
                       np.where(upper, np.sin(angle), 0.5 - np.sin(angle))], 1)  # fmt: skip
    points += 0.1 * rng.normal(size=points.shape)
    model = nn.MLP(2, [16, 16, 1])

    def step() -> Any:
        scores = [model(list(map(engine.Value, point))) for point in points]
        losses: list[Any] = [(1 + -y * score).relu() for y, score in zip(sign, scores, strict=True)]
        penalty: Any = 1e-4 * sum(p * p for p in model.parameters())
        total: Any = sum(losses) * (1.0 / len(losses)) + penalty
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= 0.1 * p.grad
        return total.data

    return {"moons": step}


def measured(name: str, home: str) -> None:
    """Prints (program, first time, least time, results) of each program, as JSON."""
    if home:
        aliases = import_module("palingrad.compat.alias")
        for original in import_module("palingrad.compat").HOMES[home]:
            aliases.install(original, f"palingrad.compat.{home}")
    warnings.simplefilter("ignore")
    for program, run in (fits if name == "lifelines" else moons)().items():
        times: list[float] = []
        results: list[float] = []
        for _ in range(_RUNS):
            begin = time.process_time()
            results.append(float(run()))
            times.append(time.process_time() - begin)
        print(json.dumps([program, times[0], min(times), results]), flush=True)


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("name", choices=("lifelines", "micrograd"))
    parser.add_argument("--source", default="", help="a checkout of the original")
    parser.add_argument("--home", help=argparse.SUPPRESS)  # in the process that measures
    options = parser.parse_args()
    if options.home is not None:
        return measured(options.name, options.home)
    home = "autograd" if options.name == "lifelines" else options.name
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PALINGRAD_NUM_THREADS")
    path = os.pathsep.join(filter(None, [options.source, os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, **dict.fromkeys(threads, "1"), "PYTHONPATH": path}
    best: dict[str, dict[str, Any]] = {"": {}, home: {}}
    for _ in range(_ROUNDS):
        for library, found in best.items():
            command = [sys.executable, __file__, options.name, "--home", library]
            done = subprocess.run(
                command, env=environment, check=True, stdout=subprocess.PIPE, text=True
            )
            for program, first, least, results in map(json.loads, done.stdout.splitlines()):
                before = found.get(program, (first, least, results))
                found[program] = min(before[0], first), min(before[1], least), results
    print("| program | original, s | here, s | ratio | first run | results differ by |")
    print("|---|---|---|---|---|---|")
    for program, (first, least, results) in best[""].items():
        ours_first, ours, found = best[home][program]
        apart = np.max(np.abs(np.divide(found, results) - 1))
        print(f"| {program} | {least:.3f} | {ours:.3f} | {ours / least:.2f} | "
              f"{ours_first / first:.2f} | {apart:.0e} |")  # fmt: skip
    return None


if __name__ == "__main__":
    main()
