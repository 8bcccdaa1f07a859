"""Linear algebra: values are NumPy's and SciPy's, and what happens where derivatives don't exist.

The battery compares the derivatives of the first three orders with central differences.
"""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.linalg

import palingrad as pg
from palingrad import linalg
from palingrad.errors import ArgumentError, GradientError, ShapeError, UnknownNameError
from tolerances import assert_close

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 4))
SPD = A @ A.T + np.eye(4)
SYMMETRIC = A + A.T
TALL, WIDE = RNG.normal(size=(5, 3)), RNG.normal(size=(3, 5))
BATCH = RNG.normal(size=(2, 3, 4, 4))
B = RNG.normal(size=(4, 2))
V = RNG.normal(size=4)
COMPLEX = A + 1j * RNG.normal(size=(4, 4))
INF = np.inf


# The name, what it should compute, and arguments for both.
VALUES: list[tuple[Any, ...]] = [
    ("solve", np.linalg.solve, A, B),
    ("solve", np.linalg.solve, A, V),
    ("solve", np.linalg.solve, BATCH, B),
    ("inv", np.linalg.inv, BATCH),
    ("det", np.linalg.det, BATCH),
    ("slogdet", np.linalg.slogdet, BATCH),
    ("cholesky", np.linalg.cholesky, SPD),
    ("qr", np.linalg.qr, TALL),
    ("qr", np.linalg.qr, WIDE, "complete"),
    ("qr", np.linalg.qr, BATCH, "r"),
    ("lu", scipy.linalg.lu, TALL),
    ("lu", scipy.linalg.lu, BATCH),
    ("eigh", np.linalg.eigh, SYMMETRIC),
    ("eigh", np.linalg.eigh, A, "U"),
    ("eigvalsh", np.linalg.eigvalsh, A, "L"),
    ("eig", np.linalg.eig, COMPLEX),
    ("eigvals", np.linalg.eigvals, COMPLEX),
    ("svd", np.linalg.svd, TALL),
    ("svd", np.linalg.svd, BATCH, False),
    ("svdvals", np.linalg.svdvals, WIDE),
    ("pinv", np.linalg.pinv, TALL),
    ("pinv", np.linalg.pinv, BATCH),
    ("matrix_rank", np.linalg.matrix_rank, np.stack([np.eye(3), np.ones((3, 3))])),
    ("matrix_power", np.linalg.matrix_power, A, 5),
    ("matrix_power", np.linalg.matrix_power, A, -2),
    ("matrix_power", np.linalg.matrix_power, BATCH, 0),
    ("multi_dot", np.linalg.multi_dot, [V, A, B]),
    ("multi_dot", np.linalg.multi_dot, [TALL, WIDE, TALL, WIDE]),
    ("expm", scipy.linalg.expm, BATCH / 4),
    ("diagonal", lambda x: np.diagonal(x, 0, -2, -1), BATCH),
    ("trace", lambda x: np.trace(x, 0, -2, -1), BATCH),
    ("block_diag", scipy.linalg.block_diag, A, TALL, V[None]),
    ("tensorinv", np.linalg.tensorinv, RNG.normal(size=(4, 6, 8, 3)), 2),
    ("tensorsolve", np.linalg.tensorsolve, RNG.normal(size=(2, 3, 6)), RNG.normal(size=(2, 3))),
    ("norm", np.linalg.norm, A),
    ("norm", np.linalg.norm, BATCH),
    *(("norm", np.linalg.norm, V, p) for p in (None, 0, 1, 2, 3, -1.5, INF, -INF)),
    *(("norm", np.linalg.norm, A, p) for p in ("fro", "nuc", 1, -1, 2, -2, INF, -INF)),
    *(("norm", np.linalg.norm, BATCH, p, (1, 3), True) for p in ("fro", "nuc", 1, 2, -INF)),
    ("norm", np.linalg.norm, BATCH, 1, -1),
    *(("cond", np.linalg.cond, A, p) for p in (None, 2, -2, 1, "fro", INF)),
    ("cond", np.linalg.cond, TALL),
    ("cross", np.cross, TALL, TALL[::-1]),
    ("outer", np.outer, V, V),
    ("vecdot", np.vecdot, A, V),
    ("matrix_transpose", np.matrix_transpose, BATCH),
]


@pytest.mark.parametrize("given", VALUES, ids=lambda given: given[0])
def test_values_are_numpys(given):
    name, reference, *arguments = given
    found, expected = getattr(linalg, name)(*arguments), reference(*arguments)
    if not isinstance(expected, tuple):
        found, expected = (found,), (expected,)
    for one, other in zip(found, expected, strict=True):
        assert_close(one.numpy(), np.asarray(other), name)


TRIANGULAR = [(n, *flags) for n in (3, 60, 130) for flags in np.ndindex(2, 2, 3)]


@pytest.mark.parametrize("case", TRIANGULAR, ids=str)
def test_triangular_systems_are_scipys(case):
    n, lower, unit, trans = case
    a, b = RNG.normal(size=(n, n)) / n + 2 * np.eye(n), RNG.normal(size=(n, 2))
    options: dict[str, Any] = {"lower": bool(lower), "unit_diagonal": bool(unit), "trans": trans}
    expected = scipy.linalg.solve_triangular(a, b, **options)
    assert_close(linalg.solve_triangular(a, b, **options).numpy(), expected)


def test_triangular_systems_are_as_accurate_as_substitution():
    """Substitution stays in the integers; elimination with pivots divides by 1001."""
    t = np.tril(np.full((5, 5), 1001.0), -1) + np.eye(5)
    x = np.array([1.0, -2.0, 3.0, -1.0, 2.0])
    assert (linalg.solve_triangular(t, t @ x, lower=True).numpy() == x).all()


@pytest.mark.parametrize("size", [0.01, 1.0, 30.0])
def test_expm_has_mpmaths_digits(size):
    x = size * np.array([[0.3, -1.2, 0.5], [0.7, -0.4, 1.1], [-0.2, 0.9, -0.6]])
    with mpmath.workdps(50):
        exact = np.array(mpmath.expm(mpmath.matrix(x.tolist())).tolist(), np.float64)
    assert np.max(np.abs(linalg.expm(x).numpy() - exact)) <= 1e-14 * np.max(np.abs(exact))


def test_expm_of_special_matrices():
    assert_close(linalg.expm(np.zeros((2, 2))).numpy(), np.eye(2))
    assert linalg.expm(np.array([[1e300]])).numpy().item() == np.inf
    nilpotent = np.array([[1.0, 1e6], [0.0, -1.0]])  # is overscaled by its norm
    assert_close(linalg.expm(nilpotent).numpy()[0, 1], np.float64(1e6 * np.sinh(1.0)))


def test_factors_multiply_to_the_matrix():
    for x in (TALL, WIDE, BATCH):
        q, r = linalg.qr(x)
        u, s, vh = linalg.svd(x, full_matrices=False)
        p, low, up = linalg.lu(x)
        for product in (q @ r, u * s[..., None, :] @ vh, p @ low @ up):
            assert_close(product.numpy(), x)
    w, v = linalg.eigh(SYMMETRIC)
    assert_close((v * w @ v.mT).numpy(), SYMMETRIC)
    upper = linalg.cholesky(SPD, upper=True)
    assert_close((upper.mT @ upper).numpy(), SPD)
    for lower in (False, True):
        factor = linalg.cho_factor(SPD, lower)
        assert_close(linalg.cho_solve(factor, B).numpy(), np.linalg.solve(SPD, B))


def test_least_squares():
    b = RNG.normal(size=(5, 2))
    found, expected = linalg.lstsq(TALL, b), np.linalg.lstsq(TALL, b, rcond=None)
    for one, other in zip(found, expected, strict=True):
        assert np.allclose(one.numpy(), other)
    narrow = linalg.lstsq(WIDE, V[:3])
    assert_close(narrow.solution.numpy(), np.linalg.lstsq(WIDE, V[:3], rcond=None)[0])
    assert_close(narrow.rank.numpy(), np.int64(3))


def test_results_are_named_and_keep_their_names_in_a_function():
    found = pg.function(lambda x: linalg.eigh(x))(SYMMETRIC)
    assert type(found).__name__ == "EighResult"
    assert_close(found.eigenvalues, np.linalg.eigvalsh(SYMMETRIC))
    assert linalg.svd(TALL)._fields == ("U", "S", "Vh")
    assert linalg.slogdet(A)._fields == ("sign", "logabsdet")
    assert linalg.qr(A)._fields == ("Q", "R")


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_a_template_of_unknown_shapes_has_gradients(engine):
    with pg.Graph() as graph:
        a, b = pg.placeholder(), pg.placeholder()
        x = linalg.solve(a, b)
        w, v = linalg.eigh(a)
        total = pg.sum(x * x) + linalg.norm(a) + pg.sum(w * w) + pg.sum(v[0] ** 4)
        slopes = pg.gradients(total, [a, b])
    found = pg.Session(graph, engine=engine).run(slopes, {a: SPD, b: B})
    a, b = pg.tensor(SPD), pg.tensor(B)
    x, (w, v) = linalg.solve(a, b), linalg.eigh(a)
    total = pg.sum(x * x) + linalg.norm(a) + pg.sum(w * w) + pg.sum(v[0] ** 4)
    for one, other in zip(found, pg.gradients(total, [a, b]), strict=True):
        assert_close(one, other.numpy())


# ---------------------------------------------------------------- dtypes


def test_half_floats_are_computed_in_float32_and_integers_in_the_default_float():
    half = SPD.astype(np.float16)
    for function in (linalg.inv, linalg.cholesky, linalg.det, linalg.expm, linalg.svdvals):
        found = function(half / 4).numpy()
        exact = function((half / 4).astype(np.float32)).numpy()
        assert found.dtype == np.float16
        assert_close(found, exact.astype(np.float16))
    whole = np.array([[2, 1], [1, 3]])
    assert linalg.inv(whole).dtype == np.float32
    assert linalg.solve(whole, np.array([1.0, 2.0])).dtype == np.float64
    assert linalg.trace(whole).dtype == np.int64


# ---------------------------------------------------------------- where derivatives don't exist


def test_determinants_have_two_derivatives_at_singular_matrices():
    x = np.array([[1.0, 2.0, 0.5], [2.0, 4.0, 1.0], [0.3, -0.7, 1.1]])  # of rank 2
    for matrix in (x, np.outer(x[0], x[2]), np.zeros((3, 3))):
        assert_close(pg.grad(linalg.det)(matrix), np.asarray(cofactors(matrix)))
    hessian = pg.hessian(linalg.det)(np.zeros((2, 2)))
    assert_close(hessian[0, 0], np.array([[0.0, 0.0], [0.0, 1.0]]))
    pg.check_gradients(linalg.det, x, order=2)


def cofactors(x: Any) -> Any:
    def minor(i: int, j: int) -> float:
        return float(np.linalg.det(np.delete(np.delete(x, i, 0), j, 1)))

    return [[(-1.0) ** (i + j) * minor(i, j) for j in range(3)] for i in range(3)]


SINGULAR = np.ones((2, 2))
VALUE_ERRORS = [
    (lambda: linalg.inv(SINGULAR), "inv: a matrix is singular"),
    (lambda: linalg.solve(SINGULAR, np.ones(2)), "solve: a matrix is singular"),
    (lambda: linalg.solve_triangular(np.zeros((2, 2)), np.ones(2)), "a 0 on its diagonal"),
    (lambda: linalg.cholesky(-np.eye(2)), "cholesky: a matrix isn't positive definite"),
    (lambda: linalg.matrix_power(SINGULAR, -1), "singular"),
    (lambda: pg.grad(lambda x: linalg.slogdet(x).logabsdet)(SINGULAR), "singular"),
    (lambda: pg.grad(lambda x: pg.sum(linalg.eigh(x)[1] ** 3))(np.eye(2)), "values 0 and 1"),
    (lambda: pg.grad(lambda x: spectral(x, pg.exp))(np.eye(3)), "coincide"),
    (lambda: pg.grad(lambda x: pg.sum(linalg.svd(x)[0] ** 3))(np.eye(2)), "coincide"),
    (lambda: pg.hessian(lambda x: pg.sum(linalg.eigvalsh(x) ** 2))(np.eye(2)), "coincide"),
    (lambda: pg.grad(linalg.cond)(np.diag([1.0, 0.0])), "a singular value"),
    (lambda: linalg.svd(np.full((2, 2), np.nan)), "NaN"),
    (lambda: pg.grad(lambda x: pg.sum(linalg.qr(x)[0]))(np.eye(3)[:, :2] * [1, 0]),
     "0 on its diagonal"),
]  # fmt: skip


def spectral(x: Any, f: Any) -> Any:
    w, v = linalg.eigh(x)
    return pg.sum(v * f(w) @ v.mT)


@pytest.mark.parametrize(("call", "text"), VALUE_ERRORS, ids=[text for _, text in VALUE_ERRORS])
def test_what_follows_from_values_raises_a_linalg_error(call, text):
    with pytest.raises(linalg.LinAlgError) as caught:
        call()
    assert text in str(caught.value)


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_a_run_raises_it_too(engine):
    f = pg.function(linalg.inv, engine=engine)
    with pytest.raises(linalg.LinAlgError, match="inv: a matrix is singular"):
        f(SINGULAR)
    assert_close(f(np.eye(2)), np.eye(2))


def test_nearly_equal_eigenvalues_raise_an_error_rather_than_noise():
    q = np.linalg.qr(A)[0]
    rounded = q @ q.T  # the identity, up to rounding
    rounded = (rounded + rounded.T) / 2
    with pytest.raises(linalg.LinAlgError, match="coincide"):
        pg.grad(lambda x: pg.sum(linalg.eigh(x)[1] ** 3))(rounded)


def test_functions_of_repeated_eigenvalues_alone_have_exact_gradients():
    assert_close(pg.grad(lambda x: pg.sum(linalg.eigvalsh(x) ** 3))(np.eye(3)), 3 * np.eye(3))
    assert_close(pg.grad(lambda x: pg.sum(linalg.eigh(x)[0] ** 3))(np.eye(3)), 3 * np.eye(3))
    assert_close(pg.grad(lambda x: pg.sum(linalg.svdvals(x) ** 2))(np.eye(3)), 2 * np.eye(3))
    assert_close(pg.grad(lambda x: pg.sum(linalg.svd(x)[1] ** 2))(np.eye(3)), 2 * np.eye(3))
    tall = np.zeros((3, 2))
    assert np.isfinite(pg.grad(lambda x: pg.sum(linalg.svd(x, False)[1] ** 2))(tall)).all()
    largest = pg.grad(lambda x: linalg.eigvalsh(x)[-1])(np.eye(2))
    assert_close(np.trace(largest), np.float64(1))  # a subgradient v vᵀ


def test_the_sign_and_logarithm_of_a_singular_determinant():
    sign, log = linalg.slogdet(SINGULAR)
    assert (sign.numpy(), log.numpy()) == (0, -np.inf)


def test_gradients_of_symmetric_functions_are_symmetric():
    for function in (linalg.cholesky, linalg.eigvalsh, lambda x: linalg.eigh(x)[0]):
        found = pg.grad(lambda x, f=function: pg.sum(f(x) ** 2 * 1.5))(SPD)
        assert_close(found, found.T)


def test_one_triangle_is_read_only_if_that_is_asked_for():
    with pytest.raises(ArgumentError, match=r"isn't symmetric: elements .* Write UPLO='L'"):
        linalg.eigh(np.tril(SPD))
    with pytest.raises(ArgumentError, match=r"cholesky: the matrix isn't symmetric"):
        linalg.cholesky(np.tril(SPD))
    assert_close(linalg.eigvalsh(np.tril(SPD), "L").numpy(), np.linalg.eigvalsh(SPD))
    slope = pg.grad(lambda x: pg.sum(linalg.eigvalsh(x, "L") ** 2))(np.tril(SPD))
    assert_close(np.triu(slope, 1), np.zeros((4, 4)))


def test_the_rank_and_the_pseudo_inverse_of_a_deficient_matrix():
    x = np.outer(V, V[:3])
    assert linalg.matrix_rank(x).item() == 1
    assert_close(linalg.pinv(x).numpy(), np.linalg.pinv(x, rcond=1e-12))
    t = np.outer(V[::-1], V[:3])  # keeps the rank

    def along(s: Any) -> Any:
        return linalg.pinv(x + s * t)

    found = pg.jvp(along, (np.float64(0),), (np.float64(1),))[1]
    h = 1e-5
    for columns in (3, 4):  # the rank stays 1, both spaces turn

        def turned(s: Any, columns: int = columns) -> Any:
            return np.outer(V + s * V[::-1], (V - s * V[::-1] ** 2)[:columns])

        slopes = pg.grad(lambda x: pg.sum(linalg.pinv(x, 1e-9) ** 3))(turned(0.0))
        ends = [np.sum(np.linalg.pinv(turned(s), 1e-9) ** 3) for s in (-h, h)]
        slope = np.sum(slopes * (turned(h) - turned(-h))) / (2 * h)
        assert np.isclose(slope, (ends[1] - ends[0]) / (2 * h), rtol=1e-6)
    differences = (np.linalg.pinv(x + h * t, 1e-9) - np.linalg.pinv(x - h * t, 1e-9)) / (2 * h)
    assert np.allclose(found, differences, atol=1e-8)


# ---------------------------------------------------------------- refusals

ANYTHING: Any = linalg  # wrong arguments are the point
WRONG = [
    (lambda: linalg.inv(TALL), ShapeError, "inv: matrices (5, 3) of x aren't square"),
    (lambda: linalg.det(V), ShapeError, "x has 1 axes, a matrix has two"),
    (lambda: linalg.solve(A, B[:3]), ShapeError, "a has 4 rows and b 3"),
    (lambda: linalg.solve(A, B.T), ShapeError, "columns of b.mT"),
    (lambda: linalg.cholesky(TALL), ShapeError, "aren't square"),
    (lambda: linalg.lstsq(TALL, V), ShapeError, "a has 5 rows and b 4"),
    (lambda: linalg.multi_dot([A, TALL]), ShapeError, "x0 has 4 columns and x1 has 5 rows"),
    (lambda: ANYTHING.multi_dot(A), ArgumentError, "a list of two or more arrays"),
    (lambda: ANYTHING.matrix_power(A, 0.5), ArgumentError, "n is 0.5; expected an integer"),
    (lambda: linalg.norm(A, "max"), ArgumentError, "not 'max'"),
    (lambda: linalg.norm(BATCH, 1), ArgumentError, "axis=(-2, -1) for matrices"),
    (lambda: linalg.eigh(SYMMETRIC, "X"), ArgumentError, "UPLO is 'X'"),
    (lambda: linalg.qr(A, "full"), ArgumentError, "'reduced'"),
    (lambda: linalg.solve_triangular(A, B, trans="X"), ArgumentError, "trans is 'X'"),
    (lambda: linalg.cho_solve(A, B), ArgumentError, "a pair (c, lower)"),
    (lambda: linalg.block_diag(), ArgumentError, "expected matrices, got none"),
    (lambda: linalg.tensorinv(A, 3), ShapeError, "unequal numbers of elements"),
    (lambda: ANYTHING.matrix_exp, UnknownNameError, "pg.linalg.expm"),
    (lambda: pg.grad(lambda x: pg.sum(linalg.svd(x)[0]))(TALL), GradientError, "full_matrices=F"),
    (lambda: pg.grad(lambda x: pg.sum(linalg.qr(x, "complete")[0]))(TALL), GradientError,
     "have no derivative"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "text"), WRONG, ids=[text for *_, text in WRONG])
def test_wrong_calls_name_what_is_wrong(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)


def test_the_pseudo_inverse_of_a_square_matrix_without_full_rank_is_differentiated_at_its_rank():
    def f(b: Any) -> Any:
        return pg.sum(pg.linalg.pinv(b @ b.mT) * np.arange(9.0).reshape(3, 3))

    b, step = np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 1.0]]), 1e-5
    found = pg.grad(f)(b)
    for place in np.ndindex(b.shape):
        up, down = b.copy(), b.copy()
        up[place], down[place] = up[place] + step, down[place] - step
        rise = (f(pg.tensor(up)) - f(pg.tensor(down))).numpy() / (2 * step)
        np.testing.assert_allclose(found[place], rise, rtol=1e-6)
