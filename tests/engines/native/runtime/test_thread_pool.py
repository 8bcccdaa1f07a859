"""Threads are seen in nothing but the time: every bit is the same for any number of them, from run
to run, beside other programs and after a fork; who has nothing to do uses no processor."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from tolerances import assert_same
from trainings import Array, cnn, mlp


@pytest.fixture(autouse=True)
def _usual_threads() -> Iterator[None]:
    before = pg.get_num_threads()
    yield
    pg.set_num_threads(before)


@pytest.mark.parametrize("task", [mlp, cnn])
def test_200_steps_have_the_same_bits_for_any_number_of_threads(task):
    training = task()
    assert re.search(r"\b\d+ chunks", training.step.explain(training.x, training.labels))
    found: list[list[Array]] = []
    for count in (1, 2, 4, 2):
        pg.set_num_threads(count)
        found.append(training.trained(200))
    assert found[0][0][-1] < 0.7 * found[0][0][0]
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            assert_same(one, other)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_large_kernels_of_every_kind_have_the_same_bits(count):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 500)).astype(np.float32)

    def f(x: Any) -> Any:
        y = pg.matmul(x, x.T)
        rows = pg.softmax(pg.matmul(x[:40], x.T))
        sums = pg.sum(x), pg.sum(x, axis=0), pg.max(x, axis=1), pg.mean(pg.exp(x) * x)
        slope = pg.gradients(pg.sum(y * y), x)
        return y, rows, *sums, pg.tanh(x) * x + 1, x.T @ pg.sum(x, axis=1), slope

    run = pg.function(f, engine="native")
    pg.set_num_threads(1)
    alone = run(x)
    pg.set_num_threads(count)
    for _ in range(5):
        for one, other in zip(run(x), alone, strict=True):
            assert_same(one, other)


def test_compiled_programs_use_the_latest_number_of_threads():
    run = pg.function(lambda x: pg.tanh(x) * x, engine="native")
    x = np.ones((300, 500), np.float32)
    for count in (3, 1, 2):
        pg.set_num_threads(count)
        run(x)
        names = [one.name for one in threading.enumerate()]
        assert sum(bool(re.fullmatch(r"palingrad-\d+", name)) for name in names) == count - 1


def test_several_programs_run_at_once():
    pg.set_num_threads(4)
    rng = np.random.default_rng(2)
    x = rng.normal(size=(200, 200)).astype(np.float32)
    programs = [
        pg.function(lambda x: pg.tanh(pg.matmul(x, x)), engine="native"),
        pg.function(lambda x: pg.softmax(x) + pg.sum(x), engine="native"),
        pg.function(lambda x: pg.gradients(pg.sum(pg.exp(x * 0.1) @ x), x), engine="native"),
    ]
    expected = [program(x) for program in programs]
    wrong: list[int] = []

    def run(number: int) -> None:
        for _ in range(60):
            if not np.array_equal(programs[number](x), expected[number]):
                wrong.append(number)

    runners = [threading.Thread(target=run, args=(number % 3,)) for number in range(6)]
    for runner in runners:
        runner.start()
    for count in (2, 1, 3):  # in the middle of their runs
        pg.set_num_threads(count)
    for runner in runners:
        runner.join()
    assert wrong == []


PROGRAM = """
import os, time, numpy as np, palingrad as pg
pg.set_num_threads(3)
x = np.random.default_rng(0).normal(size=(200, 200)).astype(np.float32)
f = pg.function(lambda x: pg.tanh(pg.matmul(x, x)) + pg.sum(x), engine="native")
first = f(x)
"""


def output_of(code: str) -> str:
    """What a new process prints that runs the code."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + code],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_forked_process_runs_on_with_threads_of_its_own():
    code = """
def child():
    same = all(np.array_equal(f(x), first) for _ in range(20))
    g = pg.function(lambda x: pg.softmax(x @ x), engine="native")
    return same and abs(float(g(x).sum()) - 200) < 1e-2

for _ in range(3):
    number = os.fork()
    if not number:
        os._exit(0 if child() else 1)
    print(os.waitpid(number, 0)[1], child())
"""
    assert output_of(code).split() == ["0", "True"] * 3


def test_an_idle_process_uses_no_processor():
    code = """
time.sleep(0.2)
before = time.process_time()
time.sleep(1.0)
print(time.process_time() - before)
"""
    assert float(output_of(code)) < 0.1


def test_a_process_exits_while_workers_wait_and_programs_run():
    code = """
import threading
threading.Thread(target=lambda: [f(x) for _ in range(10**9)], daemon=True).start()
time.sleep(0.1)
print("over")
"""
    assert output_of(code) == "over"
