"""Roots, fixed points and trajectories: their values, and their derivatives to any order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, ConvergenceError, GradientError, ShapeError

MATRIX = np.random.default_rng(0).normal(size=(3, 3)) + 4 * np.eye(3)
B = np.arange(1.0, 4.0)
TIMES = np.linspace(0, 1, 3)
RATES = np.array([1.5, 1.0, 3.0, 1.0])


def equation(x: Any, b: Any, matrix: Any) -> Any:
    return matrix @ x + 0.1 * pg.tanh(x) - b


def predators(y: Any, t: Any, rates: Any) -> Any:
    """The equations of Lotka and Volterra, with a season."""
    caught = y[0] * y[1] * pg.cos(t)
    return pg.stack([rates[0] * y[0] - rates[1] * caught, rates[3] * caught - rates[2] * y[1]])


def test_a_root_solves_and_has_derivatives_of_every_order():
    def square_root(a: Any) -> Any:
        return pg.root(lambda x, a: x**2 - a, np.array(1.0), a)

    a = np.array(4.0)
    assert float(square_root(a)) == pytest.approx(2)
    expected = [1 / 4, -1 / 32, 3 / 256]
    f = square_root
    for slope in expected:
        f = pg.grad(f)
        assert float(f(a)) == pytest.approx(slope)


def test_the_slopes_of_a_root_of_several_unknowns_are_those_of_differences():
    def f(b, matrix):
        return pg.root(equation, np.zeros(3), b, matrix)

    np.testing.assert_allclose(equation(f(B, MATRIX), B, MATRIX).numpy(), 0, atol=1e-9)
    pg.check_gradients(f, B, MATRIX)
    tangent = pg.jvp(lambda b: f(b, MATRIX), (B,), (B,))[1]
    np.testing.assert_allclose(tangent, pg.jacobian(lambda b: f(b, MATRIX))(B) @ B, rtol=1e-9)


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_a_root_in_a_compiled_function(engine):
    pg.set_engine(engine)

    def f(b):
        return pg.sum(pg.root(equation, np.zeros(3), b, MATRIX) ** 2)

    np.testing.assert_allclose(pg.function(f)(B), f(B), rtol=1e-12)
    np.testing.assert_allclose(pg.function(pg.grad(f))(B), pg.grad(f)(B), rtol=1e-12)


def test_a_fixed_point_and_its_slope():
    def f(a):
        return pg.fixed_point(lambda x, a: pg.cos(a * x), np.array(1.0), a)

    assert float(f(np.array(1.0))) == pytest.approx(0.7390851332)
    pg.check_gradients(f, np.array(0.8))


def test_the_start_has_no_influence():
    slope = pg.grad(lambda x0: pg.root(lambda x: x**2 - 4, x0))(np.array(1.0))
    assert float(slope) == 0


def test_dopri5_and_rk4_solve_and_have_the_slopes_of_differences():
    exact = np.exp(-2 * TIMES)
    np.testing.assert_allclose(
        pg.odeint(lambda y, t, r: -r * y, np.array(1.0), TIMES, 2.0), exact, rtol=1e-7
    )
    coarse = pg.odeint(lambda y, t: -2 * y, np.array(1.0), TIMES, method="rk4", steps=40)
    np.testing.assert_allclose(coarse, exact, rtol=1e-7)
    start = np.array([1.0, 0.8])
    for options in ({}, {"method": "rk4", "steps": 2}):
        pg.check_gradients(
            lambda y0, rates, t, options=options: pg.odeint(predators, y0, t, rates, **options),
            start, RATES, TIMES,
        )  # fmt: skip


def test_the_second_derivative_of_a_trajectory():
    def end(rate: Any) -> Any:
        return pg.odeint(lambda y, t, r: -r * y, np.array(1.0), np.array([0.0, 1.0]), rate)[-1]

    found = pg.grad(pg.grad(end))(np.array(2.0))
    assert float(found) == pytest.approx(np.exp(-2), rel=1e-6)


def test_times_may_run_backwards_and_stand_still():
    back = pg.odeint(lambda y, t: -2 * y, np.exp(-2.0), np.array([1.0, 1.0, 0.0]))
    np.testing.assert_allclose(back, [np.exp(-2), np.exp(-2), 1], rtol=1e-7)


def _captured(a: Any) -> Any:
    return pg.root(lambda x: x * x - a, np.array(1.0))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: _captured(pg.Variable(2.0)), GradientError, r"isn't an argument.*pg\.root\("),
        (lambda: pg.grad(_captured)(np.array(4.0)), GradientError, "isn't an argument"),
        (lambda: pg.root(lambda x: x * x + 1, np.array(1.0)), ConvergenceError, "no solution"),
        (lambda: pg.root(lambda x: x[:1], np.ones(2)), ShapeError, r"shape \(1,\)"),
        (lambda: pg.root(3, np.ones(2)), ArgumentError, "expected a function"),
        (lambda: pg.root(pg.sin, np.arange(2)), ArgumentError, "array of floats"),
        (lambda: pg.fixed_point(lambda x: 2 * x + 1, 1.0), ConvergenceError, "converge"),
        (lambda: pg.odeint(lambda y, t: y, 1.0, 2.0), ShapeError, "vector of times"),
        (lambda: pg.odeint(lambda y, t: y[:1], np.ones(2), TIMES), ShapeError, "returned shape"),
        (lambda: pg.odeint(pg.sin, 1.0, TIMES, method="euler"), ArgumentError, "method"),
        (lambda: pg.odeint(lambda y, t: 1j * y, np.ones(1), TIMES), ArgumentError, "complex128"),
        (lambda: pg.odeint(lambda y, t: y, np.ones(1) + 0j, TIMES), ArgumentError, "two real ones"),
    ],
)
def test_what_has_no_solution_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("start", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("a", [2.0, 3.0, 7.0, 1e4])
def test_float32_meets_its_tolerance(start, a):
    start, a = np.float32(start), np.float32(a)
    x = pg.root(lambda x, a: x * x - a, start, a)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x, np.sqrt(a), rtol=1e-6)
    slope = pg.grad(lambda a: pg.root(lambda x, a: x * x - a, start, a))(a)
    np.testing.assert_allclose(slope, 0.5 / np.sqrt(a), rtol=1e-5)


def test_a_float32_iteration_that_ends_between_two_numbers():
    def f(x):  # jumps to and fro over the root between neighbours
        return x + pg.where(x < 1, 1, -1) * np.float32(1e-7) - (x - 1) * np.float32(0.5)

    x = pg.fixed_point(f, np.float32(0.3))
    assert x.dtype == np.float32
    np.testing.assert_allclose(x, 1, rtol=1e-5)
