"""What programs repeat: steps, runs, functions, sessions, errors … Each function does it once; the
number k of the repetition makes code, names and values differ."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

import palingrad as pg

X = np.linspace(0.5, 1.5, 4)
ENGINES = ("numpy", "native")


def step_of(w: pg.Variable, x: Any) -> pg.Node:
    """A training step of gradient descent, in any style."""
    loss = pg.sum(pg.tanh(x * w) ** 2)
    w.assign(w - pg.gradients(loss, w) * 0.01)
    return loss


def _session(engine: str) -> Callable[[int], object]:
    with pg.Graph() as graph:
        x, w = pg.placeholder(), pg.Variable(X)
        loss = pg.sum(pg.tanh(x * w) ** 2)
        fetches = [loss, w.assign(w - pg.gradients(loss, w) * 0.01)]
    session = pg.Session(graph, engine=engine)
    return lambda k: session.run(fetches, {x: X})


def _function(engine: str) -> Callable[[int], object]:
    w = pg.Variable(X)
    step = pg.function(lambda x: step_of(w, x), engine=engine)
    return lambda k: (step(X), w.numpy() if k % 100 == 0 else None)


def _repeat(engine: str) -> Callable[[int], object]:
    w, xs = pg.Variable(X), np.stack([X] * 3)
    step = pg.function(lambda x: step_of(w, x), engine=engine)
    return lambda k: step.repeat(xs, along=(0,))


def _variable_step() -> Callable[[int], object]:
    w = pg.Variable(X)
    return lambda k: step_of(w, X)


def _backward() -> Callable[[int], object]:
    w, adam = pg.Variable(X), pg.optim.Adam(learning_rate=1e-3)

    def step(k: int) -> None:
        pg.sum((w * X - 1) ** 2).backward()
        adam.minimize(pg.sum((w - float(k)) ** 2))

    return step


QUICK: dict[str, Callable[[int], object]] = {
    "eager steps": _variable_step(),
    "backward and minimize": _backward(),
    **{f"runs of a session, {engine}": _session(engine) for engine in (*ENGINES, "auto")},
    **{f"calls of a function, {engine}": _function(engine) for engine in (*ENGINES, "auto")},
    **{f"repeat, {engine}": _repeat(engine) for engine in ENGINES},
}


# ---------------------------------------------------------------- made and dropped


def model(k: int) -> None:
    """A model with its optimizer, trained eagerly and in a function."""
    x = np.ones((3, 4), np.float32)
    layers = pg.nn.Sequential(pg.nn.Linear(4, 8), pg.nn.ReLU(), pg.nn.Linear(8, 2))
    adam = pg.optim.Adam(learning_rate=1e-3)
    adam.minimize(pg.sum(layers(x) ** 2))

    @pg.function(engine="numpy")
    def step(x: Any) -> pg.Node:
        loss = pg.sum(layers(x) ** 2)
        adam.minimize(loss)
        return loss

    step(x)


def transforms(k: int) -> None:
    """Transforms of functions made for one call."""
    pg.grad(lambda x: pg.sum(x**3) * k)(X)
    pg.value_and_grad(lambda x: pg.sum(x**3) * k)(X)
    pg.jvp(lambda x: x**3 * k, (X,), (X,))
    _, back = pg.vjp(lambda x: x**3 * k, X)
    back(X)


def jacobians(k: int) -> None:
    """Jacobians, Hessians and nested derivatives of functions made for one call."""
    pg.jacobian(lambda x: x**2 * k)(X)
    pg.hessian(lambda x: pg.sum(x**3) * k)(X[:2])
    pg.grad(lambda x: pg.sum(pg.grad(lambda z: pg.sum(z**3) * k)(x)))(X)


def interpreted(k: int) -> None:
    """A function made for one call, which NumPy runs."""
    w = pg.Variable(X)
    pg.function(lambda x: step_of(w, x) * float(k), engine="numpy")(X)


def shapes(k: int) -> None:
    """New signatures of one function: shapes, values and objects."""
    _varied(np.ones((k % 17 + 1, k % 13 + 1)), (k,))
    _with_object(X, Thing())


def methods(k: int) -> None:
    """A compiled method of objects that come and go."""
    thing = Thing()
    thing.scaled(X)
    assert thing.same(X)[1] is thing


class Thing:
    """Something with compiled methods."""

    def __init__(self) -> None:
        self.factor = pg.Variable(2.0)

    @pg.function(engine="numpy")
    def scaled(self, x: Any) -> Any:
        return x * self.factor

    @pg.function(engine="numpy")
    def same(self, x: Any) -> Any:
        return x * self.factor, self


_varied = pg.function(
    lambda x, k: pg.sum(x) * k[0], static_argnames="k", engine="numpy", max_programs=8
)
_with_object = pg.function(lambda x, thing: x * thing.factor, engine="numpy", max_programs=8)
_squared = pg.function(lambda x: x @ x, engine="numpy", max_programs=8)


def fetches(k: int) -> None:
    """New nodes fetched by one session, outside a graph."""
    _one_session.run(_fed * float(k), {_fed: X})


_fed = pg.placeholder(name="fed")
_one_session = pg.Session(engine="numpy", max_programs=8)


def errors(k: int) -> None:
    """Errors of all kinds, caught."""
    for wrong in (
        lambda: pg.matmul(np.ones((2, 3)), np.ones((2, 3))),
        lambda: _squared(np.ones((2, 3))),
        lambda: _one_session.run(_fed * 2.0, {}),
        lambda: pg.function(lambda x: x[10], engine="numpy")(X),
    ):
        try:
            wrong()
        except pg.errors.PalingradError:
            continue
        raise AssertionError("there was no error")


def watched(k: int) -> None:
    """Recorded runs, and a search for NaN that finds one."""
    w = pg.Variable(X)
    with pg.record():
        pg.sum((w * X - k) ** 2).backward()
        _squared(np.ones((2, 2)))
    with contextlib.suppress(pg.errors.PalingradError), pg.debug_nans():
        pg.log(pg.tensor(-X))


def threads(k: int) -> None:
    """Threads that compute, and end."""
    work = [lambda: pg.tanh(pg.tensor(X) * k), lambda: _squared(np.ones((2, 2)))]
    running = [threading.Thread(target=one) for one in work]
    for one in running:
        one.start()
    for one in running:
        one.join()


def operations(k: int) -> None:
    """Operations of the user's own, defined again and again."""

    class Scaled(pg.Elementwise):
        samples = ()

        def f(m, x):
            return x * float(k)

        def d(y, x):
            return [float(k)]

    class Refused(pg.Elementwise):
        samples = ()

        def f(m, x):
            return x * float(k) if np.all(np.isfinite(x)) else x

        def d(y, x):
            return [float(k)]

    pg.function(lambda x: pg.sum(Scaled(x) + Refused(x)), engine="numpy")(X)
    pg.sum(Scaled(pg.Variable(X))).backward()


def reports(k: int) -> None:
    """Text about functions and graphs."""
    _squared.explain(np.ones((2, 2)))
    pg.latex(pg.sum(pg.tensor(X) * float(k)))
    pg.source(lambda x: pg.sum(x * float(k)), X)


# Objects that hold no cycles: they are freed at once.
DROPPED: dict[str, Callable[[int], object]] = {
    one.__name__: one
    for one in (
        model, transforms, jacobians, interpreted, shapes, methods, fetches, errors, watched,
        threads, reports,
    )
}  # fmt: skip


def graphs(k: int) -> None:
    """Graphs with their sessions. A graph and its nodes refer to each other."""
    with pg.Graph() as graph:
        x, w = pg.placeholder(name=f"x{k}"), pg.Variable(X)
        loss = pg.sum(pg.tanh(x * w) * float(k))
        up = w.assign(w - pg.gradients(loss, w))
    with pg.Session(graph, engine="numpy") as session:
        session.run([loss, up], {x: X})
    pg.Session(graph, engine="numpy").run(loss, {x: X})


def compiled(k: int) -> None:
    """Functions and sessions whose code is new."""
    w = pg.Variable(X)
    pg.function(lambda x: step_of(w, x) * float(k), engine="native")(X)
    x = pg.placeholder((4,), dtype=pg.float64)
    pg.Session(engine="native").run(pg.sum(pg.exp(x * float(k)), axis=0), {x: X})


def pools(k: int) -> None:
    """The number of threads changes, and the pool of threads with it."""
    for count in (2, 1):
        pg.set_num_threads(count)
        _large(LARGE)


LARGE = np.ones((300, 300), np.float32)
_large = pg.function(lambda x: pg.sum(pg.tanh(x @ x)), engine="native")
COLLECTED: dict[str, Callable[[int], object]] = {
    one.__name__: one for one in (graphs, operations, compiled, pools)
}
EVERY = {**QUICK, **DROPPED, **COLLECTED}
