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


@pytest.mark.parametrize(
    ("a", "x"), [(100.0, 0.0268), (51.79, 1.93e-5), (71.97, 1.39e-3), (62.0, 0.9)]
)
def test_the_density_of_the_gamma_distribution_keeps_its_factors_where_it_is_small(a, x):
    exact = float(mpmath.mpf(x) ** (mpmath.mpf(a) - 1) * mpmath.exp(-x) / mpmath.gamma(a))
    slope = pg.grad(lambda x: special.gammainc(a, x))(np.float64(x))
    assert np.allclose(slope, exact, rtol=1e-12, atol=1e-322)
    assert np.allclose(stats.gamma.pdf(x, a).numpy(), exact, rtol=1e-12, atol=1e-322)
