"""Linear algebra where LAPACK needs help: shared and wrong pivots, NaN, numbers of all sizes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import mpmath
import numpy as np
import pytest

import palingrad as pg
from palingrad import linalg
from palingrad.errors import DTypeError, ShapeError
from tolerances import assert_close

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 4)) + 3 * np.eye(4)
TURN = np.array([[0.0, 4.0], [-9.0, 1.0]])  # complex eigenvalues


def test_threads_may_share_pivots():
    """SciPy adds 1 to the pivots in place while LAPACK runs."""
    x = RNG.normal(size=(200, 200))
    factors, b = linalg.lu_factor(x), RNG.normal(size=(200, 200))
    expected = linalg.lu_solve(factors, b).numpy()

    def solved(_: int) -> bool:
        return np.array_equal(linalg.lu_solve(factors, b).numpy(), expected)

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(solved, range(100)))


@pytest.mark.parametrize("pivots", [[0, 1, 3], [0, 1, -1], [2**40, 1, 2]])
def test_pivots_that_are_no_rows_are_refused(pivots):
    factors, _ = linalg.lu_factor(A[:3, :3])
    with pytest.raises(IndexError, match=r"the pivot .* is not in 0 … 2"):
        linalg.lu_solve((factors, np.array(pivots)), A[:3, 3])


def test_pivots_are_integers():
    factors, _ = linalg.lu_factor(A[:3, :3])
    with pytest.raises(DTypeError, match="expected integers, got float64"):
        linalg.lu_solve((factors, np.array([0.0, 1.0, 2.0])), A[:3, 3])


@pytest.mark.parametrize("x", [
    1e200 * A,
    1e-300 * (TURN + 9 * np.eye(2)),
    np.diag([1e-20, 1.0]),
    np.array([[1e-20, 0.0], [2.0, 1.0]]),
    np.array([[1e200, 1e150, 2.0], [0.0, 1e-100, 3.0], [0.0, 0.0, 1.0]]),
])  # fmt: skip
def test_roots_and_logarithms_of_numbers_of_all_sizes(x):
    size = np.abs(x).max()
    with mpmath.workdps(60):
        given = mpmath.matrix(x.tolist())
        root = mpmath.matrix(linalg.sqrtm(x).numpy().tolist())
        exponential = mpmath.expm(mpmath.matrix(linalg.logm(x).numpy().tolist()))
        assert mpmath.mnorm(root * root - given, 1) < 1e-13 * size
        assert mpmath.mnorm(exponential - given, 1) < 1e-11 * size
    if not np.triu(x, 1).any() or not np.tril(x, -1).any():  # the diagonal to the last digit
        assert_close(np.diagonal(linalg.sqrtm(x).numpy()), np.sqrt(np.diagonal(x)))


@pytest.mark.parametrize("name", ["eigh", "eigvalsh", "eig", "eigvals", "svd", "svdvals"])
@pytest.mark.parametrize("element", [np.nan, np.inf])
def test_spectra_of_matrices_with_nan_are_refused(name, element):
    x = np.array([[element, 0.1], [0.1, 3.0]])
    for given in (x, np.stack([np.eye(2), x])):
        with pytest.raises(np.linalg.LinAlgError, match="a matrix may hold NaN or ∞"):
            getattr(linalg, name)(given)


@pytest.mark.parametrize("order", [1, 2, np.inf, "nuc", "fro"])
@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 3), (2, 3, 0), (0, 3, 3)])
def test_norms_of_matrices_without_elements_are_numpys(order, shape):
    x = np.zeros(shape)
    found = linalg.norm(x, order, axis=(-2, -1)).numpy()
    assert_close(found, np.linalg.norm(x, order, axis=(-2, -1)), "norm")
    assert pg.grad(lambda x: pg.sum(linalg.norm(x, order, axis=(-2, -1))))(x).shape == shape


@pytest.mark.parametrize("order", [-1, -2, -np.inf])
def test_the_smallest_of_no_sums_is_refused(order):
    with pytest.raises(ShapeError):
        linalg.norm(np.zeros((0, 0)), order)
