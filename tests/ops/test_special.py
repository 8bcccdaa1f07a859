"""pg.special: values against mpmath's digits and SciPy's edges, derivatives in every argument."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import scipy.special
from accuracy.measure import errors
from accuracy.points import TABLE

import palingrad as pg
from palingrad.errors import ArgumentError
from palingrad.ops.special import incomplete

s: Any = pg.special
scipy_special: Any = scipy.special
SLOW = {name for name in TABLE if name.startswith("∂")} | {"betainc", "betaincc"}
# Units in the last place, where more than 8 are allowed; docs/special.md has the measured errors.
BOUNDS = {
    "betainc": 20,
    "iv, v = 2": 14,
    "jn, n = 7": 12,
    "i0e": 10,
    "∂zeta/∂x": 20,
    "∂betainc/∂a": 30,
    "∂betainc/∂b": 30,
}


@pytest.mark.parametrize("name", TABLE)
def test_values_are_exact_to_the_last_digits(name):
    row = TABLE[name]
    for dtype in (np.float64, np.float32):
        found = errors(row, dtype, (40 if name in SLOW else 60) if dtype is np.float64 else 20)
        assert found
        worst = max(found, key=lambda one: one[1])
        assert worst[1] <= (BOUNDS.get(name, 8) if dtype is np.float64 else 8), worst


X = np.array([-np.inf, -37, -2.5, -2, -1, -0.5, -0.0, 0.0, 1e-300, 0.5, 1, 2, 40, np.inf, np.nan])
AS_SCIPY = (
    "gamma gammaln rgamma digamma gammasgn erfcx erfinv erfcinv ndtr log_ndtr ndtri logit expit "
    "log_expit entr exp10 i0e i1e factorial"
).split()
PAIRS_AS_SCIPY = "beta betaln xlogy xlog1py rel_entr kl_div gammainc gammaincc poch".split()


@pytest.mark.parametrize("name", AS_SCIPY)
def test_edges_are_scipys(name):
    with np.errstate(all="ignore"):
        expected = getattr(scipy_special, name)(X)
    np.testing.assert_allclose(getattr(s, name)(X).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("name", PAIRS_AS_SCIPY)
def test_edges_of_two_arguments_are_scipys(name):
    a, b = np.meshgrid(X, X)
    with np.errstate(all="ignore"):
        expected = getattr(scipy_special, name)(a, b)
    np.testing.assert_allclose(getattr(s, name)(a, b).numpy(), expected, rtol=1e-11, atol=1e-300)


def test_edges_of_the_incomplete_beta_function_are_scipys():
    points = np.array([-1, 0, 1e-10, 0.5, 1, 2, np.nan])
    a, b, x = np.meshgrid(points, points, points)
    for name in ("betainc", "betaincc"):
        expected = getattr(scipy_special, name)(a, b, x)
        np.testing.assert_allclose(getattr(s, name)(a, b, x).numpy(), expected, rtol=1e-12)


def test_bessel_functions_vanish_at_infinity_and_have_their_symmetries():
    x = np.array([np.inf, 2.0, 30.0])
    for n in (0, 1, 2, 5):
        assert s.jn(n, x).numpy()[0] == 0
        np.testing.assert_array_equal(s.jn(n, -x).numpy(), (-1.0) ** n * s.jn(n, x).numpy())
        np.testing.assert_array_equal(s.jn(-n, x).numpy(), (-1.0) ** n * s.jn(n, x).numpy())
        np.testing.assert_array_equal(s.yn(-n, x).numpy(), (-1.0) ** n * s.yn(n, x).numpy())
    ends = np.array([np.inf, -np.inf])
    assert s.i0(ends).numpy().tolist() == [np.inf, np.inf]
    assert s.i1(ends).numpy().tolist() == [np.inf, -np.inf]
    assert s.ive(3, ends).numpy().tolist() == [0, 0]
    np.testing.assert_allclose(
        s.jn(60, np.array([70.0, 500.0])).numpy(),
        [float(mp.besselj(60, t)) for t in (70, 500)],
        rtol=1e-13,
    )


def second(f: Any, *x: float) -> Any:
    return pg.hessian(lambda v: f(*(v[i] for i in range(len(x)))))(np.array(x))


def hessian_by_mpmath(f: Any, *x: float) -> Any:
    size = len(x)
    with mp.workdps(40):
        return [
            [
                float(mp.diff(f, x, tuple((i == k) + (j == k) for k in range(size))))
                for j in range(size)
            ]
            for i in range(size)
        ]


@pytest.mark.parametrize(
    ("f", "exact", "x"),
    [
        (s.gammainc, lambda a, x: mp.gammainc(a, 0, x, regularized=True), (0.7, 0.4)),
        (s.gammaincc, lambda a, x: mp.gammainc(a, x, regularized=True), (2.5, 4.0)),
        (s.zeta, mp.zeta, (2.5, 1.5)),
        (s.beta, mp.beta, (0.7, 2.5)),
        (s.poch, mp.rf, (2.5, 0.3)),
        (s.poch, mp.rf, (-1.0, 0.4)),
        (s.binom, mp.binomial, (1.4, 2.4)),
    ],
    ids=["gammainc", "gammaincc", "zeta", "beta", "poch", "poch at a zero", "binom at a zero"],
)
def test_second_derivatives_in_all_arguments(f, exact, x):
    np.testing.assert_allclose(second(f, *x), hessian_by_mpmath(exact, *x), rtol=1e-12)


def test_third_derivatives_in_the_parameter_of_the_incomplete_gamma_function():
    for a, x in ((0.8, 0.5), (3.0, 1.5), (3.0, 7.0), (2.5e4, 2.51e4)):
        with mp.workdps(60):
            exact = mp.diff(lambda t, x=x: mp.gammainc(t, x, regularized=True), a, 3)
        found = pg.grad(pg.grad(pg.grad(s.gammaincc)))(np.float64(a), x)
        np.testing.assert_allclose(found, float(exact), rtol=1e-12)


def test_second_derivatives_of_the_incomplete_beta_function():
    exact = hessian_by_mpmath(
        lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True), 1.5, 2.5, 0.3
    )
    np.testing.assert_allclose(second(s.betainc, 1.5, 2.5, 0.3), exact, rtol=1e-12)
    np.testing.assert_allclose(second(s.betaincc, 1.5, 2.5, 0.3), np.negative(exact), rtol=1e-12)


def test_slopes_of_high_orders_in_the_parameters_of_the_incomplete_beta_function():
    """The derivative of order (i, j) of the density has those of orders (i + 1, j), (i, j + 1)."""
    of_density: Any = incomplete._beta_slope  # pyright: ignore[reportPrivateUsage]
    a, b, x = map(np.float64, (2.0, 3.0, 0.3))
    for i, j in ((0, 0), (1, 0), (0, 1), (1, 1), (0, 2)):
        found = pg.grad(lambda a, b, i=i, j=j: of_density(a, b, x, i, j), (0, 1))(a, b)
        expected = [of_density(a, b, x, *orders).numpy() for orders in ((i + 1, j), (i, j + 1))]
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    curved = second(lambda a, b, x: of_density(a, b, x, 0, 0), a, b, x)
    orders = (((2, 0), (1, 1)), ((1, 1), (0, 2)))
    expected = [[of_density(a, b, x, *one).item() for one in row] for row in orders]
    np.testing.assert_allclose(curved[:2, :2], expected, rtol=1e-12)
    np.testing.assert_allclose(curved, curved.T, rtol=1e-12)


def test_slopes_of_high_orders_in_the_parameter_of_the_incomplete_gamma_function():
    f = pg.grad(pg.grad(pg.grad(pg.grad(s.gammainc)), 1))
    with mp.workdps(60):
        exact = mp.diff(lambda a, x: mp.gammainc(a, 0, x, regularized=True), (0.8, 0.5), (3, 1))
    np.testing.assert_allclose(f(np.float64(0.8), np.float64(0.5)), float(exact), rtol=1e-12)


def test_slopes_in_the_parameter_of_large_incomplete_gamma_functions():
    """The integral of the density, for a > 20,000, against that of mpmath."""
    a, x = 3.0e4, 2.99e4
    with mp.workdps(60):
        exact = mp.diff(lambda t: mp.gammainc(t, 0, x, regularized=True), a)
    np.testing.assert_allclose(pg.grad(s.gammainc)(np.float64(a), x), float(exact), rtol=1e-14)
    a = np.array([1e8, 1e12, 1e15])
    np.testing.assert_allclose(  # by the central limit theorem, to order 1/√a
        pg.grad(lambda a: pg.sum(s.gammainc(a, np.array([1e8, 1e12, 1e15]))))(a),
        -1 / np.sqrt(2 * np.pi * a),
        rtol=1e-4,
    )


def test_slopes_at_removable_points():
    for order, expected in enumerate([1.0, 0.0, -(np.pi**2) / 3, 0.0, np.pi**4 / 5]):
        f: Any = s.sinc
        for _ in range(order):
            f = pg.grad(f)
        np.testing.assert_allclose(np.asarray(f(np.float64(0.0))), expected, atol=1e-15)
    f = s.rgamma  # Σ cₖ xᵏ, DLMF 5.7.1
    for order, expected in enumerate([0, 1, 2 * 0.5772156649015329, -6 * 0.6558780715202538]):
        g: Any = f
        for _ in range(order):
            g = pg.grad(g)
        np.testing.assert_allclose(np.asarray(g(np.float64(0.0))), expected, rtol=1e-13, atol=0)
    for f, x, expected in (
        (s.poch, (0.0, 2.0), (1.0, 0.0)),  # x(x + 1)
        (s.poch, (-1.0, 3.0), (-1.0, 0.0)),
        (s.binom, (5.0, -1.0), (0.0, 1 / 6)),  # 5!/(Γ(k + 1)·6!)
        (s.binom, (2.0, 3.0), (1 / 3, -1 / 3)),  # 2!·Γ′-terms at the zero of 1/Γ(n − k + 1)
        (s.rel_entr, (0.0, 0.0), (0.0, 0.0)),
        (s.kl_div, (0.0, 0.0), (0.0, 1.0)),
    ):
        slopes = pg.grad(f, (0, 1))(*map(np.float64, x))
        np.testing.assert_allclose(slopes, expected, rtol=1e-13, atol=1e-15)
    assert second(s.xlogy, 0.0, 2.0).tolist() == [[0.0, 0.5], [0.5, 0.0]]


def test_differences_of_digamma_functions_do_not_cancel():
    found = pg.grad(lambda a, b: s.betaln(a, b))(np.float64(1e6), np.float64(1e-6))
    with mp.workdps(40):
        exact = mp.digamma(1e6) - mp.digamma(mp.mpf(1e6) + mp.mpf(1e-6))
    np.testing.assert_allclose(found, float(exact), rtol=1e-15)


def test_tails_of_the_normal_distribution_have_slopes():
    for x in (-1e4, -40.0, -3.0, 5.0, 37.0):
        with mp.workdps(60):
            density = mp.npdf(x) / (mp.erfc(-mp.mpf(x) / mp.sqrt(2)) / 2)
            curved = -density * (x + density)
        found = pg.grad(s.log_ndtr)(np.float64(x))
        np.testing.assert_allclose(found, float(density), rtol=2e-15)
        np.testing.assert_allclose(
            pg.grad(pg.grad(s.log_ndtr))(np.float64(x)), float(curved), rtol=1e-13
        )


def mills_derivative(x: float, order: int) -> float:
    """dⁿ/dxⁿ log Φ(x) as a polynomial in x and r = φ/Φ, by ∂r/∂x = −r·(x + r)."""
    with mp.workdps(300):
        z = mp.mpf(x)
        r = mp.npdf(z) / (mp.erfc(-z / mp.sqrt(2)) / 2)
        terms = {(0, 1): 1}
        for _ in range(order - 1):
            slope: dict[tuple[int, int], int] = {}
            for (i, j), c in terms.items():
                for key, more in (((i - 1, j), i), ((i + 1, j), -j), ((i, j + 1), -j)):
                    if more:
                        slope[key] = slope.get(key, 0) + c * more
            terms = slope
        return float(sum(c * z**i * r**j for (i, j), c in terms.items()))


@pytest.mark.parametrize("engine", ["numpy", "native"])
@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_higher_derivatives_of_log_ndtr_keep_their_digits(order, engine):
    x = np.array([-1.0, -29.9, -30.0, -30.1, -100.0, -1e4, -1e6, -1e8])
    slope = s.log_ndtr
    for _ in range(order):
        slope = pg.elementwise_grad(slope)
    exact = [mills_derivative(one, order) for one in x]
    found = pg.function(slope, engine=engine)(x)
    np.testing.assert_allclose(found[3:], exact[3:], rtol=2e-15)
    np.testing.assert_allclose(found[:3], exact[:3], rtol=1e-12)  # e^u²·iⁿerfc u still cancels


def test_sums_of_exponentials_have_weights_and_signs():
    a, b = np.array([[1.0, 1000.0], [-np.inf, 3.0]]), np.array([[2.0, -1.0], [1.0, 0.0]])
    options: Any
    for options in ({}, {"axis": 1}, {"axis": 0, "keepdims": True}):
        found, sign = s.logsumexp(a, b=b, return_sign=True, **options)
        expected, other = scipy_special.logsumexp(a, b=b, return_sign=True, **options)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-15)
        np.testing.assert_array_equal(sign.numpy(), other)
    slopes = pg.grad(lambda a, b: s.logsumexp(a, b=b), (0, 1))(
        np.array([1.0, 2.0]), np.array([2.0, 1.0])
    )
    total = 2 * np.e + np.e**2
    np.testing.assert_allclose(slopes[0], [2 * np.e / total, np.e**2 / total], rtol=1e-15)
    np.testing.assert_allclose(slopes[1], [np.e / total, np.e**2 / total], rtol=1e-15)
    assert np.isnan(s.logsumexp([1.0, 2.0], b=[1.0, -1.0]).numpy())
    masked = pg.grad(lambda a: s.logsumexp(a, b=np.array([0.0, 1.0])))(np.array([np.inf, 2.0]))
    assert masked.tolist() == [0.0, 1.0]
    np.testing.assert_allclose(s.logsumexp(a).numpy(), scipy_special.logsumexp(a))
    for name in ("softmax", "log_softmax"):
        for axis in (None, 0):
            ours = getattr(s, name)(np.eye(2), axis).numpy()
            np.testing.assert_allclose(
                ours, getattr(scipy_special, name)(np.eye(2), axis), rtol=1e-15
            )


def test_counting():
    np.testing.assert_allclose(s.comb(5, [0, 2, 6, -1]).numpy(), [1, 10, 0, 0])
    np.testing.assert_allclose(s.factorial(np.array([0, 5, -1])).numpy(), [1, 120, 0])
    np.testing.assert_allclose(
        s.multigammaln(np.array([2.5, 7.0]), 3).numpy(),
        scipy_special.multigammaln(np.array([2.5, 7.0]), 3),
        rtol=1e-14,
    )
    assert np.isnan(s.multigammaln(0.9, 3).numpy())
    for call in (lambda: s.comb(5, 2, exact=True), lambda: s.factorial(5, exact=True)):
        with pytest.raises(ArgumentError, match="exact integers aren't tensors"):
            call()


def test_orders_are_python_numbers():
    assert s.polygamma(np.int64(1), 2.0).numpy() == s.polygamma(1, 2.0).numpy()
    for call in (lambda: s.polygamma(np.array([1, 2]), 2.0), lambda: s.jn(pg.tensor(1), 2.0)):
        with pytest.raises(ArgumentError, match=r"\(n, x\) for n in orders"):
            call()
    for call in (
        lambda: s.polygamma(-1, 2.0),
        lambda: s.jn(0.5, 1.0),
        lambda: s.multigammaln(3.0, 0),
    ):
        with pytest.raises(ArgumentError, match="must be an integer"):
            call()
    np.testing.assert_allclose(s.jv(0.5, 2.0).numpy(), np.sqrt(1 / np.pi) * np.sin(2), rtol=1e-6)


def test_dtypes():
    for dtype in (np.float16, np.float32, np.float64):
        x = np.array([0.5, 0.75], dtype)
        assert s.lgamma(x).dtype == s.betainc(x, x, x).dtype == s.ndtr(x).dtype == dtype
        wide = s.gammainc(x.astype(np.float64), 1.0).numpy()
        np.testing.assert_array_equal(s.gammainc(x, 1.0).numpy(), wide.astype(dtype))
    assert s.gamma(5).dtype == np.float32
    assert s.beta(np.array([1.0]), np.array([2])).dtype == np.float64


def test_all_of_autograds_scipy_special_is_there():
    names = (
        "polygamma psi digamma gamma gammaln rgamma multigammaln gammasgn gammainc gammaincc beta "
        "betainc betaln j0 j1 jn y0 y1 yn i0 i1 iv ive erf erfc erfinv erfcinv logit expit "
        "logsumexp"
    )
    assert [name for name in names.split() if not callable(getattr(s, name, None))] == []


def test_without_scipy_the_error_says_what_to_install():
    source = Path(pg.__file__).parent.parent
    code = (
        "import sys\nsys.modules['scipy'] = None\nimport palingrad as pg\n"
        "print(pg.special.xlogy(1.0, 2.0).numpy())\n"
        "try:\n    pg.special.gamma(3.0)\nexcept pg.errors.ArgumentError as e:\n    print(e)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(source), "PATH": ""},
    )
    assert found.stdout.startswith("0.693147")
    assert "gamma needs SciPy" in found.stdout
    assert "pip install scipy" in found.stdout, found.stderr
