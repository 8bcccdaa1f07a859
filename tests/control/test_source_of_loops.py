"""pg.source of loops and branches: Python's own for, while and if, which compute the same."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from control_loops import ROWS, START, WEIGHTS, loss_of
from palingrad.trees import leaves
from view.reading.written import Folder

X = np.array([0.5, -1.5, 2.0])


@pytest.fixture
def folder(tmp_path):
    """Modules are written here; at the end of the test ruff sees all of them."""
    found = Folder(tmp_path)
    yield found
    found.check()


def same(folder, f, *args):
    """The written function gives what the function gives, on NumPy; returns the text."""
    text = pg.source(f, *args, name="written")
    found = folder.load(text)["written"](*args)
    expected = pg.function(f, engine="numpy")(*args)
    a, b = leaves(found), leaves(expected)
    assert len(a) == len(b)
    for one, other in zip(a, b, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14, atol=1e-14)
        assert np.asarray(one).dtype == other.dtype
    return text


def while_loss(x):
    def body(v):
        return pg.cond(v[0] > 2, lambda: v * x, lambda: v + 1)

    y = pg.while_loop(lambda v: pg.sum(v * v) < 100, body, x, max_steps=7)
    return pg.sum(y)


def switched(x, index):
    return pg.sum(pg.switch(index, [pg.sin, lambda v: v * v * pg.exp(v), lambda v: 3 * v], x))


def nested(x):
    def row(c, r):
        inner = pg.fori_loop(0, 3, lambda i, v: v * r + i, c)
        return pg.cond(inner > 1, lambda: pg.tanh(inner), lambda: c), inner

    last, ys = pg.scan(row, x[0], x, reverse=True)
    return last + pg.sum(ys)


def repeated(x):
    def body(c, r):
        return (c[1], c[0] + r), (c[0], 1.0)  # carries that change places, a constant stacked

    (a, b), (ys, ones) = pg.scan(body, (pg.tensor(0.0, dtype="float64"), x[0]), x)
    return a * b + pg.sum(ys) + pg.sum(ones) + pg.fori_loop(0, 2, lambda i, v: v, x[1])


@pytest.mark.parametrize("of", [lambda f: f, pg.grad, pg.hessian])
@pytest.mark.parametrize("f", [while_loss, nested, repeated], ids=lambda f: f.__name__)
def test_loops_and_their_derivatives(folder, of, f):
    same(folder, of(f), X)


@pytest.mark.parametrize("of", [lambda f: f, lambda f: pg.grad(f, argnums=(0, 1, 2))])
def test_a_scan_of_trees(folder, of):
    assert "for step in range(6):" in same(folder, of(loss_of(pg.scan)), START, WEIGHTS, ROWS)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_branches(folder, index):
    same(folder, pg.value_and_grad(switched), X, np.array(index))
    with pytest.raises(IndexError, match="index 3 for 3 branches"):
        folder.load(pg.source(switched, X, np.array(3)))["switched"](X, np.array(3))


def test_batched_loops_rules_and_checkpoints(folder):
    @pg.custom_vjp
    def clipped(x):
        return x * 1

    clipped.defvjp(lambda x: (x, None), lambda residuals, g: (pg.clip(g, -1, 1),))

    def f(x):
        return pg.scan(lambda c, r: (clipped(c * r), None), pg.sum(x), x, checkpoint=True)[0]

    same(folder, pg.grad(f), X)
    same(folder, pg.vmap(pg.grad(f)), np.stack([X, 2 * X]))
    same(folder, pg.vmap(while_loss), np.stack([X, 2 * X]))


def test_the_text_is_a_loop_of_python():
    w = pg.Variable(np.eye(2))

    def total(xs):
        return pg.scan(lambda h, x: (pg.tanh(h @ w + x), None), np.zeros(2), xs)[0]

    text = pg.source(total, np.ones((4, 2)))
    code = [line.strip() for line in text[text.index("for step") :].splitlines()]
    assert code[:3] == ["for step in range(4):", "x = xs[step]", "value = np.tanh(value @ w + x)"]
    text = pg.source(lambda x: pg.while_loop(lambda v: v < 9, lambda v: 2 * v, x), np.array(1.0))
    assert "    while x < 9.0:\n        x = 2.0 * x\n" in text


def test_a_variable_never_hides_a_function(folder):
    def f(x, loop, softplus):
        def body(c, r):
            return pg.softplus(c) * softplus + r, None

        return pg.scan(body, loop, x)[0]

    same(folder, f, X, np.array(0.5), np.array(0.25))


def test_dtypes_of_numbers(folder):
    def f(x):
        y, n = pg.fori_loop(0, 3, lambda i, c: (c[0] * 2, c[1] + i), (x, 0))
        return y, n, pg.cond(y > 1, lambda: 1.0, lambda: y)

    same(folder, f, np.array(0.25, np.float32))
    same(folder, f, np.array(0.25, np.float16))


def test_zero_steps(folder):
    def f(x):
        last, ys = pg.scan(lambda c, r: (c * r, c), x[0], x[:0])
        return last, ys, pg.while_loop(lambda v: v < 0, lambda v: v + 1, pg.abs(x[0]))

    same(folder, f, X)
