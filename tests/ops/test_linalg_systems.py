"""Factors that are kept, banded and Sylvester equations, roots and logarithms of matrices; and
matrices so large that they are factored in blocks."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.linalg

import palingrad as pg
from palingrad import linalg
from palingrad.errors import ArgumentError, ShapeError
from palingrad.passes.pipeline import optimise
from palingrad.passes.program import Program
from tolerances import assert_close

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 4)) + 3 * np.eye(4)
BATCH = RNG.normal(size=(2, 3, 4, 4)) + 4 * np.eye(4)
B = RNG.normal(size=(4, 2))
V = RNG.normal(size=4)
COMPLEX = A + 1j * RNG.normal(size=(4, 4))
TURN = np.array([[0.0, 4.0], [-9.0, 1.0]])  # complex eigenvalues


def banded(ab: Any, lower: int, upper: int) -> Any:
    n = ab.shape[-1]
    a = np.zeros((n, n), ab.dtype)
    for i in range(n):
        for j in range(max(0, i - lower), min(n, i + upper + 1)):
            a[i, j] = ab[upper + i - j, j]
    return a


# The name, what it should compute, and arguments for both.
VALUES: list[tuple[Any, ...]] = [
    ("lu_factor", scipy.linalg.lu_factor, A),
    ("lu_factor", scipy.linalg.lu_factor, A[:, :3]),
    ("lu_factor", scipy.linalg.lu_factor, COMPLEX),
    *(("lu_solve", scipy.linalg.lu_solve, scipy.linalg.lu_factor(A), B, t) for t in (0, 1, 2)),
    ("lu_solve", scipy.linalg.lu_solve, scipy.linalg.lu_factor(COMPLEX), V, 2),
    ("sqrtm", scipy.linalg.sqrtm, A),
    ("sqrtm", scipy.linalg.sqrtm, TURN),
    ("sqrtm", scipy.linalg.sqrtm, COMPLEX),
    ("logm", scipy.linalg.logm, A),
    ("logm", scipy.linalg.logm, TURN),
    ("logm", scipy.linalg.logm, COMPLEX),
    ("solve_sylvester", scipy.linalg.solve_sylvester, A, BATCH[0, 0], B @ B.T),
    ("solve_sylvester", scipy.linalg.solve_sylvester, A, TURN + 4 * np.eye(2), B),
    ("solve_sylvester", scipy.linalg.solve_sylvester, COMPLEX, A + 0j, COMPLEX),
    ("solve_banded", scipy.linalg.solve_banded, (1, 2), A, B),
    ("solve_banded", scipy.linalg.solve_banded, (0, 3), np.abs(A) + 3 * np.eye(4)[::-1], V),
]  # fmt: skip


@pytest.mark.parametrize("given", VALUES, ids=lambda given: given[0])
def test_values_are_scipys(given):
    name, reference, *arguments = given
    found, expected = getattr(linalg, name)(*arguments), reference(*arguments)
    if not isinstance(expected, tuple):
        found, expected = (found,), (expected,)
    for one, other in zip(found, expected, strict=True):
        assert_close(one.numpy(), np.asarray(other, one.dtype), name)


@pytest.mark.parametrize(
    "call",
    [
        linalg.sqrtm,
        linalg.logm,
        lambda x: linalg.lu_factor(x)[0],
        lambda x: linalg.lu_solve(linalg.lu_factor(x), x[..., :2]),
        lambda x: linalg.lu_solve(linalg.lu_factor(x), V),
        lambda x: linalg.solve_sylvester(x, A, x),
        lambda x: linalg.solve_banded((1, 2), x + 4, V),
    ],
)
def test_batches_are_computed_matrix_by_matrix(call):
    found = call(pg.tensor(BATCH)).numpy()
    for i, j in np.ndindex(2, 3):
        assert_close(found[i, j], call(pg.tensor(BATCH[i, j])).numpy())


def test_factors_solve_many_systems_and_carry_gradients():
    def f(a: Any) -> Any:
        factors = linalg.lu_factor(a)
        return pg.sum(linalg.lu_solve(factors, B) ** 2) + pg.sum(linalg.lu_solve(factors, V, 1))

    def direct(a: Any) -> Any:
        return pg.sum(linalg.solve(a, B) ** 2) + pg.sum(linalg.solve(a.mT, V))

    assert_close(f(pg.tensor(A)).numpy(), direct(pg.tensor(A)).numpy())
    assert_close(pg.grad(f)(A), pg.grad(direct)(A))
    t = pg.jvp(f, (A,), (B @ B.T,))[1]
    assert_close(t, pg.jvp(direct, (A,), (B @ B.T,))[1])


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_a_template_of_unknown_shapes_has_gradients(engine):
    with pg.Graph() as graph:
        a, b = pg.placeholder(), pg.placeholder()
        x = linalg.lu_solve(linalg.lu_factor(a), b) + linalg.solve_sylvester(a, a, linalg.sqrtm(a))
        slopes = pg.gradients(pg.sum(x * x), [a, b])
    found = pg.Session(graph, engine=engine).run(slopes, {a: A, b: A})

    def f(a: Any, b: Any) -> Any:
        x = linalg.solve(a, b) + linalg.solve_sylvester(a, a, linalg.sqrtm(a))
        return pg.sum(x * x)

    for one, other in zip(found, pg.grad(f, argnums=(0, 1))(A, A), strict=True):
        assert_close(one, other)


def test_logm_and_sqrtm_have_mpmaths_digits():
    x = np.array([[3.0, -1.2, 0.5], [0.7, 2.4, 1.1], [-0.2, 0.9, 1.6]])
    for scale in (1e-3, 1.0, 1e6):
        with mpmath.workdps(40):
            matrix = mpmath.matrix((scale * x).tolist())
            exact = [np.array(f(matrix).tolist(), np.complex128).real
                     for f in (mpmath.sqrtm, mpmath.logm)]  # fmt: skip
        for function, right in zip((linalg.sqrtm, linalg.logm), exact, strict=True):
            error = np.max(np.abs(function(scale * x).numpy() - right))
            assert error <= 1e-14 * np.max(np.abs(right))


def test_roots_and_logarithms_invert_powers_and_exponentials():
    for x in (A, TURN, COMPLEX, -A + 0j):
        root = linalg.sqrtm(x).numpy()
        assert np.allclose(root @ root, x, rtol=1e-13, atol=1e-13)
        assert np.allclose(linalg.expm(linalg.logm(x)).numpy(), x, rtol=1e-12, atol=1e-12)
    assert linalg.sqrtm(A.astype(np.float32)).dtype == np.float32
    assert linalg.logm(A.astype(np.float16)).dtype == np.float16
    assert_close(linalg.sqrtm(np.diag([4.0, 0.0])).numpy(), np.diag([2.0, 0.0]))
    assert_close(linalg.sqrtm(np.zeros((2, 2))).numpy(), np.zeros((2, 2)))


def test_sylvesters_equation_of_a_complex_and_a_real_matrix_is_solved():
    """SciPy 1.17 reads the real Schur form of b as a complex one: its residual is 0.3."""
    x = linalg.solve_sylvester(COMPLEX, A, COMPLEX).numpy()
    assert np.allclose(COMPLEX @ x + x @ A, COMPLEX)


def test_the_unused_corners_of_bands_are_not_read():
    ab = RNG.normal(size=(3, 5)) + 3 * np.eye(3, 5, -1)[:, ::-1] + [[0], [4], [0]]
    ab[0, 0] = ab[2, -1] = np.nan
    b = RNG.normal(size=(5, 2))
    x = linalg.solve_banded((1, 1), ab, b).numpy()
    assert_close(x, np.linalg.solve(banded(ab, 1, 1), b))
    slope = pg.grad(lambda ab: pg.sum(linalg.solve_banded((1, 1), ab, b) ** 2))(ab)
    assert (slope[0, 0], slope[2, -1]) == (0, 0)
    assert np.isfinite(slope).all()


SINGULAR = np.ones((2, 2))
VALUE_ERRORS = [
    (lambda: linalg.lu_solve(linalg.lu_factor(SINGULAR), np.ones(2)), "solve: a matrix is singu"),
    (lambda: linalg.solve_banded((0, 0), np.zeros((1, 2)), np.ones(2)), "banded: a matrix is sin"),
    (lambda: linalg.solve_sylvester(A, -A, A), "a and −b have a common eigenvalue"),
    (lambda: linalg.sqrtm(-np.eye(2)), "sqrtm: a matrix has no such root: an eigenvalue is neg"),
    (lambda: linalg.sqrtm(np.array([[0.0, 1.0], [0.0, 0.0]])), "0 and defective"),
    (lambda: linalg.sqrtm(np.full((2, 2), np.nan)), "sqrtm"),
    (lambda: pg.grad(lambda x: pg.sum(linalg.sqrtm(x)))(np.diag([1.0, 0.0, 0.0])), "eigenvalue"),
    (lambda: linalg.logm(SINGULAR), "logm: a matrix is singular"),
    (lambda: linalg.logm(-np.eye(3)), "write logm(x + 0j)"),
    (lambda: pg.grad(lambda x: pg.sum(linalg.logm(x)))(-np.eye(2)), "write logm(x + 0j)"),
    (lambda: linalg.solve(np.ones((120, 120)), np.ones(120)), "solve: a matrix is singular"),
    (lambda: linalg.inv(np.ones((120, 120))), "inv: a matrix is singular"),
    (lambda: linalg.cholesky(np.ones((2, 60, 60)) - np.eye(60)), "isn't positive definite"),
]


@pytest.mark.parametrize(("call", "text"), VALUE_ERRORS, ids=[text for _, text in VALUE_ERRORS])
def test_what_follows_from_values_raises_a_linalg_error(call, text):
    with pytest.raises(linalg.LinAlgError) as caught:
        call()
    assert text in str(caught.value)


ANYTHING: Any = linalg  # wrong arguments are the point
WRONG = [
    (lambda: linalg.lu_solve(A, B), ArgumentError, "a pair (lu, piv)"),
    (lambda: linalg.lu_solve(linalg.lu_factor(A), B, "X"), ArgumentError, "trans is 'X'"),
    (lambda: linalg.lu_solve((A, np.arange(3)), B), ShapeError, "the pivots have another length"),
    (lambda: linalg.solve_banded(1, A, B), ArgumentError, "expected (l, u)"),
    (lambda: linalg.solve_banded((1, 1), A, B), ShapeError, "l + u + 1 diagonals are 3"),
    (lambda: linalg.solve_sylvester(A, A, B), ShapeError, "a and b ask for (4, 4)"),
    (lambda: linalg.logm(B), ShapeError, "aren't square"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "text"), WRONG, ids=[text for *_, text in WRONG])
def test_wrong_calls_name_what_is_wrong(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)


# ---------------------------------------------------------------- large matrices


def spread(n: int, dtype: Any, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, n))
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.normal(size=(n, n))
    return x.astype(dtype)


def norm(x: Any) -> float:
    return float(np.linalg.norm(np.asarray(x, np.result_type(x, np.float64))))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("layout", ["rows", "columns", "strided", "batch"])
def test_backward_errors_of_large_matrices_are_roundings(dtype, layout):
    """As LAPACK's: ‖the product − x‖ ≤ c·ε·‖x‖, with a modest c."""
    n = 150
    x = spread(n, dtype)
    if layout == "columns":
        x = np.asfortranarray(x)
    elif layout == "strided":
        x = np.repeat(x, 2, axis=1)[:, ::2]
    elif layout == "batch":
        x = np.stack([x, spread(n, dtype, 1)])
    eps = 20 * float(np.finfo(dtype).eps) * norm(x)
    h = x @ np.conj(x.swapaxes(-1, -2)) / n + np.eye(n, dtype=dtype)
    l = linalg.cholesky(h).numpy()
    assert norm(l @ np.conj(l.swapaxes(-1, -2)) - h) < eps
    assert not np.triu(l, 1).any()
    p, low, up = (part.numpy() for part in linalg.lu(x))
    assert norm(p.astype(dtype) @ low @ up - x) < eps
    q, r = (part.numpy() for part in linalg.qr(x))
    assert norm(q @ r - x) < eps
    assert norm(np.conj(q.swapaxes(-1, -2)) @ q - np.eye(n)) < eps
    u, s, vh = (part.numpy() for part in linalg.svd(x))
    assert norm(u * s[..., None, :] @ vh - x) < eps
    w, v = (part.numpy() for part in linalg.eigh(h))
    assert norm(v * w[..., None, :] @ np.conj(v.swapaxes(-1, -2)) - h) < eps
    w, v = (part.numpy() for part in linalg.eig(x))
    assert norm(x @ v - v * w[..., None, :]) < 3 * eps
    b = x[..., :3]
    for solution in (linalg.solve(x, b), linalg.lu_solve(linalg.lu_factor(x), b)):
        assert norm(x @ solution.numpy() - b) < eps * norm(solution.numpy())
    inverse = linalg.inv(x).numpy()
    assert norm(x @ inverse - np.eye(n)) < eps * norm(inverse)
    assert_close(linalg.svdvals(x).numpy(), s)


def test_a_large_inverse_is_made_of_triangular_ones():
    x = spread(520, np.float32)
    inverse = linalg.inv(x).numpy()
    eps = 20 * float(np.finfo(np.float32).eps) * norm(x)
    assert norm(x @ inverse - np.eye(520)) < eps * norm(inverse)
    assert norm(inverse @ x - np.eye(520)) < eps * norm(inverse)


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_the_cholesky_factor_of_a_large_matrix_is_that_of_its_hermitian_part(dtype):
    x = spread(300, dtype) / 300 + 2 * np.eye(300)
    h = (x + np.conj(x.T)) / 2
    factor = linalg.cholesky(x).numpy()
    assert np.allclose(factor, np.linalg.cholesky(h))
    assert not np.triu(factor, 1).any()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_factors_are_read_as_they_lie_in_memory(dtype, order):
    x = spread(30, dtype)
    f, piv = scipy.linalg.lu_factor(x)
    f, rtol = np.asarray(f, order=order), 1e4 * float(np.finfo(dtype).eps)
    for trans in (0, 1, 2):
        found = linalg.lu_solve((f, piv), x[:, :3], trans).numpy()
        assert np.allclose(found, scipy.linalg.lu_solve((f, piv), x[:, :3], trans), rtol)


@pytest.mark.parametrize("shape", [(9, 3, 3), (2, 4, 2), (2, 3, 5), (3, 20, 20)])
def test_factors_of_many_small_matrices_are_those_of_each(shape):
    x = np.random.default_rng(0).normal(size=shape)
    f, piv = (part.numpy() for part in linalg.lu_factor(x))
    parts = [part.numpy() for part in linalg.lu(x)]
    assert np.allclose(parts[0] @ parts[1] @ parts[2], x)
    for i in range(len(x)):
        one, order = scipy.linalg.lu_factor(x[i])
        assert_close(f[i], one)
        assert_close(piv[i], order)
        for part, expected in zip(parts, scipy.linalg.lu(x[i]), strict=True):
            assert_close(part[i], expected)


def test_determinants_neither_overflow_on_the_way_nor_lose_digits():
    d = np.array([1e200, 1e200, 1e-200, 1e-150])
    assert_close(linalg.det(np.diag(d)).numpy(), np.float64(np.prod(d[[0, 2, 1, 3]])))
    whole = np.array([[0.0, 2.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 3.0]])
    assert linalg.det(whole).item() == -5
    x = spread(60, np.float64)
    with mpmath.workdps(60):
        exact = mpmath.det(mpmath.matrix(x.tolist()))
        error = abs(float(linalg.det(x).item() / exact - 1))
    assert error < 60 * np.finfo(float).eps * np.linalg.cond(x)
    sign, log = linalg.slogdet(x)
    assert sign.item() == mpmath.sign(exact)
    assert abs(log.item() - float(mpmath.log(abs(exact)))) < 60 * np.finfo(float).eps * 100


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_the_derivative_of_a_large_cholesky_factor_is_that_of_its_formula(dtype):
    """The formula l⁻ᴴ Φ(lᴴ g) l⁻¹ (Murray 2016), which the blocks must reproduce."""
    n = 200
    x = spread(n, dtype)
    h = x @ np.conj(x.T) / n + np.eye(n)
    g = spread(n, dtype, 1)
    l, back = pg.vjp(linalg.cholesky, h)
    l = np.asarray(l)
    inner = np.tril(np.conj(l.T) @ np.conj(g))
    inner[np.diag_indices(n)] /= 2
    inverse = np.linalg.inv(l)
    whole = np.conj(inverse.T) @ inner @ inverse
    expected = np.conj(whole + np.conj(whole.T)) / 2
    assert np.allclose(back(g)[0], expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_the_derivative_of_large_lu_factors_is_that_of_its_formula(dtype):
    n = 200
    x, g = spread(n, dtype), spread(n, dtype, 1)
    f, back = pg.vjp(lambda x: linalg.lu_factor(x)[0], x)
    p = linalg.lu(x).P.numpy()
    low, up = np.tril(f, -1) + np.eye(n), np.triu(f)
    inner = np.tril(low.T @ np.tril(g, -1), -1) + np.triu(np.triu(g) @ up.T)
    expected = p @ np.linalg.solve(low.T, np.linalg.solve(up, inner.T).T)
    assert norm(back(g)[0] - expected) < 1e-9 * norm(expected)


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_a_large_system_is_factored_once_for_its_solution_and_gradient(engine):
    a, b = spread(120, np.float64) + 30 * np.eye(120), spread(120, np.float64, 1)[:, :2]
    with pg.Graph():
        x, y = (pg.placeholder((120, k), dtype=pg.float64) for k in (120, 2))
        z = linalg.solve(x, y)
        slopes = pg.gradients(pg.sum(z * z), [x, y])
        second = pg.gradients(pg.sum(slopes[1] ** 2), [x])
    program = optimise(Program((x, y), (z, *slopes, *second)))
    kinds = [type(node).__name__ for node in program.order]
    assert kinds.count("LuFactor") == 1
    assert "DirectSolve" not in kinds
    found = pg.function(pg.grad(lambda a: pg.sum(linalg.solve(a, b) ** 2)), engine=engine)(a)
    solution = np.linalg.solve(a, b)
    assert np.allclose(found, -np.linalg.solve(a.T, 2 * solution) @ solution.T)
