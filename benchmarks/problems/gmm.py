"""The log-likelihood of a mixture of Gaussians with a Wishart prior, and its gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from problems.problem import Array, Problem

WISHART, GAMMA, POINTS = 0, 1.0, 1_000


def logsumexp(m: Any, x: Any, axis: int) -> Any:
    shift = m.max(x, axis=axis, keepdims=True)
    total = m.log(m.sum(m.exp(x - shift), axis=axis, keepdims=True))
    return m.squeeze(shift + total, axis)


def lower(d: int) -> Array:
    """Where each element of a (d, d) matrix stands in (l…, 0): l column by column below the
    diagonal."""
    places = np.full((d, d), d * (d - 1) // 2)
    columns, rows = np.triu_indices(d, 1)
    places[rows, columns] = np.arange(len(rows))
    return places


def log_gamma(a: float, d: int) -> float:
    """log Γ_d(a), the multivariate gamma function."""
    return d * (d - 1) / 4 * math.log(math.pi) + sum(math.lgamma(a - i / 2) for i in range(d))


def prior_constant(k: int, d: int) -> float:
    degrees = d + WISHART + 1
    return k * (degrees * d * math.log(GAMMA / math.sqrt(2)) - log_gamma(degrees / 2, d))


def likelihood(m: Any, alpha: Any, mu: Any, q: Any, l: Any, x: Any) -> Any:
    (n, d), k = x.shape, alpha.shape[0]
    scales = m.exp(q)
    padded = m.concatenate([l, m.zeros((k, 1))], 1)
    factor = padded[:, lower(d)] + scales[:, :, None] * m.constant(np.eye(d))  # (k, d, d)
    # Q(x − μ) as Qx − Qμ: one product for all components.
    turned = (x @ factor.reshape(k * d, d).T).reshape(n, k, d)
    scaled = turned - m.einsum("kij,kj->ki", factor, mu)
    scores = alpha + m.sum(q, 1) - m.sum(scaled * scaled, -1) / 2  # (n, k)
    return (
        m.sum(logsumexp(m, scores, 1))
        - n * (d / 2 * math.log(2 * math.pi) + logsumexp(m, alpha, 0))
        + prior_constant(k, d)
        - GAMMA**2 / 2 * (m.sum(scales * scales) + m.sum(l * l))
        + WISHART * m.sum(q)
    )


def arrays(size: tuple[int, int]) -> tuple[Array, ...]:
    d, k = size
    rng = np.random.default_rng(0)
    alpha, mu = rng.standard_normal(k), rng.random((k, d))
    q, below = rng.standard_normal((k, d)), rng.standard_normal((k, d * (d - 1) // 2))
    return alpha, mu, q, below, rng.standard_normal((POINTS, d))


def reference(
    part: str,
    size: Any,
    alpha: Array,
    mu: Array,
    q: Array,
    l: Array,
    x: Array,
) -> Any:
    """The gradients by hand, one component at a time."""
    (n, d), k = x.shape, len(alpha)
    columns, rows = np.triu_indices(d, 1)
    factors = np.zeros((k, d, d))
    factors[:, rows, columns] = l
    factors[:, np.arange(d), np.arange(d)] = np.exp(q)
    scaled = [(x - mu[j]) @ factors[j].T for j in range(k)]  # each (n, d)
    scores = np.stack([alpha[j] + q[j].sum() - (scaled[j] ** 2).sum(1) / 2 for j in range(k)], 1)
    largest = scores.max(1, keepdims=True)
    logs = largest[:, 0] + np.log(np.exp(scores - largest).sum(1))
    total = np.log(np.exp(alpha).sum())
    if part == "value":
        whole = logs.sum() - n * (d / 2 * np.log(2 * np.pi) + total) + prior_constant(k, d)
        return np.float64(whole - GAMMA**2 / 2 * (factors**2).sum() + WISHART * q.sum())
    shares = np.exp(scores - logs[:, None])
    by_mu, by_q, by_l = np.zeros_like(mu), np.zeros_like(q), np.zeros_like(l)
    for j in range(k):
        pulled = shares[:, j, None] * scaled[j]  # (n, d)
        by_mu[j] = pulled.sum(0) @ factors[j]
        by_factor = -pulled.T @ (x - mu[j]) - GAMMA**2 * factors[j]
        by_q[j] = shares[:, j].sum() + np.diag(by_factor) * np.exp(q[j]) + WISHART
        by_l[j] = by_factor[rows, columns]
    return shares.sum(0) - n * np.exp(alpha - total), by_mu, by_q, by_l


PROBLEM = Problem(
    sizes={
        f"d = {d}, k = {k}": (d, k) for d, k in ((2, 5), (10, 25), (20, 50), (32, 25), (64, 100))
    },
    tiny=(3, 2),
    arrays=arrays,
    value=lambda m, size: lambda *given: likelihood(m, *given),
    derivative=lambda m, size: m.grad(lambda *given: likelihood(m, *given), (0, 1, 2, 3)),
    reference=reference,
)
