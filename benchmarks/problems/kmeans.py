"""The sum of squared distances to the nearest centroid; Newton's direction of the centroids."""

from __future__ import annotations

from typing import Any

import numpy as np

from problems.problem import Array, Problem


def cost(m: Any, points: Any, centroids: Any) -> Any:
    apart = points[:, None, :] - centroids[None, :, :]  # (n, k, d)
    return m.sum(m.min(m.sum(apart * apart, -1), 1))


def direction(m: Any, points: Any, centroids: Any) -> Any:
    """Gradient over the diagonal of the Hessian, which is the Hessian times ones."""
    slope = m.grad(lambda c: cost(m, points, c))
    g, h = m.jvp(slope, (centroids,), (m.ones_like(centroids),))
    return g / h


def arrays(size: tuple[int, int, int]) -> tuple[Array, ...]:
    k, n, d = size
    points = np.random.default_rng(0).random((n, d))
    return points, points[-k:].copy()


def reference(part: str, size: Any, points: Array, centroids: Array) -> Array:
    """g/h of a centroid is itself minus the mean of its points."""
    square = (points**2).sum(1)[:, None] - 2 * points @ centroids.T + (centroids**2).sum(1)
    owner = square.argmin(1)
    if part == "value":
        return ((points - centroids[owner]) ** 2).sum()
    sums = np.zeros_like(centroids)
    np.add.at(sums, owner, points)
    return centroids - sums / np.bincount(owner, minlength=len(centroids))[:, None]


PROBLEM = Problem(
    sizes={
        f"k = {k:,}, n = {n:,}, d = {d}": (k, n, d)
        for k, n, d in (
            (10, 1_000, 8),
            (100, 1_000, 16),
            (10, 10_000, 8),
            (100, 10_000, 16),
            (1_000, 10_000, 16),
        )
    },
    tiny=(3, 20, 2),
    arrays=arrays,
    value=lambda m, size: lambda points, centroids: cost(m, points, centroids),
    derivative=lambda m, size: lambda points, centroids: direction(m, points, centroids),
    reference=reference,
)
