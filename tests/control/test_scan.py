"""pg.scan equals a loop of Python: values and derivatives of every order, in every style."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import palingrad as pg
from control_loops import ROWS, START, WEIGHTS, close, loss_of, step, unrolled
from palingrad.errors import ArgumentError, DTypeError, GraphError, ShapeError

ENGINES = [name for name in pg.engine_names() if name != "auto"]
HOW = {
    "plain": {},
    "reverse": {"reverse": True},
    "unroll": {"unroll": 4},
    "recompute": {"checkpoint": True},
    "recompute every 4": {"checkpoint": 4, "reverse": True},
}


@pytest.fixture(params=HOW, ids=list(HOW))
def losses(request):
    """The loss by pg.scan with options, and by a loop of Python."""
    options = HOW[request.param]
    backwards = {key: value for key, value in options.items() if key == "reverse"}
    return loss_of(partial(pg.scan, **options)), loss_of(partial(unrolled, **backwards))


def test_values_and_gradients_of_all_inputs(losses):
    loop, plain = losses
    for found, expected in zip(
        pg.value_and_grad(loop, (0, 1, 2))(START, WEIGHTS, ROWS)[1],
        pg.value_and_grad(plain, (0, 1, 2))(START, WEIGHTS, ROWS)[1],
        strict=True,
    ):
        close(found, expected)
    close(loop(START, WEIGHTS, ROWS), plain(START, WEIGHTS, ROWS))


def test_second_derivatives(losses):
    loop, plain = losses
    close(pg.hessian(loop)(START, WEIGHTS, ROWS), pg.hessian(plain)(START, WEIGHTS, ROWS))


def test_third_derivatives():
    loop, plain = loss_of(pg.scan), loss_of(unrolled)

    def third(loss):
        def of_w(w):
            h = pg.grad(loss)(START, w, ROWS)
            return pg.sum(pg.grad(lambda v: pg.sum(pg.grad(loss)(START, v, ROWS) * h))(w) ** 2)

        return pg.grad(of_w)(WEIGHTS)

    close(third(loop), third(plain))


def test_forward_mode(losses):
    loop, plain = losses
    t = np.ones_like(START), np.ones_like(WEIGHTS), np.ones_like(ROWS)
    for found, expected in zip(
        pg.jvp(loop, (START, WEIGHTS, ROWS), t), pg.jvp(plain, (START, WEIGHTS, ROWS), t)
    ):
        close(found, expected)
    close(pg.jvp(lambda x: loop(START, WEIGHTS, x), (ROWS,), t[2:])[1],
          pg.jvp(lambda x: plain(START, WEIGHTS, x), (ROWS,), t[2:])[1])  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("unroll", [1, 4])
def test_session_graph_whose_shapes_are_unknown(engine, unroll):
    loop, plain = loss_of(partial(pg.scan, unroll=unroll)), loss_of(unrolled)
    with pg.Graph() as graph:
        h, w, xs = pg.placeholder(), pg.Variable(WEIGHTS), pg.placeholder((6, None))
        y = loop(h, w, xs)
        gradients = pg.gradients(y, [h, w, xs])
        second = pg.gradients(pg.sum(gradients[0] ** 2), w)
    session = pg.Session(graph, engine=engine)
    value, found, more = session.run([y, gradients, second], {h: START, xs: ROWS})
    close(value, plain(START, WEIGHTS, ROWS))
    for one, expected in zip(found, pg.grad(plain, (0, 1, 2))(START, WEIGHTS, ROWS), strict=True):
        close(one, expected)

    def squared(w):
        return pg.sum(pg.grad(plain)(START, w, ROWS) ** 2)

    close(more, pg.grad(squared)(WEIGHTS))


@pytest.mark.parametrize("engine", ENGINES)
def test_function(engine):
    loop, plain = loss_of(pg.scan), loss_of(unrolled)
    f = pg.function(pg.grad(loop, (0, 1, 2)), engine=engine)
    for found, expected in zip(
        f(START, WEIGHTS, ROWS), pg.grad(plain, (0, 1, 2))(START, WEIGHTS, ROWS), strict=True
    ):
        close(found, expected)


def test_backward_of_a_tape():
    for _ in range(4):  # by rules first, then by the Program of the tape's structure
        w, h = pg.Variable(WEIGHTS), pg.tensor(START)
        loss_of(pg.scan)(h, w, ROWS).backward()
        expected = pg.grad(loss_of(unrolled), (0, 1))(START, WEIGHTS, ROWS)
        close(h.grad, expected[0])
        close(w.grad, expected[1])


def test_length_and_no_xs():
    last, powers = pg.scan(lambda c, _: (2.0 * c, c), 1.0, length=4)
    assert last.numpy() == 16
    assert powers.numpy().tolist() == [1, 2, 4, 8]
    assert last.dtype == pg.float32


def test_no_steps():
    def total(start):
        last, ys = pg.scan(lambda c, x: (c + pg.sum(x), c * x), start, np.zeros((0, 2)))
        assert ys.shape == (0, 2)
        return last

    assert total(np.array(3.0)) == 3
    assert pg.grad(total)(np.array(3.0)) == 1


def test_a_carry_that_is_also_stacked_and_one_that_never_changes():
    def f(x):
        (a, b), ys = pg.scan(lambda c, _: ((c[0] * c[1], c[1]), c[0]), (x, x), length=3)
        return a + b + pg.sum(ys)  # x⁴ + x + x + x² + x³

    close(pg.grad(f)(2.0), 4 * 8 + 2 + 2 * 2 + 3 * 4)


def test_integers_are_carried_and_have_no_gradient():
    def f(x):
        def body(c, row):
            n, total = c
            return (n + 1, total + row * pg.cast(n, "float64")), n

        (n, total), ns = pg.scan(body, (np.int64(1), np.float64(0)), x)
        assert (n.dtype, ns.dtype) == (pg.int64, pg.int64)
        return total

    close(pg.grad(f)(np.array([5.0, 6.0, 7.0])), [1, 2, 3])


def test_nested_loops():
    def table(scan):
        def f(x):
            def outer(c, row):
                inner, ys = scan(lambda d, e: (pg.sin(d) + e * c, d * e), pg.sum(row), x[0])
                return pg.tanh(inner + c), (pg.sum(ys),)

            return scan(outer, pg.sum(x[1]), x)

        return f

    def plain(f, init, xs):
        c, ys = init, []
        for number in range(3):
            c, y = f(c, xs[number])
            ys.append(y)
        if isinstance(ys[0], tuple):
            return c, (pg.stack([y[0] for y in ys]),)
        return c, pg.stack(ys)

    def loss(scan):
        def of(x):
            last, (ys,) = table(scan)(x)
            return last * pg.sum(ys)

        return of

    x = ROWS[:3]
    close(pg.grad(loss(pg.scan))(x), pg.grad(loss(plain))(x))
    close(pg.hessian(loss(pg.scan))(x), pg.hessian(loss(plain))(x))
    close(pg.function(pg.grad(loss(pg.scan)))(x), pg.grad(loss(plain))(x))


def test_gradients_inside_the_body():
    def newton(start):
        def body(x, _):
            return x - pg.grad(lambda z: (z - 3) ** 2)(x) / 2, None

        return pg.scan(body, start, length=1)[0]

    assert newton(np.array(7.0)) == 3
    with pg.Graph() as graph:
        x = pg.placeholder()
        y = newton(x)
    assert pg.Session(graph).run(y, {x: 7.0}) == 3


def test_variables_assigned_before_in_a_function():
    w = pg.Variable(np.array(1.0))

    @pg.function
    def f(x):
        w.assign(x)
        return pg.scan(lambda c, _: (c * w, None), x, length=2)[0]

    assert f(np.array(3.0)) == 27


def test_equal_bodies_share_a_program():
    from palingrad.eager.control import _programs

    def f(k):
        return pg.scan(lambda c, x: (c * x + k, c), np.ones(2), ROWS[:, :2])[0]

    f(np.array([1.0, 2.0]))
    before = len(_programs)
    first = f(np.array([1.0, 2.0]))
    second = f(np.array([3.0, 4.0]))
    assert len(_programs) == before
    assert not np.array_equal(first.numpy(), second.numpy())


def test_fori_loop_and_map():
    assert pg.fori_loop(2, 5, lambda i, x: x * pg.cast(i, "float64"), np.array(1.0)) == 24
    assert pg.fori_loop(5, 2, lambda i, x: x + 1, np.array(1.0)) == 1
    rows, totals = pg.map(lambda x: (x * 2, pg.sum(x)), ROWS)
    close(rows, ROWS * 2)
    close(totals, ROWS.sum(1))
    close(pg.grad(lambda x: pg.sum(pg.map(lambda row: pg.sum(row) ** 2, x)))(ROWS),
          2 * ROWS.sum(1, keepdims=True) * np.ones(3))  # fmt: skip


def test_what_cannot_be_carried_is_said():
    with pytest.raises(ShapeError, match=r"carry has shape \(\) at the start and \(3,\) after"):
        pg.scan(lambda c, x: (c + x, None), np.array(0.0), ROWS)
    with pytest.raises(DTypeError, match=r"carry\['a'\] is float32 at the start and float64 after"):
        pg.scan(lambda c, x: ({"a": c["a"] * x}, None), {"a": np.float32(0)}, ROWS[:, 0])
    with pytest.raises(ArgumentError, match="keeps its structure"):
        pg.scan(lambda c, x: ((c, c), None), 0.0, ROWS)
    with pytest.raises(ArgumentError, match="not a pair of carry and y"):
        pg.scan(lambda c, x: c, 0.0, ROWS)
    with pytest.raises(ShapeError, match=r"first axes of xs, and length=, differ"):
        pg.scan(lambda c, x: (c, c), 0.0, [ROWS, ROWS[:2]])
    with pytest.raises(ArgumentError, match="number of steps is missing"):
        pg.scan(lambda c, x: (c, c), 0.0)
    with pytest.raises(GraphError, match=r"random numbers are drawn in the body"):
        pg.scan(lambda c, x: (c + pg.normal(()), None), 0.0, ROWS)
    with pytest.raises(GraphError, match=r"random numbers are drawn in the body"):
        pg.scan(lambda c, x: (c + pg.sum(pg.dropout(x, 0.5)), None), np.array(0.0), ROWS)
    w = pg.Variable(np.array(1.0))
    with pytest.raises(GraphError, match=r"random numbers are drawn in the body"):  # by its rule
        pg.map(lambda x: pg.gradients(pg.sum(pg.dropout(x * w, 0.5)), [w])[0], ROWS)
    with pytest.raises(GraphError, match=r"is assigned in the body"):
        pg.scan(lambda c, x: (w.assign(c), None), np.array(0.0), ROWS)
    with pytest.raises(GraphError, match=r"pg\.cond"):
        pg.scan(lambda c, x: (c if c > 0 else -c, None), np.array(0.0), ROWS)


def test_a_template_says_it_when_it_is_specialised():
    with pg.Graph() as graph:
        x = pg.placeholder()
        y, _ = pg.scan(lambda c, row: (c + row, None), x, ROWS)
    with pytest.raises(ShapeError, match=r"loop: carry 0 has shape \(\) at the start and \(3,\)"):
        pg.Session(graph).run(y, {x: 1.0})
    with pg.Graph() as graph:
        rows = pg.placeholder()
        y, _ = pg.scan(lambda c, row: (c + row, None), np.array(0.0), rows)
    assert pg.Session(graph).run(y, {rows: [1.0, 2.0]}) == 3
    with pytest.raises(ShapeError, match="no axis"):
        pg.Session(graph).run(y, {rows: 1.0})


def test_the_step_is_a_function_of_the_recurrence():
    carry, (squares, sums) = step(WEIGHTS)({"h": START, "total": 0.0}, ROWS[0])
    h = np.tanh(START @ WEIGHTS + ROWS[0])
    close(carry["h"], h)
    close(squares, h * h)
    close(sums, h.sum())
