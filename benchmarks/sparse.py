"""Sparse Jacobians and Hessians, and a network differentiated by operators: times as ratios.

Each is compared with one evaluation of the compiled function (for the Hessian: of its gradient).
CPU time of one thread, the best of several rounds in which the contenders take turns.

    python benchmarks/sparse.py
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import palingrad as pg

ROUNDS = 7
LEAST = 0.05  # seconds of a round


def diagonal(x: Any) -> Any:
    return pg.sin(x) * pg.exp(-x * x)


def brusselator(z: Any) -> Any:
    """Two species on a periodic grid: z (2, n, n), each point coupled to four neighbours."""
    u, v = z[0], z[1]
    a = 0.02 * u.shape[0] ** 2

    def spread(w: Any) -> Any:
        around = pg.roll(w, 1, 0) + pg.roll(w, -1, 0) + pg.roll(w, 1, 1) + pg.roll(w, -1, 1)
        return a * (around - 4 * w)

    return pg.stack([1 + u * u * v - 4.4 * u + spread(u), 3.4 * u - u * u * v + spread(v)])


def rosenbrock(x: Any) -> Any:
    return pg.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def seconds(contenders: Sequence[Callable[[], Any]]) -> list[float]:
    """The CPU time of one call of each."""
    counts: list[int] = []
    for run in contenders:
        run()
        start, calls = time.process_time(), 0
        while time.process_time() - start < LEAST:
            run()
            calls += 1
        counts.append(calls)
    best = [float("inf")] * len(contenders)
    for _ in range(ROUNDS):
        for place, (run, count) in enumerate(zip(contenders, counts, strict=True)):
            start = time.process_time()
            for _ in range(count):
                run()
            best[place] = min(best[place], (time.process_time() - start) / count)
    return best


def sparse_row(name: str, base: Any, derivative: Any, x: Any, most: float) -> None:
    start = time.process_time()
    matrix = derivative(x)
    first = time.process_time() - start
    run = pg.function(base, runs=1_000_000)
    once, whole = seconds([lambda: run(x), lambda: derivative(x)])
    plan = derivative.plan(x)
    print(
        f"{name:34} {plan.count:3} colours ({plan.mode}), {matrix.nnz:6} entries, first call "
        f"{first:5.2f} s, evaluation {1e6 * once:6.1f} µs, matrix {1e6 * whole:7.1f} µs, "
        f"ratio {whole / once:5.1f} (to reach: {most:g})"
    )


def network(sizes: Sequence[int] = (784, 128, 64, 10), batch: int = 64) -> None:
    """The gradients of a classifier of MNIST, by the reverse pass and by operators of each node."""
    rng = np.random.default_rng(0)
    mnist = pg.data.load("mnist").train
    x, labels = mnist.inputs[:batch].reshape(batch, -1), mnist.labels[:batch]
    shapes = list(pairwise(sizes))
    weights = [rng.normal(0, 0.1, shape).astype(np.float32) for shape in shapes]

    def loss() -> tuple[Any, list[Any]]:
        given = [pg.tensor(w) for w in weights]
        h: Any = pg.tensor(x)
        for w in given[:-1]:
            h = pg.relu(h @ w)
        return pg.cross_entropy(h @ given[-1], labels), given

    def reverse() -> list[Any]:
        y, given = loss()
        return [g.numpy() for g in pg.gradients(y, given)]

    def operators() -> list[Any]:
        y, given = loss()
        rows: dict[Any, Any] = {}
        for node in reversed(pg.postorder(y)):
            row = rows.get(node) if node is not y else 1
            if row is None or not node.inputs:
                continue
            for place, one in enumerate(node.inputs):
                if one.dtype == np.float32 and (one.inputs or any(one is w for w in given)):
                    slope = pg.local_jacobian(node, place)
                    term = slope if node is y else row @ slope
                    rows[one] = rows[one] + term if one in rows else term
        return [rows[w].dense().reshape(w.shape) for w in given]

    for one, other in zip(reverse(), operators(), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=1e-6)
    by_nodes, by_operators = seconds([reverse, operators])
    tracemalloc.start()
    operators()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    name = f"network {'-'.join(map(str, sizes))}, batch {batch}"
    print(
        f"{name:34} reverse pass {1e3 * by_nodes:.2f} ms, operators {1e3 * by_operators:.2f} ms, "
        f"ratio {by_operators / by_nodes:.1f} (to reach: 2), {peak / 1e6:.0f} MB (to reach: 200)"
    )


def main() -> None:
    pg.set_num_threads(1)
    pg.set_engine("native")
    rng = np.random.default_rng(0)
    sparse = pg.sparse_jacobian
    sparse_row("diagonal, 10⁴ inputs", diagonal, sparse(diagonal), np.linspace(-1, 1, 10_000), 3)
    grid = rng.random((2, 64, 64))
    sparse_row("Brusselator, 64 × 64", brusselator, sparse(brusselator), grid, 20)
    hessian = pg.sparse_hessian(rosenbrock)
    sparse_row(
        "Rosenbrock Hessian, 10⁴ inputs", pg.grad(rosenbrock), hessian, rng.random(10_000), 30
    )
    network()


if __name__ == "__main__":
    main()
