"""A process that forks while other threads train: its child reads, steps and compiles."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import EngineError

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
ENGINES = ["numpy", "native", "auto"]
X = np.ones((20, 60), np.float32)


class Model:
    """Two Variables that each step increases by 1."""

    def __init__(self, engine: str) -> None:
        self.w, self.n = (pg.Variable(np.zeros((60, 60)), dtype=pg.float32) for _ in range(2))

        def step(x: Any) -> Any:
            self.w.assign(self.w + 1)
            self.n.assign(self.n + 1)
            return pg.sum(x @ self.w)

        self.step = pg.function(step, engine=engine)

    def taken(self) -> float:
        """The number of steps so far. Fails if the Variables aren't all of that step."""
        w, n = self.w.numpy(), self.n.numpy()
        assert np.unique(w).size == 1
        assert np.array_equal(w, n)
        return float(w[0, 0])


def child(body: Callable[[], None]) -> None:
    """Runs the body in a forked child. Fails if the child fails or takes too long."""
    process = os.fork()
    if process == 0:
        signal.alarm(30)  # ends a child that waits for ever
        status = 1
        try:
            body()
            status = 0
        except BaseException as error:
            print(f"in the child: {type(error).__name__}: {error}", file=sys.stderr)
        finally:
            os._exit(status)
    _, status = os.waitpid(process, 0)
    assert status == 0, f"the child ended with {status}"


@contextmanager
def training(step: Callable[[Any], Any]) -> Iterator[None]:
    """Another thread takes steps until the end of the `with`."""
    stop = threading.Event()

    def train() -> None:
        while not stop.is_set():
            step(X)

    thread = threading.Thread(target=train)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_child_has_the_variables_of_one_step_and_takes_more(engine: str):
    model = Model(engine)
    scaled = pg.function(lambda x: pg.sum(x * model.w), engine=engine)

    def body() -> None:
        before = model.taken()
        model.step(X)
        model.step(X)
        assert model.taken() == before + 2
        scaled(np.ones(60, np.float32))  # a new program
        other = threading.Thread(target=model.step, args=(X,), daemon=True)
        other.start()
        other.join(20)
        assert model.taken() == before + 3

    with training(model.step):
        for _ in range(4):
            time.sleep(0.003)
            child(body)
    model.step(X)
    model.taken()


def test_a_child_uses_threads_after_the_parent_did():
    before = pg.get_num_threads()
    pg.set_num_threads(2)
    try:
        large = np.random.default_rng(0).normal(size=(300, 300)).astype(np.float32)
        f = pg.function(lambda x: x @ x, engine="native")
        expected = f(large)

        def body() -> None:
            assert np.array_equal(f(large), expected)

        child(body)
        assert np.array_equal(f(large), expected)
    finally:
        pg.set_num_threads(before)


def test_a_child_forked_in_the_middle_of_a_run_that_does_not_end_refuses_to_read(monkeypatch):
    """Rather than return an array that is half written."""
    lease_file = "palingrad.engines.native.runtime.lease"
    monkeypatch.setattr(f"{lease_file}._FORK_PATIENCE", 0.05)
    model = Model("native")
    model.step(X)
    model.step(X)
    lease: Any = model.w._lease
    lease.words[0] = 2  # as while machine code writes

    def body() -> None:
        with pytest.raises(EngineError, match="in the middle of an update of this Variable"):
            model.w.numpy()
        with pytest.raises(EngineError, match="in the middle of an update"):
            model.step(X)
        model.w.assign(np.zeros((60, 60)))
        model.n.assign(np.zeros((60, 60)))
        model.step(X)
        assert model.taken() == 1

    child(body)
    lease.words[0] = 0
    assert model.taken() == 2


def test_a_signal_handler_forks_in_the_middle_of_a_step():
    from interrupts import at_point, points

    for engine in ("numpy", "native"):
        model = Model(engine)
        model.step(X)
        model.step(X)

        def body(model: Model = model) -> None:
            before = model.taken()
            model.step(X)
            assert model.taken() == before + 1

        for number in range(0, points(lambda model=model: model.step(X)), 25):
            at_point(number, lambda model=model: model.step(X), lambda body=body: child(body))
        model.taken()


def _trained(queue: Any, start: Any) -> None:
    v = pg.Variable(start)
    step = pg.function(lambda x: (v.assign(v + x), pg.sum(v))[1], engine="native")
    for _ in range(3):
        step(np.ones(4, np.float32))
    queue.put(v.numpy())


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method: str):
    context: Any = multiprocessing.get_context(method)
    pg.function(lambda x: x + 1, engine="native")(np.ones(4))
    queue = context.Queue()
    process = context.Process(target=_trained, args=(queue, np.zeros(4, np.float32)))
    process.start()
    found = queue.get(timeout=60)
    process.join(20)
    assert process.exitcode == 0
    assert found.tolist() == [3.0] * 4
