"""Carries that stay 0 are dropped, and nothing else: the results are those of the plain loop."""

import numpy as np
import pytest

import palingrad as pg
from palingrad.graph.regions.regional import Regional
from palingrad.passes.pipeline import optimise
from palingrad.passes.program import Program

X = np.array([0.5, -1.0])


def regionals(f, *arrays):
    """The loops and branches of the optimised program, and its values by each engine."""
    with pg.Graph():
        given = [pg.placeholder(x.shape, dtype=x.dtype) for x in arrays]
        results = pg.trees.leaves(f(*given))
        program = optimise(Program(tuple(given), tuple(results)))
    plain = pg.trees.leaves(f(*map(pg.tensor, arrays)))
    for engine in ("numpy", "native"):
        found = pg.trees.leaves(pg.function(f, engine=engine)(*arrays))
        for a, b in zip(found, plain, strict=True):
            np.testing.assert_allclose(a, b.numpy(), rtol=1e-12)
    return [node for node in program.order if isinstance(node, Regional)]


def carries(loops):
    return [loop.attributes["carries"] for loop in loops]


def test_a_carry_that_nothing_asked_for_depends_on_has_no_cotangent():
    """y doesn't depend on x, though the other carry does: the reverse pass has one carry."""

    def f(x, y):
        def step(c, _):
            total, y = c
            return (total + pg.sum(x * y), y * 0.5 + pg.sin(y)), None

        (_, last), _ = pg.scan(step, (0.0, y), length=5)
        return pg.gradients(pg.sum(last), [x, y])

    loops = regionals(f, X, X)
    assert carries(loops)[-1] == 1  # ∂L/∂y; without the pass there are three
    x_slope = pg.function(f, engine="numpy")(X, X)[0]
    np.testing.assert_array_equal(x_slope, 0)


def test_bounded_while_loops_and_branches_lose_theirs_too():
    def f(x, y):
        def body(c):
            total, y = c
            y = pg.cond(pg.sum(y) > 0, lambda: y * 0.5, lambda: y * 0.25 - 0.1)
            return total + pg.sum(x * y), y

        _, last = pg.while_loop(lambda c: pg.sum(c[1]) < 3, body, (0.0, y), max_steps=6)
        return pg.gradients(pg.sum(last * last), [x, y])

    back = [loop for loop in regionals(f, X, X) if loop.attributes.get("reverse")]
    assert carries(back) == [1]


@pytest.mark.parametrize(
    ("step", "start"),
    [
        (lambda c: c + 1, 0.0),
        (lambda c: c * X[0] + pg.cos(c), 0.0),
        (lambda c: -c, 0.0),  # −0
        (lambda c: c * np.inf, 0.0),  # NaN
        (lambda c: c * 2, -0.0),
        (lambda c: pg.where(c > 0, c, 1), 0.0),
        (lambda c: pg.maximum(c, 1), 0.0),
    ],
)
@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_a_carry_that_is_not_0_stays(step, start, engine):
    def f(x):
        return pg.scan(lambda c, _: (step(c), c), np.float64(start), length=3)

    expected, rows = np.float64(start), []
    with np.errstate(invalid="ignore"):
        for _ in range(3):
            rows.append(expected)
            expected = pg.tensor(step(pg.tensor(expected))).numpy()
    last, found = pg.function(f, engine=engine)(X)
    np.testing.assert_array_equal(last, expected)
    np.testing.assert_array_equal(np.signbit(last), np.signbit(expected))
    np.testing.assert_array_equal(found, rows)


def test_a_carry_of_zeros_is_dropped_only_with_all_that_feed_it():
    """Two carries that swap: both stay 0, or neither does."""

    def swap(first, second):
        def f(x):
            step = lambda c, _: ((c[1], c[0], c[2] + c[0]), None)  # noqa: E731
            return pg.scan(step, (first, second, pg.sum(x)), length=3)[0]

        return f

    zero, one = np.float64(0), np.float64(1)
    (loop,) = regionals(swap(zero, zero), X)
    assert loop.attributes["carries"] == 1
    (loop,) = regionals(swap(zero, one), X)
    assert loop.attributes["carries"] == 3
