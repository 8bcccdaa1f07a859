"""Passes for loops: merged, pruned, hoisted; products of all steps at once."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from control_loops import RNG, ROWS, START, WEIGHTS, close, loss_of, unrolled

ENGINES = [name for name in pg.engine_names() if name != "auto"]


def test_a_loop_and_its_gradient_share_the_forward_pass():
    from palingrad.ops.control.loop import Loop

    def loops(f, *arguments):
        program = pg.function(f)._compiled(arguments, {}).program
        return [node for node in program.order if type(node) is Loop]

    loss = loss_of(pg.scan)
    forward, backward = loops(pg.value_and_grad(loss), START, WEIGHTS, ROWS)
    assert forward.attributes["reverse"] is not backward.attributes["reverse"]
    assert len(backward.attributes["regions"][0].results) == 2  # no gradient of w or of a row
    assert len(loops(pg.grad(loss), START, WEIGHTS, ROWS)) == 2
    both = loops(lambda h: pg.jvp(lambda v: loss(v, WEIGHTS, ROWS), (h,), (h,)), START)
    assert len(both) == 1


def test_what_is_the_same_in_all_steps_is_computed_once():
    from palingrad.ops.control.loop import Loop

    def f(w, xs):
        return pg.scan(lambda c, x: (c * pg.sum(pg.sin(w)) + x, None), 0.0, xs)[0]

    xs = np.array([1.0, 2.0, 3.0])
    program = pg.function(f)._compiled((ROWS, xs), {}).program
    (loop,) = [node for node in program.order if type(node) is Loop]
    assert "sin" not in {node.kind_name() for node in loop.body.order}
    assert "sin" in {node.kind_name() for node in program.order}
    s = np.sin(ROWS).sum()
    close(pg.function(f)(ROWS, xs), (s + 2) * s + 3)


def test_loops_that_depend_on_each_other_stay_apart():
    def f(x, xs):
        once = pg.scan(lambda c, row: (pg.sin(c * row), None), x, xs)[0]
        return pg.scan(lambda c, row: (pg.sin(c * row), None), once, xs)[0]

    xs = np.array([1.0, 2.0])
    c = 0.3
    for row in (1.0, 2.0, 1.0, 2.0):
        c = np.sin(c * row)
    close(pg.function(f)(np.array(0.3), xs), c)
    close(pg.function(pg.grad(f))(np.array(0.3), xs), pg.grad(f)(np.array(0.3), xs))


def test_two_equal_loops_become_one():
    from palingrad.ops.control.loop import Loop

    def f(x, xs):
        pull = [pg.grad(lambda v: loss_of(pg.scan)(v, WEIGHTS, xs))(x) for _ in range(2)]
        return pull[0] + pg.grad(lambda v: pg.sum(pull[1] * v))(x)

    x = START
    first = pg.grad(lambda v: loss_of(unrolled)(v, WEIGHTS, ROWS))(x)
    close(pg.function(f)(x, ROWS), 2 * np.asarray(first))
    program = pg.function(f)._compiled((x, ROWS), {}).program
    assert sum(type(node) is Loop for node in program.order) == 2


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("reverse", [False, True])
def test_products_are_taken_of_all_steps_at_once(engine, reverse):
    """The gradients of weights, x w of the rows, and products that must stay inside."""

    def loss(scan):
        def of(w, v, xs):
            def f(c, x):
                h = pg.tanh(c[0] @ w + x @ v)
                return (h, c[1] + h.mT @ x, pg.sin(c[2]) + x.mT @ h), (x @ v, h)

            init = tuple(pg.tensor(np.zeros(s)) for s in ((2, 3), (3, 4), (4, 3)))
            (h, total, other), (first, hs) = scan(f, init, xs, reverse=reverse)
            return pg.sum(h) * pg.sum(total * total) + pg.sum(first * hs) + pg.sum(other)

        return of

    xs, w, v = RNG.normal(size=(5, 2, 4)), RNG.normal(size=(3, 3)), RNG.normal(size=(4, 3))
    f = pg.function(pg.value_and_grad(loss(pg.scan), (0, 1, 2)), engine=engine)
    value, slopes = f(w, v, xs)
    expected, others = pg.value_and_grad(loss(unrolled), (0, 1, 2))(w, v, xs)
    close(value, expected)
    for a, b in zip(slopes, others, strict=True):
        close(a, b)
    carries = [
        node.attributes["carries"]
        for node in f._compiled((w, v, xs), {}).program.order
        if node.kind_name() == "loop"
    ]
    assert carries == [2, 4]  # without `total`, and going back without the total of w


def test_a_sum_of_outer_products_is_one_product():
    """Against the gradient of a Python loop: both engines take the same passes."""
    w, xs = np.arange(6.0).reshape(2, 3) / 10, np.arange(12.0).reshape(4, 3) / 7

    def loss(w, scan):
        def body(c, x):
            return (pg.tanh(w @ x) + 0.5 * c, None)

        return pg.sum(pg.square(scan(body, np.ones(2), xs)[0]))

    def by_python(body, c, xs):
        for x in xs:
            c, _ = body(c, x)
        return c, None

    expected = pg.grad(lambda w: loss(w, by_python))(w)
    f = pg.function(pg.grad(lambda w: loss(w, pg.scan)), engine="native")
    np.testing.assert_allclose(f(w), expected, rtol=1e-12)


def test_a_recurrence_of_a_vector_needs_no_column():
    """∂(Wh)/∂h·g is a product with a vector, and the factors of ∂/∂W are stacked as vectors."""
    from palingrad.ops.control.loop import Loop

    w, h, xs = RNG.normal(size=(3, 3)), RNG.normal(size=3), RNG.normal(size=(4, 3))

    def loss(w, h, xs):
        return pg.sum(pg.scan(lambda h, x: (pg.tanh(w @ h + x), None), h, xs)[0])

    program = pg.function(pg.grad(loss, (0, 1)))._compiled((w, h, xs), {}).program
    _, backward = [node for node in program.order if type(node) is Loop]
    kinds = [node.kind_name() for node in backward.body.order]
    assert "expand_dims" not in kinds
    assert "matrix_transpose" not in kinds
    assert [y.shape for y in backward.body.results] == [(3,), (3,)]

    def by_python(w, h, xs):
        for x in xs:
            h = pg.tanh(w @ h + x)
        return pg.sum(h)

    for engine in ENGINES:
        found = pg.function(pg.grad(loss, (0, 1)), engine=engine)(w, h, xs)
        close(found[0], pg.grad(by_python, 0)(w, h, list(xs)))
        close(found[1], pg.grad(by_python, 1)(w, h, list(xs)))
