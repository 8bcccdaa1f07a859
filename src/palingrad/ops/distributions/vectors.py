"""Distributions of vectors: the multivariate normal and Dirichlet's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...graph.kinds import Composite
from ...graph.registry import ops
from ...graph.samples import case, kink
from ...shapes import sizes, text
from ..linalg.cholesky import POSITIVE, Cholesky
from ..linalg.parts import hermitian_part, on_diagonal, per_matrix
from ..linalg.singular import Pinv
from ..linalg.spectral import Eigvalsh
from ..linalg.triangular import SolveTriangular
from ..reduction.axes import narrowed, widened
from ..special.entropy import xlogy
from ..special.gamma import digamma, lgamma

_LOG_2PI = math.log(2 * math.pi)
_NEARLY_SYMMETRIC = np.stack([POSITIVE[:2, :2], POSITIVE[1:, 1:] + [[0, 0.1], [-0.1, 0]]])
_RANK_1 = np.ones((2, 2))


def _cutoff(dtype: Any) -> float:
    """Eigenvalues up to this share of the largest count as 0, as in SciPy."""
    eps = float(np.finfo(dtype).eps)
    return eps * (1e6 if eps < 1e-10 else 1e3 if eps < 1e-5 else 8)


class LogPseudoDeterminant(Composite):
    """y = Σ log w over the eigenvalues w of a positive semidefinite matrix x that aren't 0.

    ∂y/∂x = x⁺, for a constant rank. NaN if an eigenvalue is negative.
    """

    math = r"\log\det{{}}^{+} {x}"
    floats = True
    samples = [case(_NEARLY_SYMMETRIC), kink(_RANK_1, slopes=[0.25 * _RANK_1])]

    def expand(y, x):
        w = Eigvalsh(x, uplo=None)
        least = _cutoff(x.dtype) * ops.max(ops.abs(w), axis=-1, keepdims=True)
        total = ops.sum(ops.log(ops.where(w > least, w, 1)), axis=-1)
        return ops.where(ops.any(w < -least, axis=-1), math.nan, total)

    def vjp(y, g, x):
        inverse = Pinv(hermitian_part(x), rtol=_cutoff(x.dtype))  # pyright: ignore
        return [per_matrix(g) * inverse]


def _rank(cov: Any) -> Any:
    """The number of eigenvalues of a matrix that aren't 0, in its dtype."""
    w = ops.stop_gradient(Eigvalsh(cov, uplo=None))
    least = _cutoff(cov.dtype) * ops.max(ops.abs(w), axis=-1)
    return ops.sum(narrowed(w > least, cov.dtype), axis=-1)


def _parts(mean: Any, cov: Any) -> tuple[int, Any, Any]:
    """The dimension d, the mean (d,) or (), and the covariance (d, d), (d,) or ()."""
    if mean.ndim > 1 or cov.ndim > 2:
        raise ShapeError(
            f"a mean of {text(mean.shape)} and a covariance of {text(cov.shape)}",
            hint="A mean is a vector (d,), a covariance a matrix (d, d), its diagonal (d,), or a "
            "number. Several distributions are several calls.",
        )
    given = [size for size in (*sizes(mean.shape), *sizes(cov.shape))]
    d = max(given, default=1)
    if any(size != d for size in given) and not (d > 1 and mean.shape == (1,) == cov.shape[:1]):
        raise ShapeError(f"a mean of {text(mean.shape)} and a covariance of {text(cov.shape)}")
    return d, mean, cov


class DefiniteCholesky(Cholesky):
    """The Cholesky factor of a positive definite matrix.

    Raises `numpy.linalg.LinAlgError` also if an eigenvalue is 0 up to rounding, where the factor
    exists but means nothing: then x − εI isn't positive definite.
    """

    samples = [case(POSITIVE)]

    def f(m: Any, x: Any) -> Any:
        size = m.sqrt(m.sum(x * x, axis=(-2, -1), keepdims=True))  # about the largest eigenvalue
        m.cholesky(x - _cutoff(x.dtype) * size * np.eye(x.shape[-1], dtype=x.dtype))
        return m.cholesky(x)


class MultivariateNormalLog(Composite):
    """y = −½(d log 2π + log det Σ + (x − μ)ᵀ Σ⁻¹ (x − μ)), the log of the normal density.

    x (…, d), μ (d,) or (), Σ (d, d), its diagonal (d,), or a number; y has the shape of x without
    its last axis and axes of size 1. `singular`: with the pseudo-inverse of Σ, and −∞ where x − μ
    isn't in its range.
    """

    math = r"\log\mathcal{N}({x}; {m}, {c})"
    floats = True
    complexes = False
    samples = [
        case((3,), (3,), POSITIVE, singular=False),
        case((2, 2), (), np.array([0.5, 2.0]), singular=False),
        case((4,), (), np.array(1.5), singular=False),
        kink(
            [0.3, 0.3], [0.1, 0.1], _RANK_1,
            slopes=[[-0.1, -0.1], [0.1, 0.1], -0.12 * _RANK_1], singular=True,
        ),
    ]  # fmt: skip

    def expand(y, x, mean, cov):
        d, mean, cov = _parts(mean, cov)
        if x.ndim < 2:
            x = ops.reshape(x, (-1, 1) if d == 1 else (1, -1))
        if x.shape[-1] != d:
            raise ShapeError(
                f"points {text(x.shape)} don't have {d} components, as the distribution has",
                hint="The last axis of x holds the components of a point.",
            )
        shape = [size for size in sizes(x.shape)[:-1] if size != 1]
        gap = ops.reshape(x - mean, (-1, d))
        if y.singular:
            value = _singular(gap, _full(cov, d))
        else:
            squares, log_det = _whitened(gap, cov, d)
            value = -0.5 * (d * _LOG_2PI + log_det + squares)
        return ops.reshape(value, tuple(shape))


def _full(cov: Any, d: int) -> Any:
    """The covariance as a matrix (d, d)."""
    return cov if cov.ndim == 2 else on_diagonal(ops.broadcast_to(cov, (d,)))


def _whitened(gap: Any, cov: Any, d: int) -> tuple[Any, Any]:
    """gapᵀ Σ⁻¹ gap for rows of `gap` (n, d), and log det Σ."""
    if cov.ndim < 2:
        spread = ops.broadcast_to(ops.where(cov > 0, cov, math.nan), (d,))
        return ops.sum(gap * gap / spread, axis=-1), ops.sum(ops.log(spread), axis=-1)
    factor = DefiniteCholesky(cov)
    white = SolveTriangular(factor, gap.mT, lower=True, unit_diagonal=False)  # (d, n)
    log_det = 2 * ops.sum(ops.log(ops.diagonal(factor, 0, -2, -1)), axis=-1)
    return ops.sum(white * white, axis=0), log_det


def _singular(gap: Any, cov: Any) -> Any:
    """The log of the density for a covariance of any rank."""
    cov = hermitian_part(cov)
    inverse = Pinv(cov, rtol=_cutoff(cov.dtype))
    rank = _rank(cov)
    inner = gap @ inverse
    squares = ops.sum(inner * gap, axis=-1)
    value = -0.5 * (rank * _LOG_2PI + LogPseudoDeterminant(cov) + squares)
    rest = ops.stop_gradient(gap - inner @ cov)
    bound = 1e3 * _cutoff(cov.dtype) * ops.max(ops.abs(Eigvalsh(cov, uplo=None)), axis=-1)
    distance = ops.sqrt(ops.sum(rest * rest, axis=-1))
    outside = (distance >= ops.stop_gradient(bound)) & (rank < cov.shape[-1])
    return ops.where(outside, -math.inf, value)


class MultivariateNormalEntropy(Composite):
    """y = ½(r·(1 + log 2π) + log det⁺ Σ), the entropy of a normal distribution of rank r."""

    math = r"H({c})"
    floats = True
    complexes = False
    samples = [case((), POSITIVE), case((2,), np.array([0.5, 2.0]))]

    def expand(y, mean, cov):
        d, _, cov = _parts(mean, cov)
        cov = _full(cov, d)
        return 0.5 * (_rank(cov) * (1 + _LOG_2PI) + LogPseudoDeterminant(cov))


class DirichletLog(Composite):
    """y = Σ (αᵢ − 1)·log xᵢ − log B(α), the log of Dirichlet's density.

    α (k,); x (k,) or (k, n), of which each column is one point, or without its last row, which is
    then 1 − Σ xᵢ; y is () or (n,). −∞ where x isn't on the simplex. ∂y/∂xᵢ = (αᵢ − 1)/xᵢ.
    """

    math = r"\log\operatorname{Dir}({x}; {a})"
    floats = True
    complexes = False
    samples = [
        case(np.array([0.2, 0.3]), np.array([0.7, 2.0, 3.5])),
        case(np.array([[0.2, 0.4], [0.3, 0.3]]), np.array([0.7, 2.0, 3.5])),
    ]

    def expand(y, x, alpha):
        dtype, k = x.dtype, sizes(alpha.shape)[0] if alpha.ndim == 1 else 0
        if x.ndim not in (1, 2) or not k or x.shape[0] not in (k, k - 1):
            raise ShapeError(
                f"a point of {text(x.shape)} and parameters of {text(alpha.shape)}",
                hint="Parameters are a vector (k,); points are (k,), or the columns of (k, n).",
            )
        x, alpha = widened(x), widened(alpha)
        if x.shape[0] == k - 1:
            x = ops.concat([x, 1 - ops.sum(x, axis=0, keepdims=True)], axis=0)
        alpha = ops.where(alpha > 0, alpha, math.nan)
        slack = 1e-9 + 2 * k * float(np.finfo(dtype).eps)  # pyright: ignore[reportArgumentType]
        inside = ops.all(x >= 0, axis=0) & (ops.abs(ops.sum(x, axis=0) - 1) <= slack)
        powers = ops.reshape(alpha - 1, (k,) + (1,) * (x.ndim - 1))
        terms = xlogy(powers, ops.where(inside | ops.isnan(x), x, 1 / k))
        log_beta = ops.sum(lgamma(alpha)) - lgamma(ops.sum(alpha))
        value = ops.sum(terms, axis=0) - log_beta
        outside = ~inside & ~ops.isnan(ops.sum(x, axis=0))
        value = narrowed(ops.where(outside, -math.inf, value), dtype)
        return ops.squeeze(value, axis=0) if value.shape == (1,) else value


class DirichletEntropy(Composite):
    """y = log B(α) + (α₀ − k)·ψ(α₀) − Σ (αᵢ − 1)·ψ(αᵢ) with α₀ = Σ αᵢ."""

    math = r"H({a})"
    floats = True
    complexes = False
    samples = [case(np.array([0.7, 2.0, 3.5]))]

    def expand(y, alpha):
        if alpha.ndim != 1:
            raise ShapeError(f"parameters of {text(alpha.shape)}", hint="They are a vector (k,).")
        dtype, alpha = alpha.dtype, widened(alpha)
        alpha = ops.where(alpha > 0, alpha, math.nan)
        total = ops.sum(alpha)
        log_beta = ops.sum(lgamma(alpha)) - lgamma(total)
        rest = (total - alpha.shape[0]) * digamma(total) - ops.sum((alpha - 1) * digamma(alpha))
        return narrowed(log_beta + rest, dtype)
