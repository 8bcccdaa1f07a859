"""Cholesky, QR and LU factors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .lapack import (
    NOT_FOUND,
    adjoint,
    broadcast,
    computed,
    found,
    lapack,
    mapped,
    one_by_one,
    product,
)
from .triangular import solved_right


def hermitian(x: Any, uplo: str | None) -> Any:
    """(x + xᴴ)/2, or the Hermitian matrix with the lower (L) or upper (U) triangle of x."""
    if uplo is None:
        half = x * x.real.dtype.type(0.5)
        return half + adjoint(half)
    part, rest = (np.tril(x), np.tril(x, -1)) if uplo == "L" else (np.triu(x), np.triu(x, 1))
    return part + adjoint(rest)


def factored(h: Any) -> Any:
    """The Cholesky factor of one Hermitian matrix, by its transpose, whose columns are h's rows."""
    u, info = lapack("potrf", h.dtype)(h.T, lower=0, clean=1, overwrite_a=1)
    found(info)
    return u.T


def cholesky(x: Any) -> Any:
    """The lower triangular l with l lᴴ = (x + xᴴ)/2."""

    def lower(x: Any) -> Any:
        h = hermitian(x, None)
        return mapped(factored, h) if one_by_one(x) else np.linalg.cholesky(h)

    return computed("cholesky", "a matrix isn't positive definite", lower, x)


LEAF = 80  # the size up to which the formula itself is fastest


def cholesky_slopes(low: Any, g: Any) -> Any:
    """The Hermitian cotangent h of l lᴴ from the cotangent g of l, half of the matrix at a time.

    For l = [[a, 0], [b, c]]: h₂₂ is that of c; then b has the cotangent g₂₁ − 2 h₂₂ b, h₂₁ is half
    of it times a⁻¹, and h₁₁ is that of a for g₁₁ − 2 h₂₁ᴴ b. So products of matrices do the work,
    about 0.8 n³ multiplications (Murray 2016, "Differentiation of the Cholesky decomposition").
    """
    n = low.shape[-1]
    if n <= LEAF:
        triangle, half = np.tri(n, dtype=bool), low.real.dtype.type(0.5)
        low = np.where(triangle, low, 0)
        inner = np.where(triangle, product(adjoint(low), g), 0)
        np.einsum("...ii->...i", inner)[...] *= half
        inverse = solved_right(low, np.eye(n, dtype=low.dtype))
        return product(product(adjoint(inverse), (inner + adjoint(inner)) * half), inverse)
    k = n // 2
    a, b, c = low[..., :k, :k], low[..., k:, :k], low[..., k:, k:]
    h = np.empty_like(low)
    h[..., k:, k:] = below = cholesky_slopes(c, g[..., k:, k:])
    h[..., k:, :k] = beside = solved_right(a, g[..., k:, :k] / 2 - product(below, b))
    across = adjoint(beside)
    h[..., :k, k:] = across
    h[..., :k, :k] = cholesky_slopes(a, g[..., :k, :k] - 2 * product(across, b))
    return h


def cholesky_slope(low: Any, g: Any) -> Any:
    """The cotangent of a Hermitian matrix from the cotangent g of its Cholesky factor l."""
    low, g = broadcast(np.broadcast_shapes(low.shape[:-2], g.shape[:-2]), low, g)
    return computed("cholesky", "a matrix has a 0 on its diagonal", cholesky_slopes, low, g)


def orthogonal(x: Any, mode: str) -> Any:
    """q and r of one matrix: r from the reflections that make x triangular, q as their product."""
    rows, n = x.shape
    a, tau, _, info = lapack("geqrf", x.dtype)(x, lwork=64 * n)
    found(info)
    k = rows if mode == "complete" else min(rows, n)
    r = np.triu(a[:k])
    q = np.zeros((rows, k), x.dtype, "F")
    q[:, : min(n, k)] = a[:, : min(n, k)]
    name = "orgqr" if x.dtype.kind == "f" else "ungqr"
    q, _, info = lapack(name, x.dtype)(q, tau, lwork=64 * k, overwrite_a=1)
    found(info)
    return q, r


def qr(x: Any, mode: Any) -> Any:
    """q with orthonormal columns and upper triangular r with q r = x."""

    def both(x: Any) -> Any:
        if one_by_one(x):
            return mapped(lambda one: orthogonal(one, mode), x)
        return tuple(np.linalg.qr(x, mode))

    return computed("qr", NOT_FOUND, both, x)


def eliminated(x: Any) -> Any:
    """LAPACK's LU factors of one matrix in one array, and the pivots."""
    f, piv, _ = lapack("getrf", x.dtype)(x)
    return f, piv


def lu_factor(x: Any) -> Any:
    """l below the diagonal and u on and above it, as one matrix, and the pivots: row i of x was
    exchanged with row pivᵢ, for i = 0, 1, …"""
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    if not x.size:
        size = min(x.shape[-2:])
        return x.copy(), np.broadcast_to(np.arange(size, dtype=np.int32), (*x.shape[:-2], size))
    f, piv = mapped(eliminated, wide) if one_by_one(x, 12) else all_eliminated(wide)
    return f.astype(x.dtype, copy=False), piv.astype(np.int32, copy=False)


def all_eliminated(x: Any) -> Any:
    """The same of a batch of small matrices, all at once."""
    rows, columns = x.shape[-2:]
    a = x.reshape(-1, rows, columns).copy()
    every, pivots = np.arange(len(a)), []
    for k in range(min(rows, columns)):
        pivot = k + np.argmax(np.abs(a[:, k:, k]), axis=-1)
        pivots.append(pivot)
        above = a[:, k].copy()
        a[:, k] = a[every, pivot]
        a[every, pivot] = above
        divisor = a[:, k, k, None]
        a[:, k + 1 :, k] /= np.where(divisor == 0, 1, divisor)
        a[:, k + 1 :, k + 1 :] -= a[:, k + 1 :, k, None] * a[:, k, None, k + 1 :]
    return a.reshape(x.shape), np.stack(pivots, axis=-1).reshape(*x.shape[:-2], -1)


def exchanges(piv: Any, rows: int) -> Any:
    """A copy of pivots, in LAPACK's integers. Raises IndexError for others than 0 … rows − 1.

    SciPy adds 1 to the pivots that it is given until LAPACK returns: other threads must not read
    them, and LAPACK writes wherever they point.
    """
    if piv.size and not 0 <= piv.min() <= piv.max() < rows:
        wrong = piv.max() if piv.max() >= rows else piv.min()
        raise IndexError(f"the pivot {wrong} is not in 0 … {rows - 1}")
    return np.array(piv, np.int32, order="C")


def pivot_order(piv: Any, rows: int) -> Any:
    """The order of a matrix's rows after the exchanges `piv`: row i is row orderᵢ of before."""
    piv = exchanges(piv, rows)
    size = piv.shape[-1]
    flat = piv.reshape(math.prod(piv.shape[:-1]), size)
    if not size or len(flat) > size:
        order = np.broadcast_to(np.arange(rows), (len(flat), rows)).copy()
        every = np.arange(len(flat))
        for i in range(size):
            above = order[:, i].copy()
            order[:, i] = order[every, flat[:, i]]
            order[every, flat[:, i]] = above
    else:
        laswp, start = lapack("laswp", np.dtype(np.float64)), np.arange(rows, dtype=np.float64)
        order = np.array([laswp(start[:, None], one)[:, 0] for one in flat], np.int64)
    return order.reshape(*piv.shape[:-1], rows)


def lu(x: Any) -> Any:
    """p, l, u with p l u = x, by Gaussian elimination with partial pivoting."""
    rows, columns = x.shape[-2:]
    k = min(rows, columns)
    f, piv = lu_factor(x)
    order = pivot_order(piv, rows)
    p = np.swapaxes(order[..., None] == np.arange(rows), -1, -2)
    low = np.tril(f[..., :k], -1) + np.eye(rows, k, dtype=x.dtype)
    return p.astype(x.real.dtype), low, np.triu(f[..., :k, :])
