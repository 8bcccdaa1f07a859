"""Minimisation and least squares: SciPy's methods with exact derivatives find known minima."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize, sparse

import palingrad as pg
from palingrad.errors import ArgumentError, GradientError

START = np.full(5, 1.3)
T = np.linspace(0, 1, 40)
Y = 3 * np.exp(-2 * T)


def rosenbrock(x: Any) -> Any:
    return pg.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def chain(x: Any) -> Any:
    """The residuals whose squares make up the Rosenbrock function."""
    return pg.concat([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])


def decay(p: Any) -> Any:
    return p[0] * pg.exp(p[1] * T) - Y


@pytest.mark.parametrize(
    "method",
    ["CG", "BFGS", "Newton-CG", "lbfgs", "TNC", "SLSQP", "dogleg", "trust-ncg", "trust-exact",
     "trust-krylov", "trust-constr", "Nelder-Mead", None],
)  # fmt: skip
def test_every_method_finds_the_minimum(method):
    found = pg.minimize(rosenbrock, START, method=method)
    assert found.success
    np.testing.assert_allclose(found.x, 1, atol=3e-3)


def test_second_derivatives_make_newton_take_few_steps():
    newton = pg.minimize(rosenbrock, START, method="trust-exact", tol=1e-10)
    np.testing.assert_allclose(newton.x, 1, atol=1e-9)
    assert newton.nhev < 20


def test_trees_arguments_bounds_and_constraints():
    def f(p: Any, target: Any) -> Any:
        return (p["a"] - target) ** 2 + pg.sum((p["b"] - 2 * target) ** 2)

    found = pg.minimize(f, {"a": 0.0, "b": np.zeros((2, 2))}, args=(3.0,))
    assert found.x["a"] == pytest.approx(3)
    np.testing.assert_allclose(found.x["b"], np.full((2, 2), 6), rtol=1e-5)
    bounded = pg.minimize(lambda x: pg.sum((x - 3) ** 2), np.zeros(2), bounds=[(0, 1), (0, 5)])
    np.testing.assert_allclose(bounded.x, [1, 3], rtol=1e-5)
    line = {"type": "eq", "fun": lambda x: x[0] + x[1] - 1}
    constrained = pg.minimize(lambda x: pg.sum(x**2), np.array([2.0, 0.0]), constraints=line)
    np.testing.assert_allclose(constrained.x, [0.5, 0.5], rtol=1e-6)


def test_scipy_takes_the_transforms_as_they_are():
    for f, options in (
        (rosenbrock, {"jac": pg.grad(rosenbrock)}),
        (pg.function(rosenbrock), {"jac": pg.function(pg.grad(rosenbrock))}),
        (pg.value_and_grad(rosenbrock), {"jac": True, "method": "L-BFGS-B"}),
        (pg.value_and_grad(rosenbrock), {"jac": True, "method": "SLSQP"}),
        (rosenbrock, {"jac": pg.grad(rosenbrock), "hess": pg.hessian(rosenbrock),
                      "method": "trust-exact"}),
        (rosenbrock, {"jac": pg.grad(rosenbrock), "hess": pg.sparse_hessian(rosenbrock),
                      "method": "trust-constr"}),
    ):  # fmt: skip
        found = optimize.minimize(f, START, **options)
        assert found.x.dtype == np.float64
        np.testing.assert_allclose(found.x, 1, atol=3e-3)
    slope = pg.grad(rosenbrock)(START)
    assert type(slope) is np.ndarray
    assert slope.dtype == np.float64
    fitted = optimize.least_squares(chain, START, jac=pg.sparse_jacobian(chain))
    np.testing.assert_allclose(fitted.x, 1, atol=1e-6)


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm", "gauss-newton"])
def test_least_squares_fits_a_curve(method):
    found = pg.least_squares(decay, np.array([1.0, -1.0]), method=method)
    assert found.success
    np.testing.assert_allclose(found.x, [3, -2], rtol=1e-6)


@pytest.mark.parametrize("method", ["trf", "gauss-newton"])
def test_the_jacobian_of_a_large_sparse_problem_is_sparse(method):
    found = pg.least_squares(chain, np.full(300, 0.9), method=method)
    assert sparse.issparse(found.jac)
    np.testing.assert_allclose(found.x, 1, atol=1e-6)


def test_gauss_newton_says_when_it_does_not_get_further():
    found = pg.least_squares(
        lambda x: pg.exp(x) + x**2 - 100, np.array([1.0]), method="gauss-newton", max_steps=2
    )
    assert not found.success
    assert "2 steps" in found.message


@pytest.mark.parametrize("name", ["LBFGS", "GaussNewton", "LevenbergMarquardt"])
def test_optimizers_of_the_whole_batch_assign_the_variables(name):
    a, b = (pg.Variable(start, dtype="float64") for start in (1.0, -1.0))
    fixed = pg.Variable(0.0, dtype="float64", trainable=False)

    def residuals() -> Any:
        return a * pg.exp(b * T) + fixed - Y

    def loss() -> Any:
        return pg.sum(residuals() ** 2)

    optimizer = getattr(pg.optim, name)(tolerance=1e-12)
    found = optimizer.minimize(loss if name == "LBFGS" else residuals)
    assert found.success
    np.testing.assert_allclose([a.numpy(), b.numpy()], [3, -2], rtol=1e-4)
    assert fixed.numpy() == 0
    optimizer.minimize(loss if name == "LBFGS" else residuals, [a])


def test_a_float32_variable_stays_one():
    x = pg.Variable([3.0, -1.0])
    pg.optim.LBFGS().minimize(lambda: pg.sum((x - 1) ** 2))
    assert x.dtype == np.float32
    np.testing.assert_allclose(x.numpy(), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: pg.minimize(3, START), ArgumentError, "expected a function"),
        (lambda: pg.minimize(rosenbrock, START, method="sgd"), ArgumentError, "expected one of"),
        (lambda: pg.minimize(rosenbrock, "x"), ArgumentError, "x0"),
        (lambda: pg.minimize(lambda x: x, START), GradientError, "scalar"),
        (lambda: pg.least_squares(chain, START, method="newton"), ArgumentError, "method"),
        (lambda: pg.least_squares(chain, START, tol=0), ArgumentError, "tol"),
        (lambda: pg.optim.LBFGS(max_steps=0), ArgumentError, "max_steps"),
        (lambda: pg.optim.LBFGS().minimize(pg.tensor(1.0)), ArgumentError, "function of no"),
        (lambda: pg.optim.LBFGS().minimize(lambda: pg.tensor(1.0)), GradientError, "no trainable"),
    ],
)
def test_what_cannot_be_minimised_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
