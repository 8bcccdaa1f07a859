"""The square root and the logarithm of matrices, from their Schur forms.

N. J. Higham, "Functions of Matrices: Theory and Computation" (2008), algorithms 6.3 and 11.9.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .lapack import adjoint, computed, finite, lapack, mapped, product
from .systems import schur


def triangular_schur(x: Any) -> Any:
    """Upper triangular t and orthonormal u with x = u t uᴴ, in double precision; complex if a real
    x has complex eigenvalues."""
    x = x.astype(np.result_type(x, np.float64))
    if not np.tril(x, -1).any():
        return finite(x), np.eye(len(x), dtype=x.dtype)
    t, u = schur(x)
    if not np.diagonal(t, -1).any():
        return t, u
    w, v = schur(t.astype(np.complex128))
    return w, product(u, v)


def root(t: Any) -> Any:
    """The principal square root of an upper triangular matrix, half of it at a time."""
    n = len(t)
    if n < 2:
        return np.sqrt(t)
    k = n // 2
    r = np.zeros_like(t)
    r[:k, :k], r[k:, k:] = root(t[:k, :k]), root(t[k:, k:])
    r[:k, k:] = sylvester(r[:k, :k], r[k:, k:], t[:k, k:])
    return r


def sylvester(a: Any, b: Any, q: Any) -> Any:
    """x with a x + x b = q for upper triangular a and b."""
    x, scale, _ = lapack("trsyl", q.dtype)(a, b, q)
    return x / scale


def size_of(x: Any) -> Any:
    """Frobenius's norm, whose squares don't overflow."""
    size = np.abs(x)
    largest = size.max()
    return largest * np.linalg.norm(size / largest) if largest > 0 else largest


def rounding(x: Any, t: Any) -> Any:
    """The size up to which eigenvalues of x, of the Schur form t, may be 0 but for rounding; 0 for
    a triangular matrix, whose eigenvalues are its diagonal."""
    if not np.tril(x, -1).any() or not np.triu(x, 1).any():
        return 0
    return 10 * np.finfo(t.dtype).eps * size_of(t)


def sqrtm_of_one(x: Any) -> Any:
    """The principal square root of one matrix."""
    t, u = triangular_schur(x)
    d = np.diagonal(t).copy()
    d[np.abs(d) <= rounding(x, t)] = 0
    np.fill_diagonal(t, d)
    if x.dtype.kind == "f" and t.dtype.kind == "f" and (d < 0).any():
        raise np.linalg.LinAlgError
    r = root(t)
    if not size_of(product(r, r) - t) <= 1e-12 * len(x) * size_of(t):
        raise np.linalg.LinAlgError
    return narrowed(turned_back(r, u), x)


def turned_back(t: Any, u: Any) -> Any:
    """u t uᴴ."""
    return product(product(u, t), adjoint(u))


def narrowed(y: Any, x: Any) -> Any:
    """y in x's dtype; the imaginary part is rounding if x is real."""
    return (y.real if x.dtype.kind == "f" else y).astype(x.dtype)


def sqrtm(x: Any) -> Any:
    """The principal square root of matrices."""
    lacks = (
        "a matrix has no such root: an eigenvalue is negative (write sqrtm(x + 0j)), or 0 and "
        "defective"
    )
    return computed("sqrtm", lacks, lambda x: mapped(sqrtm_of_one, x) if x.size else x.copy(), x)


def triangular_log(t: Any, e: Any) -> Any:
    """The logarithm of an upper triangular matrix, and its derivative in the direction e or 0.

    Square roots are taken until the matrix is near 1. There log(1 + x) = ∫ x (1 + z x)⁻¹ dz from 0
    to 1, by Gauss's rule of 7 points: the Padé approximant of degree 7, exact to double precision
    for ‖x‖ ≤ 0.264 (Higham, table 11.1).
    """
    n = len(t)
    one = np.eye(n, dtype=t.dtype)
    r, count = t, 0
    while np.linalg.norm(r - one, 1) > 0.264:
        r = root(r)
        if e is not None:
            e = sylvester(r, r, e)
        count += 1
    x = r - one
    value, slope = np.zeros_like(t), np.zeros_like(t)
    points, weights = np.polynomial.legendre.leggauss(7)
    trsm = lapack("trsm", t.dtype)
    for point, weight in zip((points + 1) / 2, weights / 2):
        factor = one + point * x
        value += weight * trsm(1, factor, x)
        if e is not None:
            slope += weight * trsm(1, factor, trsm(1, factor, e), side=1)
    value = 2.0**count * value
    np.fill_diagonal(value, np.log(np.diagonal(t)))
    return value, 2.0**count * slope


def logarithm(x: Any, e: Any) -> Any:
    """The principal logarithm of one matrix, or its derivative in the direction e."""
    t, u = triangular_schur(x)
    d = np.diagonal(t)
    if not np.abs(d).min() > rounding(x, t):
        raise np.linalg.LinAlgError
    if t.dtype.kind == "f" and (d < 0).any():
        raise np.linalg.LinAlgError
    if e is None:
        return narrowed(turned_back(triangular_log(t, None)[0], u), x)
    inner = product(product(adjoint(u), e), u)
    return narrowed(turned_back(triangular_log(t, inner)[1], u), x)


NO_LOG = (
    "a matrix is singular, to rounding, or real with a negative eigenvalue (write logm(x + 0j))"
)


def logm(x: Any) -> Any:
    """The principal logarithm of matrices."""

    def logs(x: Any) -> Any:
        return mapped(lambda one: logarithm(one, None), x) if x.size else x.copy()

    return computed("logm", NO_LOG, logs, x)


def logm_frechet(x: Any, t: Any) -> Any:
    """The derivative of `logm` at x in the direction t."""

    def slopes(x: Any, t: Any) -> Any:
        return mapped(logarithm, x, t) if x.size else t.copy()

    return computed("logm", NO_LOG, slopes, x, np.broadcast_to(t, x.shape))
