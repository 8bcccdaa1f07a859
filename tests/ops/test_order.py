"""Sorted elements and quantiles are NumPy's; equal elements keep their order."""

import warnings
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError
from palingrad.ops.order.quantiles import METHODS

DTYPES = ["float16", "float32", "float64", "int8", "uint8", "int32", "uint32", "int64", "uint64",
          "bool"]  # fmt: skip


def drawn(rng: Any, dtype: str) -> Any:
    """An array of few different numbers, in which NaN, −0.0 and ±∞ may be."""
    shape = tuple(rng.integers(0, 7, size=rng.integers(1, 4)))
    low = 0 if dtype.startswith(("u", "b")) else -4
    x = np.asarray(rng.integers(low, 5, size=shape)).astype(dtype)
    if x.dtype.kind == "f" and rng.random() < 0.5:
        for number in (np.nan, np.inf, -np.inf, -0.0):
            x[rng.random(shape) < 0.15] = number
    return x


@pytest.mark.parametrize("dtype", DTYPES)
def test_orders_are_numpys_stable_ones(dtype):
    rng = np.random.default_rng(0)
    for _ in range(40):
        x = drawn(rng, dtype)
        for axis in (None, *range(-x.ndim, x.ndim)):
            np.testing.assert_array_equal(pg.sort(x, axis).numpy(), np.sort(x, axis))
            order = np.argsort(x, axis, kind="stable")
            np.testing.assert_array_equal(pg.argsort(x, axis).numpy(), order)
            line, place = (x.ravel(), 0) if axis is None else (x, axis)
            down = pg.sort(x, axis, descending=True).numpy()
            np.testing.assert_array_equal(down, np.flip(np.sort(line, place), place))
            order = np.flip(np.argsort(np.flip(line, place), place, kind="stable"), place)
            order = line.shape[place] - 1 - order
            found = pg.argsort(x, axis, descending=True).numpy()
            np.testing.assert_array_equal(found, order)
            if axis is not None:
                k = int(rng.integers(0, x.shape[axis] + 1))
                values, indices = pg.top_k(x, k, axis)
                np.testing.assert_array_equal(values.numpy(), np.take(down, range(k), axis))
                np.testing.assert_array_equal(indices.numpy(), np.take(order, range(k), axis))


@pytest.mark.parametrize("dtype", ["float16", "float32", "int32", "uint32"])
def test_orders_of_many_numbers_are_found_in_blocks(dtype):
    rng = np.random.default_rng(1)
    for shape, axis in (((40_000,), 0), ((3, 17_000), 1), ((700, 37), 1), ((50, 500), 0)):
        x = rng.integers(0, 60_000, shape).astype(dtype)
        if x.dtype.kind == "f":
            for number in (np.nan, np.copysign(np.nan, -1), -np.inf, -0.0, 0.0, -1e-7):
                x[rng.random(shape) < 0.1] = number
        order = np.argsort(x, axis, kind="stable")
        np.testing.assert_array_equal(pg.argsort(x, axis).numpy(), order)
        down = np.flip(np.argsort(np.flip(x, axis), axis, kind="stable"), axis)
        found = pg.argsort(x, axis, descending=True).numpy()
        np.testing.assert_array_equal(found, x.shape[axis] - 1 - down)


def test_the_k_smallest():
    values, indices = pg.topk(np.array([3.0, 1.0, 2.0, 1.0]), 3, largest=False)
    assert values.numpy().tolist() == [1, 1, 2]
    assert indices.numpy().tolist() == [1, 3, 2]
    values, indices = pg.topk(np.array([[3.0, 1.0], [2.0, 4.0]]), 2, None)
    assert (values.numpy().tolist(), indices.numpy().tolist()) == ([4, 3], [3, 0])
    with pytest.raises(pg.errors.ShapeError, match="5 of 4 elements"):
        pg.topk(np.zeros(4), 5)


def test_several_keys():
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 3, (3, 4, 50))
    for axis in (0, 1):
        np.testing.assert_array_equal(pg.lexsort(keys, axis).numpy(), np.lexsort(keys, axis))
    with pytest.raises(pg.errors.ShapeError, match="keys of shapes"):
        pg.lexsort([np.zeros(3), np.zeros(4)])


def test_partitions_are_sorted():
    x = np.array([3.0, 1.0, 2.0])
    assert pg.partition(x, 1).numpy().tolist() == [1, 2, 3]
    assert pg.argpartition(x, 1).numpy().tolist() == [1, 2, 0]
    with pytest.raises(pg.errors.ShapeError, match="kth=3"):
        pg.partition(x, 3)


@pytest.mark.parametrize("engine", ["eager", *pg.engine_names()])
def test_gradients_follow_the_stable_order(engine):
    x, w = np.array([2.0, 1.0, 2.0, 1.0]), np.array([1.0, 2.0, 3.0, 4.0])

    def slopes(x: Any) -> Any:
        up = pg.gradients(pg.sum(w * pg.sort(x)), x)
        down = pg.gradients(pg.sum(w * pg.sort(x, descending=True)), x)
        top = pg.gradients(pg.sum(w[:3] * pg.top_k(x, 3)[0]), x)
        middle = pg.gradients(pg.median(x), x)
        return up, down, top, middle

    found = slopes(pg.tensor(x)) if engine == "eager" else pg.function(slopes, engine=engine)(x)
    expected = [[3, 1, 4, 2], [1, 3, 2, 4], [1, 3, 2, 0], [0.5, 0, 0, 0.5]]
    for one, slope in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(one.numpy() if engine == "eager" else one), slope)


@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
def test_quantiles_are_numpys(name):
    rng = np.random.default_rng(1)
    for dtype in ("float16", "float32", "float64", "int32", "bool"):
        for method in METHODS:
            for _ in range(4):
                x = drawn(rng, dtype)
                finite = np.where(np.isinf(x), 1, x).astype(dtype)
                axis = None if rng.random() < 0.3 else int(rng.integers(-x.ndim, x.ndim))
                axis = (0, -1) if x.ndim > 1 and rng.random() < 0.3 else axis
                q = rng.choice([0, 0.1, 0.25, 0.5, 1 / 3, 0.9, 1], size=() if x.size % 2 else 2)
                options: Any = dict(axis=axis, method=method, keepdims=bool(rng.random() < 0.5))
                axes = range(x.ndim) if axis is None else np.atleast_1d(axis)
                if 0 in [x.shape[one] for one in axes]:
                    with pytest.raises(pg.errors.ShapeError, match="no element"):
                        getattr(pg, name)(finite, q, **options)
                if x.size == 0:  # NumPy forgets the axis of q
                    continue
                found = getattr(pg, name)(finite, q, **options).numpy()
                with warnings.catch_warnings(action="ignore"):
                    expected = getattr(np, name)(finite.astype(np.float64), q, **options)
                digits = 2e-3 if dtype == "float16" else 1e-6
                np.testing.assert_allclose(found, expected, rtol=digits, atol=digits)
                assert found.dtype == (dtype if dtype.startswith("f") else np.float32)


def test_medians_and_percentiles():
    x = np.array([[1.0, np.nan, 3.0], [4.0, 2.0, 8.0]])
    np.testing.assert_array_equal(pg.median(x, 1).numpy(), [np.nan, 4])
    np.testing.assert_array_equal(pg.nanmedian(x, 1).numpy(), [2, 4])
    np.testing.assert_allclose(pg.percentile(x[1], [25, 50]).numpy(), np.percentile(x[1], [25, 50]))
    found = pg.nanpercentile(x, 50, (0, 1), keepdims=True).numpy()
    np.testing.assert_array_equal(found, [[3]])
    assert pg.median(np.array([1, 2])).numpy() == 1.5
    assert pg.median(np.full(2, 60000, np.float16)).numpy() == 60000
    assert pg.median(np.array([np.inf, np.inf])).numpy() == np.inf


def test_quantiles_that_do_not_exist():
    for q in (1.5, -0.1, [[0.5]]):
        with pytest.raises(pg.errors.ArgumentError, match="q is a number from 0 to 1"):
            pg.quantile(np.ones(3), q)
    with pytest.raises(pg.errors.ArgumentError, match="'cubic' isn't known"):
        pg.quantile(np.ones(3), 0.5, method="cubic")
    with pytest.raises(pg.errors.ArgumentError, match="q must be known"):
        pg.function(pg.quantile)(np.ones(3), np.array(0.5))
    with pytest.raises(pg.errors.GradientError):
        pg.grad(lambda q: pg.quantile(np.arange(5.0), q))(0.3)
    assert pg.quantile(np.ones((3, 2)), [], 0).shape == (0, 2)


@pytest.mark.parametrize(("shape", "axis"), [((7,), None), ((3, 5), 1), ((3, 5), None)])
def test_weighted_quantiles_are_numpys(shape, axis):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 6, shape) + 0.1 * rng.normal(size=shape)
    weights = rng.integers(0, 4, shape).astype(float)
    options: Any = dict(axis=axis, method="inverted_cdf")
    for w in (weights, weights[0] if axis == 1 else weights):
        for q in (0, 0.3, [0.0, 0.5, 1.0]):
            expected = np.quantile(x, q, weights=w, **options)
            found = pg.quantile(x, q, weights=w, **options)
            np.testing.assert_array_equal(found.numpy(), expected)
            np.testing.assert_array_equal(
                np.percentile(pg.tensor(x), np.multiply(q, 100), weights=w, **options), expected
            )
    slope = pg.grad(lambda x: pg.quantile(x, 0.4, weights=[1, 2, 3], method="inverted_cdf"))
    np.testing.assert_array_equal(slope(np.array([3.0, 1, 2])), [0, 0, 1])
    with pytest.raises(ArgumentError, match="inverted_cdf"):
        pg.quantile(x, 0.5, weights=weights)
    with pytest.raises(ArgumentError, match="negative"):
        pg.quantile(x, 0.5, weights=-1 - weights, method="inverted_cdf")
