"""pg.cond, pg.switch and pg.while_loop equal Python's `if` and `while`, derivatives included."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from control_loops import close
from palingrad.errors import ArgumentError, DTypeError, GradientError, GraphError, ShapeError
from styles import STYLES

ENGINES = [name for name in pg.engine_names() if name != "auto"]
ARRAYS = [np.array([1.0, 2.0, 0.5]), np.array([-1.0, -2.0, 0.25])]


def chosen(x):
    """One of two functions of different operations, of which one would be NaN for the other."""
    return pg.cond(
        pg.sum(x) > 0,
        lambda v: pg.sum(pg.sqrt(v) * v[0]),
        lambda v: pg.sum(pg.sin(v) ** 3) * x[1],
        x,
    )


def by_python(transform, x):
    """The transform of the branch that the values of x choose."""
    branch = (
        (lambda v: pg.sum(pg.sqrt(v) * v[0]))
        if x.sum() > 0
        else (lambda v: pg.sum(pg.sin(v) ** 3) * v[1])
    )
    return transform(branch)(x)


@pytest.mark.parametrize("x", ARRAYS, ids=["true", "false"])
@pytest.mark.parametrize("style", STYLES)
def test_cond_in_every_style(style, x):
    close(STYLES[style](chosen, x), by_python(pg.grad, x))


@pytest.mark.parametrize("x", ARRAYS, ids=["true", "false"])
def test_second_derivatives_of_cond(x):
    close(pg.hessian(chosen)(x), by_python(pg.hessian, x))
    close(pg.function(pg.hessian(chosen))(x), by_python(pg.hessian, x))


@pytest.mark.parametrize("engine", ENGINES)
def test_one_program_takes_both_branches(engine):
    f = pg.function(pg.value_and_grad(chosen), engine=engine)
    for x in ARRAYS:
        value, slope = f(x)
        close(value, by_python(lambda branch: branch, x))
        close(slope, by_python(pg.grad, x))


def test_switch():
    branches = [pg.sin, pg.cos, lambda v: 2.0, lambda v: v]
    slopes = [np.cos(0.3), -np.sin(0.3), 0.0, 1.0]
    for number, slope in enumerate(slopes):
        close(pg.grad(lambda v, n=number: pg.switch(n, branches, v))(0.3 + np.zeros(())), slope)
    with pytest.raises(ArgumentError, match="index 4 for 4 branches"):
        pg.switch(4, branches, 0.3)


def test_branches_in_loops_and_loops_in_branches():
    def f(x):
        def body(c, n):
            c = pg.cond(n % 2 == 0, lambda v: v * x, lambda v: pg.sin(v), c)
            return c, c

        last, ys = pg.scan(body, x, np.arange(4))
        return pg.cond(
            last > 100, lambda: last, lambda: pg.fori_loop(0, 2, lambda i, v: v * x, pg.sum(ys))
        )

    def plain(x):
        c, ys = x, []
        for n in range(4):
            c = c * x if n % 2 == 0 else pg.sin(c)
            ys.append(c)
        return pg.sum(pg.stack(ys)) * x * x

    x = np.array(1.3)
    close(pg.grad(f)(x), pg.grad(plain)(x))
    close(pg.hessian(f)(x), pg.hessian(plain)(x))
    close(pg.function(pg.hessian(f))(x), pg.hessian(plain)(x))


def doubled(x, y, max_steps=None):
    """Steps towards a fixed point, until they are small."""
    return pg.while_loop(
        lambda s: s["n"] < 7,
        lambda s: {"n": s["n"] + 1, "v": pg.sin(s["v"] * y) + y},
        {"n": 0, "v": x},
        max_steps=max_steps,
    )["v"]


def doubled_by_python(x, y):
    for _ in range(7):
        x = pg.sin(x * y) + y
    return x


def test_while_loop_forward_and_bounded_reverse():
    x, y = np.array(0.4), np.array(0.7)
    close(doubled(x, y), doubled_by_python(x, y))
    close(pg.jvp(doubled, (x, y), (1.0, 1.0))[1], pg.jvp(doubled_by_python, (x, y), (1.0, 1.0))[1])
    for bound in (7, 20):
        bounded = lambda x, y, bound=bound: doubled(x, y, bound)  # noqa: E731
        for found, expected in zip(
            pg.grad(bounded, (0, 1))(x, y), pg.grad(doubled_by_python, (0, 1))(x, y), strict=True
        ):
            close(found, expected)
        close(pg.hessian(bounded, 1)(x, y), pg.hessian(doubled_by_python, 1)(x, y))
        close(pg.function(pg.grad(bounded))(x, y), pg.grad(doubled_by_python)(x, y))
    with pytest.raises(GradientError, match=r"max_steps=100"):
        pg.grad(doubled)(x, y)

    def first(z):
        return pg.jvp(lambda v: doubled(v, y), (z,), (1.0,))[1]

    def second(z):
        return pg.jvp(first, (z,), (1.0,))[1]

    close(second(x), pg.hessian(lambda v: doubled_by_python(v, y))(x))


def test_max_steps_ends_a_loop():
    assert pg.while_loop(lambda x: x > 0, lambda x: x + 1, 1.0, max_steps=3) == 4
    assert pg.while_loop(lambda x: x > 0, lambda x: x + 1, 1.0, max_steps=0) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_while_loop_in_a_template(engine):
    with pg.Graph() as graph:
        x = pg.placeholder()
        y = pg.while_loop(lambda v: pg.sum(v) < 50, lambda v: v * 2, x)
    session = pg.Session(graph, engine=engine)
    assert session.run(y, {x: [1.0, 2.0]}).tolist() == [32, 64]
    assert session.run(y, {x: 60.0}) == 60


def test_fori_loop_to_a_node():
    f = pg.function(lambda n, x: pg.fori_loop(0, n, lambda i, v: v * 2, x))
    assert f(np.array(3), np.array(1.0)) == 8
    assert f(np.array(5), np.array(1.0)) == 32


def test_associative_scan():
    x = np.random.default_rng(0).normal(size=(7, 2, 2))
    expected = [x[0]]
    for row in x[1:]:
        expected.append(expected[-1] @ row)
    close(pg.associative_scan(pg.matmul, x), expected)
    backwards = [x[-1]]
    for row in x[-2::-1]:
        backwards.insert(0, row @ backwards[0])
    close(pg.associative_scan(pg.matmul, x, reverse=True), backwards)
    for count in range(1, 9):
        row = np.arange(1.0, count + 1)
        close(pg.associative_scan(pg.add, row), np.cumsum(row))
        table = np.stack([row, -row])
        close(pg.associative_scan(pg.add, table, axis=1), np.cumsum(table, 1))
    close(pg.grad(lambda v: pg.sum(pg.associative_scan(pg.multiply, v)))(x[:, 0, 0]),
          pg.grad(lambda v: pg.sum(pg.cumprod(v)))(x[:, 0, 0]))  # fmt: skip


def test_what_cannot_be_chosen_is_said():
    x = np.array([1.0, 2.0])
    with pytest.raises(ShapeError, match=r"pg\.where"):
        pg.cond(x > 1, lambda: x, lambda: -x)
    with pytest.raises(DTypeError, match="not a boolean"):
        pg.cond(x[0], lambda: x, lambda: -x)
    with pytest.raises(ShapeError, match=r"if_false returns shape"):
        pg.cond(True, lambda: x, lambda: 2.0 * x[0])
    with pytest.raises(DTypeError, match=r"if_false returns"):
        pg.cond(True, lambda: x, lambda: np.float32(1) * np.ones(2, np.float32))
    with pytest.raises(ArgumentError, match="if_true returns"):
        pg.cond(True, lambda: (x, x), lambda: x)
    with pytest.raises(DTypeError, match="not a boolean"):
        pg.while_loop(lambda v: v, lambda v: v + 1, 1.0)
    with pytest.raises(ShapeError, match=r"pg\.all"):
        pg.while_loop(lambda v: v > 0, lambda v: v + 1, x)
    with pytest.raises(GraphError, match=r"pg\.cond"):
        pg.function(lambda v: v if v > 0 else -v)(np.array(1.0))


@pytest.mark.parametrize("engine", ENGINES)
def test_python_numbers_in_branches(engine):
    def f(k, x):
        return pg.cond(x > 0, lambda: x * k, lambda: 0.5), pg.cond(x > 0, lambda: 1.0, lambda: k)

    for x, expected in ((3.0, [6.0, 1.0]), (-3.0, [0.5, 2.0])):
        found = pg.function(f, engine=engine)(2.0, np.float32(x))
        assert [y.dtype for y in found] == [np.float32, np.float32]
        assert [float(y) for y in found] == expected
    eager = f(2.0, pg.tensor(np.float32(3)))
    assert [float(y) for y in eager] == [6, 1]
