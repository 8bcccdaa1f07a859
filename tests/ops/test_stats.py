"""pg.stats: SciPy's values and signatures, derivatives in all arguments, edges of the support."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats as scipy_stats

import palingrad as pg
from palingrad.errors import ArgumentError, DTypeError, ShapeError, UnknownNameError

stats: Any = pg.stats
scipys: Any = scipy_stats
FUNCTIONS = "pdf logpdf cdf sf logcdf logsf".split()
INF, NAN = np.inf, np.nan
# Shape parameters, of which each row is one distribution, and points inside of every support.
UNIVARIATE = {
    "norm": ([()], [-3.0, 0.0, 0.4, 8.0]),
    "t": ([(1,), (0.5,), (3.5,), (100,), (INF,), (-1,)], [-12.0, -0.4, 0.7, 3.0]),
    "gamma": ([(0.5,), (1,), (2,), (30,), (-1,)], [0.2, 0.9, 2.0, 5.0]),
    "chi2": ([(1,), (2,), (4,), (7.5,), (0,)], [0.2, 0.9, 2.0, 7.0]),
    "beta": ([(0.5, 0.5), (1, 1), (2, 3), (1, 2), (50, 0.3), (2, -1)], [0.1, 0.5, 0.7, 0.95]),
}
POINTS = [-INF, -30, -2.5, -1, -0.3, 0, 1e-9, 0.2, 0.5, 1, 1.7, 4, 30, 1e3, NAN]
SMALL = 1e-5


def parameters(name):
    shapes = UNIVARIATE[name][0]
    return [np.array(one, float)[:, None] for one in zip(*shapes, strict=True)]


@pytest.mark.parametrize("name", UNIVARIATE)
def test_values_are_scipys(name):
    x, ps = np.array(POINTS), parameters(name)
    if name == "t":
        x = x[x != 1e-9]  # SciPy's stdtr is ½ there
    for placed in ((), (0.3, 2.0), (0.3,), (0.0, -1.0)):
        for function in FUNCTIONS:
            ours = getattr(getattr(stats, name), function)(x, *ps, *placed).numpy()
            with np.errstate(all="ignore"):
                theirs = getattr(getattr(scipys, name), function)(x, *ps, *placed)
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-300, err_msg=function)


def test_poisson_has_scipys_values():
    k, mu = np.array([-1, -0.5, 0, 1, 2, 2.5, 7, 40, NAN]), np.array([[0.0], [0.3], [4], [-1]])
    for function in "pmf logpmf cdf sf logcdf logsf".split():
        ours = getattr(stats.poisson, function)(k, mu, 0).numpy()
        with np.errstate(all="ignore"):
            theirs = getattr(scipys.poisson, function)(k, mu, 0)
        # SciPy's logcdf is log(cdf), which loses the digits of a small rest.
        np.testing.assert_allclose(
            ours, theirs, rtol=1e-10, atol=1e-15 if "logcdf" in function else 1e-300
        )
    assert stats.poisson.pmf(3, 2.0, loc=1).numpy() == stats.poisson.pmf(2, 2.0).numpy()


@pytest.mark.parametrize("name", UNIVARIATE)
def test_derivatives_in_all_arguments_are_differences_of_scipys(name):
    shapes, x = UNIVARIATE[name]
    ps = [np.array(shape, float) for shape in shapes[2:3] or shapes]
    arguments = [np.array(x), *ps[0], np.float64(-0.05), np.float64(1.3)]
    for function in FUNCTIONS:
        ours, theirs = (getattr(getattr(one, name), function) for one in (stats, scipys))
        places = tuple(range(len(arguments)))
        found = pg.grad(lambda *a, f=ours: pg.sum(f(*a)), argnums=places)(*arguments)
        for place in places:
            up, down = list(arguments), list(arguments)
            up[place], down[place] = up[place] + SMALL, down[place] - SMALL
            slope = (theirs(*up) - theirs(*down)) / (2 * SMALL)
            slope = slope if place == 0 else np.sum(slope)
            np.testing.assert_allclose(found[place], slope, rtol=3e-7, atol=1e-9)


def test_the_poisson_distribution_is_differentiable_in_its_rate():
    k = np.array([0.0, 2, 5])
    for function in "pmf logpmf cdf sf logcdf logsf".split():
        ours, theirs = (getattr(one.poisson, function) for one in (stats, scipys))
        found = pg.grad(lambda mu, f=ours: pg.sum(f(k, mu)))(np.float64(2.3))
        slope = np.sum(theirs(k, 2.3 + SMALL) - theirs(k, 2.3 - SMALL)) / (2 * SMALL)
        np.testing.assert_allclose(found, slope, rtol=1e-7)
    at_0 = pg.jacobian(lambda mu: stats.poisson.pmf(np.array([0.0, 1, 2]), mu))(np.float64(0))
    np.testing.assert_array_equal(at_0, [-1, 1, 0])
    assert pg.grad(lambda k: stats.poisson.logpmf(k, 2.0))(np.float64(3)) == 0  # a step function


def test_second_derivatives_of_students_distribution_function():
    """Also at t = 0, where formulas by the incomplete beta function have a removable pole."""

    def f(v: Any) -> Any:
        return stats.t.cdf(v[0], v[1])

    for t, df in ((0.0, 3.5), (-7.0, 2.5)):
        v = np.array([t, df])
        gradient = pg.grad(f)
        rows = [(gradient(v + e) - gradient(v - e)) / (2 * SMALL) for e in SMALL * np.eye(2)]
        np.testing.assert_allclose(pg.hessian(f)(v), rows, rtol=1e-6, atol=1e-9)
    mixed = pg.grad(lambda t: pg.grad(lambda df: stats.t.cdf(t, df))(3.5))(np.float64(0))
    np.testing.assert_allclose(mixed, pg.grad(lambda df: stats.t.pdf(0.0, df))(np.float64(3.5)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_students_distribution_has_second_derivatives_at_zero_and_at_the_ends(dtype):
    """In float32 too, where powers of a small t overflow sooner."""
    t = np.array([0.0, 0.0, 0.0, INF, -INF, 0.5], dtype)
    df = np.array([0.5, 2.0, 1e4, 2.0, 3.0, INF], dtype)
    for of in (0, 1):
        gradient = pg.grad(lambda t, df: pg.sum(stats.t.cdf(t, df)), of)
        for by in (0, 1):
            second = pg.grad(lambda t, df, f=gradient: pg.sum(f(t, df)), by)(t, df)
            assert np.isfinite(second).all(), (of, by, second)
            if of != by:
                slope = pg.grad(lambda df: pg.sum(stats.t.pdf(t, df)))(df)
                np.testing.assert_allclose(second, slope, rtol=1e-5, atol=1e-12)


def test_second_derivatives_of_students_distribution_are_the_normal_ones_for_df_infinite():
    t = np.array([-1.5, 0.0, 0.5, 3.0])
    df = np.full(4, INF)
    second = pg.grad(lambda t: pg.sum(pg.grad(lambda t: pg.sum(stats.t.cdf(t, df)))(t)))(t)
    third = pg.grad(lambda t: pg.sum(pg.grad(lambda t: pg.sum(stats.t.pdf(t, df)))(t)))(t)
    bell = np.exp(-t * t / 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(second, -t * bell, rtol=1e-13)
    np.testing.assert_allclose(third, (t * t - 1) * bell, rtol=1e-13)


@pytest.mark.parametrize("df", [0.5, 3.0])
def test_second_derivatives_of_students_distribution_far_out(df):
    t = np.array([-1e7, 1e5, 1e8])
    second = pg.grad(lambda t: pg.sum(pg.grad(lambda t: pg.sum(stats.t.cdf(t, df)))(t)))(t)
    density = scipy_stats.t.pdf(t, df)
    np.testing.assert_allclose(second, -(df + 1) * t / (df + t * t) * density, rtol=1e-9, atol=0)


def test_mixed_derivatives_of_students_distribution_where_a_square_overflows():
    def mixed(t: Any, df: Any) -> Any:
        return pg.grad(lambda t: pg.grad(lambda df: stats.t.cdf(t, df))(df))(t)

    found = mixed(np.float32(-1e20), np.float32(0.25))
    np.testing.assert_allclose(found, mixed(np.float64(-1e20), np.float64(0.25)), rtol=1e-4)


@pytest.mark.parametrize("name", UNIVARIATE)
def test_gradients_are_numbers_on_the_whole_support(name):
    """Also at its ends, in far tails and outside of it."""
    x = np.array([-INF, -1e4, -1, 0, 1e-300, 0.5, 1, 1e4, INF])
    for shape in UNIVARIATE[name][0][1:3] or [()]:
        ps = [np.full(x.shape, one, float) for one in shape]
        for function in FUNCTIONS:
            y, back = pg.vjp(getattr(getattr(stats, name), function), x, *ps)
            slopes = np.stack(back(np.ones_like(x)))
            assert not np.isnan(slopes[:, y < INF]).any(), (shape, function, slopes)


def test_slopes_at_the_ends_of_the_support():
    slope = pg.grad(lambda x: stats.gamma.pdf(x, 1.0))(np.float64(0))
    assert slope == -1
    assert pg.grad(lambda x: stats.gamma.pdf(x, 2.0))(np.float64(0)) == 1
    np.testing.assert_allclose(pg.grad(lambda x: stats.beta.pdf(x, 2.0, 3.0))(np.float64(0)), 12)
    assert pg.grad(lambda x: stats.beta.pdf(x, 1.0, 1.0))(np.float64(1)) == 0


def test_every_style_and_engine_gives_the_same():
    x = np.array([0.2, 0.5, 0.9])

    def f(x: Any, a: Any, cov: Any) -> Any:
        each = stats.norm.logcdf(x, a), stats.t.cdf(x, a), stats.gamma.logpdf(x, a)
        each += stats.beta.sf(x, a, 2.0), stats.chi2.logsf(x, a), stats.poisson.pmf(2.0, x * a)
        each += (
            stats.multivariate_normal.pdf(x, a, cov),
            stats.dirichlet.logpdf(x / pg.sum(x), x + a),
        )
        return sum(map(pg.sum, each))

    cov = np.diag([1.0, 2, 3]) + 0.2
    expected = f(*map(pg.tensor, (x, np.float64(1.7), cov)))
    slopes = pg.grad(f, argnums=(0, 1, 2))(x, np.float64(1.7), cov)
    found = pg.function(f, engine="native")(x, np.float64(1.7), cov)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-12)
    for engine in ("numpy", "native"):
        with pg.Graph() as graph:
            given = [pg.placeholder(dtype="float64") for _ in range(3)]
            y = f(*given)
            fetches = [y, *pg.gradients(y, given)]
        feeds = dict(zip(given, (x, np.float64(1.7), cov), strict=True))
        y, *found = pg.Session(graph, engine=engine).run(fetches, feeds)
        np.testing.assert_allclose(y, expected.numpy(), rtol=1e-12)
        for one, other in zip(found, slopes, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-11)


RNG = np.random.default_rng(0)
ROOT = RNG.normal(size=(3, 3))
COV, MEAN = ROOT @ ROOT.T + np.eye(3), RNG.normal(size=3)


@pytest.mark.parametrize("cov", [COV, 2.0, [1.0, 2.0, 3.0]], ids=["matrix", "number", "diagonal"])
def test_the_multivariate_normal_distribution_has_scipys_values(cov):
    for shape in ((3,), (5, 3), (2, 4, 3), (1, 3)):
        x = RNG.normal(size=shape)
        for function in ("pdf", "logpdf"):
            ours, theirs = (getattr(s.multivariate_normal, function) for s in (stats, scipys))
            np.testing.assert_allclose(
                ours(x, MEAN, np.float64(cov)).numpy(), theirs(x, MEAN, cov), rtol=1e-11
            )
    expected = scipys.multivariate_normal.entropy(MEAN, cov)
    np.testing.assert_allclose(
        stats.multivariate_normal.entropy(MEAN, np.float64(cov)).numpy(), expected
    )


def test_normal_distributions_of_one_component_take_points_along_an_axis():
    ours, theirs = stats.multivariate_normal.logpdf, scipys.multivariate_normal.logpdf
    for x in (np.array(0.3), np.array([0.1, 0.2, 0.5]), np.array([[0.1], [0.2]])):
        for given in ((), (0.5, 2.0), ([0.5], [[2.0]])):
            found = ours(x, *map(np.asarray, given)).numpy()
            np.testing.assert_allclose(found, theirs(x, *given))
            assert found.shape == np.shape(theirs(x, *given))


def test_singular_covariances_are_refused_or_allowed():
    normal, b = stats.multivariate_normal, np.array([[1.0, 2], [0, 1], [1, 0]])
    cov = b @ b.T
    x = np.stack([MEAN + b @ [0.3, 0.4], MEAN + b @ [1, 2], MEAN + np.eye(3)[0]])
    with pytest.raises(np.linalg.LinAlgError):
        normal.logpdf(x, MEAN, cov)
    expected = scipys.multivariate_normal.logpdf(x, MEAN, cov, True)
    assert expected[2] == -INF
    np.testing.assert_allclose(normal.logpdf(x, MEAN, cov, True).numpy(), expected, rtol=1e-9)
    np.testing.assert_allclose(
        normal.logpdf(x, MEAN, COV, allow_singular=True).numpy(),
        normal.logpdf(x, MEAN, COV).numpy(),
    )
    # Along covariances of one rank the density at the mean has a derivative.
    slope = pg.grad(lambda b: normal.logpdf(np.zeros(3), 0.0, b @ b.T, True))(b)
    up, down = b.copy(), b.copy()
    up[0, 1] += SMALL
    down[0, 1] -= SMALL
    log = scipys.multivariate_normal.logpdf
    rise = [log(np.zeros(3), np.zeros(3), one @ one.T, True) for one in (down, up)]
    np.testing.assert_allclose(slope[0, 1], (rise[1] - rise[0]) / (2 * SMALL), rtol=1e-7)


def test_dirichlets_distribution_has_scipys_values():
    alpha = np.array([0.7, 2.0, 3.5])
    x = RNG.dirichlet(alpha, size=4).T
    for points in (x, x[:2], x[:, 0], x[:2, 0], x[:, :1]):
        for function in ("pdf", "logpdf"):
            ours, theirs = (getattr(s.dirichlet, function) for s in (stats, scipys))
            found, expected = ours(points, alpha).numpy(), theirs(points, alpha)
            np.testing.assert_allclose(found, expected, rtol=1e-12)
            assert found.shape == np.shape(expected)
    np.testing.assert_allclose(
        stats.dirichlet.entropy(alpha).numpy(), scipys.dirichlet.entropy(alpha)
    )
    assert stats.dirichlet.logpdf(np.array([0.2, 0.2, 0.2]), alpha).numpy() == -INF
    assert stats.dirichlet.pdf(np.array([-0.2, 0.7, 0.5]), alpha).numpy() == 0
    single = stats.dirichlet.logpdf(x.astype("f4"), alpha.astype("f4"))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single.numpy(), scipys.dirichlet.logpdf(x, alpha), rtol=1e-5)


def test_dtypes_follow_promotion():
    assert stats.norm.logpdf(np.array([1, 2], np.float32), 0.5, 2).dtype == np.float32
    assert stats.t.cdf([1, 2, 3], 4).dtype == np.float32  # integers become the default float
    assert stats.gamma.pdf(np.float32(1), np.float64(2)).dtype == np.float64
    with pytest.raises(DTypeError, match="real numbers"):
        stats.norm.pdf(np.array([1j]))


def test_parameters_may_be_bound():
    x = np.array([0.1, 0.7])
    np.testing.assert_array_equal(
        stats.norm(0.5, scale=2.0).logpdf(x).numpy(), stats.norm.logpdf(x, 0.5, 2.0).numpy()
    )
    bound = stats.multivariate_normal(MEAN, COV)
    np.testing.assert_array_equal(
        bound.entropy().numpy(), stats.multivariate_normal.entropy(MEAN, COV).numpy()
    )


def test_what_is_missing_is_explained():
    with pytest.raises(UnknownNameError, match=r"pg\.random"):
        stats.norm.rvs(3)
    with pytest.raises(UnknownNameError, match="ndtri"):
        stats.norm(0, 1).ppf(0.3)
    with pytest.raises(UnknownNameError, match=r"pg\.stats\.gamma"):
        _ = stats.expon
    with pytest.raises(ArgumentError, match="a is missing"):
        stats.gamma.pdf(1.0)
    with pytest.raises(ShapeError, match="components"):
        stats.multivariate_normal.pdf(np.ones(2), np.zeros(3), np.eye(3))
    with pytest.raises(ShapeError, match="columns"):
        stats.dirichlet.pdf(np.ones(5), np.ones(3))
    with pytest.raises(ArgumentError, match="symmetric"):
        stats.multivariate_normal.pdf(np.ones(2), np.zeros(2), np.array([[1.0, 0], [0.9, 1]]))
