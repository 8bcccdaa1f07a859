"""Factors and solutions that machine code computes in panels: as exact as LAPACK's, refused where
they must be, and of the same bits for any number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.ops.linalg.cholesky import CholeskySlope

# A part of a panel, several panels, and several blocks of LU factors.
SIZES = [1, 7, 65, 210]


def native(f: Any, *arrays: Any) -> Any:
    """The results of the native engine, which nothing but machine code computes."""
    run = pg.function(f, engine="native")
    found = run(*arrays)
    assert "Fallback" not in run.explain(*arrays)
    return [one.astype(np.float64) for one in found]


def matrices(n: int, dtype: str) -> tuple[Any, ...]:
    """A positive definite matrix, and two others."""
    rng = np.random.default_rng(n)
    x, g = (rng.normal(size=(n, n)).astype(dtype) for _ in range(2))
    return (x @ x.T / n + np.eye(n)).astype(dtype), x, g


def close(found: Any, expected: Any, dtype: str, units: float) -> None:
    """Errors are at most so many units in the last place of the largest number."""
    limit = units * np.finfo(dtype).eps * max(np.abs(expected).max(), 1e-30)
    np.testing.assert_allclose(found, expected, rtol=0, atol=limit)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", SIZES)
def test_factors_are_exact_to_rounding(n, dtype):
    h, x, g = matrices(n, dtype)

    def f(h: Any, x: Any, g: Any) -> list[Any]:
        low = pg.linalg.cholesky(h)
        f, piv = pg.linalg.lu_factor(x)
        across, _ = pg.linalg.lu_factor(x.mT)
        return [low, pg.linalg.cholesky(h.mT + 0 * x), f, piv, across, CholeskySlope(low, g)]

    low, again, lu, piv, across, slope = native(f, h, x, g)
    close(low @ low.T, h, dtype, 10)
    np.testing.assert_array_equal(again, low)
    assert not np.triu(low, 1).any()
    assert np.abs(np.tril(lu, -1)).max() <= 1

    def product(f: Any) -> Any:
        return (np.tril(f, -1) + np.eye(n)) @ np.triu(f)

    given = x.astype(np.float64)
    order = np.arange(n)
    for row, pivot in enumerate(piv.astype(int)):
        order[[row, pivot]] = order[[pivot, row]]
    close(product(lu), given[order], dtype, 100)
    np.testing.assert_array_equal(piv, pg.linalg.lu_factor(x)[1].numpy())
    order = pg.linalg.lu(x.T)[0].numpy().argmax(axis=0)
    close(product(across), given.T[order], dtype, 100)
    close(slope, CholeskySlope(low, g.astype(np.float64)).numpy(), dtype, 40)


@pytest.mark.parametrize(("dtype", "n"), [("float32", 9), ("float64", 70)])
def test_solutions_are_exact_to_rounding(n, dtype):
    _, x, g = matrices(n, dtype)
    a = x + np.diag(np.full(n, 2 * np.sqrt(n), dtype))
    small = (a / a.dtype.type(n)).copy()  # for triangles with ones on the diagonal
    sides = [g[:, 0], g[:, :3], np.tile(g, 2)[:, : n + 5].T.copy().T]
    options = [(trans, lower, unit) for trans in (0, 1) for lower, unit in ((0, 1), (1, 0), (1, 1))]

    def f(a: Any, small: Any, *sides: Any) -> list[Any]:
        factors = pg.linalg.lu_factor(a)
        found = [pg.linalg.lu_solve(factors, b, trans) for b in sides for trans in (0, 1)]
        for place, (trans, lower, unit) in enumerate(options):
            t = small if unit else a
            b = sides[place % len(sides)]
            found.append(pg.linalg.solve_triangular(t, b, trans, bool(lower), bool(unit)))
        return found

    found = iter(native(f, a, small, *sides))
    whole = a.astype(np.float64)
    for b in sides:
        close(next(found), np.linalg.solve(whole, b), dtype, 100)
        close(next(found), np.linalg.solve(whole.T, b), dtype, 100)
    for place, (trans, lower, unit) in enumerate(options):
        triangle = (np.tril if lower else np.triu)(small.astype(np.float64) if unit else whole)
        if unit:
            np.fill_diagonal(triangle, 1)
        b = sides[place % len(sides)]
        close(next(found), np.linalg.solve(triangle.T if trans else triangle, b), dtype, 100)


def test_triangles_that_are_not_read_may_hold_anything():
    h, x, g = matrices(60, "float64")
    low = np.linalg.cholesky(h)
    nothing = np.triu(np.full_like(h, np.nan), 1)

    def f(low: Any, g: Any, b: Any) -> list[Any]:
        return [CholeskySlope(low, g), pg.linalg.solve_triangular(low, b, 0, True)]

    for one, other in zip(native(f, low + nothing, g + nothing, x), native(f, low, g, x)):
        np.testing.assert_array_equal(one, other)


def test_matrices_without_factors_are_refused_and_the_next_run_is_right():
    h, _, g = matrices(100, "float64")
    late, singular = h.copy(), h.copy()
    late[90, 90] = -1
    singular[:, 80] = 0
    low = np.linalg.cholesky(h)
    zero = low.copy()
    zero[99, 99] = 0
    b = g[:, 0]
    cases = [
        (pg.linalg.cholesky, (late,), (h,), "a matrix isn't positive definite"),
        (pg.linalg.solve, (singular, b), (h, b), "solve: a matrix is singular"),
        (CholeskySlope, (zero, g), (low, g), "a matrix has a 0 on its diagonal"),
        (pg.linalg.solve_triangular, (zero, b), (h, b), "solve_triangular: .* 0 on its diagonal"),
    ]
    for f, refused, right, text in cases:
        run = pg.function(f, engine="native")
        expected = pg.function(f, engine="numpy")(*right)
        for _ in range(2):
            np.testing.assert_allclose(run(*right), expected, rtol=1e-9, atol=1e-12)
            with pytest.raises(np.linalg.LinAlgError, match=text):
                run(*refused)


@pytest.mark.parametrize("place", [(0, 0), (70, 70), (99, 0)])
def test_nan_gives_nan_as_on_the_numpy_engine(place):
    h, *_ = matrices(100, "float64")
    h[place] = h[place[::-1]] = np.nan
    run = pg.function(pg.linalg.cholesky, engine="native")
    expected = pg.function(pg.linalg.cholesky, engine="numpy")(h)
    assert np.isnan(expected[-1, -1])
    np.testing.assert_allclose(run(h), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("dtype", "huge"), [("float32", 2e38), ("float64", 1e308)])
def test_pivots_whose_reciprocals_are_subnormal(dtype, huge):
    """A Program that updates a Variable flushes these reciprocals to 0."""
    count, n = pg.Variable(0.0), 60
    a, b = np.eye(n, dtype=dtype), np.ones(n, dtype)
    a[20, 20], a[21, 20], b[20] = huge, huge / 2, huge / 4

    @pg.function(engine="native")
    def step(a: Any, b: Any) -> list[Any]:
        count.assign_add(1.0)
        factors = pg.linalg.lu_factor(a)
        solutions = [pg.linalg.lu_solve(factors, b), pg.linalg.solve_triangular(a, b, 0, True)]
        return [factors[0][21, 20], *[x[20] for x in solutions]]

    assert [float(x) for x in step(a, b)] == [0.5, 0.25, 0.25]


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_a_subnormal_pivot_has_a_solution(engine):
    t = np.diag([1.0, 1e-310, 1.0])
    run = pg.function(lambda t, b: pg.linalg.solve_triangular(t, b), engine=engine)
    np.testing.assert_array_equal(run(t, np.array([1.0, 0.0, 2.0])), [1, 0, 2])
    np.testing.assert_array_equal(run(t, np.array([1.0, 2e-310, 2.0])), [1, 2, 2])


@pytest.mark.parametrize("engine", ["numpy", "native"])
@pytest.mark.parametrize(
    ("dtype", "small"),
    [("float32", 2.0**-140), ("float64", 2.0**-1040), ("complex128", 2.0**-1040)],
)
@pytest.mark.parametrize("count", [0, 2])
def test_subnormal_pivots_have_the_solutions_of_the_scaled_system(engine, dtype, small, count):
    rng = np.random.default_rng(3)
    whole = np.round(rng.uniform(1, 4, (40, 40))) * (np.tri(40, k=-1) / 8 + np.eye(40))
    whole[::3] = np.diag(np.diag(whole))[::3]
    whole, sides = whole.astype(dtype), np.round(rng.uniform(1, 4, (40, 3))).astype(dtype)
    rows = np.where(np.arange(40) % 3 == 0, small, 1)[:, None]
    if count:
        whole, sides = np.stack([whole] * count), np.stack([sides] * count)
    rows = rows.astype(np.real(whole).dtype)
    run = pg.function(lambda a, b: pg.linalg.solve_triangular(a, b, 0, True), engine=engine)
    expected = run(whole, sides)
    np.testing.assert_allclose(run(whole * rows, sides * rows), expected, rtol=1e-4)


@pytest.mark.parametrize("engine", ["numpy", "native"])
@pytest.mark.parametrize("trans", [0, 1])
def test_lu_factors_with_subnormal_pivots_have_solutions(engine, trans):
    rng = np.random.default_rng(4)
    low = np.tril(np.round(rng.uniform(-1, 1, (40, 40)) * 16) / 128, -1) + np.eye(40)
    up = np.triu(np.round(rng.uniform(-1, 1, (40, 40)) * 16) / 128, 1) + np.eye(40)
    low[::3], up[::3], up[:, ::3] = np.eye(40)[::3], 0, 0
    up[np.arange(0, 40, 3), np.arange(0, 40, 3)] = 2.0**-1040
    order = np.minimum(np.arange(40) + rng.integers(0, 3, 40), 39)
    factors, a = low - np.eye(40) + up, low @ up
    for i in range(39, -1, -1):
        a[[i, order[i]]] = a[[order[i], i]]
    x = np.ones((40, 2))
    run = pg.function(lambda b: pg.linalg.lu_solve((factors, order), b, trans), engine=engine)
    np.testing.assert_allclose(run((a.T if trans else a) @ x), x, rtol=1e-6)


def test_every_matrix_has_lu_factors():
    """Only a solution refuses a 0 on the diagonal. A tiny pivot divides, since its reciprocal is
    infinite."""
    run = pg.function(lambda x: pg.linalg.lu_factor(x), engine="native")
    singular = np.ones((60, 60))
    tiny = np.diag(np.full(60, 1e-310)) + np.tril(np.full((60, 60), 5e-311), -1)
    ties = np.where(np.random.default_rng(0).random((60, 60)) < 0.5, 1.0, -1.0)
    for x in (singular, np.zeros((60, 60))):
        for one, other in zip(run(x), pg.linalg.lu_factor(x), strict=True):
            np.testing.assert_array_equal(one, other.numpy())
    f = run(tiny)[0]
    np.testing.assert_allclose(np.tril(f, -1), np.tril(tiny, -1) / 1e-310, rtol=1e-12)
    np.testing.assert_array_equal(run(ties)[1][:1], pg.linalg.lu_factor(ties)[1].numpy()[:1])
    with_nan = ties.copy()
    with_nan[50, 3] = np.nan
    assert np.isnan(run(with_nan)[0][-1]).any()


def test_the_bits_are_the_same_for_any_number_of_threads():
    h, x, g = matrices(300, "float32")

    def f(h: Any, x: Any, g: Any) -> list[Any]:
        low = pg.linalg.cholesky(h)
        return [low, CholeskySlope(low, g), *pg.linalg.lu_factor(x), pg.linalg.solve(x, g)]

    run, before = pg.function(f, engine="native"), pg.get_num_threads()
    results: list[Any] = []
    try:
        for threads in (1, 2, 3):
            pg.set_num_threads(threads)
            for _ in range(5):
                results.append([one.copy() for one in run(h, x, g)])
    finally:
        pg.set_num_threads(before)
    for others in results[1:]:
        for one, other in zip(results[0], others, strict=True):
            np.testing.assert_array_equal(one, other)


def test_explain_counts_stages_that_repeat_others():
    h, *_ = matrices(400, "float32")
    shown = pg.function(pg.linalg.cholesky, engine="native").explain(h)
    assert "more kernels like the last ones" in shown
    assert shown.count("triangle factored") == 2
    assert shown.splitlines()[-2].endswith("640 kB out")
    assert shown.splitlines()[-1].strip() == "cholesky"


def test_a_program_that_updates_variables_factors_in_machine_code():
    total, (h, *_) = pg.Variable(np.zeros((60, 60))), matrices(60, "float64")

    @pg.function(engine="native")
    def step(h: Any) -> Any:
        total.assign_add(pg.linalg.cholesky(h))
        return pg.linalg.solve_triangular(h, h[0])

    step(h)
    assert "Fallback" not in step.explain(h)
    before = total.numpy().copy()
    close(before, np.linalg.cholesky(h), "float64", 10)
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        step(-h)
    np.testing.assert_array_equal(total.numpy(), before)
