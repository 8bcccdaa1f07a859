"""Eigenvalues, singular values, and division by their gaps."""

from __future__ import annotations

from typing import Any

import numpy as np

from .factors import hermitian
from .lapack import NOT_FOUND, computed, finite, found, lapack, mapped, one_by_one


def of_hermitian(h: Any, vectors: bool) -> Any:
    """Eigenvalues and, if wanted, eigenvectors of one Hermitian matrix, from its transpose."""
    real = h.dtype.kind == "f"
    w, v, info = lapack("syevd" if real else "heevd", h.dtype)(
        h.T, compute_v=int(vectors), lower=1, overwrite_a=1
    )
    found(info)
    return (w, v if real else np.conj(v)) if vectors else w


def eigh(x: Any, uplo: str | None) -> Any:
    """Eigenvalues, ascending, and eigenvectors of the Hermitian matrix `hermitian(x, uplo)`."""

    def both(x: Any) -> Any:
        h = finite(hermitian(x, uplo))
        if one_by_one(x):
            return mapped(lambda one: of_hermitian(one, True), h)
        return tuple(np.linalg.eigh(h))

    return computed("eigh", NOT_FOUND, both, x)


def eigvalsh(x: Any, uplo: str | None) -> Any:
    """Eigenvalues, ascending, of the Hermitian matrix `hermitian(x, uplo)`."""

    def values(x: Any) -> Any:
        h = finite(hermitian(x, uplo))
        if one_by_one(x):
            return mapped(lambda one: of_hermitian(one, False), h)
        return np.linalg.eigvalsh(h)

    return computed("eigvalsh", NOT_FOUND, values, x)


def of_general(x: Any, vectors: bool) -> Any:
    """Eigenvalues and, if wanted, eigenvectors of one matrix. Real LAPACK gives the real and the
    imaginary part of the vectors of a conjugate pair as two columns."""
    *w, _, v, info = lapack("geev", x.dtype)(
        finite(x), compute_vl=0, compute_vr=int(vectors), lwork=64 * len(x)
    )
    found(info)
    if len(w) == 1:
        return (w[0], v) if vectors else w[0]
    values = w[0] + 1j * w[1]
    if not vectors:
        return values
    first = np.flatnonzero(w[1] > 0)
    v = v.astype(values.dtype)
    v[:, first] += 1j * v[:, first + 1]
    v[:, first + 1] = np.conj(v[:, first])
    return values, v


def eig(x: Any) -> Any:
    """Complex eigenvalues and eigenvectors of length 1, in columns."""

    def both(x: Any) -> Any:
        if one_by_one(x):
            return mapped(lambda one: of_general(one, True), x)
        return tuple(np.linalg.eig(x))

    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    w, v = computed("eig", NOT_FOUND, both, wide)
    dtype = np.result_type(w, np.complex64)
    return w.astype(dtype, copy=False), v.astype(dtype, copy=False)


def eigvals(x: Any) -> Any:
    """The complex eigenvalues."""

    def values(x: Any) -> Any:
        if one_by_one(x):
            return mapped(lambda one: of_general(one, False), x)
        return np.linalg.eigvals(x)

    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    w = computed("eigvals", NOT_FOUND, values, wide)
    return w.astype(np.result_type(w, np.complex64), copy=False)


def decomposed(x: Any, full: bool, vectors: bool) -> Any:
    """u, s and vh, or s alone, of one matrix."""
    finite(x)
    options = {"compute_uv": int(vectors), "full_matrices": int(full)}
    work, info = lapack("gesdd_lwork", x.dtype)(*x.shape, **options)
    found(info)
    u, s, vh, info = lapack("gesdd", x.dtype)(x, lwork=int(work.real), **options)
    found(info)
    return (u, s, vh) if vectors else s


def svd(x: Any, full_matrices: Any) -> Any:
    """u, s, vh with u diag(s) vh = x."""

    def all_of(x: Any) -> Any:
        if one_by_one(x):
            return mapped(lambda one: decomposed(one, full_matrices, True), x)
        return tuple(np.linalg.svd(finite(x), full_matrices))

    return computed("svd", NOT_FOUND, all_of, x)


def svdvals(x: Any) -> Any:
    """The singular values, descending."""

    def values(x: Any) -> Any:
        if one_by_one(x):
            return mapped(lambda one: decomposed(one, False, False), x)
        return np.linalg.svd(finite(x), compute_uv=False)

    return computed("svdvals", NOT_FOUND, values, x)


def gap_quotient(p: Any, d: Any, scale: Any, reach: Any) -> Any:
    """p/d, 0 for p = 0."""
    close = ~(np.abs(d) > 10 * np.finfo(d.dtype).eps * np.real(scale)) & ~np.isnan(d)
    wrong = close & ((p != 0) | (reach != 0))
    if wrong.any():
        i, j = (int(index[0]) for index in np.nonzero(np.atleast_2d(wrong))[-2:])
        raise np.linalg.LinAlgError(
            f"the gradient of eigh, eig or svd: values {i} and {j} coincide, or a singular value "
            "is 0, so that their vectors have no derivative; the values alone (eigvalsh, svdvals), "
            "solve, pinv and expm have gradients there, or perturb the matrix"
        )
    return np.where(p == 0, 0, p / np.where(close, 1, d)).astype(np.result_type(p, d))


def without_phase(p: Any, size: Any) -> Any:
    """0 in p's dtype, if p is 0 up to rounding."""
    if (np.abs(p) > 1000 * np.finfo(p.dtype).eps * size).any():
        raise np.linalg.LinAlgError(
            "the gradient of eigh, eig or svd: the result depends on the phases of complex "
            "vectors, which aren't determined; a function of v diag(z) vᴴ doesn't"
        )
    return np.zeros_like(p)
