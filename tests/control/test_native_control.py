"""Loops and branches within machine code compute what NumPy's do, and end when a signal says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest

import palingrad as pg
from control_loops import agree, close

pytest.importorskip("llvmlite")
RNG = np.random.default_rng(0)
WITHIN = "within the native call"
pytestmark = pytest.mark.usefixtures("bodies")


def native(f):
    return pg.function(f, engine="native")


def collatz(n):
    """The number of steps of a loop whose body chooses."""

    def body(c):
        n, steps = c
        return pg.cond(n % 2 == 0, lambda: n // 2, lambda: 3 * n + 1), steps + 1

    return pg.while_loop(lambda c: c[0] > 1, body, (n, np.int64(0)))


def test_a_branch_in_a_loop():
    text = agree(collatz, np.int64(27))
    assert int(native(collatz)(np.int64(27))[1]) == 111
    assert WITHIN in text
    assert "NumPy" not in text


@pytest.mark.parametrize("index", [0, 1, 2])
def test_branches_hand_on_parameters_layouts_and_constants(index):
    def f(i, x, y):
        return pg.switch(
            i,
            [
                lambda x, y: (x, y, x[:1]),
                lambda x, y: (y, y[::-1], pg.ones(1, dtype="float64")),
                lambda x, y: (pg.sin(x) + x, x, pg.sum(x * y, keepdims=True)),
            ],
            x.T[1],
            y,
        )

    assert WITHIN in agree(f, np.int64(index), RNG.normal(size=(4, 3)), RNG.normal(size=4))


@pytest.mark.parametrize("index", [-1, 3])
def test_an_index_that_names_no_branch(index):
    f = native(lambda i, x: pg.switch(i, [pg.sin, pg.cos, pg.sqrt], x))
    close(f(np.int64(2), 4.0), 2.0)
    with pytest.raises(pg.errors.ArgumentError, match=f"index {index} for 3 branches"):
        f(np.int64(index), 4.0)
    close(f(np.int64(2), 4.0), 2.0)


@pytest.mark.parametrize("most", [None, 0, 1, 2, 50])
def test_carries_that_swap_stay_and_end(most):
    def f(x, y):
        return pg.while_loop(
            lambda c: c["on"],
            lambda c: {
                "on": pg.sum(c["a"]) < 20,
                "a": c["b"],
                "b": c["a"] + c["b"],
                "c": c["c"],
                "d": c["c"],
            },
            {"on": pg.sum(x) > 0, "a": x, "b": y[::-1], "c": x * 2, "d": y},
            max_steps=most,
        )

    for x in (np.ones(3), -np.ones(3)):
        found = [pg.function(f, engine=engine)(x, np.arange(3.0)) for engine in ("numpy", "native")]
        for name in found[0]:
            close(found[1][name], found[0][name])


def nested(x):
    """A scan in a while loop in a scan, with branches."""

    def inner(c, row):
        return pg.cond(row > 0, lambda: c * 0.5 + row, lambda: c - row), (c, row)

    def repeat(c):
        last, (before, rows) = pg.scan(inner, pg.sum(c), c[::-1])
        return c * 1.25 + last * 0.01 + before[::-1] * 0.01 + rows * 0.0

    def outer(c, row):
        c = pg.while_loop(lambda v: pg.sum(v * v) < 30.0, repeat, c * 0.1 + row)
        return c, pg.fori_loop(0, 3, lambda i, v: pg.where(i > 1, v + row[i], v), c)

    return pg.scan(outer, x[0], x)


def test_nested_loops_are_one_native_call():
    text = agree(nested, RNG.normal(size=(5, 3)))
    assert "within one native call" in text
    assert "Python" not in text
    text = agree(lambda x: pg.cond(pg.sum(x) > 0, nested, nested, x), RNG.normal(size=(5, 3)))
    assert WITHIN in text


def test_reverse_and_forward_mode():
    def loss(x):
        return pg.sum(
            pg.while_loop(
                lambda v: pg.sum(v * v) < 40.0, lambda v: pg.sin(v) + 1.5 * v, x, max_steps=12
            )
        )

    x = np.array([0.3, 0.7])
    text = agree(pg.grad(loss), x)
    assert "Python" not in text
    assert WITHIN in agree(lambda x: pg.jvp(loss, (x,), (np.ones(2),))[1], x)
    agree(pg.hessian(loss), x)


def test_vmap_of_loops_and_branches():
    def f(x):
        y = pg.while_loop(lambda v: pg.sum(v) < 10, lambda v: v * 1.5 + 0.1, x)
        return pg.cond(y[0] > 7, lambda: pg.sort(y), lambda: y * 2)

    agree(pg.vmap(f), np.abs(RNG.normal(size=(6, 3))))


def test_indices_are_checked_in_regions():
    def f(table, start):
        return pg.while_loop(lambda c: c != 0, lambda c: table[c], start)

    links = np.array([0, 3, 1, 2, 9])
    assert WITHIN in agree(f, np.array([0, 2, 3, 0]), np.int64(1))
    for engine in ("numpy", "native"):
        with pytest.raises(IndexError):
            pg.function(f, engine=engine)(links, np.int64(4))

    def scanned(table, starts):
        return pg.scan(lambda c, s: (c + f(table, s), None), np.int64(0), starts)[0]

    table = np.array([0, 2, 0, 7])
    assert "within one native call" in agree(scanned, table, np.array([1, 2, 0]))
    for engine in ("numpy", "native"):
        with pytest.raises(IndexError):
            pg.function(scanned, engine=engine)(table, np.array([1, 3, 0]))


def test_what_numpy_computes_in_a_region():
    def f(a):
        return pg.while_loop(lambda v: pg.sum(v) < 9, lambda v: pg.linalg.inv(v) + v, a)

    text = agree(f, np.eye(3) * 2)
    assert "Python chooses and repeats" in text
    assert "because NumPy computes inv" in text


def test_a_large_body_uses_the_thread_pool():
    def f(x, w):
        return pg.while_loop(
            lambda v: pg.sum(v) > 0, lambda v: pg.relu(v @ w) + 1.0, x, max_steps=5
        )

    x, w = np.abs(RNG.normal(size=(200, 200))), RNG.normal(size=(200, 200)) / 20
    assert "on the thread pool" in agree(f, x, w)


def test_updates_in_place_beside_a_branch_and_not_beside_a_loop():
    for engine in ("numpy", "native"):
        v = pg.Variable(np.ones(3))

        @pg.function(engine=engine)
        def step(i, v=v):
            v.assign(pg.switch(i, [lambda: v * 2, lambda: v[::-1] + 1.0]))

        for i in (0, 1, 0):
            step(np.int64(i))
        with pytest.raises(pg.errors.ArgumentError):
            step(np.int64(2))
        close(v.numpy(), np.full(3, 6.0))
        if engine == "native":
            assert "1 Variable updated in place" in step.explain(np.int64(0))

    w = pg.Variable(np.ones(3))

    @pg.function(engine="native")
    def grow():
        w.assign(pg.while_loop(lambda v: pg.sum(v) < 20, lambda v: v * 2, w + 0))

    grow()
    close(w.numpy(), np.full(3, 8.0))
    assert "because signal handlers run during its loops" in grow.explain()


def endless(x):
    """A loop in a loop that never ends."""
    inner = lambda v: pg.while_loop(lambda u: pg.sum(u) > -1, lambda u: u * 0.5, v)  # noqa: E731
    return pg.while_loop(lambda v: pg.sum(v) > -1, lambda v: inner(v) + 1.0, x)


class Rang(Exception):
    """Raised by the handler of an alarm."""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="only POSIX has timers")
def test_signal_handlers_run_during_a_loop_and_may_end_it():
    other = native(lambda x: pg.sin(x))
    other(1.0)
    times = []

    def ring(*_):
        times.append(float(other(1.0)))
        if len(times) == 3:
            raise Rang

    before = signal.signal(signal.SIGALRM, ring)
    try:
        for f in (endless, lambda x: pg.scan(lambda c, r: (endless(c), r), x, x)):
            times.clear()
            signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
            compiled = native(f)
            with pytest.raises(Rang):
                compiled(np.ones(2))
            signal.setitimer(signal.ITIMER_REAL, 0)
            close(times, [float(other(1.0))] * 3)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def count_far(x):
    return pg.fori_loop(0, 10**12, lambda i, v: pg.sin(v) + 1e-9 * i, x)


def count_slowly(x):
    w = np.full((900, 900), 1e-3)
    return pg.fori_loop(0, 10**6, lambda i, v: pg.tanh(v @ w), x[0] * pg.ones((900, 900)))


@pytest.mark.skipif(sys.platform == "win32", reason="a process can't send itself a signal")
@pytest.mark.parametrize("loop", [endless, count_far, count_slowly])
def test_an_interrupt_ends_a_loop(loop):
    f = native(loop)
    f.explain(np.ones(2))  # compiles
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    start = time.process_time()
    with pytest.raises(KeyboardInterrupt):
        f(np.ones(2))
    assert time.process_time() - start < 5
    timer.join()


def test_threads_share_a_loop():
    from concurrent.futures import ThreadPoolExecutor

    f = native(lambda x: pg.while_loop(lambda v: pg.sum(v) < 1e6, lambda v: v * 1.01 + 0.1, x))
    inputs = [np.abs(RNG.normal(size=4)) for _ in range(8)]
    expected = [f(x).numpy().copy() if hasattr(f(x), "numpy") else np.array(f(x)) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        for found, value in zip(pool.map(f, inputs * 5), expected * 5, strict=True):
            close(found, value)


def test_no_memory_is_allocated_in_a_repetition():
    f = native(
        lambda n: pg.while_loop(
            lambda c: c[0] < n,
            lambda c: (c[0] + 1, pg.cond(c[1][0] > 0, lambda: c[1] * -0.5, lambda: c[1] + 1.0)),
            (np.int64(0), pg.ones(100, dtype="float64")),
        )
    )
    peaks = []
    for n in (10, 10, 200_000):
        tracemalloc.start()
        f(np.int64(n))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] <= peaks[1] + 1000
    start = time.process_time()
    f(np.int64(200_000))
    assert time.process_time() - start < 2  # 10 µs a repetition


RECALLED = """
import numpy as np, palingrad as pg
from palingrad.engines.native.kernels import control
from palingrad.engines.native.kernels.loop import plan
def collatz(n):
    body = lambda c: (pg.cond(c[0] % 2 == 0, lambda: c[0] // 2, lambda: 3 * c[0] + 1), c[1] + 1)
    return pg.while_loop(lambda c: c[0] > 1, body, (n, np.int64(0)))
def g(n, i):
    return collatz(n), pg.switch(i, [lambda: n, lambda: -n])
for registers in (True, False):
    if not registers:  # kernels, as in conftest.py
        plan.MOST = control.BRIEF = 0
    f = pg.function(lambda n, i: g(n, i), engine="native")
    (_, steps), _ = f(np.int64(27), np.int64(1))
    assert int(steps) == 111
    try:
        f(np.int64(27), np.int64(5))
    except pg.errors.ArgumentError as error:
        assert "index 5 for 2 branches" in str(error)
    else:
        raise AssertionError
    said = f.explain(np.int64(27), np.int64(1))
    assert ("in registers" in said) is registers, said
    print(said.splitlines()[0])
"""


@pytest.mark.parametrize("bodies", ["registers"], indirect=True)  # the script takes both ways
def test_code_comes_from_the_cache_in_the_next_process(tmp_path):
    environment = {
        **os.environ,
        "PALINGRAD_CACHE": str(tmp_path / "cache"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    lines = [
        subprocess.run(
            [sys.executable, "-c", RECALLED], env=environment, capture_output=True, text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]  # fmt: skip
    assert [line.count("code compiled now") for line in lines] == [2, 0]
    assert [line.count("code from the cache") for line in lines] == [0, 2]
