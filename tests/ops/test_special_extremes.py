"""Incomplete gamma and beta functions and their densities at huge parameters and tiny arguments."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.special as sc
import scipy.stats

import palingrad as pg
from palingrad import special, stats


@pytest.mark.parametrize("a", [1e16, 3e18, 1e30, 1e100])
def test_tails_of_the_gamma_distribution_at_a_huge_parameter_are_the_normal_ones(a):
    x = a + np.array([-2.0, 0.0, 1.0]) * np.sqrt(a)
    assert np.allclose(special.gammainc(a, x).numpy(), sc.gammainc(a, x), rtol=1e-13, atol=0)
    assert np.allclose(special.gammaincc(a, x).numpy(), sc.gammaincc(a, x), rtol=1e-13, atol=0)
    bell = np.exp(-(((x - a) / np.sqrt(a)) ** 2) / 2) / np.sqrt(2 * np.pi * a)
    slope = pg.grad(lambda a: pg.sum(special.gammainc(a, x)))(np.full(3, a))
    assert np.allclose(stats.gamma.pdf(x, a).numpy(), bell, rtol=20 / np.sqrt(a) + 1e-13, atol=0)
    assert np.allclose(slope, -bell, rtol=20 / np.sqrt(a) + 1e-12, atol=0)


@pytest.mark.parametrize("large", [1e18, 1e30, 1e100])
@pytest.mark.parametrize("small", [0.5, 3.0, 100.0])
def test_a_beta_distribution_with_a_huge_parameter_is_a_gamma_distribution(small, large):
    y = small * np.array([0.4, 1.0, 2.0])
    x, a, b = y / large, np.full(3, small), np.full(3, large)
    for tail, limit in ((special.betainc, special.gammainc), (special.betaincc, special.gammaincc)):
        assert np.allclose(tail(a, b, x).numpy(), limit(a, y).numpy(), rtol=1e-13, atol=0)
        slope = pg.grad(lambda a, tail=tail: pg.sum(tail(a, b, x)))(a)
        expected = pg.grad(lambda a, limit=limit: pg.sum(limit(a, y)))(a)
        assert np.allclose(slope, expected, rtol=1e-12, atol=0)
    slope = pg.grad(lambda b: pg.sum(special.betainc(a, b, x)))(b)  # I depends on b x
    density = stats.gamma.pdf(y, a).numpy()
    assert np.allclose(slope, density * y / large, rtol=1e-12 * small, atol=0)
    assert np.allclose(stats.beta.pdf(x, a, b).numpy(), density * large, rtol=1e-12, atol=0)


def test_the_other_parameter_may_be_huge():
    a, b, x = np.array([1e100]), np.array([2.5]), np.array([0.5])
    assert stats.beta.pdf(x, a, b).numpy() == 0
    assert pg.grad(lambda b: pg.sum(special.betainc(a, b, x)))(b) == 0
    x = np.array([1 - 1e-16])
    a = 2.0 / (1 - x)
    density = stats.beta.pdf(x, a, b).numpy() / a
    assert np.allclose(density, stats.gamma.pdf(2.0, b).numpy(), rtol=1e-12, atol=0)


@pytest.mark.parametrize("df", [1e17, 1e30, 1e100, 1e300])
def test_a_t_distribution_with_many_degrees_of_freedom_is_the_normal_one(df):
    t = np.array([-3.0, -0.2, 0.0, 2.0, 10.0])
    for name in ("cdf", "sf", "logcdf", "logsf", "pdf"):
        value = getattr(stats.t, name)(t, df).numpy()
        assert np.allclose(value, getattr(scipy.stats.norm, name)(t), rtol=1e-12, atol=0), name
    assert np.isfinite(pg.grad(lambda df: pg.sum(stats.t.cdf(t, df)))(np.float64(df)))


@pytest.mark.parametrize(("z", "a"), [(1e-320, 0.5), (1e-320, 1.0), (1e-100, 3.5), (700.0, 3.0)])
def test_densities_whose_power_underflows(z, a):
    exact = mpmath.mpf(z) ** (a - 1) * mpmath.exp(-z) / mpmath.gamma(a)
    assert np.allclose(float(stats.gamma.pdf(z, np.array(a))), float(exact), rtol=1e-13, atol=0)
    if z < 1:
        exact = mpmath.mpf(z) ** (a - 1) * (1 - mpmath.mpf(z)) / mpmath.beta(a, 2)
        value = float(stats.beta.pdf(z, np.array(a), 2.0))
        assert np.allclose(value, float(exact), rtol=1e-13, atol=0)


@pytest.mark.parametrize(("x", "a", "b"), [(0.0, 150.0, 1e4), (1.0, 1e6, 1e6), (0.0, 3.5, 1e100)])
def test_the_beta_density_at_an_end_where_the_beta_function_underflows(x, a, b):
    value, slopes = pg.value_and_grad(stats.beta.pdf, argnums=(0, 1, 2))(x, a, b)
    assert value == 0
    assert slopes == (0, 0, 0)


def lower_beta(b, a, y):
    """I(y; b, a) by its series in y, whose terms alternate and grow to e^(a y)."""
    with mpmath.workdps(40 + int(a * y)):
        a, b, y = map(mpmath.mpf, (a, b, y))
        term, total, k = mpmath.mpf(1), mpmath.mpf(0), 0
        while k < a * y or abs(term) > mpmath.mpf(10) ** -mpmath.mp.dps:
            total += term / (b + k)
            term *= (k + 1 - a) / (k + 1) * y
            k += 1
        return y**b * total / mpmath.beta(a, b)


@pytest.mark.parametrize("a", [30.0, 1e3, 1e5])
@pytest.mark.parametrize("b", [0.3, 0.05, 1e-3, 1e-6])
def test_a_beta_distribution_with_one_small_and_one_large_parameter(a, b):
    """Near x = 1 − 1/a, where the continued fraction converges most slowly."""
    for q in (0.9, 1.0, 1.1, 3.0):
        x = 1 - q / a
        with mpmath.workdps(40):
            upper = lower_beta(b, a, 1 - mpmath.mpf(x))
            lower = 1 - upper
        for tail, exact in ((special.betainc, lower), (special.betaincc, upper)):
            found = tail(np.float64(a), np.float64(b), np.float64(x)).numpy()
            assert abs(found - exact) <= 3e-15 * exact, (q, tail)


def far_tail(t, df):
    """The probability beyond t in Student's distribution, for t² ≫ df."""
    a = df / 2
    x = df / (df + t * t)
    return x**a / (df * mpmath.beta(a, 0.5)) * (1 + x * a / (2 * a + 2))


@pytest.mark.parametrize("df", [1e-3, 0.1, 0.5, 1.0, 2.0, 5.0, 1e10])
@pytest.mark.parametrize("t", [1e11, 1e70, 1e155, 1e200, 1.7e308])
def test_far_tails_of_a_t_distribution(df, t):
    with mpmath.workdps(60):
        exact = far_tail(mpmath.mpf(t), mpmath.mpf(df))
        h = mpmath.mpf(df) * mpmath.mpf(10) ** -20
        slope = (far_tail(mpmath.mpf(t), df + h) - far_tail(mpmath.mpf(t), df - h)) / (2 * h)
    found = stats.t.cdf(np.float64(-t), df).numpy()
    assert found == stats.t.sf(np.float64(t), df).numpy()
    assert abs(found - exact) <= 4e-15 * exact + np.finfo(float).tiny
    moved = pg.grad(lambda df: stats.t.cdf(np.float64(-t), df))(np.float64(df))
    assert abs(moved - slope) <= 1e-13 * abs(slope) + np.finfo(float).tiny
    assert pg.grad(lambda df: stats.t.cdf(np.float64(t), df))(np.float64(df)) == -moved


@pytest.mark.parametrize("t", [1e6, 1e12, 1e19, 1e38])
def test_far_tails_of_a_t_distribution_in_float32_are_those_in_float64(t):
    df = np.array([1e-3, 0.1, 0.5, 1.0])
    for of in (
        lambda t, df: stats.t.cdf(t, df).numpy(),
        pg.grad(lambda t, df: pg.sum(stats.t.cdf(t, df)), 1),
        pg.grad(lambda t, df: pg.sum(pg.grad(lambda d: pg.sum(stats.t.cdf(t, d)))(df)), 1),
    ):
        narrow = of(np.float32(-t), df.astype(np.float32))
        wide = of(np.float64(np.float32(-t)), df.astype(np.float32).astype(np.float64))
        assert np.allclose(narrow, wide, rtol=1e-4, atol=1e-37)


@pytest.mark.parametrize(
    ("a", "x"), [(100.0, 0.0268), (51.79, 1.93e-5), (71.97, 1.39e-3), (62.0, 0.9)]
)
def test_the_density_of_the_gamma_distribution_keeps_its_factors_where_it_is_small(a, x):
    exact = float(mpmath.mpf(x) ** (mpmath.mpf(a) - 1) * mpmath.exp(-x) / mpmath.gamma(a))
    slope = pg.grad(lambda x: special.gammainc(a, x))(np.float64(x))
    assert np.allclose(slope, exact, rtol=1e-12, atol=1e-322)
    assert np.allclose(stats.gamma.pdf(x, a).numpy(), exact, rtol=1e-12, atol=1e-322)
