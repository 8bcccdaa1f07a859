"""Kernels that call NumPy's sorts and SciPy's LAPACK give the bits of the numpy engine, refuse what
it refuses, and are replaced by fallbacks where the functions aren't there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.native.kernels.library import factors, sorting
from palingrad.engines.native.llvm import library_functions
from palingrad.ops.linalg.cholesky import CholeskySlope
from palingrad.ops.linalg.lu import LuSlope

DTYPES = ["float16", "float32", "float64", "int8", "uint8", "int16", "int32", "uint32", "int64",
          "uint64", "bool"]  # fmt: skip


@pytest.fixture(autouse=True)
def _usual_threads() -> Iterator[None]:
    before = pg.get_num_threads()
    yield
    pg.set_num_threads(before)


def agree(f: Any, *arrays: Any) -> str:
    """The same bits from both engines; returns explain()."""
    run = pg.function(f, engine="native")
    found, expected = run(*arrays), pg.function(f, engine="numpy")(*arrays)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    return run.explain(*arrays)


def numbers(shape: tuple[int, ...], dtype: str, seed: int = 0) -> Any:
    """Numbers with ties, and among floats zeros of both signs, infinities and NaN of both signs."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype.startswith(("int", "uint")):
        limits = np.iinfo(dtype)
        x = rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
        x[rng.random(shape) < 0.3] = 7
        return x
    x = rng.normal(size=shape)
    special = [0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, -np.nan]
    return np.where(rng.random(shape) < 0.4, rng.choice(special, shape), x).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_are_sorted_as_numpy_sorts_them(dtype):
    xs = [numbers(shape, dtype) for shape in [(1,), (7,), (100,), (5, 33), (2, 3, 8)]]

    def f(*xs: Any) -> list[Any]:
        found: list[Any] = []
        for x in xs:
            for y in (x, x.mT if x.ndim > 1 else x[::-1]):
                found += [pg.sort(y), pg.sort(y, descending=True)]
                found += [pg.argsort(y), pg.argsort(y, descending=True)]
        return found

    shown = agree(f, *xs)
    if dtype == "float16":  # which the numpy engine computes
        return
    assert "sort of rows, by NumPy" in shown
    wide = np.dtype(dtype).itemsize > 4
    assert ("Fallback" in shown) == wide  # NumPy computes the order of 64 bits


def test_the_order_of_indices_needs_no_fallback():
    x = numbers((3, 40), "float32")
    shown = agree(
        lambda x: [pg.argsort(pg.argsort(x), descending=down) for down in (False, True)], x
    )
    assert "Fallback" not in shown


def test_rows_of_a_large_array_are_sorted_by_several_threads():
    x = numbers((300, 500), "float32")
    run = pg.function(lambda x: [pg.sort(x * 2), pg.argsort(x)], engine="native")
    results: list[Any] = []
    for threads in (1, 2):
        pg.set_num_threads(threads)
        results.append([one.copy() for one in run(x)])
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(results[0][0], np.sort(x * 2))


def matrices(n: int, dtype: str) -> tuple[Any, ...]:
    rng = np.random.default_rng(n)
    x, b, g = (rng.normal(size=shape).astype(dtype) for shape in ((n, n), (n, 3), (n, n)))
    return x @ x.T / n + np.eye(n, dtype=dtype), x + 3 * np.eye(n, dtype=dtype), b, g


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_small_matrices_are_factored_as_the_formulas_factor_them(dtype):
    def f(h: Any, a: Any, b: Any, g: Any) -> list[Any]:
        return [
            pg.linalg.solve(a, b),
            pg.linalg.solve(a.mT, b[:, 0]),
            pg.linalg.svdvals(b),
            pg.linalg.svdvals(g.mT),
        ]

    def slopes(f: Any, g: Any) -> list[Any]:
        return [LuSlope(f, g), LuSlope(f.mT, g[::-1])]

    for n in (1, 2, 17, 64):
        shown = agree(f, *matrices(n, dtype))
        assert "Fallback" not in shown
        assert shown.count("by LAPACK") == 4
        found = pg.function(slopes, engine="native")(*matrices(n, dtype)[1::2])
        expected = pg.function(slopes, engine="numpy")(*matrices(n, dtype)[1::2])
        tiny = {"float32": 1e-5, "float64": 1e-13}[dtype] * np.abs(expected[0]).max()
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=tiny)
    assert "by LAPACK" not in agree(
        lambda x: [pg.linalg.svdvals(x)], np.ones((factors._MOST + 1,) * 2)
    )


def test_what_lapack_refuses_is_refused_by_name_and_the_next_run_is_right():
    x, a, b, _ = matrices(6, "float64")
    singular, nan = np.ones((6, 6)), np.full((6, 6), np.nan)
    cases = [
        (pg.linalg.cholesky, (-x,), (x,), "a matrix isn't positive definite"),
        (pg.linalg.solve, (singular, b), (a, b), "solve: a matrix is singular"),
        (pg.linalg.svdvals, (nan,), (a,), "svdvals: .* NaN or ∞"),
        (LuSlope, (np.tril(x, -1), a), None, "lu: a matrix is singular"),
        (CholeskySlope, (np.tril(x, -1), a), (x, a), "a matrix has a 0 on its diagonal"),
        # The first of several errors, and those before and after a fallback.
        (lambda x: pg.linalg.svdvals(pg.linalg.cholesky(x) * np.inf), (-x,), None, "positive"),
        (lambda x: pg.linalg.cholesky(-pg.linalg.expm(x)), (x,), None, "positive"),
        (lambda x: pg.linalg.eigh(pg.linalg.cholesky(x))[0], (-x,), (x,), "positive"),
    ]  # fmt: skip
    for f, wrong, right, text in cases:
        run = pg.function(f, engine="native")
        for _ in range(2):
            if right is not None:
                expected = pg.function(f, engine="numpy")(*right)
                np.testing.assert_allclose(run(*right), expected, rtol=1e-11)
            with pytest.raises(np.linalg.LinAlgError, match=text):
                run(*wrong)


def test_an_index_out_of_range_is_told_from_a_failure_of_lapack():
    def f(x: Any, index: Any) -> Any:
        return pg.linalg.cholesky(x)[index + 1]

    low = pg.function(pg.linalg.cholesky, engine="native")
    run, (x, *_) = pg.function(f, engine="native"), matrices(6, "float64")
    index = np.array([0, 4])
    np.testing.assert_array_equal(run(x, index), low(x)[index + 1])
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        run(-x, index)
    with pytest.raises(IndexError, match="6"):
        run(x, index + 1)
    np.testing.assert_array_equal(run(x, index), low(x)[index + 1])


def test_gradients_agree_with_the_numpy_engine():
    def f(h: Any, a: Any, b: Any) -> Any:
        solved = pg.linalg.solve(pg.linalg.cholesky(h) @ a, b)
        return pg.sum(solved**2) + pg.sum(pg.sort(a) * h) + pg.sum(pg.linalg.svdvals(a))

    h, a, b, _ = matrices(12, "float64")
    gradients = pg.grad(f, [0, 1, 2])
    found = pg.function(gradients, engine="native")(h, a, b)
    expected = pg.function(gradients, engine="numpy")(h, a, b)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def test_code_from_the_cache_calls_the_functions_too(tmp_path, monkeypatch):
    monkeypatch.setenv("PALINGRAD_CACHE", str(tmp_path))
    x, *_ = matrices(9, "float32")
    shown: list[str] = []
    for _ in range(2):
        run = pg.function(lambda x: pg.sort(pg.linalg.solve(x, x[::-1])), engine="native")
        np.testing.assert_array_equal(run(x), np.sort(pg.linalg.solve(x, x[::-1]).numpy()))
        shown.append(run.explain(x).splitlines()[0])
    assert shown[1].endswith("code from the cache")


def test_programs_that_update_variables_call_no_library():
    """There subnormal numbers count as 0."""
    total, (x, *_) = pg.Variable(np.zeros((4, 4))), matrices(4, "float64")

    @pg.function(engine="native")
    def step(x: Any) -> Any:
        total.assign_add(pg.linalg.solve(x, x[::-1]))
        return pg.sort(x)

    np.testing.assert_array_equal(step(x), np.sort(x))
    np.testing.assert_array_equal(total.numpy(), pg.linalg.solve(x, x[::-1]).numpy())
    assert "by NumPy" not in step.explain(x)


def test_functions_that_are_missing_are_replaced_by_fallbacks(monkeypatch):
    for module in (sorting, factors):
        monkeypatch.setattr(module, "address", lambda name: None)
    x, a, b, _ = matrices(5, "float32")

    def f(x: Any, a: Any, b: Any) -> list[Any]:
        return [pg.sort(x), pg.argsort(x), pg.linalg.svdvals(x), pg.linalg.solve(a, b)]

    assert agree(f, x, a, b).count("because there is no kernel") == 4


def test_only_functions_that_work_have_an_address(monkeypatch):
    for name in ("sort.float32", "lapack.spotrf", "blas.dgemm"):
        assert library_functions.address(name)
    for name in ("lapack.sneither", "neither.nor", "sort.neither"):
        assert library_functions.address(name) is None
    with pytest.raises(RuntimeError, match="sneither isn't there"):
        library_functions.provide(["lapack.sneither"])
    library_functions.address.cache_clear()
    monkeypatch.setattr(np, "__version__", "3.0.0")
    assert library_functions.address("sort.float32") is None
    monkeypatch.undo()
    library_functions.address.cache_clear()
