"""Passes for branches and while loops: those that choose or repeat alike become one."""

from __future__ import annotations

import numpy as np

import palingrad as pg
from control_loops import agree, close
from palingrad.ops.control.branch import Switch
from palingrad.ops.control.while_loop import WhileLoop

X, Y = np.array([0.3, 0.7]), np.array([1.0, -2.0])


def many(kind, f, *arguments):
    """The number of operations of a kind in the Program, those in regions included."""
    stack, count = [*pg.function(f)._compiled(arguments, {}).program.order], 0
    while stack:
        node = stack.pop()
        count += type(node) is kind
        for region in node.attributes.get("regions", ()) if node.inputs else ():
            stack += region.order
    return count


def grown(x):
    """A while loop."""
    return pg.while_loop(lambda v: pg.sum(v) < 9, lambda v: v * 1.5 + pg.sin(v), x)


def chosen(x, y):
    """A branch in a branch."""
    inner = lambda: pg.cond(y[0] > 0, lambda: pg.sin(x) * y, lambda: x - y)  # noqa: E731
    return pg.cond(x[0] > 0, inner, lambda: pg.exp(x) + y)


def test_a_loop_and_its_tangents_are_one_loop():
    def f(x):
        value, first = pg.jvp(grown, (x,), (Y,))
        return value, first

    assert many(WhileLoop, f, X) == 1
    agree(f, X)
    h = 1e-6
    close_to = (grown(X + h * Y).numpy() - grown(X - h * Y).numpy()) / (2 * h)
    np.testing.assert_allclose(pg.function(f)(X)[1], close_to, rtol=1e-6)


def test_two_directions_of_one_loop_are_one_loop():
    def f(x):
        y, push = pg.linearize(grown, x)
        return y, push(Y), push(X)

    agree(f, X)

    def shared(x, a, b):
        last = grown(x)
        return pg.jvp(lambda x: last * 1.0 + grown(x), (x,), (a,)), b

    agree(shared, X, Y, X)


def test_branches_of_one_index_are_one_branch():
    def f(x, y):
        return pg.jvp(chosen, (x, y), (y, x))

    assert many(Switch, f, X, Y) == 2
    for x in (X, -X):
        for y in (Y, -Y):
            agree(f, x, y)


def test_what_depends_on_each_other_stays_apart():
    def f(x, y):
        once = pg.cond(x[0] > 0, lambda: x * y, lambda: x + y)
        return pg.cond(x[0] > 0, lambda: once * 2, lambda: once - 1), grown(grown(X) * 0.01)

    assert many(Switch, f, X, Y) == 2
    assert many(WhileLoop, f, X, Y) == 2
    for x in (X, -X):
        agree(f, x, Y)
        once = x * Y if x[0] > 0 else x + Y
        close(pg.function(f)(x, Y)[0], once * 2 if x[0] > 0 else once - 1)


def test_loops_with_other_starts_or_bounds_stay_apart():
    def loop(x, most):
        return pg.while_loop(lambda v: pg.sum(v) < 9, lambda v: v * 1.5, x, max_steps=most)

    def f(x, y):
        return loop(x, 3), loop(x, 4), loop(y * y, 3)

    assert many(WhileLoop, f, X, Y) == 3
    agree(f, X, Y)


def test_loops_with_the_same_condition_and_other_bodies_stay_apart():
    from palingrad.graph.context import graph_scope
    from palingrad.graph.kinds import AnonymousGraph
    from palingrad.graph.regions.region import Region

    def f(x):
        first = grown(x).inputs[0]
        asked, body = first.regions
        with graph_scope(AnonymousGraph(), hidden=True):
            other = Region(body.parameters, (body.parameters[0] * 3.0,))
        attributes = {**first.attributes, "regions": (asked, other)}
        second = WhileLoop.applied(first.inputs, attributes)
        return first.items[0], second.items[0]

    assert many(WhileLoop, f, X) == 2
    agree(f, X)
    close(pg.function(f)(X + 0.1)[1], (X + 0.1) * 9.0)


def test_the_loop_of_values_is_part_of_the_loop_of_tangents_under_vmap():
    """The tangents' loop is rebuilt for all examples, that of the values isn't."""

    def value_and_slope(x):
        def push(t):
            return pg.jvp(grown, (x,), (t,))

        return pg.vmap(push, out_axes=(None, 0))(np.eye(2))

    assert many(WhileLoop, value_and_slope, X) == 1
    value, slopes = pg.function(value_and_slope)(X)
    close(value, grown(pg.tensor(X)))
    step = 1e-6
    for n, row in enumerate(np.eye(2)):
        near = [np.asarray(grown(pg.tensor(X + s * row))) for s in (step, -step)]
        np.testing.assert_allclose(slopes[n], (near[0] - near[1]) / (2 * step), rtol=1e-6)
    agree(value_and_slope, X)


def test_loops_that_differ_in_the_body_are_not_part_of_each_other():
    def f(x):
        def body(factor):
            return lambda c: (c[0] * factor, c[1] + 1.0)

        def loop(factor, init):
            return pg.while_loop(lambda c: pg.sum(c[0]) < 9, body(factor), init)

        more = pg.while_loop(
            lambda c: pg.sum(c[0]) < 9, lambda c: (c[0] * 1.5, c[1] + 1.0, c[2] - c[0]), (x, 0.0, x)
        )
        return *loop(1.25, (x, 0.0)), *loop(1.5, (x, 0.0)), *more

    assert many(WhileLoop, f, X) == 2
    agree(f, X)
