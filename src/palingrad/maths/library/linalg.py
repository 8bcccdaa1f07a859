"""Factorisations of matrices, and solutions of linear systems.

Matrices are the last two axes. float16 is computed in float32 and rounded once. LAPACK's refusals
become `numpy.linalg.LinAlgError`, which says what the matrix lacks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from .exponential import expm, expm_frechet


class LinalgMaths(Protocol):
    """Factorisations of matrices, and solutions of linear systems."""

    def solve(self, a: Any, b: Any) -> Any:
        """a⁻¹ b; b is one vector if it has one axis, else matrices. LinAlgError if singular."""

    def solve_triangular(self, a: Any, b: Any, lower: Any, unit_diagonal: Any) -> Any:
        """t⁻¹ b for the lower or upper triangle t of a, with ones on its diagonal or a's."""

    def inv(self, x: Any) -> Any:
        """x⁻¹. LinAlgError if x is singular."""

    def pinv(self, x: Any, rtol: Any) -> Any:
        """x⁺; singular values up to `rtol` times the largest count as 0."""

    def det(self, x: Any) -> Any:
        """The determinant; 1 for a matrix without elements."""

    def slogdet(self, x: Any) -> Any:
        """The sign of the determinant and log |det x|, which is −∞ for a singular matrix."""

    def cofactor(self, x: Any) -> Any:
        """The matrix of cofactors, det x · x⁻ᵀ where x isn't singular."""

    def cofactor_slope(self, x: Any, t: Any) -> Any:
        """The derivative of `cofactor` at x in the direction t."""

    def cholesky(self, x: Any) -> Any:
        """The lower triangular l with l lᴴ = (x + xᴴ)/2. LinAlgError if that isn't positive
        definite."""

    def qr(self, x: Any, mode: Any) -> Any:
        """q with orthonormal columns and upper triangular r with q r = x."""

    def lu(self, x: Any) -> Any:
        """p, l, u with p l u = x: a permutation, unit lower and upper triangular matrices."""

    def eigh(self, x: Any, uplo: Any) -> Any:
        """Eigenvalues, ascending, and eigenvectors of the Hermitian matrix `hermitian(x, uplo)`."""

    def eigvalsh(self, x: Any, uplo: Any) -> Any:
        """Eigenvalues, ascending, of the Hermitian matrix `hermitian(x, uplo)`."""

    def gap_quotient(self, p: Any, d: Any, scale: Any, reach: Any) -> Any:
        """p/d, but 0 where p = 0. LinAlgError where |d| ≤ 10ε·scale, unless p = reach = 0."""

    def svd(self, x: Any, full_matrices: Any) -> Any:
        """u, s, vh with u diag(s) vh = x; the singular values s descend."""

    def svdvals(self, x: Any) -> Any:
        """The singular values, descending."""

    def expm(self, x: Any) -> Any:
        """eˣ = Σ xᵏ/k!, of matrices."""

    def expm_frechet(self, x: Any, t: Any) -> Any:
        """The derivative of `expm` at x in the direction t."""


def computed(name: str, lacks: str, function: Any, *arrays: Any) -> Any:
    """The function of the arrays, in float32 or wider; its refusal says what the matrix lacks."""
    dtype = np.result_type(*arrays)
    wide = [x.astype(np.float32) if x.dtype == np.float16 else x for x in arrays]
    try:
        result = function(*wide)
    except np.linalg.LinAlgError:
        raise np.linalg.LinAlgError(f"{name}: {lacks}") from None
    if dtype != np.float16:
        return result
    if isinstance(result, tuple):
        return tuple(part.astype(dtype) for part in result)
    return result.astype(dtype)


def solve(a: Any, b: Any) -> Any:
    """a⁻¹ b; b is one vector if it has one axis, else matrices."""
    return computed("solve", "a matrix is singular", np.linalg.solve, a, b)


def inv(x: Any) -> Any:
    """x⁻¹."""
    return computed("inv", "a matrix is singular", np.linalg.inv, x)


def substituted(a: Any, b: Any, lower: bool, unit_diagonal: bool) -> Any:
    """t⁻¹ b for the lower or upper triangle t of a, by substitution in blocks.

    LAPACK eliminates nothing in an upper triangular matrix, so that `numpy.linalg.solve` is exact
    back substitution there; a lower one is turned by 180°.
    """
    n = a.shape[-1]
    if n <= 48:
        t = np.tril(a) if lower else np.triu(a)
        if unit_diagonal:
            t = t.copy()
            t[..., np.arange(n), np.arange(n)] = 1
        if lower:
            return np.linalg.solve(t[..., ::-1, ::-1], b[..., ::-1, :])[..., ::-1, :]
        return np.linalg.solve(t, b)
    h = n // 2
    top, bottom = a[..., :h, :h], a[..., h:, h:]
    if lower:
        first = substituted(top, b[..., :h, :], lower, unit_diagonal)
        rest = b[..., h:, :] - a[..., h:, :h] @ first
        return np.concatenate([first, substituted(bottom, rest, lower, unit_diagonal)], axis=-2)
    last = substituted(bottom, b[..., h:, :], lower, unit_diagonal)
    rest = b[..., :h, :] - a[..., :h, h:] @ last
    return np.concatenate([substituted(top, rest, lower, unit_diagonal), last], axis=-2)


def solve_triangular(a: Any, b: Any, lower: bool, unit_diagonal: bool) -> Any:
    """t⁻¹ b for the lower or upper triangle t of a; b is a vector if it has one axis."""
    if b.ndim == 1:
        return solve_triangular(a, b[:, None], lower, unit_diagonal)[..., 0]
    outer = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    b = np.broadcast_to(b, (*outer, *b.shape[-2:]))
    lacks = "a matrix has a 0 on its diagonal"
    return computed(
        "solve_triangular", lacks, lambda a, b: substituted(a, b, lower, unit_diagonal), a, b
    )


def truncated_inverse(x: Any, rtol: float) -> Any:
    """x⁺ by the singular values above `rtol` times the largest."""
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    small = s <= rtol * np.max(s, axis=-1, keepdims=True, initial=0)
    inverse = np.where(small, 0, 1 / np.where(small, 1, s)).astype(s.dtype)
    return np.conj(np.swapaxes(vh, -1, -2)) @ (inverse[..., None] * np.conj(np.swapaxes(u, -1, -2)))


def pinv(x: Any, rtol: float) -> Any:
    """x⁺; singular values up to `rtol` times the largest count as 0."""
    return computed("pinv", NOT_FOUND, lambda x: truncated_inverse(x, rtol), x)


def det(x: Any) -> Any:
    """The determinant."""
    return computed("det", "", lambda x: np.asarray(np.linalg.det(x)), x)


def slogdet(x: Any) -> Any:
    """The sign of the determinant and log |det x|."""
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    sign, log = np.linalg.slogdet(wide)
    return np.asarray(sign).astype(x.dtype), np.asarray(log).astype(x.real.dtype)


def products_without(s: Any, count: int) -> Any:
    """For each index, or pair of indices, the product of all other elements of s (…, n)."""
    n = s.shape[-1]
    others = np.broadcast_to(s[..., None, :], (*s.shape, n))  # (…, n, n)
    others = np.where(np.eye(n, dtype=bool), 1, others)
    if count == 2:
        others = np.broadcast_to(others[..., None, :, :], (*s.shape, n, n))
        others = np.where(np.eye(n, dtype=bool)[:, None, :], 1, others)  # (…, i, j, factors)
    return np.prod(others, axis=-1).astype(s.dtype)


def cofactors(x: Any) -> Any:
    """det(u vh)·u diag(∏ of the other singular values) vh, which holds for singular x too."""
    u, s, vh = np.linalg.svd(x)
    phase = np.linalg.det(u) * np.linalg.det(vh)
    return phase[..., None, None] * np.conj((u * products_without(s, 1)[..., None, :]) @ vh)


def cofactor(x: Any) -> Any:
    """The matrix of cofactors, from the singular values."""
    return computed("det", NOT_FOUND, cofactors, x)


def cofactor_slopes(x: Any, t: Any) -> Any:
    """The derivative of the cofactors, in the coordinates of the singular vectors.

    There x is diagonal. With e = uᴴ t v and pᵢⱼ the product of the singular values except i and j
    (pᵢᵢ = 0), the derivative of the cofactors is Σⱼ pᵢⱼ eⱼⱼ on the diagonal and −pᵢⱼ eⱼᵢ elsewhere.
    """
    u, s, vh = np.linalg.svd(x)
    n = s.shape[-1]
    phase = np.linalg.det(u) * np.linalg.det(vh)
    v = np.conj(np.swapaxes(vh, -1, -2))
    e = np.conj(np.swapaxes(u, -1, -2)) @ t @ v
    p = np.where(np.eye(n, dtype=bool), 0, products_without(s, 2))
    diagonal = p @ np.diagonal(e, axis1=-2, axis2=-1)[..., None]  # (…, n, 1)
    inner = np.eye(n) * diagonal - p * np.swapaxes(e, -1, -2)
    return (phase[..., None, None] * (np.conj(u) @ inner @ np.conj(vh))).astype(x.dtype)


def cofactor_slope(x: Any, t: Any) -> Any:
    """The derivative of `cofactor` at x in the direction t."""
    return computed("det", NOT_FOUND, cofactor_slopes, x, t)


def hermitian(x: Any, uplo: str | None) -> Any:
    """(x + xᴴ)/2, or the Hermitian matrix with the lower (L) or upper (U) triangle of x."""
    if uplo is None:
        return x / 2 + np.conj(np.swapaxes(x, -1, -2)) / 2
    part, rest = (np.tril(x), np.tril(x, -1)) if uplo == "L" else (np.triu(x), np.triu(x, 1))
    return part + np.conj(np.swapaxes(rest, -1, -2))


def cholesky(x: Any) -> Any:
    """The lower triangular l with l lᴴ = (x + xᴴ)/2."""
    lacks = "a matrix isn't positive definite"
    return computed("cholesky", lacks, np.linalg.cholesky, hermitian(x, None))


def qr(x: Any, mode: Any) -> Any:
    """q with orthonormal columns and upper triangular r with q r = x."""
    return computed("qr", NOT_FOUND, lambda x: tuple(np.linalg.qr(x, mode)), x)


def lu(x: Any) -> Any:
    """p, l, u with p l u = x, by Gaussian elimination with partial pivoting."""
    *outer, rows, columns = x.shape
    k = min(rows, columns)
    a = np.array(x, np.float32) if x.dtype == np.float16 else np.array(x)
    a = a.reshape(math.prod(outer), rows, columns)
    order = np.broadcast_to(np.arange(rows), a.shape[:-1]).copy()
    eliminate(a, order, 0, k)
    a[:, :k, k:] = substituted(a[:, :k, :k], a[:, :k, k:], True, True)
    p = np.swapaxes(order[:, :, None] == np.arange(rows), -1, -2)
    parts = p, np.tril(a[:, :, :k], -1) + np.eye(rows, k), np.triu(a[:, :k])
    return tuple(part.astype(x.dtype).reshape(*outer, *part.shape[1:]) for part in parts)


def eliminate(a: Any, order: Any, first: int, last: int) -> None:
    """Factor columns first … last of the matrices a, in place; rows are exchanged in `order` too.

    S. Toledo, "Locality of reference in LU decomposition with partial pivoting", SIAM J. Matrix
    Anal. Appl. 18 (1997): one half of the columns after the other, so that products do the work.
    """
    if last - first > 8:
        middle = (first + last) // 2
        eliminate(a, order, first, middle)
        block = a[:, first:middle, first:middle]
        right = substituted(block, a[:, first:middle, middle:last], True, True)
        a[:, first:middle, middle:last] = right
        a[:, middle:, middle:last] -= a[:, middle:, first:middle] @ right
        eliminate(a, order, middle, last)
        return
    every = np.arange(len(a))
    for k in range(first, last):
        pivot = k + np.argmax(np.abs(a[:, k:, k]), axis=-1)
        for rows in (a, order):
            above = rows[:, k].copy()
            rows[:, k] = rows[every, pivot]
            rows[every, pivot] = above
        divisor = a[:, k, k, None]
        a[:, k + 1 :, k] /= np.where(divisor == 0, 1, divisor)
        a[:, k + 1 :, k + 1 : last] -= a[:, k + 1 :, k, None] * a[:, k, None, k + 1 : last]


def eigh(x: Any, uplo: str | None) -> Any:
    """Eigenvalues, ascending, and eigenvectors of the Hermitian matrix `hermitian(x, uplo)`."""
    h = hermitian(x, uplo)
    return computed("eigh", NOT_FOUND, lambda h: tuple(np.linalg.eigh(h)), h)


def eigvalsh(x: Any, uplo: str | None) -> Any:
    """Eigenvalues, ascending, of the Hermitian matrix `hermitian(x, uplo)`."""
    return computed("eigvalsh", NOT_FOUND, np.linalg.eigvalsh, hermitian(x, uplo))


def gap_quotient(p: Any, d: Any, scale: Any, reach: Any) -> Any:
    """p/d, 0 for p = 0."""
    close = ~(np.abs(d) > 10 * np.finfo(d.dtype).eps * scale) & ~np.isnan(d)
    wrong = close & ((p != 0) | (reach != 0))
    if wrong.any():
        *_, i, j = (0, *(int(index[0]) for index in np.nonzero(wrong)))
        raise np.linalg.LinAlgError(
            f"the gradient of eigh or svd: values {i} and {j} coincide, or a singular value is 0, "
            "so that their vectors have no derivative; the values alone (eigvalsh, svdvals), "
            "solve, pinv and expm have gradients there, or perturb the matrix"
        )
    return np.where(p == 0, 0, p / np.where(close, 1, d)).astype(p.dtype)


def svd(x: Any, full_matrices: Any) -> Any:
    """u, s, vh with u diag(s) vh = x."""
    return computed("svd", NOT_FOUND, lambda x: tuple(np.linalg.svd(x, full_matrices)), x)


def svdvals(x: Any) -> Any:
    """The singular values, descending."""
    return computed("svdvals", NOT_FOUND, lambda x: np.linalg.svd(x, compute_uv=False), x)


NOT_FOUND = "the iteration didn't converge; a matrix may hold NaN or ∞"

OWN: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        cholesky, cofactor, cofactor_slope, det, eigh, eigvalsh, expm, expm_frechet, inv, lu,
        gap_quotient, pinv, qr, slogdet, solve, solve_triangular, svd, svdvals,
    )
}  # fmt: skip
