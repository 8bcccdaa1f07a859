"""Bundle adjustment: errors of projections, and their sparse Jacobian."""

from __future__ import annotations

from typing import Any

import numpy as np

from problems.problem import Array, Problem, complex_step

CAMERA = 11  # rotation 3, centre 3, focal length, principal point 2, distortion 2


def cross(a: Any, b: Any) -> list[Any]:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def dot(a: Any, b: Any) -> Any:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def rotated(m: Any, r: Any, x: Any) -> list[Any]:
    """x turned about r by |r| (Rodrigues); x + r × x for r = 0."""
    square = dot(r, r)
    turns = square > 0
    angle = m.sqrt(m.where(turns, square, 1.0))
    w = [one / angle for one in r]
    cosine, sine = m.cos(angle), m.sin(angle)
    along = dot(w, x) * (1 - cosine)
    turned = [a * cosine + b * sine + c * along for a, b, c in zip(x, cross(w, x), w, strict=True)]
    small = [a + b for a, b in zip(x, cross(r, x), strict=True)]
    return [m.where(turns, a, b) for a, b in zip(turned, small, strict=True)]


def projection_errors(m: Any, camera: Any, point: Any, weight: Any, feature: Any) -> list[Any]:
    """The two errors of one observation; every number of it is a scalar."""
    r = [camera[i] for i in range(3)]
    y = rotated(m, r, [point[i] - camera[3 + i] for i in range(3)])
    v = [y[0] / y[2], y[1] / y[2]]
    square = v[0] * v[0] + v[1] * v[1]
    stretch = (1 + camera[9] * square + camera[10] * square * square) * camera[6]
    return [weight * (v[i] * stretch + camera[7 + i] - feature[i]) for i in range(2)]


def errors(
    m: Any, cameras: Any, points: Any, weights: Any, features: Any, seen: Any, of: Any
) -> Any:
    one = m.vmap(lambda *given: m.stack(projection_errors(m, *given)))
    return one(cameras[seen], points[of], weights, features).reshape(-1), 1 - weights * weights


def jacobian(
    m: Any, cameras: Any, points: Any, weights: Any, features: Any, seen: Any, of: Any
) -> Any:
    """The values row by row: 15 of each row of an observation, then one of each weight."""

    def rows(*given: Any) -> Any:
        slopes = [
            m.grad(lambda *given, row=row: projection_errors(m, *given)[row], (0, 1, 2))(*given)
            for row in range(2)
        ]
        return m.stack([m.concatenate([camera, point, w[None]]) for camera, point, w in slopes])

    values = m.vmap(rows)(cameras[seen], points[of], weights, features)  # (p, 2, 15)
    return m.concatenate([values.reshape(-1), -2 * weights])


def structure(n: int, points: int, seen: Array, of: Array) -> tuple[Array, Array]:
    """Row starts and columns, which don't depend on the numbers."""
    count = len(seen)
    camera = CAMERA * seen[:, None] + np.arange(CAMERA)
    point = CAMERA * n + 3 * of[:, None] + np.arange(3)
    weight = (CAMERA * n + 3 * points + np.arange(count))[:, None]
    row = np.concatenate([camera, point, weight], 1)  # (count, 15)
    columns = np.concatenate([np.repeat(row, 2, 0).ravel(), weight.ravel()])
    lengths = np.concatenate([[0], np.full(2 * count, CAMERA + 4), np.ones(count, int)])
    return np.cumsum(lengths), columns


def arrays(size: tuple[int, int, int]) -> tuple[Array, ...]:
    n, points, count = size
    rng = np.random.default_rng(0)
    camera = rng.standard_normal(CAMERA)
    cameras = np.tile(camera, (n, 1))
    places = np.tile(rng.standard_normal(3), (points, 1))
    weights = np.full(count, rng.standard_normal())
    features = np.tile(rng.standard_normal(2), (count, 1))
    seen = np.arange(count)
    return cameras, places, weights, features, seen % n, seen % points


def reference(part: str, size: Any, *given: Array) -> Any:
    """The values by NumPy, the Jacobian by a complex step, for all observations at once."""
    cameras, points, weights, features, seen, of = given
    x = np.concatenate([cameras[seen].T, points[of].T, weights[None]])  # (15, count)

    def formula(x: Array) -> Array:
        r, moved = x[:3], x[11:14] - x[3:6]
        angle = np.sqrt((r * r).sum(0))
        w = r / angle
        turned = moved * np.cos(angle) + np.cross(w, moved, axis=0) * np.sin(angle)
        turned = turned + w * (w * moved).sum(0) * (1 - np.cos(angle))
        v = turned[:2] / turned[2]
        square = (v * v).sum(0)
        seen_at = v * (1 + x[9] * square + x[10] * square**2) * x[6] + x[7:9]
        return (x[14] * (seen_at - features.T)).T  # (count, 2)

    if part == "value":
        return formula(x).ravel(), 1 - weights**2
    rows = complex_step(formula, x, range(15))  # (count, 2, 15)
    return np.concatenate([rows.ravel(), -2 * weights])


PROBLEM = Problem(
    sizes={
        f"n = {n}, m = {points:,}, p = {count:,}": (n, points, count)
        for n, points, count in (
            (49, 7_776, 31_843), (93, 61_203, 287_451), (356, 226_730, 1_255_268),
        )
    },
    tiny=(2, 3, 7),
    arrays=arrays,
    value=lambda m, size: lambda *given: errors(m, *given),
    derivative=lambda m, size: lambda *given: jacobian(m, *given),
    reference=reference,
)  # fmt: skip
