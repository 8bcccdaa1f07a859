"""Determinants and cofactors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .factors import eliminated
from .lapack import NOT_FOUND, adjoint, computed, mapped, one_by_one, product
from .spectra import svd
from .systems import inverse_of


def sign_and_log(x: Any) -> Any:
    """The sign and the logarithm of the determinant of one matrix."""
    f, piv = eliminated(x)
    d = np.diagonal(f)
    if not d.all():
        return np.zeros((), x.dtype), np.array(-np.inf, x.real.dtype)
    size = np.abs(d)
    odd = np.count_nonzero(piv != np.arange(len(piv))) % 2
    sign = np.prod(d / size) * (-1 if odd else 1)
    return sign.astype(x.dtype), np.sum(np.log(size, dtype=np.float64)).astype(size.dtype)


def slogdet(x: Any) -> Any:
    """The sign of the determinant and log |det x|."""
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    sign, log = mapped(sign_and_log, wide) if one_by_one(wide, 128) else np.linalg.slogdet(wide)
    return np.asarray(sign).astype(x.dtype), np.asarray(log).astype(x.real.dtype)


def determinant(f: Any, piv: Any) -> Any:
    """The determinant of one matrix from its LU factors: the product of the pivots, of whose
    exponents the sum is taken, so that nothing overflows on the way."""
    d = np.diagonal(f)
    size = np.abs(d).astype(np.float64)
    if not size.all():
        return np.zeros((), f.dtype)
    odd = np.count_nonzero(piv != np.arange(len(piv))) % 2
    sign = np.prod(np.sign(d)) * (-1 if odd else 1)
    parts, exponents = np.frexp(size)
    total = int(np.sum(exponents))
    while len(parts) > 1:  # 1000 numbers of at least 1/2 don't underflow
        parts, exponents = np.frexp(np.multiply.reduceat(parts, np.arange(0, len(parts), 1000)))
        total += int(np.sum(exponents))
    return (sign * np.ldexp(parts[0], total)).astype(f.dtype)


def det(x: Any) -> Any:
    """The determinant."""

    def of_all(x: Any) -> Any:
        if one_by_one(x, 128):
            return mapped(lambda one: determinant(*eliminated(one)), x)
        return np.asarray(np.linalg.det(x))

    return computed("det", "", of_all, x)


def products_without(s: Any, count: int) -> Any:
    """For each index, or pair of indices, the product of all other elements of s (…, n)."""
    n = s.shape[-1]
    others = np.broadcast_to(s[..., None, :], (*s.shape, n))  # (…, n, n)
    others = np.where(np.eye(n, dtype=bool), 1, others)
    if count == 2:
        others = np.broadcast_to(others[..., None, :, :], (*s.shape, n, n))
        others = np.where(np.eye(n, dtype=bool)[:, None, :], 1, others)  # (…, i, j, factors)
    return np.prod(others, axis=-1).astype(s.dtype)


def by_singular_values(x: Any) -> Any:
    """The matrices of cofactors det(u vh)·u diag(∏ of the other singular values) vh."""
    u, s, vh = svd(x, True)
    phase = det(u) * det(vh)
    return phase[..., None, None] * np.conj(product(u * products_without(s, 1)[..., None, :], vh))


def worst(x: Any, inverse: Any) -> Any:
    """A bound for the digits that the inverses of the matrices x have lost."""
    return np.max(np.abs(x), axis=(-2, -1), initial=0) * np.max(np.abs(inverse), initial=0)


def cofactors(x: Any) -> Any:
    """det x·x⁻ᵀ, or, where a matrix is singular or its inverse has lost digits, the cofactors by
    the singular values."""
    if one_by_one(x):
        return mapped(cofactors_of_one, x)
    try:
        inverse = np.linalg.inv(x)
    except np.linalg.LinAlgError:
        return by_singular_values(x)
    if np.all(worst(x, inverse) < 100):
        return np.linalg.det(x)[..., None, None] * np.swapaxes(inverse, -1, -2)
    return by_singular_values(x)


def cofactors_of_one(x: Any) -> Any:
    """The same of one matrix, whose LU factors give both the determinant and the inverse."""
    f, piv = eliminated(x)
    if np.diagonal(f).all():
        inverse = inverse_of(f, piv)
        if worst(x, inverse) < 100:
            return determinant(f, piv) * inverse.T
    return by_singular_values(x)


def cofactor(x: Any) -> Any:
    """The matrix of cofactors, from the singular values."""
    return computed("det", NOT_FOUND, cofactors, x)


def cofactor_slopes(x: Any, t: Any) -> Any:
    """The derivative of the cofactors, in the coordinates of the singular vectors.

    There x is diagonal. With e = uᴴ t v and pᵢⱼ the product of the singular values except i and j
    (pᵢᵢ = 0), the derivative of the cofactors is Σⱼ pᵢⱼ eⱼⱼ on the diagonal and −pᵢⱼ eⱼᵢ elsewhere.
    """
    u, s, vh = svd(x, True)
    n = s.shape[-1]
    phase = det(u) * det(vh)
    v = adjoint(vh)
    e = product(product(adjoint(u), t), v)
    p = np.where(np.eye(n, dtype=bool), 0, products_without(s, 2))
    diagonal = p @ np.diagonal(e, axis1=-2, axis2=-1)[..., None]  # (…, n, 1)
    inner = np.eye(n) * diagonal - p * np.swapaxes(e, -1, -2)
    whole = product(product(np.conj(u), inner), np.conj(vh))
    return (phase[..., None, None] * whole).astype(x.dtype)


def cofactor_slope(x: Any, t: Any) -> Any:
    """The derivative of `cofactor` at x in the direction t."""
    return computed("det", NOT_FOUND, cofactor_slopes, x, t)
