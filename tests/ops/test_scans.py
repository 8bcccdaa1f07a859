"""Running totals, differences and the trapezoidal rule are NumPy's; their gradients are exact."""

from typing import Any

import numpy as np
import pytest
from scipy.integrate import cumulative_trapezoid

import palingrad as pg
from palingrad.ops.scan.cumulative import Cumprod, LinearRecurrence, RunTotals

SHAPES = [(5,), (3, 4), (2, 3, 4), (0,), (0, 3), (3, 0), (100,)]
DTYPES = ["float32", "float64", "int32", "uint8", "bool"]
SCANS = {
    "cumsum": np.cumsum,
    "cumprod": np.cumprod,
    "nancumsum": np.nancumsum,
    "nancumprod": np.nancumprod,
    "cummax": np.maximum.accumulate,
    "cummin": np.minimum.accumulate,
    "logcumsumexp": np.logaddexp.accumulate,
    "diff": lambda x, axis: np.diff(x, axis=axis),
    "cumulative_sum": lambda x, axis: np.cumulative_sum(x, axis=axis),
    "cumulative_prod": lambda x, axis: np.cumulative_prod(x, axis=axis),
    "trapezoid": lambda x, axis: np.trapezoid(x, axis=axis),
}


def array(shape: tuple[int, ...], dtype: str, seed: int = 0) -> Any:
    x = np.random.default_rng(seed).normal(size=shape) * 2
    return np.abs(x).astype(dtype) if dtype == "uint8" else x.astype(dtype)


def axis_of(name: str, x: Any, axis: int) -> Any:
    """The result of pg.name along an axis, which the array API wants by name."""
    f = getattr(pg, name)
    by_name = name in ("diff", "trapezoid", "cumulative_sum", "cumulative_prod")
    return f(x, axis=axis) if by_name else f(x, axis)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SCANS)
def test_scans_are_numpys(name, dtype):
    for shape in SHAPES:
        x = array(shape, dtype)
        if name.startswith("nan") and x.dtype.kind == "f":
            x.flat[::2] = np.nan
        for axis in range(-x.ndim, x.ndim):
            found = axis_of(name, x, axis).numpy()
            with np.errstate(all="ignore"):
                expected = np.asarray(SCANS[name](x, axis))
            assert found.shape == expected.shape
            if expected.dtype.kind in "iub" or dtype.startswith("f"):
                assert found.dtype == expected.dtype
            # NumPy computes functions of small integers in float16.
            digits = 3e-3 if expected.dtype == np.float16 else 2e-5
            np.testing.assert_allclose(found, expected, rtol=digits, atol=1e-6)


def test_without_an_axis_all_elements_are_one_vector():
    x = array((2, 3), "float64")
    for name in ("cumsum", "cumprod", "nancumsum", "nancumprod"):
        np.testing.assert_allclose(getattr(pg, name)(x).numpy(), SCANS[name](x.ravel(), 0))
    assert pg.cumsum(3.0).shape == (1,)
    with pytest.raises(pg.errors.ArgumentError, match="2 axes needs one axis"):
        pg.cumulative_sum(x)


def test_the_empty_total_comes_first():
    x = array((2, 3), "float32")
    for axis in (0, 1):
        found = pg.cumulative_sum(x, axis=axis, include_initial=True).numpy()
        expected = np.cumulative_sum(x, axis=axis, include_initial=True)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        found = pg.cumulative_prod(x, axis=axis, include_initial=True).numpy()
        expected = np.cumulative_prod(x, axis=axis, include_initial=True)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    empty = pg.cumulative_sum(np.zeros((0,), np.int32), include_initial=True)
    assert empty.numpy().tolist() == [0]
    assert empty.dtype == np.int64


def test_dtype_converts_before_adding():
    wrapped = pg.cumsum(np.full(3, 200, np.uint8), dtype="uint8").numpy()
    assert wrapped.dtype == np.uint8
    assert wrapped.tolist() == [200, 144, 88]
    assert pg.cumsum(np.array([0.5, 0.7]), dtype="int64").numpy().tolist() == [0, 0]
    found = pg.cumsum(np.full(3, 0.1, np.float32), dtype="float64").numpy()
    assert found.dtype == np.float64


@pytest.mark.parametrize("engine", ["eager", *pg.engine_names()])
def test_a_long_running_sum_keeps_its_digits(engine):
    x = np.full(1_000_000, 0.1, np.float32)
    found = pg.cumsum(x).numpy() if engine == "eager" else pg.function(pg.cumsum, engine=engine)(x)
    np.testing.assert_allclose(found[-1], 1_000_000 * np.float64(np.float32(0.1)), rtol=1e-7)
    half = pg.cumsum(np.full(4000, 0.25, np.float16)).numpy()
    assert half[-1] == 1000


def test_the_gradient_of_a_running_product_is_exact_where_elements_are_zero():
    rng = np.random.default_rng(0)
    for n in (1, 4, 150):  # the last in blocks
        x, g = rng.normal(size=n), rng.normal(size=n)
        x[:: max(n // 3, 2)] = 0
        expected = np.zeros(n)
        for i in range(n):
            others = np.where(np.arange(n) == i, 1.0, x)
            expected[i] = np.sum((g * np.cumprod(others))[i:])
        found = pg.grad(lambda x, g=g: pg.sum(g * pg.cumprod(x)))(x)
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_a_cotangent_of_zero_meets_infinite_factors():
    x = np.array([2.0, np.inf, 3.0, 0.0] * 30)
    for n in (3, 120):
        first = pg.grad(lambda x: pg.cumprod(x)[0])
        assert first(x[:n]).tolist() == [1.0, *[0.0] * (n - 1)]


def test_in_the_second_order_too():
    x = np.array([2.0, np.inf, 0.0, -np.inf, np.nan, 3.0])

    def masked(x):
        return pg.sum(pg.where(np.arange(6) < 1, pg.cumprod(x), 0) ** 2)

    h = pg.hessian(masked)(x)
    np.testing.assert_array_equal(h, np.diag([2.0, 0, 0, 0, 0, 0]))


def test_tied_extremes_share_the_gradient_as_those_of_all_elements_do():
    x = np.array([1.0, 3.0, 3.0, 2.0, 3.0])
    last = pg.grad(lambda x: pg.cummax(x)[-1])(x)
    assert last.tolist() == pg.grad(pg.max)(x).tolist() == [0, 1 / 3, 1 / 3, 0, 1 / 3]
    assert pg.grad(lambda x: pg.cummin(-x)[2])(x).tolist() == [0, -0.5, -0.5, 0, 0]


def test_logcumsumexp_of_far_numbers():
    x = np.array([-1e4, -1e4, 0.0, 1e4, -np.inf], np.float32)
    np.testing.assert_allclose(pg.logcumsumexp(x).numpy(), np.logaddexp.accumulate(x))
    slopes = pg.grad(lambda x: pg.sum(pg.logcumsumexp(x)))(x)
    np.testing.assert_allclose(slopes, [1.5, 0.5, 1, 2, 0])


def test_differences_of_several_orders_with_ends():
    x = array((3, 4), "float64")
    for n in (0, 1, 2, 5):
        np.testing.assert_allclose(pg.diff(x, n).numpy(), np.diff(x, n))
    found = pg.diff(x, axis=0, prepend=1.0, append=np.zeros((2, 4))).numpy()
    np.testing.assert_allclose(found, np.diff(x, axis=0, prepend=1.0, append=np.zeros((2, 4))))
    with pytest.raises(pg.errors.ArgumentError, match="negative"):
        pg.diff(x, -1)


def test_the_trapezoidal_rule_with_sample_points():
    y, t = array((3, 5), "float64"), np.sort(array((5,), "float64", 1))
    np.testing.assert_allclose(pg.trapezoid(y, t).numpy(), np.trapezoid(y, t))
    np.testing.assert_allclose(pg.trapezoid(y, dx=0.5, axis=0).numpy(),
                               np.trapezoid(y, dx=0.5, axis=0))  # fmt: skip
    found = pg.cumulative_trapezoid(y, t, initial=0).numpy()
    np.testing.assert_allclose(found, cumulative_trapezoid(y, t, initial=0))
    slopes = pg.grad(lambda t: pg.sum(pg.trapezoid(y, t)))(t)
    step = 1e-6 * np.eye(5)
    numeric = [np.sum(np.trapezoid(y, t + e) - np.trapezoid(y, t - e)) / 2e-6 for e in step]
    np.testing.assert_allclose(slopes, numeric, rtol=1e-6, atol=1e-8)
    with pytest.raises(pg.errors.ShapeError, match="don't fit y"):
        pg.trapezoid(y, t[:3])


@pytest.mark.skipif("native" not in pg.engine_names(), reason="needs llvmlite")
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool"])
def test_the_native_kernel_computes_what_numpy_does(dtype):
    """Along every axis, in both directions, of rows shorter and longer than a vector."""
    shapes = [(7,), (67,), (3, 2, 35), (0, 3)]
    xs = [array(shape, dtype, seed) for seed, shape in enumerate(shapes)]

    def all_of(*xs: Any) -> list[Any]:
        return [
            part
            for x in xs
            for axis in range(x.ndim)
            for y in (pg.cumsum(x[..., ::-1], axis), pg.cummax(x.T, axis), pg.cumprod(x, axis))
            for part in (y, *slopes(y, x))
        ]

    def slopes(y: Any, x: Any) -> list[Any]:
        return [pg.gradients(pg.sum(y * y), x)] if dtype.startswith("f") else []

    run = pg.function(all_of, engine="native")
    assert "Fallback" not in run.explain(*xs)
    for found, expected in zip(run(*xs), pg.function(all_of, engine="numpy")(*xs), strict=True):
        assert found.dtype == expected.dtype
        scale = np.abs(expected).max(initial=1)
        digits = 1e-5 if dtype == "float32" else 1e-12
        np.testing.assert_allclose(found, expected, rtol=digits, atol=digits * scale)


@pytest.mark.skipif("native" not in pg.engine_names(), reason="needs llvmlite")
def test_any_number_of_threads_computes_the_same_bits():
    x = array((64, 3000), "float32")
    run = pg.function(lambda x: pg.cumsum(x * x, 1), engine="native")
    before = pg.get_num_threads()
    try:
        results = []
        for threads in (1, 2):
            pg.set_num_threads(threads)
            results.append(run(x).copy())
    finally:
        pg.set_num_threads(before)
    assert np.array_equal(*results)
    assert "multiply, cumsum" in run.explain(x)  # one kernel


def with_infinities(n: int, seed: int) -> Any:
    chosen = [0.0, 1.0, -2.0, 0.5, np.inf, np.nan]
    rng = np.random.default_rng(seed)
    return rng.choice(chosen, (3, n), p=[0.4, 0.2, 0.15, 0.1, 0.1, 0.05]).astype(np.float32)


@pytest.mark.parametrize("reverse", [False, True])
def test_zero_absorbs_infinity_in_the_vectors_that_have_a_nan(reverse, monkeypatch):
    """The same numbers as where every product is made so that 0 absorbs."""
    monkeypatch.setenv("PALINGRAD_CACHE", "off")  # both ways are compiled
    xs = [with_infinities(n, n) for n in (1, 3, 8, 21, 70)]

    def recurrences(*xs: Any) -> list[Any]:
        options: dict[str, Any] = dict(axis=1, reverse=reverse, absorbing=True)
        return [LinearRecurrence(x, x[::-1] * scale, **options) for x in xs for scale in (1, 0)]

    found = pg.function(recurrences, engine="native")(*xs)
    assert any(np.isnan(x).any() for x in xs)
    assert all((one == 0).all() for one in found[1::2] if not np.isnan(one).any())
    monkeypatch.setattr(LinearRecurrence, "without_nan", lambda y: None)
    for one, other in zip(found, pg.function(recurrences, engine="native")(*xs), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("absorbing", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_recurrences_with_infinite_factors_are_those_in_order(absorbing, reverse):
    """A product of factors, 0·∞, may not meet a total that no such product has in order."""
    options: dict[str, Any] = dict(axis=1, reverse=reverse, absorbing=absorbing)
    run = pg.function(lambda a, b: LinearRecurrence(a, b, **options), engine="native")
    for n in (3, 8, 21, 70):
        a, b = with_infinities(n, n), with_infinities(n, n + 1)
        b[np.isnan(b)] = 1.5
        expected = np.zeros((3, n))
        places = range(n)[:: -1 if reverse else 1]
        expected[:, places[0]] = y = b[:, places[0]].astype(float)
        for i in places[1:]:
            with np.errstate(invalid="ignore"):
                product = a[:, i].astype(float) * y
                y = np.where(absorbing & (y == 0) & np.isnan(product), 0, product) + b[:, i]
            expected[:, i] = y
        np.testing.assert_allclose(run(a, b), expected, rtol=1e-6)


@pytest.mark.parametrize("engine", ["numpy", "native"])
@pytest.mark.parametrize("reverse", [False, True])
def test_totals_of_runs_keep_infinities_within_their_run(engine, reverse):
    rng = np.random.default_rng(0)
    xs = [with_infinities(n, n) for n in (1, 8, 21, 70)]
    keys = [np.sort(rng.integers(0, 4, x.shape), axis=1) for x in xs]

    def totals(*given: Any) -> list[Any]:
        pairs = zip(given[: len(xs)], given[len(xs) :], strict=True)
        return [RunTotals(key, x, axis=1, reverse=reverse) for x, key in pairs]

    for x, key, found in zip(xs, keys, pg.function(totals, engine=engine)(*xs, *keys), strict=True):
        for row, place in np.ndindex(x.shape):
            before = slice(place, None) if reverse else slice(place + 1)
            inside = key[row, before] == key[row, place]
            np.testing.assert_allclose(found[row, place], x[row, before][inside].sum(), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("reverse", [False, True])
def test_products_overflow_and_underflow_only_where_products_in_order_do(dtype, reverse):
    """Factors of either size, zeros, infinities and NaN in all places of vectors."""
    rng = np.random.default_rng(0)
    most = {"float16": 4, "float32": 38, "float64": 300}[dtype]
    wide = {"float16": np.float32}.get(dtype, np.float64)  # in which products are accumulated
    run = pg.function(lambda x: Cumprod(x, axis=1, reverse=reverse), engine="native")
    for n in (3, 8, 21, 70):
        x = 10.0 ** rng.choice([-most, most, -0.7 * most, 0.6 * most, 0.1], (60, n))
        x *= rng.choice([-1, 1], x.shape)
        x[20:40][rng.random((20, n)) < 0.05] = 0
        x[40:][rng.random((20, n)) < 0.02] = np.inf
        x[50:][rng.random((10, n)) < 0.02] = np.nan
        x = x.astype(dtype)
        with np.errstate(all="ignore"):
            given = (x[:, ::-1] if reverse else x).astype(wide)
            expected = np.multiply.accumulate(given, 1)[:, :: -1 if reverse else 1].astype(dtype)
        digits = {"float16": 2e-3, "float32": 2e-7, "float64": 1e-13}[dtype]
        tiny = float(np.finfo(dtype).tiny)
        np.testing.assert_allclose(run(x), expected, rtol=digits, atol=tiny)
        zeros = (expected == 0) & ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(run(x))[zeros], np.signbit(expected)[zeros])


def recurrence_in_order(a, b):
    y = np.array(b)
    with np.errstate(all="ignore"):
        for i in range(1, len(y)):
            y[i] = a[i] * y[i - 1] + b[i]
    return y


@pytest.mark.parametrize("engine", pg.engine_names())
@pytest.mark.parametrize("reverse", [False, True])
def test_recurrences_in_float64_are_those_in_order(engine, reverse):
    """Vectors of factors whose products leave the range of numbers, while the results don't."""
    rng = np.random.default_rng(0)
    n = 37
    for case in range(60):
        a, b = rng.uniform(0.5, 2, n), rng.uniform(0.5, 2, n)
        if case % 6 == 1:
            a *= np.where(np.arange(n) % 2, 1e250, 1e-250)  # balanced one by one
        elif case % 6 == 2:
            a *= np.repeat([1e200, 1e-200], 2)[np.arange(n) % 4]
        elif case % 6 == 3:
            a[rng.integers(0, n, 9)] = 0.0
        elif case % 6 == 4:
            a[rng.integers(0, n, 2)] = np.inf
            b[rng.integers(0, n, 3)] = [0.0, np.inf, -np.inf]
        elif case % 6 == 5:
            a[rng.integers(0, n, 4)] = [1e-320, 1e308, 5e-324, -1e-310]
            b *= rng.choice([1e-300, 1.0, 1e300], n)
        order = slice(None, None, -1 if reverse else 1)
        expected = recurrence_in_order(a[order], b[order])[order]
        f = pg.function(
            lambda a, b: LinearRecurrence(a, b, axis=0, reverse=reverse, absorbing=False),
            engine=engine,
        )
        np.testing.assert_allclose(f(a, b), expected, rtol=1e-13, err_msg=str(case))
