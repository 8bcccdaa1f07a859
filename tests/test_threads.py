"""Several threads on one session or function: nothing is lost, nothing is seen half done."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from tolerances import assert_same

THREADS, TURNS = 4, 200


@pytest.fixture(autouse=True)
def _many_switches() -> Iterator[None]:
    """Threads take turns so often that a race shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(*jobs: Callable[[], Any]) -> None:
    """Run the jobs at once, each in a thread; what one raises is raised here.

    Fails where they wait for each other for ever.
    """
    errors: list[BaseException] = []
    start = threading.Barrier(len(jobs))

    def guarded(job: Callable[[], Any]) -> None:
        start.wait()
        try:
            job()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    if errors:
        raise errors[0]
    assert not any(thread.is_alive() for thread in threads), "threads wait for each other"


def test_no_update_of_a_session_is_lost():
    v = pg.Variable(0, name="v")
    with pg.Graph() as graph:
        x = pg.placeholder(dtype=pg.int64)
        up = v.assign(v + x)
    session = pg.Session(graph)

    def count() -> None:
        for _ in range(TURNS):
            session.run(up, {x: 1})

    together(*[count] * THREADS)
    assert v.item() == THREADS * TURNS


def test_no_update_of_a_function_is_lost():
    v = pg.Variable(0)

    @pg.function
    def up(x):
        v.assign(v + pg.sum(x))
        return v

    def count(size: int) -> Callable[[], None]:
        def job() -> None:
            for _ in range(TURNS):
                up(np.ones(size, np.int64))

        return job

    together(*map(count, (1, 2, 3, 3)))  # several signatures, one of them raced for
    assert v.item() == TURNS * (1 + 2 + 3 + 3)


def test_runs_that_update_several_variables_in_any_order_never_wait_for_each_other():
    many = [pg.Variable(0) for _ in range(50)]
    with pg.Graph() as graph:
        forth = pg.group(*[v.assign(v + 1) for v in many])
        back = pg.group(*[v.assign(v + 1) for v in reversed(many)])
    session = pg.Session(graph)
    together(
        *[lambda step=step: [session.run(step) for _ in range(TURNS)] for step in (forth, back)]
    )
    assert {v.item() for v in many} == {2 * TURNS}


def test_no_run_sees_half_of_anothers_update():
    many = [pg.Variable(0) for _ in range(100)]
    with pg.Graph() as graph:
        all_up = pg.group(*[v.assign(v + 1) for v in many])
    session = pg.Session(graph)
    seen: set[int] = set()

    def look() -> None:
        for _ in range(TURNS):
            seen.add(len({int(value) for value in session.run(many)}))

    together(lambda: [session.run(all_up) for _ in range(TURNS)], look, look)
    assert seen == {1}


def test_first_runs_of_many_threads_compile_once(monkeypatch):
    made: list[int] = []
    engine = pg.get_engine("numpy")
    compile_it = type(engine).compile
    monkeypatch.setattr(
        type(engine), "compile", lambda self, program: made.append(1) or compile_it(self, program)
    )
    x = pg.placeholder()
    y, session = pg.softmax(x * 2.0), pg.Session(engine="numpy")
    together(*[lambda: session.run(y, {x: np.ones(3)})] * 8)
    assert len(made) == 1


def test_first_calls_of_many_threads_trace_once():
    traces: list[int] = []

    @pg.function
    def f(x):
        traces.append(1)
        return x * 2

    together(*[lambda: assert_same(f(np.ones(3)), np.full(3, 2.0))] * 8)
    assert len(traces) == 1


def test_each_thread_builds_and_differentiates_on_its_own():
    def job(number: int) -> Callable[[], None]:
        def build() -> None:
            for _ in range(20):
                with pg.Graph() as graph, pg.name_scope(f"thread{number}"):
                    x = pg.placeholder()
                    y = pg.sum(x**number)
                    slope = pg.gradients(y, x)
                assert {node.name.split("/")[0] for node in graph.operations} >= {f"thread{number}"}
                found = pg.Session(graph).run(slope, {x: np.full(3, 2.0)})
                assert_same(found, np.full(3, number * 2.0 ** (number - 1)))
                v = pg.Variable(np.array(2.0))
                (v**number).backward()
                assert v.grad is not None
                assert v.grad.item() == number * 2.0 ** (number - 1)

        return build

    together(*map(job, (1, 2, 3, 4)))


def test_runs_that_fail_among_runs_that_do_not_leave_whole_states():
    v = pg.Variable(np.zeros(2))

    class Picky(pg.Custom):
        def compute(self, x):
            if x < 0:
                raise ZeroDivisionError
            return x

    with pg.Graph() as graph:
        x = pg.placeholder(dtype=pg.float64)
        up = v.assign(v + Picky(x))
    session = pg.Session(graph)

    def fails() -> None:
        for _ in range(TURNS):
            with pytest.raises(ZeroDivisionError):
                session.run(up, {x: -1.0})

    together(fails, lambda: [session.run(up, {x: 1.0}) for _ in range(TURNS)], fails)
    assert_same(v.numpy(), np.full(2, float(TURNS)))
