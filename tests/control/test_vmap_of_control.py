"""Loops and branches under pg.vmap equal a loop of Python over the examples, with derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from control_loops import close
from palingrad.autodiff import batching
from palingrad.errors import ArgumentError, OutOfRangeError
from palingrad.ops.control.loop import Loop
from palingrad.ops.control.while_loop import WhileLoop

ENGINES = [name for name in pg.engine_names() if name != "auto"]
XS = np.array([[0.5, 1.5, 0.25], [-0.75, 0.5, 2.25], [1.25, -0.5, 1.75], [2.5, 0.75, -0.25]])
W = np.array([0.75, -0.5, 0.625])
ROWS = np.random.default_rng(1).normal(size=(5, 3))


@pytest.fixture(autouse=True)
def _announce_again():
    batching._announced.clear()  # an operation without a batching rule warns, which is an error


def scan_with(**options):
    """A scan that counts, carries what becomes different and what begins so, and stacks."""

    def f(x, w):
        def step(carry, row):
            n, a, b = carry
            a = pg.tanh(a * w + row * x)
            return (n + 1, a, b + pg.sum(a) * pg.sin(b) * n), (a * b, n)

        (n, a, b), (ys, counts) = pg.scan(step, (0.0, np.zeros(3), x), ROWS, **options)
        return pg.sum(a * b) + n + pg.sum(ys * pg.cos(ys)) * pg.sum(counts)

    return f


def rows_differ(x, w):
    rows = x[:, None] * ROWS[:3, :2]
    last, ys = pg.scan(lambda c, r: (pg.sin(c) + r, c * w[0]), np.ones(2), rows, reverse=True)
    return pg.sum(last * last) * w[1] + pg.sum(ys * ys * last)


def chosen(x, w):
    return pg.cond(x[0] > 0, lambda v: pg.sum(pg.sqrt(v[0]) * v * w), lambda v: pg.sin(v[1]) ** 3, x)


def chosen_alike(x, w):
    y, z = pg.cond(w[0] > 0, lambda v: (pg.sum(v**3), w[1]), lambda v: (v[0], w[2]), x)
    return y * pg.exp(z)


def switched(x, w):
    index = pg.cast(pg.floor(pg.abs(x[0])), "int64")
    return pg.switch(index, [lambda v: pg.sum(v**3), lambda v: v[1] * w[0], lambda v: 2.0], x)


def guarded_index(x, w):
    index = pg.cast(pg.floor(pg.abs(x[0]) * 3), "int64")  # outside x for the last example
    return pg.cond(index < 3, lambda: pg.take(x * w, index, axis=0) ** 2, lambda: pg.sum(x * x))


def guarded_matrix(x, w):
    m = pg.diag(x) + 0.1 * w[:, None] * w  # positive definite for no example but a changed first
    return pg.cond(pg.all(x > 0), lambda: pg.sum(pg.log(pg.diagonal(pg.linalg.cholesky(m)))),
                   lambda: pg.sum(x * w) ** 2)  # fmt: skip


def until(x, w):
    """A number of steps that depends on the example: 0 for one of them."""
    n, v = pg.while_loop(
        lambda s: pg.sum(s[1] * s[1]) < 6,
        lambda s: (s[0] + 1, s[1] * (1.25 + 0.1 * w) + 0.01 * x),
        (0.0, x), max_steps=12,
    )  # fmt: skip
    return pg.sum(v * w) * n


def until_indexed(x, w):
    """Reads w[n], which exists while the condition holds."""
    n, v = pg.while_loop(
        lambda s: (s[0] < 3) & (s[1] < 2),
        lambda s: (s[0] + 1, s[1] + pg.take(w, s[0], axis=0) ** 2 * pg.exp(x[1])),
        (0, x[2]), max_steps=5,
    )  # fmt: skip
    return v * v * pg.cast(n, "float64")


def repeated(x, w):
    last = pg.while_loop(lambda s: s[0] < 4, lambda s: (s[0] + 1, pg.sin(s[1] * x) + s[1]),
                         (0, w), max_steps=4)  # fmt: skip
    return pg.sum(last[1] ** 2)


def nested(x, w):
    def step(c, row):
        c = pg.cond(pg.sum(c) > 1, lambda v: pg.cos(v) * row, lambda v: v * v + row * w, c)
        return pg.fori_loop(0, 2, lambda i, v: v + 0.25 * i * pg.sin(v * x), c), pg.sum(c)

    last, ys = pg.scan(step, x, ROWS)
    return pg.cond(pg.sum(x) > 2.5, lambda: pg.sum(last), lambda: pg.scan(
        lambda c, y: (c * pg.cos(y) + x[0], None), 1.0, ys)[0])  # fmt: skip


CASES = {
    "scan": scan_with(),
    "reverse": scan_with(reverse=True),
    "checkpoint": scan_with(checkpoint=True),
    "checkpoint every 2": scan_with(checkpoint=2),
    "unrolled": scan_with(unroll=2),
    "rows differ": rows_differ,
    "cond": chosen,
    "cond alike": chosen_alike,
    "switch": switched,
    "guarded index": guarded_index,
    "guarded matrix": guarded_matrix,
    "until": until,
    "until indexed": until_indexed,
    "repeated": repeated,
    "nested": nested,
}


def by_python(f, xs):
    """f of each example, its gradients, and the second derivatives by products with vectors."""
    values = [f(x, W) for x in xs]
    slopes = [pg.grad(f, (0, 1))(x, W) for x in xs]
    second = [[pg.hvp(lambda v: f(v, W), (x,), (unit,)) for unit in np.eye(3)] for x in xs]
    return values, [np.stack(column) for column in zip(*slopes, strict=True)], second


def sums(f):
    return lambda xs, w: pg.sum(pg.vmap(f, (0, None))(xs, w))


def checked(f, run):
    """Compare f of all examples, run by `run`, with f of each."""
    values, (of_x, of_w), second = by_python(f, XS)
    close(run(pg.vmap(f, (0, None)))(XS, W), values)
    each = run(pg.vmap(pg.grad(f, (0, 1)), (0, None)))(XS, W)
    close(each[0], of_x)
    close(each[1], of_w)
    total = run(pg.grad(sums(f), (0, 1)))(XS, W)
    close(total[0], of_x)
    close(total[1], of_w.sum(0))
    close(run(pg.jacobian(lambda x, w: pg.vmap(f, (0, None))(x, w)))(XS, W),
          np.eye(4)[:, :, None] * of_x)  # fmt: skip
    close(run(pg.vmap(pg.hessian(f), (0, None)))(XS, W), second)
    close(run(pg.hessian(f))(XS[0], W), second[0])


@pytest.mark.parametrize("name", CASES)
def test_examples_at_once(name):
    checked(CASES[name], lambda g: g)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["scan", "cond", "guarded index", "until", "nested"])
def test_examples_at_once_in_functions(name, engine):
    checked(CASES[name], lambda g: pg.function(g, engine=engine))
