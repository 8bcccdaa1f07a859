"""Every benchmark's task runs with palingrad, and what is made of the times is right."""

from __future__ import annotations

import ast
import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from palingrad.engines import native

FOLDER = Path(__file__).parent.parent / "benchmarks"
sys.path.append(str(FOLDER))  # benchmarks are scripts that import each other by name

import constants  # noqa: E402
import networks  # noqa: E402
import report  # noqa: E402
import timing  # noqa: E402
import tuned  # noqa: E402
from contenders import CONTENDERS, NATIVE, PEERS  # noqa: E402
from tasks import TASKS  # noqa: E402
from worker import Worker  # noqa: E402

OURS = [name for name, one in CONTENDERS.items() if name not in PEERS and not one.missing()]


@pytest.fixture(scope="module", autouse=True)
def _settled() -> None:
    """What other tests left lives to the end: each worker collects garbage before it is timed."""
    gc.collect()
    gc.freeze()


@pytest.mark.parametrize("task", TASKS)
def test_a_tiny_round_with_equal_results(task: str):
    results: dict[str, Any] = {}
    for name in TASKS[task].contenders:
        if name in OURS:
            worker = Worker(name, threads=1)
            assert worker.make(task, -1) > 0
            found = worker.check()
            if not CONTENDERS[name].derivative:
                results[name] = found
            assert worker.turn(1) > 0
    assert results
    assert timing.disagreement(results) == {}


def test_engines_agree_on_every_network():
    for task in ("mlp_small", "mlp_others", "cnn", "cnn_others", "logistic"):
        workers = [Worker(name, threads=1) for name in (NATIVE, "palingrad, numpy")]
        for worker in workers:
            worker.make(task, -1)
        one, other = (worker.check() for worker in workers)
        np.testing.assert_allclose(one, other, rtol=1e-4)  # float32, after some steps


def test_tuned_constants_are_where_their_benchmark_looks():
    for one in tuned.CONSTANTS:
        assert one.changed(2)["BENCHMARK_CONSTANT"].endswith(f"={type(one.value)(2 * one.value)}")
        assert all(case < len(TASKS[task].cases) for task, case in one.cases)


def test_every_number_of_the_engine_is_measured_or_not_tuned():
    """A new constant belongs in one of the lists of `benchmarks/tuned.py`."""
    measured = {one.title for one in tuned.CONSTANTS}
    other = {f"{module}.{name}" for module, names in tuned.NOT_TUNED.items() for name in names}
    assert not measured & other
    assert _numbers_of_the_engine() == measured | other


def _numbers_of_the_engine() -> set[str]:
    """The numbers that modules of the engine assign at their top, without those of formulas."""
    root = Path(native.__file__).parent
    found: set[str] = set()
    for path in root.rglob("*.py"):
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        if module.startswith("llvm.functions"):
            continue
        for statement in ast.parse(path.read_text()).body:
            if isinstance(statement, (ast.Assign, ast.AnnAssign)) and _is_number(statement.value):
                single = isinstance(statement, ast.AnnAssign)
                names = [statement.target] if single else statement.targets
                found |= {f"{module}.{name.id}" for name in names if isinstance(name, ast.Name)}
    return found


def _is_number(value: ast.expr | None) -> bool:
    """Whether an expression consists of numbers and operators."""
    parts = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)
    return value is not None and all(
        isinstance(one, parts) and type(getattr(one, "value", 0)) in (int, float)
        for one in ast.walk(value)
    )


def test_a_table_of_constants_keeps_what_is_not_measured_again():
    one, other = (one.title for one in tuned.CONSTANTS[:2])
    page = constants.merged(
        "", {other: [f"| `{other}` | 1 |"], "gone": ["| `gone` | 1 |"]}, ["m"], "h"
    )
    page = constants.merged(page, {one: [f"| `{one}` | 2 |"]}, ["machine"], "how")
    assert [line for line in page.splitlines() if line.startswith("| `")] == [
        f"| `{one}` | 2 |", f"| `{other}` | 1 |",
    ]  # fmt: skip


def test_constants_that_matter_are_listed_and_others_counted():
    rows = [["a", "1.01", "0.99", "1.00"], ["b", "1.00", "1.20", "1.02"]]
    assert constants.shown(rows, 0.03) == rows[1:]
    assert constants.shown(rows[:1], 0.03) == [["all 1 within 3%", "1.01", "0.99", "1.00"]]


def test_who_computes_something_else_is_found():
    found = timing.disagreement({"a": [1.0, 2.0], "b": [1.0, 2.00001], "c": [1.0, 2.001]})
    assert list(found) == ["c"]


def test_nan_is_something_else():
    assert "c" in timing.disagreement({"a": [1.0], "b": [1.0], "c": [float("nan")]})


def test_what_falls_short_of_a_goal_is_said():
    def line(task: str, **times: float) -> list[str]:
        named = {name.replace("_", " "): [value] for name, value in times.items()}
        return report.shortfalls([{"task": task, "case": "c", "times": named}])

    assert line("eager_training", palingrad=1.0, PyTorch=1.3) == []
    (text,) = line("eager_training", palingrad=1.0, PyTorch=1.1)
    assert text == "eager_training · c: 1.10 × as fast as PyTorch, to reach ≥ 1.2"
    assert line("eager_scalar", palingrad=1.9, micrograd=1.0) == []
    assert len(line("eager_scalar", palingrad=2.1, micrograd=1.0)) == 1
    assert line("eager_long", palingrad=1.9) == []
    assert line("eager_long", palingrad=2.25) == ["eager_long · c: 2.25 s, to reach ≤ 2 s"]


def test_gain_is_against_the_fastest_peer_round_by_round():
    task = TASKS["mlp_large"]
    times = {NATIVE: [1.0, 2.0, 1.0], "PyTorch": [9.0, 9.0, 9.0], "JAX": [3.0, 3.0, 4.0]}
    assert report.fastest_peer(times) == "JAX"
    gain = report.gain(task, times)
    assert gain == timing.Spread(3.0, 1.5, 4.0)


def test_no_gain_without_peers():
    assert report.gain(TASKS["mlp_large"], {NATIVE: [1.0]}) is None


def test_arithmetic_of_a_step():
    # 2 → 3 → 1, batch 5: forward 2·5·(6 + 3), weights the same, inputs of the second layer 2·5·3.
    assert networks.mlp(2, 3, 1, batch=5).flops() == 2 * 5 * (2 * (6 + 3) + 3)


def test_the_page_has_a_table_for_each_task_and_says_who_was_left_out():
    case = {"case": "784-512-512-10, batch 128", "idle": 0.0}
    times = {NATIVE: [0.001, 0.001], "JAX": [0.002, 0.003]}
    one = {**case, "task": "mlp_large", "times": times, "left_out": {"PyTorch": "not installed"}}
    results = {"machine": ["a machine"], "measured": [one]}
    page = report.page({**results, "peak": {"2": {"gflops": 500.0, "gbytes": 40.0}}})
    assert "| Training step of a larger MLP | ≥ 1.5 | 2.50 |" in page
    assert "| 1000 (1000–1000) | 2500 (2000–3000) | **2.50** (2.00–3.00) | 82% |" in page
    assert "PyTorch: not installed." in page
    assert "Training step of a CNN" not in page


def test_case_names_are_told_apart():
    for task in TASKS.values():
        names = [case.name for case in task.cases]
        assert len(names) == len(set(names))


def test_the_times_of_chunks_are_told_by_kernel_thread_and_stage():
    options = ["mlp_small", "--steps", "8", "--threads", "2"]
    command = [sys.executable, str(FOLDER / "chunks.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kernels, stages = done.stdout.split("\n\n")
    assert "SplitProduct Matmul, Add, Relu" in kernels
    assert "by thread" in kernels
    busy = [float(line.split()[1]) for line in stages.splitlines()[1:]]
    assert len(busy) > 2
    assert min(busy) > 0


def test_cpu_time_is_told_by_kinds_of_kernels():
    command = [sys.executable, str(FOLDER / "chunks.py"), "mlp_small", "--steps", "4", "--cpu"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[2:]]
    products = [row for row in rows if row[3] in ("Product", "LargeProduct", "SplitProduct")]
    assert products
    assert all(0 < float(row[2]) < 1e4 for row in products)
    assert all(float(row[0]) > 0 for row in rows)
