"""An interrupt at any moment leaves all of an update or nothing of it, and no lock held."""

from __future__ import annotations

import contextlib
import contextvars
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from counted_steps import within
from interrupts import Interrupted, at_point, points, stop
from palingrad.errors import EngineError, GraphError
from palingrad.graph.context import context
from palingrad.graph.state.observe import watching
from palingrad.io import load_checkpoint, restore, save_checkpoint
from tolerances import assert_same

ENGINES = ["numpy", "native"]
X = np.ones((4, 3))


class Model:
    """Three Variables that a step updates together, and the values that they have after each."""

    def __init__(self, engine: str) -> None:
        values = np.random.default_rng(0).normal(size=(3, 2)), np.zeros(2), 0
        self.variables = w, b, n = tuple(map(pg.Variable, values))
        self.rate = pg.Variable(np.array(0.01), trainable=False)

        def step(x: Any) -> Any:
            loss = pg.sum((x @ w + b) ** 2)
            slopes = pg.gradients(loss, [w, b])
            w.assign(w - self.rate * slopes[0])
            b.assign(b - self.rate * slopes[1])
            n.assign(n + 1)
            return loss

        self.step = pg.function(step, engine=engine)
        self.states: list[list[Any]] = []
        self.losses: list[Any] = []
        for _ in range(12):
            self.states.append([v.numpy().copy() for v in self.variables])
            self.losses.append(self.step(X))
        self.reset()

    def reset(self) -> None:
        """The state before the first step."""
        for variable, value in zip(self.variables, self.states[0], strict=True):
            variable.assign(value)
        self.step(X)

    def taken(self) -> int:
        """The number of steps so far. Fails if the Variables aren't all of that step."""
        number = int(self.variables[2].numpy())
        for variable, value in zip(self.variables, self.states[number], strict=True):
            assert_same(variable.numpy(), value, f"after {number} steps")
        return number

    def check_free(self) -> None:
        """Fails if another thread can't take a step, because it waits for a lock."""
        before = self.taken()
        thread = threading.Thread(target=self.step, args=(X,), daemon=True)
        thread.start()
        thread.join(20)
        assert not thread.is_alive(), "a lock is held"
        assert self.taken() == before + 1


@pytest.fixture(params=ENGINES)
def model(request: pytest.FixtureRequest) -> Model:
    return Model(request.param)


def each_point(run: Callable[[], Any], action: Callable[[], Any]) -> Any:
    """Yields after each run with `action` at the next point, whether the run was interrupted."""
    number = 0
    while True:
        try:
            reached = at_point(number, run, action)
        except Interrupted:
            reached = True
        if not reached:
            assert number > 20, "there was nothing to interrupt"
            return
        yield number
        number += 1


def test_an_interrupted_step_is_taken_or_not(model: Model):
    before = model.taken()
    for _ in each_point(lambda: model.step(X), stop):
        assert model.taken() in (before, before + 1)
        model.check_free()
        model.reset()
        before = model.taken()


def test_a_handler_that_reads_sees_one_step_and_what_it_read_never_changes(model: Model):
    read: list[tuple[Any, Any]] = []

    def look() -> None:
        model.taken()
        read.extend((v.numpy(), v.numpy().copy()) for v in model.variables)

    for _ in each_point(lambda: model.step(X), look):
        assert model.taken() == 2
        model.reset()
    for array, copy in read:
        assert_same(array, copy)


def test_a_handler_that_steps_adds_a_step(model: Model):
    inner: list[Any] = []
    outer: list[Any] = []
    for _ in each_point(lambda: outer.append(model.step(X)), lambda: inner.append(model.step(X))):
        assert model.taken() == 3
        assert {float(inner[-1]), float(outer[-1])} == {float(loss) for loss in model.losses[1:3]}
        model.check_free()
        model.reset()


def test_what_a_handler_assigns_is_not_lost(model: Model):
    def assign() -> None:
        for variable, value in zip(model.variables, model.states[5], strict=True):
            variable.assign(value)

    for _ in each_point(lambda: model.step(X), assign):
        assert model.taken() in (5, 6)
        model.reset()


def test_a_handler_saves_a_checkpoint_of_one_step(model: Model, tmp_path: Path):
    variables = dict(zip("wbn", model.variables, strict=True))
    for number in range(0, points(lambda: model.step(X)), 10):
        model.reset()
        at_point(number, lambda: model.step(X), lambda: save_checkpoint(tmp_path, variables))
        saved = load_checkpoint(tmp_path).arrays
        for name, value in zip("wbn", model.states[int(saved["n"])], strict=True):
            assert_same(saved[name], value)
        assert model.taken() == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_without_updates_survives_runs_of_the_same_program_in_a_handler(engine: str):
    v = pg.Variable(np.arange(3.0))
    f = pg.function(lambda x: (x + v, pg.sum(x) * v), engine=engine)
    one, two = np.ones(3), np.full(3, 2.0)
    for _ in range(3):
        f(one)
    inner: list[Any] = []
    outer: list[Any] = []
    for _ in each_point(lambda: outer.append(f(one)), lambda: inner.append(f(two))):
        pass
    for x, results in ((one, outer), (two, inner)):
        for plus, times in results:  # also those of earlier runs
            assert_same(plus, x + np.arange(3.0))
            assert_same(times, 3 * x[0] * np.arange(3.0))


def test_an_interrupted_eager_update_of_several_variables_is_made_or_not():
    a, b = (pg.Variable(np.zeros(3)) for _ in range(2))
    optimizer = pg.optim.GradientDescent(1.0)
    gradients = {a: pg.tensor(np.full(3, -1.0)), b: pg.tensor(np.full(3, -1.0))}
    for _ in range(3):  # the update becomes a Program; interrupted compilations have a test below
        optimizer.apply(gradients)
    for _ in each_point(lambda: optimizer.apply(gradients), stop):
        assert_same(a.numpy(), b.numpy())
        assert optimizer.steps.item() == a.numpy()[0]


def test_an_interrupted_restore_restores_all_or_nothing(tmp_path: Path):
    a, b = (pg.Variable(0.0) for _ in range(2))
    variables = {"a": a, "b": b}
    old = load_checkpoint(save_checkpoint(tmp_path / "old", variables))
    a.assign(1.0)
    b.assign(1.0)
    new = load_checkpoint(save_checkpoint(tmp_path / "new", variables))
    for number in each_point(lambda: restore(variables, new), stop):
        assert a.item() == b.item(), number
        restore(variables, old)


def _append(results: list[Any], clean: contextvars.Context, run: Callable[[], Any]) -> None:
    results.append(clean.run(run))


def test_an_interrupted_compilation_leaves_nothing_behind():
    """No open graph, no program half made."""

    def fresh() -> Callable[[], Any]:
        v = pg.Variable(np.ones(2))

        def f(x: Any) -> Any:
            v.assign(v + x)
            return pg.softmax(x * v)

        traced = pg.function(f, engine="numpy")
        return lambda: traced(np.ones(2))

    expected, total = fresh()(), points(fresh())
    for number in range(0, total, total // 50):
        run = fresh()
        with contextlib.suppress(Interrupted):
            at_point(number, run, stop)
        assert context().graph is None
        assert not context().hidden
        assert not watching
        run = fresh()
        inner: list[Any] = []
        # In a context of its own: in the trace's, the function would become part of the trace.
        clean = contextvars.Context()
        at_point(number, run, partial(_append, inner, clean, run))
        assert_same(inner[0], expected)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()


def test_an_interrupt_inside_llvmlites_lock_leaves_it_free(monkeypatch: pytest.MonkeyPatch):
    import llvmlite.binding as llvm

    lock: Any = llvm.ffi.lib._lock  # pyright: ignore

    def interrupted(*_: Any) -> None:
        lock.__enter__()
        raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr("palingrad.engines.native.executable.obtained", interrupted)
        with pytest.raises(Interrupted):
            pg.function(lambda x: x + 1, engine="native")(X)
    within(20, lambda: pg.function(lambda x: x - 17.25, engine="native")(X))


def test_a_handler_that_assigns_while_a_graph_is_open_is_refused():
    v, caught = pg.Variable(1.0), list[Exception]()

    def handle(number: int, frame: Any) -> None:
        try:
            v.assign(5.0)
        except GraphError as error:
            caught.append(error)

    def f(x: Any) -> Any:
        signal.raise_signal(signal.SIGUSR1)
        return x + v

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        assert pg.function(f)(np.float32(1)) == 2.0
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert "a signal handler interrupted code that has a graph open" in str(caught[0])
    assert v.item() == 1.0


def test_a_handler_may_trace_a_function_of_its_own_while_a_graph_is_open():
    v = pg.Variable(np.array(1.0))
    up = pg.function(lambda x: (v.assign(v + x), x)[1])

    def handle(number: int, frame: Any) -> None:
        contextvars.Context().run(up, np.array(2.0))

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        with pg.Graph():
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert v.item() == 3.0


def test_an_operation_that_assigns_what_its_run_updates_is_refused():
    v = pg.Variable(0.0)

    class Meddling(pg.Custom):
        def compute(self, x):
            v.assign(v.numpy() + 1)
            return x

    with pg.Graph():
        step = v.assign(Meddling(v) + 1)
    with pytest.raises(EngineError, match="was assigned during each of 100 attempts"):
        pg.Session(engine="numpy").run(step)


@pytest.mark.parametrize("engine", ENGINES)
def test_ctrl_c_stops_repeat_between_two_runs(engine: str):
    v, n = pg.Variable(np.zeros((64, 64))), pg.Variable(0)

    def step(x: Any) -> Any:
        v.assign(pg.tanh(v @ x) + 1)
        n.assign(n + 1)
        return n * 1

    f = pg.function(step, engine=engine)
    x = np.full((1, 64, 64), 0.01)
    states = [v.numpy()]
    for _ in range(3):
        f.repeat(x, along=(0,))
        states.append(v.numpy())
    v.assign(states[0])
    n.assign(0)
    many = np.broadcast_to(x, (1_000_000, 64, 64))
    sent: list[float] = []

    def interrupt() -> None:
        time.sleep(0.2)
        sent.append(time.monotonic())
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        f.repeat(many, along=(0,))
    waited = time.monotonic() - sent[0]
    thread.join()
    assert waited < 2  # usually 0.03 s; other processes may take the processor
    taken = int(n.numpy())
    assert 0 < taken < 1_000_000
    if taken < len(states):
        assert_same(v.numpy(), states[taken])
