"""Convolution, interpolation, finite differences and polynomials: as NumPy computes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.signal

import palingrad as pg
from palingrad.errors import ArgumentError, ShapeError
from tolerances import assert_close, assert_same

A = np.array
ROW = np.sin(np.arange(7.0))
KERNEL = A([0.5, -1.0, 2.0, 0.25])
X = np.cos(np.arange(12.0)).reshape(3, 4)
PLACES = A([0.0, 0.5, 0.7, 2.0])
XP, FP = A([0.0, 1.0, 1.5, 3.0]), A([1.0, -1.0, 2.0, 0.5])
AT = A([[-1.0, 0.0, 0.3, 1.0], [1.2, 3.0, 4.0, np.nan]])
inf, nan = np.inf, np.nan

# Functions that have NumPy's name and take the same arguments.
SAME: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    *[(name, pair, dict(mode=mode)) for name in ("convolve", "correlate")
      for mode in ("full", "same", "valid")
      for pair in ((ROW, KERNEL), (KERNEL, ROW), (ROW, KERNEL[:3]), (KERNEL[:3], ROW),
                   (A([1, 2, 3]), A([0, -1])), (ROW[:1], KERNEL))],
    ("convolve", (ROW, KERNEL), {}),
    ("correlate", (ROW, KERNEL), {}),
    ("interp", (AT, XP, FP), {}),
    ("interp", (AT, XP, FP, -7.0, inf), {}),
    ("interp", (AT, XP, FP), dict(left=nan)),
    ("interp", (0.3, XP, FP), {}),
    ("interp", (AT[0], XP[:1], FP[:1]), {}),
    ("interp", (AT, A([0.0, 1, 1, 2]), FP), {}),
    ("interp", (AT, XP, A([1.0, inf, 2, 3])), {}),
    ("interp", (AT, XP, A([inf, inf, 2, -inf])), {}),
    ("interp", (np.zeros((0, 2)), XP, FP), {}),
    ("interp", (AT * 3, A([0.1, 2.1, 1.2]), FP[:3]), dict(period=2.5)),
    ("interp", (AT, XP, FP), dict(period=-2.0)),
    ("gradient", (ROW,), {}),
    ("gradient", (ROW, 0.5), dict(edge_order=2)),
    ("gradient", (X,), {}),
    ("gradient", (X, 0.5, PLACES), {}),
    ("gradient", (X, PLACES), dict(axis=1, edge_order=2)),
    ("gradient", (X, 2.0), dict(axis=(1, 0))),
    ("gradient", (X, PLACES, 2.0), dict(axis=(-1, 0), edge_order=2)),
    ("gradient", (ROW[:2],), {}),
    ("gradient", (X[:, :3], PLACES[:3]), dict(axis=1, edge_order=2)),
    ("unwrap", (ROW * 9,), {}),
    ("unwrap", (X * 20,), dict(axis=0)),
    ("unwrap", (X * 20, 5.0), dict(period=4.0)),
    ("unwrap", (A([0, 3, 1, 6, 7, 3, -9]),), dict(period=4)),
    ("unwrap", (A([0, 3, 1, 6, 7, 3, -9]),), dict(period=5)),
    ("unwrap", (A([0.0, 180, 0, 180, 360, 540]),), dict(period=360)),
    ("unwrap", (ROW[:1],), {}),
    ("polyval", (KERNEL, X), {}),
    ("polyval", ([3, 0, 1], 5), {}),
    ("polyval", ([], X), {}),
    ("polyder", (KERNEL,), {}),
    ("polyder", (KERNEL, 3), {}),
    ("polyint", (KERNEL,), dict(k=2.0)),
    ("polyint", (KERNEL, 2), dict(k=[1.0, 3.0])),
    ("polyint", (KERNEL, 2), {}),
    ("polyadd", (KERNEL, ROW), {}),
    ("polysub", (KERNEL, ROW), {}),
    ("polymul", (KERNEL, ROW + 1), {}),
    ("poly", (ROW,), {}),
    ("vander", (ROW,), {}),
    ("vander", (ROW, 3), {}),
    ("vander", (ROW, 4), dict(increasing=True)),
    ("vander", (ROW, 0), {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "options"), SAME)
def test_the_values_are_numpys(name, arguments, options):
    expected = getattr(np, name)(*arguments, **options)
    found = getattr(pg, name)(*arguments, **options)
    many = isinstance(expected, (tuple, list))
    for one, other in zip(found if many else [found], expected if many else [expected]):
        assert one.shape == np.shape(other)
        assert_close(np.asarray(one.numpy(), np.float64), np.asarray(other, np.float64))


def test_the_slopes_of_interpolation():
    slopes = pg.grad(lambda x, xp, fp: pg.sum(pg.interp(x, xp, fp)), argnums=(0, 1, 2))
    at_x, at_xp, at_fp = slopes(A([0.25, 5.0]), XP, FP)
    assert_close(at_x, [-2.0, 0.0])
    assert_close(at_xp, [1.5, 0.5, 0.0, 0.0])
    assert_close(at_fp, [0.75, 0.25, 0.0, 1.0])
    ends = pg.grad(lambda fp: pg.sum(pg.interp(A([-1.0, 9.0]), XP, fp, left=0.0)))(FP)
    assert_same(ends, [0.0, 0.0, 0.0, 1.0])


def test_points_that_are_fed_are_checked_in_a_run():
    for engine in ("numpy", "native"):
        f = pg.function(lambda xp: pg.interp(0.5, xp, FP), engine=engine)
        assert f(XP) == 0
        with pytest.raises(ValueError, match="the points xp aren't in ascending order"):
            f(XP[::-1].copy())


def test_polynomials_are_differentiated_in_coefficients_and_roots():
    p, x = pg.grad(lambda p, x: pg.polyval(p, x), argnums=(0, 1))(KERNEL, 0.0)
    assert_same(p, [0.0, 0, 0, 1])
    assert x == 2.0
    slopes = pg.jacobian(pg.poly)(A([2.0, 3.0]))  # x² − (a + b)x + ab
    assert_same(slopes, [[0.0, 0], [-1, -1], [3, 2]])
    powers = pg.grad(lambda x: pg.sum(pg.vander(x, 3)))(A([0.0, 2.0]))
    assert_same(powers, [1.0, 5.0])


END: Any = pg.tensor(1.0)
WRONG: list[tuple[Any, Any, str]] = [
    (lambda: pg.convolve(X, ROW), ShapeError, "expected two vectors"),
    (lambda: pg.correlate(ROW, ROW[:0]), ShapeError, "with elements"),
    (lambda: pg.convolve(ROW, ROW, "vaild"), ArgumentError, "Did you mean 'valid'"),
    (lambda: pg.interp(0.5, XP[::-1], FP), ArgumentError, r"np\.argsort\(xp\)"),
    (lambda: pg.interp(0.5, XP, FP[:2]), ShapeError, "aren't vectors of one length"),
    (lambda: pg.interp(0.5, XP, FP, left=END), ArgumentError, "not nodes"),
    (lambda: pg.interp(0.5, XP, FP, period=0), ArgumentError, "period"),
    (lambda: pg.gradient(1.0), ShapeError, r"pg\.gradients\(y, x\)"),
    (lambda: pg.gradient(ROW[:1]), ShapeError, "1 sample; edge_order=1 needs 2"),
    (lambda: pg.gradient(X, 1.0, 2.0, 3.0), ArgumentError, "3 spacings for 2 axes"),
    (lambda: pg.gradient(X, PLACES), ArgumentError, "places of each axis"),
    (lambda: pg.gradient(X, 1.0, ROW), ShapeError, "for 4 samples"),
    (lambda: pg.gradient(ROW, edge_order=3), ArgumentError, "expected 1 or 2"),
    (lambda: pg.unwrap(ROW, period=0), ArgumentError, "above 0"),
    (lambda: pg.polyval(X, 1.0), ShapeError, "expected a vector"),
    (lambda: pg.polyint(KERNEL, 3, k=[1.0, 2.0]), ArgumentError, "2 constants for order 3"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_what_does_not_fit_is_refused(number):
    call, error, text = WRONG[number]
    with pytest.raises(error, match=text):
        call()


def test_complex_signals():
    z = ROW + 1j * np.cos(np.arange(7.0))
    short = KERNEL - 2j * KERNEL[::-1]
    for mode in ("full", "same", "valid"):
        for x, y in ((z, short), (short, z), (ROW, short)):
            assert_close(pg.convolve(x, y, mode).numpy(), np.convolve(x, y, mode))
            assert_close(pg.correlate(x, y, mode).numpy(), np.correlate(x, y, mode))
    points = FP + 1j * XP
    expected = np.interp(AT, XP, points, left=1j, right=2.0)
    assert_close(pg.interp(AT, XP, points, left=1j, right=2.0).numpy(), expected)
    assert_close(pg.polyval(short, z).numpy(), np.polyval(short, z))
    assert_close(pg.gradient(z, 0.5).numpy(), np.gradient(z, 0.5))
    assert_close(pg.roll(z, 2).numpy(), np.roll(z, 2))


def test_fitted_polynomials_are_numpys():
    x, y, w = np.cos(np.arange(8.0)), np.sin(np.arange(8.0) ** 2), np.linspace(0.5, 2, 8)
    assert_close(pg.polyfit(x, y, 3), np.polyfit(x, y, 3))
    assert_close(pg.polyfit(x, y, 2, w=w), np.polyfit(x, y, 2, w=w))
    assert_close(pg.polyfit(x, X.reshape(-1)[:8].reshape(8, 1), 1),
                 np.polyfit(x, X.reshape(-1)[:8].reshape(8, 1), 1))  # fmt: skip
    pg.check_gradients(lambda x, y, w: pg.polyfit(x, y, 2, w=w), x, y, w)


@pytest.mark.parametrize(
    "p",
    [[1.0, -6, 11, -6], [0.0, 0, 1, -3, 2, 0, 0], [2.0, 0, 1], [3.0], [0.0, 0], [], [0, 2.0, 0]],
)
def test_roots_are_numpys(p):
    found, expected = pg.roots(A(p)).numpy(), np.roots(p)
    assert found.shape == expected.shape
    np.testing.assert_allclose(np.sort_complex(found), np.sort_complex(expected + 0j), atol=1e-12)


def test_roots_are_differentiated_by_the_implicit_function():
    p = A([1.0, -6.0, 11.0, -6.0])  # ∂x/∂pᵢ = −x³⁻ⁱ / p′(x)
    x = np.roots(p)
    expected = -np.vander(x, 4) / np.polyval(np.polyder(p), x)[:, None]
    found = pg.jacobian(lambda p: pg.real(pg.roots(p)))(p)
    order, wanted = np.argsort(pg.roots(p).numpy().real), np.argsort(x)
    np.testing.assert_allclose(found[order], expected[wanted], rtol=1e-9)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("sizes", [((4, 5), (2, 3)), ((2, 3), (4, 5)), ((4, 3, 3), (2, 2, 2))])
def test_convolution_of_several_axes_is_scipys(mode, sizes):
    x, y = (np.random.default_rng(0).normal(size=size) for size in sizes)
    expected = scipy.signal.convolve(x, y, mode, method="direct")
    np.testing.assert_allclose(pg.convolve(x, y, mode).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolution_along_some_axes_sums_over_others(mode):
    """As in HIPS autograd: channels (…, 3) of images meet filters (3, …) along an axis."""
    rng = np.random.default_rng(0)
    x, y = (
        rng.normal(size=(2, 5, 3)),
        rng.normal(size=(3, 4, 2)),
    )  # conv: axes 1 and 2; sum: 2 and 0
    found = pg.convolve(x, y, mode, axes=([1], [2]), dot_axes=([2], [0]))
    expected: Any = [
        [sum(np.convolve(x[i, :, c], y[c, j], mode) for c in range(3)) for j in range(4)]
        for i in range(2)
    ]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    exchanged = pg.convolve(y, x, mode, axes=([2], [1]), dot_axes=([0], [2]))
    if mode != "same":
        np.testing.assert_allclose(exchanged.numpy(), np.swapaxes(expected, 0, 1), rtol=1e-12)
    pg.check_gradients(
        lambda x, y: pg.convolve(x, y, mode, axes=([1], [1]), dot_axes=([0], [0])),
        x[:, :3, 0], y[:2, :2, 0],
    )  # fmt: skip


def test_wrong_axes_of_convolutions_are_refused():
    x = np.ones((2, 5))
    for axes, words in ((3, "pair of lists"), (([0, 1], [0]), "2 axes of x and 1 of y")):
        with pytest.raises(ShapeError, match=words):
            pg.convolve(x, x, axes=axes)
    with pytest.raises(ShapeError, match="as long"):
        pg.convolve(x, np.ones((3, 2)), "valid")
