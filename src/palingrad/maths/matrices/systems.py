"""Linear equations, Sylvester's included, and inverses."""

from __future__ import annotations

from typing import Any

import numpy as np

from .factors import eliminated, exchanges, pivot_order
from .lapack import (
    NOT_FOUND,
    adjoint,
    broadcast,
    computed,
    finite,
    found,
    lapack,
    mapped,
    one_by_one,
    product,
)
from .spectra import svd
from .triangular import has_tiny, solved

SINGULAR = "a matrix is singular"


def lu_solve(f: Any, piv: Any, b: Any, transposed: bool) -> Any:
    """a⁻¹ b, or a⁻ᵀ b, for the matrices a whose `lu_factor` is (f, piv)."""
    if b.ndim == 1:
        return lu_solve(f, piv, b[:, None], transposed)[..., 0]
    outer = np.broadcast_shapes(f.shape[:-2], b.shape[:-2])
    f, b = broadcast(outer, f, b)
    (piv,) = broadcast(outer, exchanges(piv, f.shape[-1])[..., None, :])

    def solution(f: Any, b: Any) -> Any:
        if not b.size:
            return b.copy()
        if not np.diagonal(f, 0, -2, -1).all():
            raise np.linalg.LinAlgError
        if has_tiny(f):
            return mapped(lambda f, p, b: _substituted(f, p[0], b, transposed), f, piv, b)
        getrs = lapack("getrs", b.dtype)
        return mapped(lambda f, p, b: getrs(f, p[0], b, trans=int(transposed))[0], f, piv, b)

    return computed("solve", SINGULAR, solution, f, b)


def _substituted(f: Any, piv: Any, b: Any, transposed: bool) -> Any:
    """The solution of one system by its LU factors, divided by their pivots."""
    order = pivot_order(piv, len(f))
    if not transposed:
        return solved(f, solved(f, b[order], True, True), False, False)
    x = np.empty_like(b)
    x[order] = solved(f.T, solved(f.T, b, True, False), False, True)
    return x


def solve(a: Any, b: Any) -> Any:
    """a⁻¹ b; b is one vector if it has one axis, else matrices."""

    def solution(a: Any, b: Any) -> Any:
        if a.ndim > 2 or b.ndim > 2 or not b.size:
            return np.linalg.solve(a, b)
        _, _, x, info = lapack("gesv", b.dtype)(a, b)
        found(info)
        return x

    return computed("solve", SINGULAR, solution, a, b)


def inverse_of(f: Any, piv: Any) -> Any:
    """The inverse of one matrix from its LU factors: u⁻¹ (l⁻¹ p).

    LAPACK's inverse of a triangle does a third of the work of a solution with as many columns, but
    is slower than that for small matrices.
    """
    if not np.diagonal(f).all():
        raise np.linalg.LinAlgError
    n = len(f)
    if n < 500:
        return lapack("getrs", f.dtype)(f, piv, np.eye(n, dtype=f.dtype, order="F"))[0]
    low, _ = lapack("trtri", f.dtype)(f, lower=1, unitdiag=1)
    low = np.tril(low, -1)
    np.fill_diagonal(low, 1)
    inverse = np.empty((n, n), f.dtype, "F")
    inverse[:, pivot_order(piv, n)] = low
    return lapack("trsm", f.dtype)(1, f, inverse, overwrite_b=1)


def inv(x: Any) -> Any:
    """x⁻¹."""

    def inverse(x: Any) -> Any:
        if one_by_one(x):
            return mapped(lambda one: inverse_of(*eliminated(one)), x)
        return np.linalg.inv(x)

    return computed("inv", SINGULAR, inverse, x)


def truncated_inverse(x: Any, rtol: Any) -> Any:
    """x⁺ by the singular values above `rtol` times the largest."""
    u, s, vh = svd(x, False)
    small = s <= np.asarray(rtol, s.dtype)[..., None] * np.max(s, axis=-1, keepdims=True, initial=0)
    inverse = np.where(small, 0, 1 / np.where(small, 1, s)).astype(s.dtype)
    return product(adjoint(vh), inverse[..., None] * adjoint(u))


def pinv(x: Any, rtol: Any) -> Any:
    """x⁺; singular values up to `rtol` times the largest count as 0."""
    return computed("pinv", NOT_FOUND, lambda x: truncated_inverse(x, rtol), x)


def of_sylvester(a: Any, b: Any, q: Any) -> Any:
    """x with a x + x b = q, of one matrix each, from the Schur forms of a and b.

    R. H. Bartels and G. W. Stewart, "Solution of the matrix equation AX + XB = C", Comm. ACM 15
    (1972). LAPACK reports if the eigenvalues of a and −b can't be told apart.
    """
    r, u = schur(a)
    s, v = schur(b)
    inner = product(product(adjoint(u), q), v)
    y, scale, info = lapack("trsyl", q.dtype)(r, s, inner)
    found(info)
    return product(product(u, y / scale), adjoint(v))


def schur(x: Any) -> Any:
    """t and orthonormal u with x = u t uᴴ; t is upper triangular, but for blocks of 2 × 2 that
    stand for pairs of complex eigenvalues of a real x."""
    t, _, *_, u, _, info = lapack("gees", x.dtype)(lambda *w: None, finite(x), lwork=40 * len(x))
    found(info)
    return t, u


def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """x with a x + x b = q."""
    outer = np.broadcast_shapes(a.shape[:-2], b.shape[:-2], q.shape[:-2])
    given = broadcast(outer, a, b, q)
    lacks = "a and −b have a common eigenvalue, or a matrix holds NaN or ∞"

    def solution(a: Any, b: Any, q: Any) -> Any:
        return mapped(of_sylvester, a, b, q) if q.size else q.copy()

    return computed("solve_sylvester", lacks, solution, *given)


def solve_banded(ab: Any, b: Any, lower: int, upper: int) -> Any:
    """a⁻¹ b for the matrices a with the diagonals `ab`: aᵢⱼ is ab[upper + i − j, j]."""
    if b.ndim == 1:
        return solve_banded(ab, b[:, None], lower, upper)[..., 0]
    outer = np.broadcast_shapes(ab.shape[:-2], b.shape[:-2])
    given = broadcast(outer, ab, b)

    def of_one(ab: Any, b: Any) -> Any:
        room = np.zeros((2 * lower + upper + 1, ab.shape[1]), ab.dtype, "F")
        room[lower:] = ab
        _, _, x, info = lapack("gbsv", b.dtype)(lower, upper, room, b, overwrite_ab=1)
        found(info)
        return x

    def solution(ab: Any, b: Any) -> Any:
        return mapped(of_one, ab, b) if b.size else b.copy()

    return computed("solve_banded", SINGULAR, solution, *given)
