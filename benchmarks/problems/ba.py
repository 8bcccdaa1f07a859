"""Bundle adjustment: errors of projections, and their sparse Jacobian."""

from __future__ import annotations

from typing import Any

import numpy as np

from problems.problem import Array, Problem, complex_step

CAMERA = 11  # rotation 3, centre 3, focal length, principal point 2, distortion 2


def cross(m: Any, a: Any, b: Any) -> Any:
    return m.stack(
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    )


def rotated(m: Any, r: Any, x: Any) -> Any:
    """x turned about r by |r| (Rodrigues); x + r × x for r = 0."""
    square = m.sum(r * r)
    turns = square > 0
    angle = m.sqrt(m.where(turns, square, 1.0))
    axis = r / angle
    cosine, sine = m.cos(angle), m.sin(angle)
    turned = x * cosine + cross(m, axis, x) * sine + axis * (m.sum(axis * x) * (1 - cosine))
    return m.where(turns, turned, x + cross(m, r, x))


def projection_error(m: Any, camera: Any, point: Any, weight: Any, feature: Any) -> Any:
    y = rotated(m, camera[:3], point - camera[3:6])
    v = y[:2] / y[2]
    square = m.sum(v * v)
    stretched = v * (1 + camera[9] * square + camera[10] * square * square)
    return weight * (stretched * camera[6] + camera[7:9] - feature)


def errors(
    m: Any, cameras: Any, points: Any, weights: Any, features: Any, seen: Any, of: Any
) -> Any:
    one = m.vmap(lambda *given: projection_error(m, *given))
    return one(cameras[seen], points[of], weights, features).reshape(-1), 1 - weights * weights


def jacobian(
    m: Any, cameras: Any, points: Any, weights: Any, features: Any, seen: Any, of: Any
) -> Any:
    """The values row by row: 15 of each row of an observation, then one of each weight."""
    slopes = m.vmap(m.rows_jacobian(lambda *given: projection_error(m, *given), (0, 1, 2)))
    by_camera, by_point, by_weight = slopes(cameras[seen], points[of], weights, features)
    values = m.concatenate([by_camera, by_point, by_weight[:, :, None]], 2)
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
