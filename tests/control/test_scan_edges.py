"""Edges of pg.scan: modes of each other, dtypes, captures, and what is refused."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import palingrad as pg
from control_loops import ROWS, START, WEIGHTS, close, loss_of, unrolled
from palingrad.errors import ArgumentError, GraphError, OutOfRangeError, ShapeError

ENGINES = [name for name in pg.engine_names() if name != "auto"]


def test_reverse_and_forward_mode_of_each_other():
    loop, plain = loss_of(pg.scan), loss_of(unrolled)

    def forward_over_reverse(loss):
        return pg.jvp(lambda w: pg.grad(loss, 1)(START, w, ROWS), (WEIGHTS,), (WEIGHTS,))[1]

    def reverse_over_forward(loss):
        def slope(w):
            return pg.jvp(lambda v: loss(START, v, ROWS), (w,), (WEIGHTS,))[1]

        return pg.grad(slope)(WEIGHTS)

    close(forward_over_reverse(loop), forward_over_reverse(plain))
    close(reverse_over_forward(loop), forward_over_reverse(plain))
    close(pg.function(lambda: forward_over_reverse(loop))(), forward_over_reverse(plain))


@pytest.mark.parametrize("engine", ENGINES)
def test_python_numbers_that_are_fed_stay_weak(engine):
    def f(k, start, xs):
        return pg.scan(lambda c, x: (c * k + x, c * k), start, xs)

    xs = np.array([1, 2, 3], np.float32)
    last, ys = pg.function(f, engine=engine)(2.0, 0.5, xs)
    assert (last.dtype, ys.dtype) == (np.float32, np.float32)
    assert (float(last), ys.tolist()) == (15.0, [1, 4, 12])
    eager = f(2.0, 0.5, xs)
    assert (eager[0].dtype, eager[0].numpy()) == (np.float32, 15)


def test_items_of_outer_operations_are_captured():
    m = np.diag([3.0, 2.0])
    with pg.Graph() as graph:
        x = pg.placeholder((2, 2), dtype="float64")
        q = pg.linalg.eigh(x)
        y = pg.scan(lambda c, row: (c + row * pg.sum(q[0]), None), np.array(0.0), np.arange(3.0))[0]
        slope = pg.gradients(y, x)
    values = pg.Session(graph).run([y, slope], {x: m})
    close(values[0], 15)
    close(values[1], 3 * np.eye(2))


def test_a_composite_that_reads_a_variable_is_refused_by_name():
    hidden = pg.Variable(np.array(2.0), name="hidden")

    class Sly(pg.Composite):
        """y = x times a Variable that isn't an input."""

        def expand(y, x):
            return x * hidden

    def f(x):
        return pg.scan(lambda c, row: (Sly(c), None), x, np.arange(3.0))[0]

    with pytest.raises(GraphError, match="'hidden' is read in the body"):
        f(np.array(1.0))


def test_bodies_of_other_graphs_and_wrong_arguments():
    with pg.Graph():
        outside = pg.placeholder(())
    with pg.Graph(), pytest.raises(GraphError, match="belongs to another graph"):
        pg.scan(lambda c, x: (c + outside, None), 0.0, ROWS)
    with pytest.raises(ArgumentError, match="expected a function"):
        pg.scan(3.0, 0.0, ROWS)
    with pytest.raises(ArgumentError, match="isn't a number or an array"):
        pg.scan(lambda c, x: (c, "text"), 0.0, ROWS)
    with pytest.raises(ArgumentError, match=r"unroll is 0"):
        pg.scan(lambda c, x: (c, None), 0.0, ROWS, unroll=0)
    with pytest.raises(ArgumentError, match=r"expected integers"):
        pg.fori_loop(0.5, 3, lambda i, x: x, 1.0)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.complex128])
@pytest.mark.parametrize("engine", ENGINES)
def test_other_dtypes(dtype, engine):
    xs = (ROWS[:, 0] + (1j * ROWS[:, 1] if dtype is np.complex128 else 0)).astype(dtype)

    def f(scan):
        def of(x, xs):
            last, ys = scan(lambda c, row: (pg.sin(c * row) + row, (c * c,)), x, xs)
            return pg.real(last * pg.sum(ys[0]))

        return of

    start = np.asarray(0.5 + 0.1 * xs[0], dtype)
    found = pg.function(pg.grad(f(pg.scan), (0, 1)), engine=engine)(start, xs)
    expected = pg.grad(f(unrolled), (0, 1))(start, xs)
    rtol = {np.float16: 0.02, np.float32: 1e-5}.get(dtype, 1e-11)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, np.asarray(b), rtol=rtol, atol=rtol)


class Pair(NamedTuple):
    """A carry with names."""

    a: Any
    b: Any


@pytest.mark.parametrize("unroll", [1, 2])
def test_containers_are_kept_and_keys_may_change_their_order(unroll):
    def f(c, x):
        pair, rest = c["pair"], c["rest"]
        return {"rest": [rest[0] * 2.0, None], "pair": Pair(pair.b, pair.a + x)}, {"y": (x, None)}

    init = {"pair": Pair(1.0, 2.0), "rest": [3.0, None]}
    last, ys = pg.scan(f, init, np.array([10.0, 20.0]), unroll=unroll)
    assert (float(last["pair"].a), float(last["pair"].b)) == (11, 22)
    assert (float(last["rest"][0]), last["rest"][1]) == (12, None)
    assert list(last) == ["pair", "rest"]
    assert ys["y"][0].numpy().tolist() == [10, 20]
    chosen = pg.cond(True, lambda: {"a": 1.0, "b": 2.0}, lambda: {"b": 3.0, "a": 4.0})
    assert (float(chosen["a"]), float(chosen["b"])) == (1, 2)
    other = pg.cond(False, lambda: {"a": 1.0, "b": 2.0}, lambda: {"b": 3.0, "a": 4.0})
    assert (float(other["a"]), float(other["b"])) == (4, 3)


def test_what_a_step_of_an_unrolled_body_returns_is_checked():
    with pytest.raises(ArgumentError, match="not a pair of carry and y"):
        pg.scan(lambda c, x: c, 0.0, ROWS, unroll=2)
    with pytest.raises(ArgumentError, match="keeps its structure"):
        pg.scan(lambda c, x: ((c, c), None), 0.0, ROWS, unroll=2)
    with pytest.raises(ShapeError, match="at the start and"):
        pg.scan(lambda c, x: (c + x, None), np.array(0.0), ROWS, unroll=2)


CONTROL = {
    "scan": lambda x: pg.scan(lambda c, t: (c * x, c), x, length=2)[0],
    "stack": lambda x: pg.sum(pg.scan(lambda c, t: (c * x, c), x, length=3)[1]),
    "cond": lambda x: pg.cond(x > 0, lambda x: x * x, lambda x: x, x),
    "while": lambda x: pg.while_loop(lambda c: c < 9, lambda c: c * x, x, max_steps=5),
}


@pytest.mark.parametrize("name", CONTROL)
def test_a_pullback_is_differentiable_at_a_cotangent_of_zeros(name):
    f, x = CONTROL[name], np.array(2.0)
    slope = pg.grad(f)(x)
    np.testing.assert_allclose(pg.jvp(pg.checkpoint(f), (x,), (1.0,))[1], slope)
    u = pg.zeros_like(pg.Variable(x))
    (pulled,) = pg.vjp(f, pg.Variable(x))[1](u)
    np.testing.assert_allclose(pg.gradients(pulled, u).numpy(), slope)


def _by_scan(x, indices):
    return pg.scan(lambda total, i: (total + x[i], None), 0.0, indices)[0]


def _by_while(x, indices):
    last = pg.while_loop(
        lambda state: state[0] < 6,
        lambda state: (state[0] + 1, state[1] + x[indices[state[0]]]),
        (0, 0.0),
    )
    return last[1]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_error_of_a_small_integer_is_right(engine):
    """127 + 1 isn't an int8."""
    by_loop = pg.function(_by_scan, engine=engine)
    at_once = pg.function(lambda x, i: pg.sum(x[i]), engine=engine)
    for run in (by_loop, at_once):
        with pytest.raises(OutOfRangeError, match="a table for index 127 has 128"):
            run(np.arange(4.0), np.array([0, 127], np.int8))
    with pytest.raises(OutOfRangeError, match="a table for index 127 has 128"):
        at_once.repeat(np.arange(4.0), np.array([[0], [127]], np.int8), along=[1])


def _by_nested(x, indices):
    def outer(total, i):
        inner = pg.scan(lambda total, j: (total + x[j], None), 0.0, indices)[0]
        return total + inner * i, None

    return pg.scan(outer, 0.0, indices)[0]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_index_out_of_range_names_operation_and_step(engine):
    x, indices = np.arange(4.0), np.array([0, 1, 2, 3, 4, 0])
    found = r"take: indices 4 … 4 for 4 rows, on axis 0: x \(4,\) float64.*test_scan_edges.py"
    for f, where in [
        (_by_scan, "loop, step 4: "),
        (_by_while, "while_loop, step 4: "),
        (_by_nested, "loop, step 0: loop, step 4: "),
        (lambda x, i: pg.sum(pg.map(lambda j: x[j], i)), "loop, step 4: "),
        (lambda x, i: x[i[4]], ""),
    ]:
        run = pg.function(f, engine=engine)
        with pytest.raises(OutOfRangeError, match=f"^{where}{found}"):
            run(x, indices)
        assert np.isfinite(run(x, indices % 4))
