"""Large, small and special numbers: no overflow, no cancellation, no NaN that need not be."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

import palingrad as pg
from tolerances import assert_close, assert_same

LARGE = np.array([-1000.0, -30.0, -1e-9, 0.0, 1e-9, 30.0, 1000.0])


def digits(function):
    def rounded(x):
        with mpmath.workdps(600):
            return float(function(mpmath.mpf(x)))

    return np.array([rounded(x) for x in LARGE])


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("function", "reference"),
    [
        (pg.sigmoid, lambda x: 1 / (1 + mpmath.exp(-x))),
        (pg.softplus, lambda x: mpmath.log(1 + mpmath.exp(x))),
        (pg.log_sigmoid, lambda x: -mpmath.log(1 + mpmath.exp(-x))),
        (pg.silu, lambda x: x / (1 + mpmath.exp(-x))),
        (pg.tanh, mpmath.tanh),
        (pg.erf, mpmath.erf),
        (lambda x: pg.logaddexp(x, 0.0), lambda x: mpmath.log(1 + mpmath.exp(x))),
        (lambda x: pg.expm1(x / 1000), lambda x: mpmath.expm1(x / 1000)),
    ],
    ids=["sigmoid", "softplus", "log_sigmoid", "silu", "tanh", "erf", "logaddexp", "expm1"],
)
def test_the_relative_error_is_small_everywhere(function, reference):
    found, expected = function(pg.tensor(LARGE)).numpy(), digits(reference)
    tiny = np.finfo(np.float64).tiny
    scale = np.maximum(np.abs(expected), tiny)
    assert_close(found / scale, expected / scale)


@pytest.mark.tiny
def test_softmax_and_its_logarithm_of_large_numbers():
    x = np.array([1000.0, 1001.0, 999.0])
    expected = np.exp(x - 1001) / np.exp(x - 1001).sum()
    assert_close(pg.softmax(x).numpy(), expected)
    assert_close(pg.log_softmax(x).numpy(), np.log(expected))
    assert_close(pg.logsumexp(x).numpy(), 1001 + np.log(np.exp(x - 1001).sum()))
    assert_close(pg.log_softmax([0.0, -1e4]).numpy(), np.array([0.0, -1e4], np.float32))


def test_sums_of_exponentials_of_infinities_and_of_nothing():
    assert pg.logsumexp([-np.inf, -np.inf]).item() == -np.inf
    assert pg.logsumexp([np.inf, 0.0]).item() == np.inf
    assert pg.logsumexp([-np.inf, 3.0]).item() == 3.0
    assert_same(pg.logsumexp(np.zeros((0, 2)), axis=0).numpy(), np.full(2, -np.inf))
    assert_same(pg.softmax([-np.inf, 0.0]).numpy(), np.array([0.0, 1.0], np.float32))
    assert_same(pg.grad(pg.logsumexp)(np.array([-np.inf, 3.0])), np.array([0.0, 1.0]))


@pytest.mark.tiny
def test_cross_entropy_of_sure_and_wrong_guesses():
    logits = np.array([[1000.0, 0.0], [0.0, -1000.0]])

    def loss(x):
        return pg.cross_entropy(x, np.array([1, 0]), reduction="sum")

    assert loss(logits).item() == 1000.0
    assert_same(pg.grad(loss)(logits), np.array([[1.0, -1.0], [0.0, 0.0]]))


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("naive", "expected"),
    [
        (lambda x: pg.log(1 + pg.exp(x)), 1000.0),
        (lambda x: pg.log(pg.exp(x) + 1), 1000.0),
        (lambda x: pg.log1p(pg.exp(x)), 1000.0),
        (lambda x: pg.log(pg.sigmoid(-x)), -1000.0),
        (lambda x: pg.log(pg.softmax(pg.stack([x, 0 * x])))[1], -1000.0),
        (lambda x: pg.log(pg.sum(pg.exp(pg.stack([x, x])), axis=0)), 1000.0 + np.log(2)),
    ],
)
def test_a_program_prefers_the_stable_form(naive, expected):
    x = np.array(1000.0)
    assert_close(pg.function(naive)(x), np.asarray(expected))
    p = pg.placeholder()
    assert_close(pg.Session().run(naive(p), {p: x}), np.asarray(expected))


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_a_power_of_a_norm_keeps_its_value_in_programs(engine):
    """Only its derivative is computed without the root: Σ x² wraps or underflows."""
    norm = pg.vector_norm
    for f, x in [
        (lambda x: norm(x) ** 2, np.array([100, 100], np.int8)),
        (lambda x: norm(x) ** 3, np.array([2**40, 2**40])),
        (lambda x: norm(x) * norm(x), np.array([True, True])),
        (lambda x: norm(x) ** 2, np.full(1000, 1e-4, np.float16)),
        (lambda x: pg.sqrt(x) ** 2, np.array([-0.0, 4.0, -1.0])),
        (lambda x: pg.hypot(x, np.nan) ** 2, np.array([np.inf])),
    ]:
        found, expected = pg.function(f, engine=engine)(x), f(x).numpy()
        assert_close(found, expected)
        assert_same(np.signbit(found), np.signbit(expected))


def test_a_power_of_a_norm_keeps_its_slope_where_the_sum_of_squares_underflows():
    for norm, x in [
        (pg.vector_norm, np.full(1000, 1e-4, np.float16)),
        (pg.vector_norm, np.full(3, 1e-24, np.float32)),
        (lambda x: pg.hypot(x[0], x[1]), np.full(2, 1e-170)),
    ]:
        (slope, *_), first = pg.grad(lambda x, norm=norm: norm(x) ** 2.5)(x), float(x[0])
        expected = 2.5 * (math.sqrt(x.size) * first) ** 0.5 * first
        assert slope / expected == pytest.approx(1, rel=0.01)  # subnormal in float16


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_higher_derivatives_of_activations_vanish_at_large_and_infinite_numbers(dtype):
    x = np.array([100, 200, np.finfo(dtype).max, np.inf], dtype)
    x = np.concatenate([x, -x])  # the slope of silu at −100 is −4·10⁻⁴²
    for f in (pg.silu, pg.gelu, lambda x: pg.gelu(x, approximate=True), pg.erf, pg.erfc):

        def second(x, f=f):
            return pg.grad(lambda x: pg.sum(pg.grad(lambda x: pg.sum(f(x)))(x)))(x)

        third = pg.grad(lambda x, f=second: pg.sum(f(x)))
        assert np.max(np.abs(second(x))) <= 1e-30
        assert np.max(np.abs(third(x))) <= 1e-30
        assert np.isnan(second(np.array([np.nan], dtype))).all()


def test_slopes_of_inverse_hyperbolic_functions_survive_the_overflow_of_x_squared():
    for dtype, x in [(np.float16, 1e4), (np.float32, 1e25), (np.float64, 1e200)]:
        for f in (pg.asinh, pg.acosh):
            assert pg.grad(f)(np.array(x, dtype)) * x == pytest.approx(1, rel=1e-2)


def test_a_standard_deviation_neither_overflows_nor_underflows_before_its_result_does():
    for dtype, unit in [(np.float32, 1e-30), (np.float32, 1e30), (np.float64, 1e-200)]:
        x = np.array([0, 0, 3, 3], dtype) * dtype(unit)
        for engine in ("numpy", "native"):
            found, slope = pg.function(pg.value_and_grad(pg.std), engine=engine)(x)
            assert found / unit == pytest.approx(1.5)
            assert_close(slope, np.array([-0.25, -0.25, 0.25, 0.25], dtype))


def test_slopes_of_logsumexp_at_infinity_are_those_of_logaddexp():
    slope = pg.grad(pg.logsumexp)
    assert_same(slope(np.array([np.inf, 1.0])), np.array([1.0, 0.0]))
    assert_same(slope(np.array([np.inf, -np.inf])), np.array([1.0, 0.0]))
    assert_same(slope(np.array([np.inf, np.inf])), np.array([0.5, 0.5]))
    assert np.isnan(slope(np.array([np.inf, np.nan]))).all()


def test_derivatives_at_the_edge_of_a_domain():
    for function, x, expected in [
        (pg.sqrt, 0.0, np.inf), (pg.cbrt, 0.0, np.inf), (pg.log, 0.0, np.inf), (pg.abs, 0.0, 0.0),
        (pg.relu, 0.0, 0.0), (pg.asin, 1.0, np.inf), (pg.sigmoid, -1000.0, 0.0),
        (pg.softplus, 1000.0, 1.0), (pg.tanh, 1000.0, 0.0), (lambda x: x**2.0, 0.0, 0.0),
        (lambda x: x**0.0, 0.0, 0.0), (lambda x: x**1.0, 0.0, 1.0), (lambda x: 0.0**x, 2.0, 0.0),
        (lambda x: pg.maximum(x, 0.0), 0.0, 0.5), (lambda x: pg.clip(x, 0.0, 1.0), 0.0, 1.0),
    ]:  # fmt: skip
        assert_close(pg.grad(function)(np.array(x)), np.array(expected), str(x))


def test_ties_share_the_gradient():
    assert_same(pg.grad(pg.max)(np.array([3.0, 1, 3])), np.array([0.5, 0, 0.5]))
    assert_same(pg.grad(pg.min)(np.array([3.0, 1, 1])), np.array([0, 0.5, 0.5]))
    of_x, of_y = pg.grad(pg.minimum, (0, 1))(np.array(2.0), np.array(2.0))
    assert (of_x, of_y) == (0.5, 0.5)


def test_a_product_with_zeros_has_the_gradient_of_the_others():
    assert_same(pg.grad(pg.prod)(np.array([2.0, 0, 3])), np.array([0.0, 6, 0]))
    assert_same(pg.grad(pg.prod)(np.array([0.0, 0, 3])), np.zeros(3))


def test_means_of_nothing_are_nan_and_sums_are_not():
    assert np.isnan(pg.mean(np.zeros(0)).numpy())
    assert pg.sum(np.zeros(0)).item() == 0
    assert pg.prod(np.zeros(0)).item() == 1
    assert pg.std([3.0], correction=1).item() != 0  # 0/0


@pytest.mark.parametrize("f", [
    lambda x: pg.vector_norm(x) ** 2,
    lambda x: pg.vector_norm(x) * pg.vector_norm(x),  # two nodes
    lambda x: pg.square(pg.linalg.norm(x)),
    lambda x: pg.linalg.matrix_norm(x[None]) ** 2,
    lambda x: pg.linalg.norm(x[None], "fro") ** 2,
    lambda x: pg.hypot(x[0], x[1]) ** 2,
    lambda x: pg.sum(pg.abs(x) ** 2),
    lambda x: pg.sum(pg.abs(x) * pg.abs(x)),
    lambda x: pg.sum(pg.abs(pg.complex(x, 0.0)) ** 2),
    lambda x: 2 * pg.std(x) ** 2 + pg.sum(x) ** 2 / 2,  # (x − y)²/2 + (x + y)²/2
])  # fmt: skip
def test_the_square_of_a_root_is_smooth_at_zero(f):
    assert_close(pg.hessian(f)(np.zeros(2)), 2 * np.eye(2))
