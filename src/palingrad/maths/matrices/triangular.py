"""Triangular systems, by substitution."""

from __future__ import annotations

from typing import Any

import numpy as np

from .lapack import broadcast, computed, has_columns, lapack, mapped, one_by_one, product

NO_DERIVATIVE = "a matrix is singular: its factors have no derivative"


def substituted(a: Any, b: Any, lower: bool, unit_diagonal: bool) -> Any:
    """t⁻¹ b for the lower or upper triangle t of batches of matrices, by substitution in blocks.

    LAPACK eliminates nothing in an upper triangular matrix, so that `numpy.linalg.solve` is exact
    back substitution there; a lower one is turned by 180°.
    """
    n = a.shape[-1]
    if n <= 32:
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


def has_tiny(a: Any) -> bool:
    """Whether a pivot's reciprocal, by which LAPACK and BLAS multiply, may be infinite."""
    return bool((np.abs(np.diagonal(a, 0, -2, -1)) < np.finfo(a.dtype).tiny).any())


def divided(a: Any, b: Any, lower: bool) -> Any:
    """t⁻¹ b for the lower or upper triangle t of batches of matrices, row by row, divided by the
    pivots."""
    if b.size and not np.diagonal(a, 0, -2, -1).all():
        raise np.linalg.LinAlgError
    n, x = a.shape[-1], np.array(b)
    pivots = np.diagonal(a, 0, -2, -1)
    # NumPy divides complex numbers by way of a reciprocal, which a power of 2 makes finite.
    limits = np.finfo(a.dtype)
    scale = np.where(np.abs(pivots) < limits.tiny, limits.dtype.type(2.0 ** (limits.bits - 4)), 1)
    for i in range(n) if lower else range(n - 1, -1, -1):
        others = slice(0, i) if lower else slice(i + 1, n)
        x[..., i, :] -= (a[..., i : i + 1, others] @ x[..., others, :])[..., 0, :]
        power = scale[..., i, None]
        x[..., i, :] = x[..., i, :] * power / (pivots[..., i, None] * power)
    return x


def solved(a: Any, b: Any, lower: bool, unit_diagonal: bool) -> Any:
    """t⁻¹ b for the lower or upper triangle t of a.

    BLAS solves bᵀ = xᵀ tᵀ, so that rows of b are its columns, as they lie in memory.
    """
    if not unit_diagonal and has_tiny(a):
        return divided(a, b, lower)
    if not (b.size and one_by_one(a)):
        return substituted(a, b, lower, unit_diagonal)
    if not unit_diagonal and not np.diagonal(a, 0, -2, -1).all():
        raise np.linalg.LinAlgError

    def of_one(a: Any, b: Any) -> Any:
        trsm, diag = lapack("trsm", a.dtype), int(unit_diagonal)
        if has_columns(a):
            return trsm(1, a, b.T, side=1, lower=lower, trans_a=1, diag=diag).T
        return trsm(1, a.T, b.T, side=1, lower=not lower, diag=diag).T

    return mapped(of_one, a, b)


def solved_right(low: Any, b: Any) -> Any:
    """b l⁻¹ for a lower triangular l: the transpose of l⁻ᵀ bᵀ."""
    t = np.swapaxes(low, -1, -2)
    (b,) = broadcast(low.shape[:-2], b)
    return np.swapaxes(solved(t, np.swapaxes(b, -1, -2), False, False), -1, -2)


def lu_slopes(f: Any, g: Any) -> Any:
    """The cotangent x of l u from the cotangent g of f, which holds both, half of f at a time.

    For the blocks l = [[a, 0], [b, c]] and u = [[p, q], [0, r]]: x₂₂ is that of c and r. Then
    x₂₁ = (g₂₁ − x₂₂ qᵀ) p⁻ᵀ, x₁₂ = a⁻ᵀ (g₁₂ − bᵀ x₂₂), and x₁₁ is that of a and p for
    g₁₁ − x₁₂ qᵀ below the diagonal, g₁₁ − bᵀ x₂₁ on and above it.
    """
    n = f.shape[-1]
    below = np.tri(n, k=-1, dtype=bool)
    if n <= 80:
        one = np.eye(n, dtype=f.dtype)
        low, up = np.where(below, f, one), np.where(below, 0, f)
        in_low = product(np.swapaxes(low, -1, -2), np.where(below, g, 0))
        in_up = product(np.where(below, 0, g), np.swapaxes(up, -1, -2))
        inner = np.where(below, in_low, in_up)
        left = solved(np.swapaxes(f, -1, -2), inner, False, True)
        return np.swapaxes(solved(f, np.swapaxes(left, -1, -2), False, False), -1, -2)
    k = n // 2
    a, b, q = f[..., :k, :k], f[..., k:, :k], f[..., :k, k:]
    x = np.empty_like(f)
    x[..., k:, k:] = last = lu_slopes(f[..., k:, k:], g[..., k:, k:])
    beside = np.swapaxes(g[..., k:, :k] - product(last, np.swapaxes(q, -1, -2)), -1, -2)
    x[..., k:, :k] = np.swapaxes(solved(a, beside, False, False), -1, -2)
    over = g[..., :k, k:] - product(np.swapaxes(b, -1, -2), last)
    x[..., :k, k:] = solved(np.swapaxes(a, -1, -2), over, False, True)
    in_low = product(x[..., :k, k:], np.swapaxes(q, -1, -2))
    in_up = product(np.swapaxes(b, -1, -2), x[..., k:, :k])
    x[..., :k, :k] = lu_slopes(a, g[..., :k, :k] - np.where(below[:k, :k], in_low, in_up))
    return x


def lu_slope(f: Any, g: Any) -> Any:
    """The cotangent of l u from the cotangent g of f, which holds both factors."""
    f, g = broadcast(np.broadcast_shapes(f.shape[:-2], g.shape[:-2]), f, g)
    return computed("lu", NO_DERIVATIVE, lu_slopes, f, g)


def solve_triangular(a: Any, b: Any, lower: bool, unit_diagonal: bool) -> Any:
    """t⁻¹ b for the lower or upper triangle t of a; b is a vector if it has one axis."""
    if b.ndim == 1:
        return solve_triangular(a, b[:, None], lower, unit_diagonal)[..., 0]
    outer = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = broadcast(outer, a, b)
    lacks = "a matrix has a 0 on its diagonal"
    return computed(
        "solve_triangular", lacks, lambda a, b: solved(a, b, lower, unit_diagonal), a, b
    )
