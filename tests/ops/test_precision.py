"""Sums, means and products of many terms keep their digits, on every engine."""

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.sums import blocked_sum, matrix_product

ENGINES = ("eager", *pg.engine_names())
TENTH = np.float64(np.float32(0.1))


def on(engine: str, f: Any, *arrays: Any) -> Any:
    """f of arrays, computed at once or by a named engine."""
    if engine == "eager":
        return f(*map(pg.tensor, arrays)).numpy()
    return pg.function(f, engine=engine)(*arrays)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((4_000_000,), (0,)),
        ((300_000, 4), (0,)),
        ((4, 300_000), (1,)),
        ((10, 40_000), (-1,)),
        ((600, 3, 600), (0, 2)),
        ((200, 100, 3, 20), (1, 3)),
        ((90_001,), (0,)),
    ],
)
def test_sums_of_equal_numbers_are_their_product(engine, shape, axis):
    x = np.full(shape, 0.1, np.float32)
    found = on(engine, lambda x: pg.sum(x, axis=axis), x)
    np.testing.assert_allclose(found, TENTH * (x.size // found.size), rtol=4e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((1_000_000,), (1_000_000,)),
        ((1, 300_000), (300_000, 3)),
        ((3, 300_000), (300_000,)),
        ((300_000,), (300_000, 2)),
        ((50, 140_001), (140_001, 50)),
        ((2, 5, 90_000), (2, 90_000, 3)),
    ],
)
def test_products_of_equal_numbers_are_their_product(engine, left, right):
    x, y = np.full(left, 0.1, np.float32), np.full(right, 0.1, np.float32)
    found = on(engine, pg.matmul, x, y)
    np.testing.assert_allclose(found, left[-1] * TENTH**2, rtol=3e-5)


@pytest.mark.parametrize("groups", [1, 3])
def test_gradients_of_a_window_over_a_large_image_are_its_sum(groups):
    x, w = np.full((1, 3, 500, 402), 0.1, np.float32), np.ones((3, 3 // groups, 3, 3), np.float32)

    def slope(x: Any, w: Any) -> Any:
        return pg.gradients(pg.sum(pg.conv2d(x, w, groups=groups)), w)

    for engine in pg.engine_names():
        np.testing.assert_allclose(on(engine, slope, x, w), 498 * 400 * TENTH, rtol=3e-5)


@pytest.mark.parametrize("size", [(70_001,), (1, 70_001), (500, 400), (3, 250, 250)])
def test_native_sums_in_blocks_take_each_term_once(size):
    x = np.arange(np.prod(size), dtype=np.float64).reshape(size)  # sums of whole numbers are exact
    for axis in (*range(len(size)), None):
        for chain in (pg.sum, lambda x, axis: pg.sum(x * 2.0, axis=axis) - pg.sum(x, axis=axis)):
            found = on("native", lambda x, chain=chain, axis=axis: chain(x, axis=axis), x)
            np.testing.assert_array_equal(found, np.sum(x, axis=axis))


def test_infinities_and_nan_come_through_sums_in_blocks():
    for special in ([np.inf], [-np.inf], [np.inf, -np.inf], [np.nan]):
        x = np.ones(100_000, np.float32)
        x[: len(special)] = special
        y = np.ones((50, 20_000), np.float32)
        y[7, -len(special) :] = special
        for engine in ENGINES:
            np.testing.assert_array_equal(on(engine, pg.sum, x), sum(special))
            np.testing.assert_array_equal(on(engine, pg.matmul, x, np.ones_like(x)), sum(special))
            found = on(engine, lambda y: pg.sum(pg.abs(y) * y, axis=-1), y)
            assert found[0] == 20_000
            np.testing.assert_array_equal(found[7], sum(special))


def test_blocked_sums_are_sums_of_any_axes_in_any_order_of_memory():
    rng = np.random.default_rng(0)
    for _ in range(150):
        ndim = int(rng.integers(1, 5))
        x = rng.integers(-9, 9, rng.integers(1, (4000, 80, 30, 12)[ndim - 1], ndim)).astype(float)
        x = x.transpose(rng.permutation(ndim))[tuple(slice(None, None, s) for s in
                                                     rng.choice([-1, 1, 2], ndim))]  # fmt: skip
        axis = tuple(map(int, rng.permutation(ndim)[: rng.integers(1, ndim + 1)]))
        keepdims = bool(rng.integers(2))
        found = blocked_sum(x, axis, keepdims=keepdims)
        np.testing.assert_array_equal(found, np.sum(x, axis=axis, keepdims=keepdims))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((9000,), (9000,)),
        ((2, 9001), (9001,)),
        ((9000,), (3, 9000, 2)),
        ((3, 2, 17_000), (17_000, 4)),
    ],
)
def test_halved_products_are_products(left, right):
    rng = np.random.default_rng(0)
    x, y = rng.integers(-9, 9, left).astype(float), rng.integers(-9, 9, right).astype(float)
    np.testing.assert_array_equal(matrix_product(x, y), np.matmul(x, y))


# ---------------------------------------------------------------- half floats and integers

HUNDREDS = np.full(1000, 100, np.float16)
STEPS = np.arange(1000, dtype=np.float16)
RAMP = np.arange(1000.0)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (pg.mean, HUNDREDS, 100),
        (pg.var, HUNDREDS, 0),
        (pg.std, STEPS, np.std(RAMP)),
        (pg.vector_norm, HUNDREDS, 100 * np.sqrt(1000)),
        (lambda x: pg.mse(x, x * 3), HUNDREDS, 40_000),
        (pg.layer_norm, STEPS, (RAMP - RAMP.mean()) / RAMP.std()),
        (lambda x: pg.average_pool(pg.reshape(x, (1, 1, 40, 25)), (40, 25)), HUNDREDS, [[[[100]]]]),
        (lambda x: pg.sum(pg.reshape(x, (500, 2)), axis=0) / 1000, HUNDREDS, [50, 50]),
        (lambda x: pg.sum(x * 0.001), HUNDREDS, 100),
        (lambda x: pg.prod(pg.concat([x[:9], x[:9] * 0 + 0.01], axis=0)), HUNDREDS, 1),
        (pg.softmax, np.zeros(70_000, np.float16), np.full(70_000, 1 / 70_000)),
        (lambda x: pg.matmul(x, x * 0.001), HUNDREDS, 10_000),
        (lambda x: pg.logsumexp(x), np.zeros(70_000, np.float16), np.log(70_000)),
    ],
)
def test_half_floats_are_accumulated_as_float32(engine, f, x, expected):
    found = on(engine, f, x)
    assert found.dtype == np.float16
    np.testing.assert_allclose(found.astype(float), expected, rtol=2e-3, atol=1e-6)


def test_gradients_of_statistics_of_half_floats_are_half_floats():
    for f in (pg.mean, pg.std, pg.logsumexp, lambda x: pg.mse(x, x[::-1])):
        wide, half = (pg.grad(f)((STEPS / 256).astype(dtype)) for dtype in (np.float64, np.float16))
        assert half.dtype == np.float16
        np.testing.assert_allclose(np.asarray(half, float), wide, rtol=3e-3, atol=1e-5)


def test_a_global_norm_of_many_half_floats_is_finite():
    (clipped,) = pg.optim.clip_by_global_norm([pg.tensor(np.ones(70_000, np.float16))], 1.0)
    assert clipped.dtype == np.float16
    np.testing.assert_allclose(clipped.numpy().astype(float), 1 / np.sqrt(70_000), rtol=1e-3)


def test_rows_of_half_floats_are_added_back_as_float32():
    def slope(x: Any) -> Any:
        return pg.gradients(pg.sum(pg.take(x, np.zeros(5000, np.int64))), x)

    for engine in ENGINES:
        found = on(engine, slope, np.ones((2, 1), np.float16))
        np.testing.assert_array_equal(found, [[5000], [0]])


@pytest.mark.parametrize("engine", ENGINES)
def test_statistics_of_large_integers_keep_what_tells_them_apart(engine):
    x = np.array([1_700_000_001, 1_700_000_002, 1_700_000_003])
    found = [on(engine, f, x) for f in (pg.var, pg.std)]
    assert [one.dtype for one in found] == [np.float32] * 2
    np.testing.assert_allclose(found, [2 / 3, np.sqrt(2 / 3)], rtol=1e-6)
    np.testing.assert_allclose(on(engine, pg.mean, x), 1_700_000_002, rtol=1e-7)


def test_bits_of_long_sums_do_not_depend_on_the_number_of_threads():
    rng = np.random.default_rng(0)
    x, rows = (rng.normal(size=size).astype(np.float32) for size in (500_000, (30, 20_000)))
    image, w = (rng.normal(size=s).astype(np.float32) for s in ((2, 8, 150, 150), (8, 1, 3, 3)))

    def f(x: Any, rows: Any, image: Any, w: Any) -> list[Any]:
        narrow = pg.reshape(x, (-1, 2))
        sums = [pg.sum(x), pg.sum(narrow, axis=0), pg.softmax(rows), x @ x, narrow.mT @ narrow]
        return [*sums, pg.gradients(pg.sum(pg.conv2d(image, w, groups=8)), w)]

    before, found = pg.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            pg.set_num_threads(threads)
            found.append(pg.function(f, engine="native")(x, rows, image, w))
    finally:
        pg.set_num_threads(before)
    for other in found[1:]:
        for one, first in zip(other, found[0], strict=True):
            np.testing.assert_array_equal(one, first)


V, W = np.array([0.1, 0.2]), np.array([0.1, 0.3])
BESIDE_FLOAT64 = [
    lambda v, w: pg.append(v, w),
    lambda v, w: pg.append(v, w[0]),
    lambda v, w: pg.stack([v, w]),
    lambda v, w: pg.tensor([v[0], w[0]]),
    lambda v, w: pg.hstack([v, w]),
    lambda v, w: pg.vstack([v, w]),
    lambda v, w: pg.dstack([v, w]),
    lambda v, w: pg.column_stack([v, w]),
    lambda v, w: pg.concat([v, w], axis=None),
    lambda v, w: pg.insert(v, 0, w),
    lambda v, w: pg.insert(v, 0, w[0]),
    lambda v, w: pg.diff(v, append=w),
    lambda v, w: pg.ediff1d(v, to_end=w, to_begin=w[0]),
    lambda v, w: pg.trapezoid(v, w),
    lambda v, w: pg.cumulative_trapezoid(w, v),
    lambda v, w: pg.average(v, weights=w),
    lambda v, w: pg.cov(v, w),
    lambda v, w: pg.polyval(w, v),
    lambda v, w: pg.polyadd(v, w),
    lambda v, w: pg.polymul(v, w),
    lambda v, w: pg.polyint(v, k=w[0]),
    lambda v, w: pg.polyfit(w, v, 1),
    lambda v, w: pg.special.logsumexp(v, b=w),
    lambda v, w: pg.choose([0, 1], [v, w]),
    lambda v, w: pg.digitize(v, w),
    lambda v, w: pg.union1d(v, w),
    lambda v, w: v.at[[0, 1]].set(w),
    lambda v, w: v.at[[0, 1]].power(w),
]


@pytest.mark.parametrize("function", BESIDE_FLOAT64)
def test_lists_of_floats_keep_their_digits_beside_float64(function):
    expected = function(pg.tensor(V), W)
    found = function(pg.tensor(V), W.tolist())
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-14)
