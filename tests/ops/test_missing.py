"""Reductions without NaN, weighted averages, covariances and norms are NumPy's."""

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from scipy.special import logsumexp

import palingrad as pg

NAMES = (
    "nansum nanprod nanmean nanvar nanstd nanmax nanmin nanargmax nanargmin count_nonzero ptp "
    "average"
).split()
ORDERS = (0, 1, 2, 3, 2.5, 0.5, -1, -2, np.inf, -np.inf)


def arrays(dtype: str) -> list[Any]:
    rng = np.random.default_rng(0)
    found: list[Any] = []
    for shape in [(), (5,), (3, 4), (2, 3, 4), (0,), (0, 3)]:
        x = np.asarray(rng.normal(size=shape) * 3)
        x = (np.abs(x) if dtype == "uint8" else x).astype(dtype)
        found.append(x)
        if x.dtype.kind == "f" and x.size > 2:
            with_gaps = x.copy()
            with_gaps.flat[::2] = np.nan
            found.append(with_gaps)
    return found


def axes_of(x: Any) -> list[Any]:
    pairs = [(0, -1)] if x.ndim > 1 else []
    return [None, *range(-x.ndim, x.ndim), *pairs]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "uint8", "bool"])
@pytest.mark.parametrize("name", NAMES)
def test_reductions_are_numpys(name, dtype):
    if (name, dtype) == ("ptp", "bool"):
        with pytest.raises(pg.errors.DTypeError):
            pg.ptp(np.array([True]))
        return
    ours, numpys = getattr(pg, name), getattr(np, name)
    for x in arrays(dtype):
        for axis, keepdims in itertools.product(axes_of(x), (False, True)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    expected = np.asarray(numpys(x, axis=axis, keepdims=keepdims))
                except (ValueError, TypeError):  # nothing to choose, several axes
                    with pytest.raises((pg.errors.ShapeError, ValueError)):
                        ours(x, axis, keepdims=keepdims)
                    continue
                except ZeroDivisionError:
                    continue
            found = ours(x, axis, keepdims=keepdims).numpy()
            assert found.shape == expected.shape
            if expected.dtype.kind in "iub" or dtype.startswith("f"):
                assert found.dtype == expected.dtype
            digits = 1e-2 if dtype == "float16" else 2e-6
            np.testing.assert_allclose(found, expected, rtol=digits, atol=digits)


def test_half_floats_are_accumulated_in_float32():
    x = np.full(1001, 100, np.float16)
    x[3] = np.nan
    assert pg.nanmean(x).numpy() == 100
    assert pg.nanstd(x).numpy() == 0
    assert pg.average(x[4:], weights=np.ones(997, np.float16)).numpy() == 100


def test_a_variance_of_too_few_elements_is_nan():
    x = np.array([1.0, np.nan, 3.0])
    for f in (pg.nanvar, pg.nanstd):
        assert np.isfinite(f(x, correction=1).numpy())
        for correction in (2, 3):
            assert np.isnan(f(x, correction=correction).numpy())


def test_what_is_missing_has_no_gradient():
    x = np.array([1.0, np.nan, 3.0, 2.0])
    for f, expected in [
        (pg.nansum, [1, 0, 1, 1]),
        (pg.nanprod, [6, 0, 2, 3]),
        (pg.nanmean, [1 / 3, 0, 1 / 3, 1 / 3]),
        (pg.nanmax, [0, 0, 1, 0]),
        (pg.nanmedian, [0, 0, 0, 1]),
    ]:
        np.testing.assert_allclose(pg.grad(f)(x), expected)
    gone = np.full(3, np.nan)
    for f in (pg.nansum, pg.nanmax, pg.nanmedian):
        assert pg.grad(f)(gone).tolist() == [0, 0, 0]


def test_a_mask_marks_what_is_missing():
    x, mask = np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[True, False], [True, True]])
    for name in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd"):
        found = getattr(pg, name)(x, 0, where=mask).numpy()
        np.testing.assert_allclose(found, getattr(np, name)(x, axis=0, where=mask))
    assert pg.nanmax(x, 1, where=mask).numpy().tolist() == [1, 5]
    with pytest.raises(pg.errors.DTypeError, match="float64"):
        pg.nanmean(np.arange(3), where=np.array([True, False, True]))


@pytest.mark.parametrize("axis", [1, (0, 2), (2, 0), None])
def test_weighted_averages(axis):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 4, 5))
    shape = x.shape if axis is None else tuple(np.take(x.shape, np.atleast_1d(axis)))
    w = rng.uniform(0.5, 1, shape)
    for found, expected in zip(pg.average(x, axis, w, returned=True),
                               np.average(x, axis, w, returned=True), strict=True):  # fmt: skip
        np.testing.assert_allclose(found.numpy(), expected)
    with pytest.raises(pg.errors.ShapeError, match="don't fit x"):
        pg.average(x, axis, rng.uniform(size=(7,)))


@pytest.mark.parametrize("shape", [(6,), (3, 6), (1, 6)])
def test_covariances_and_correlations(shape):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, *shape))
    f, a = rng.integers(1, 4, 6), rng.uniform(size=6)
    options: list[dict[str, Any]] = [
        {}, {"bias": True}, {"ddof": 0}, {"fweights": f}, {"aweights": a},
        {"fweights": f, "aweights": a}, {"y": y},
    ]  # fmt: skip
    for one in options:
        np.testing.assert_allclose(pg.cov(x, **one).numpy(), np.cov(x, **one), atol=1e-12)
    np.testing.assert_allclose(pg.corrcoef(x).numpy(), np.corrcoef(x), atol=1e-12)
    np.testing.assert_allclose(pg.cov(x.T, rowvar=False).numpy(), np.cov(x.T, rowvar=False))


@pytest.mark.parametrize("order", ORDERS)
def test_norms_of_every_order(order):
    for dtype in ("float32", "float64", "int32"):
        for x in arrays(dtype):
            for axis in [None] if x.ndim < 2 else range(-x.ndim, x.ndim):
                wide = x.astype(np.float64)
                try:
                    with np.errstate(all="ignore"):
                        expected = np.linalg.vector_norm(wide, axis=axis, ord=order)
                except ValueError:
                    with pytest.raises(pg.errors.ShapeError):
                        pg.vector_norm(x, axis, ord=order)
                    continue
                found = pg.vector_norm(x, axis, ord=order).numpy()
                np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_norms_neither_overflow_nor_underflow():
    for order, scale in itertools.product((1.5, 3, 7, -2), (1e-200, 1e200)):
        x = np.array([3.0, -4.0, 2.0])
        found = pg.vector_norm(x * scale, ord=order).numpy()
        np.testing.assert_allclose(found, scale * np.linalg.norm(x, order))
        slopes = [pg.grad(lambda x, p=order: pg.vector_norm(x, ord=p))(x * s) for s in (1, scale)]
        np.testing.assert_allclose(*slopes)


def test_log_sum_exp_with_weights_and_a_mask():
    x, b = np.array([[1.0, 2.0, 900.0], [0.0, -3.0, 2.0]]), np.array([2.0, 0.5, 0.0])
    np.testing.assert_allclose(pg.logsumexp(x, 1, b=b).numpy(), logsumexp(x, 1, b=b))
    found = pg.logsumexp(x, 1, where=np.array([True, True, False])).numpy()
    np.testing.assert_allclose(found, logsumexp(x[:, :2], 1))
    assert np.isnan(pg.logsumexp([0.0, 0.0], b=np.array([1.0, -2.0])).numpy())


def test_softmax_with_a_mask():
    x = np.array([[1.0, np.nan, 3.0], [1.0, 2.0, 3.0]])
    mask = np.array([[True, False, True], [False] * 3])
    part = np.exp([1.0, 3.0]) / np.exp([1.0, 3.0]).sum()
    found = pg.softmax(x, where=mask).numpy()
    np.testing.assert_allclose(found, [[part[0], 0, part[1]], [0, 0, 0]])
    found = np.exp(pg.log_softmax(x, where=mask).numpy())
    np.testing.assert_allclose(found, [[part[0], 0, part[1]], [0, 0, 0]])
    weights = np.array([1.0, 2.0, 3.0])
    slopes = pg.grad(lambda x: pg.sum(weights * pg.softmax(x, where=mask)))(x)
    assert np.isfinite(slopes).all()
    assert not slopes[~mask].any()
