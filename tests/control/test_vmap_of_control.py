"""Loops and branches under pg.vmap equal a loop of Python over the examples, with derivatives."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import palingrad as pg
from control_loops import close
from palingrad.autodiff import batching
from palingrad.errors import ArgumentError
from palingrad.ops.control.loop import Loop
from palingrad.ops.control.while_loop import WhileLoop

ENGINES = [name for name in pg.engine_names() if name != "auto"]
XS = np.array([[0.5, 1.5, 0.25], [-0.75, 0.5, 2.25], [1.25, -0.5, 1.75], [2.5, 0.75, -0.25]])
W = np.array([0.75, -0.5, 0.625])
ROWS = np.random.default_rng(1).normal(size=(4, 3))


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
    return pg.cond(
        x[0] > 0, lambda v: pg.sum(pg.sqrt(v[0]) * v * w), lambda v: pg.sin(v[1]) ** 3, x
    )


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
    """Reads w[n], which exists while the condition holds; some examples begin with n = 1."""
    begin = pg.cast(x[0] > 1, "int64")
    n, v = pg.while_loop(
        lambda s: (s[0] < 3) & (s[1] < 2),
        lambda s: (s[0] + 1, s[1] + 0.25 * pg.take(w, s[0], axis=0) ** 2 * pg.exp(x[1])),
        (begin, x[2]), max_steps=5,
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


@cache
def by_python(f):
    """f of each example, its gradients, and the second derivatives by products with vectors."""
    values = [float(f(x, W)) for x in XS]
    slopes = [pg.grad(f, (0, 1))(x, W) for x in XS]
    second = [[pg.hvp(lambda v: f(v, W), (x,), (unit,)) for unit in np.eye(3)] for x in XS]
    return values, [np.stack(column) for column in zip(*slopes, strict=True)], second


def sums(f):
    return lambda xs, w: pg.sum(pg.vmap(f, (0, None))(xs, w))


@pytest.mark.parametrize("name", CASES)
def test_examples_at_once(name):
    f = CASES[name]
    values, (of_x, of_w), second = by_python(f)
    close(pg.vmap(f, (0, None))(XS, W), values)
    each = pg.vmap(pg.grad(f, (0, 1)), (0, None))(XS, W)
    close(each[0], of_x)
    close(each[1], of_w)
    total = pg.grad(sums(f), (0, 1))(XS, W)
    close(total[0], of_x)
    close(total[1], of_w.sum(0))
    jacobian = pg.jacobian(lambda x: pg.vmap(f, (0, None))(x, W))(XS)
    close(jacobian, np.eye(4)[:, :, None] * of_x)
    close(pg.vmap(pg.hessian(f), (0, None))(XS, W), second)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["scan", "guarded index", "until", "nested"])
def test_examples_at_once_in_functions(name, engine):
    f = CASES[name]
    values, (of_x, of_w), second = by_python(f)

    @pg.function(engine=engine)
    def everything(xs, w):
        at_once = pg.vmap(f, (0, None))(xs, w)
        total = pg.grad(sums(f), (0, 1))(xs, w)
        return at_once, total, pg.vmap(pg.hessian(f), (0, None))(xs, w)

    at_once, total, curves = everything(XS, W)
    close(at_once, values)
    close(total[0], of_x)
    close(total[1], of_w.sum(0))
    close(curves, second)


def test_nested_vmap():
    table = pg.vmap(pg.vmap(until_indexed, (0, None)), (None, 0))
    ws = np.stack([W, -0.5 * W])
    close(table(XS, ws), [[until_indexed(x, w) for x in XS] for w in ws])
    close(pg.vmap(pg.vmap(chosen, (None, 0)), (0, None), 1)(XS, ws),
          [[chosen(x, w) for x in XS] for w in ws])  # fmt: skip
    close(pg.vmap(lambda f: f, 1, 1)(ws), ws)


def test_a_branch_that_fails_is_not_computed_for_other_examples():
    def inverse(x):
        return pg.cond(x[0, 0] > 0, lambda: pg.linalg.inv(x), lambda: x)

    singular = np.zeros((2, 2))
    xs = np.stack([singular, np.eye(2), singular])
    close(pg.vmap(inverse)(xs), xs)
    close(pg.vmap(inverse)(xs[:1]), xs[:1])  # by no example
    slopes = pg.grad(lambda x: pg.sum(pg.vmap(inverse)(x)))(xs)
    close(slopes, [np.ones((2, 2)), -np.ones((2, 2)), np.ones((2, 2))])


def test_infinite_slopes_of_other_branches_are_absorbed():
    def f(x):
        return pg.cond(x > 0, pg.sqrt, lambda v: v * 2, x)

    def g(x):  # a factor of the product is infinite where it isn't chosen
        return pg.cond(x > 0, lambda: pg.stack([1 / x, x]) @ pg.stack([x, x]), lambda: x)

    close(pg.grad(lambda x: pg.sum(pg.vmap(f)(x)))(np.array([-1.0, 0.0, 4.0])), [2, 2, 0.25])
    close(pg.jvp(pg.vmap(f), (np.array([-1.0, 4.0]),), (np.ones(2),))[1], [2, 0.25])
    close(pg.grad(lambda x: pg.sum(pg.vmap(g)(x)))(np.array([0.0, 2.0])), [1, 4])


@pytest.mark.parametrize("engine", ENGINES)
def test_an_index_outside_is_an_error_for_any_example(engine):
    for branches in ([pg.sin, pg.cos], [pg.sin]):
        f = pg.vmap(lambda i, x, b=branches: pg.switch(i, b, x), (0, None))
        for index in (-1, 2):
            with pytest.raises(IndexError, match=r"[12] rows|size [12]"):
                pg.function(f, engine=engine)(np.array([0, index]), np.array(0.5))
            with pytest.raises(IndexError, match=r"[12] rows|size [12]"):
                f(np.array([0, index]), np.array(0.5))
    with pytest.raises(ArgumentError, match="index 2"):
        pg.vmap(lambda x: pg.switch(2, [pg.sin, pg.cos], x))(np.ones(2))


def test_no_examples():
    for f in (chosen, until_indexed, guarded_index, scan_with()):
        assert pg.vmap(f, (0, None))(XS[:0], W).shape == (0,)


def test_what_is_the_same_for_all_stays_so():
    """Carries, stacks and conditions that don't depend on the example have no axis for it."""

    def scanned(x):
        return pg.scan(lambda c, row: ((c[0] + 1, c[1] * x[0]), c[0]), (0, 1.0), ROWS)

    (counts, _), ys = pg.vmap(scanned, out_axes=((None, 0), None))(XS)
    assert int(counts) == 4
    close(ys, np.arange(4))
    steps = pg.vmap(lambda x: pg.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * x[0]),
                                            (0, 1.0))[0], out_axes=None)(XS)  # fmt: skip
    assert int(steps) == 3


def loops_in(f, *args):
    """The loops that a graph of f holds, those in their bodies too."""
    with pg.Graph():
        found = pg.vmap(f, (0, None))(*(pg.placeholder(x.shape, dtype=x.dtype) for x in args))
    stack, loops = [found], []
    while stack:
        for node in pg.postorder(stack.pop()):
            if isinstance(node, (Loop, WhileLoop)) and node not in loops:
                loops.append(node)
                stack.extend(y for region in node.regions for y in region.results)
    return loops


def test_a_batched_loop_is_one_loop_of_the_same_kind():
    (loop,) = loops_in(scan_with(reverse=True, checkpoint=True), XS, W)
    assert loop.attributes["reverse"]
    assert loop.attributes["checkpoint"]
    assert [x.shape for x in loop.body.parameters[:3]] == [(), (4, 3), (4, 3)]
    (loop,) = loops_in(until, XS, W)
    assert loop.attributes["max_steps"] == 12


def test_the_loss_and_its_gradient_share_the_batched_loop():
    """As without vmap: the loops are merged, so their bodies are rebuilt as the same nodes."""

    def loops(f):
        program = pg.function(f)._compiled((XS, W), {}).program
        return [node for node in program.order if type(node) is Loop]

    f = scan_with()
    assert len(loops(pg.vmap(pg.value_and_grad(f), (0, None)))) == 2
    assert len(loops(pg.value_and_grad(sums(f)))) == 2
    assert len(loops(pg.vmap(pg.hessian(f), (0, None)))) == len(loops(lambda x, w: pg.hessian(
        lambda v: f(v, w))(x[0])))  # fmt: skip


def test_loops_of_all_examples_are_native():
    """Also where a branch differs between examples: it is where, no branch."""

    def curved(x, w):
        return pg.scan(
            lambda c, row: (
                pg.cond(pg.sum(c) > 0, lambda v: pg.sin(v) * row, lambda v: v * x + w, c),
                None,
            ),
            x,
            ROWS,
        )[0]

    def of_rows(x, w):  # vmap in a loop
        return pg.scan(lambda c, row: (pg.sum(pg.vmap(lambda a: pg.sin(a * row) * c)(x)), None),
                       1.0, W)[0]  # fmt: skip

    for f in (pg.vmap(scan_with(), (0, None)), pg.vmap(curved, (0, None)), of_rows):
        text = str(pg.function(f, engine="native").explain(XS, W))
        assert "within one native call" in text


def test_a_bound_ends_a_loop_that_one_example_would_never_leave():
    def f(x):
        return pg.while_loop(lambda v: v < 10, lambda v: v * 2.0, x, max_steps=6)

    found = pg.function(pg.vmap(f))(np.array([1.0, 0.0, 20.0, 0.25]))
    np.testing.assert_array_equal(found, [16.0, 0.0, 20.0, 16.0])
    slopes = pg.vmap(pg.grad(f))(np.array([1.0, 0.0, 20.0, 0.25]))
    np.testing.assert_array_equal(slopes, [16.0, 64.0, 1.0, 64.0])
