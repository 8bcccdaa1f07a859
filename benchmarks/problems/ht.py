"""A hand whose pose is fitted to points: errors, and their Jacobian by the pose and by each point's
own place on its triangle."""

from __future__ import annotations

from typing import Any

import numpy as np

from problems.problem import Array, Problem, complex_step

BONES, ANGLES = 22, 26


def parents() -> list[int]:
    """Wrist, four bones for each of five fingers, forearm."""
    fingers = [0 if bone % 4 == 1 else bone - 1 for bone in range(1, 21)]
    return [-1, *fingers, 0]


def turn(m: Any, x: Any, z: Any) -> Any:
    """Rz(z)·Rx(x), (4, 4)."""
    a, b, c, d = m.cos(x), m.sin(x), m.cos(z), m.sin(z)
    zero, one = m.zeros_like(x), m.ones_like(x)
    rows = [c, -d * a, d * b, zero, d, c * a, -c * b, zero, zero, b, a, zero, zero, zero, zero, one]
    return m.stack(rows).reshape(4, 4)


def absolute(m: Any, theta: Any, bases: Any) -> list[Any]:
    """The transforms of all bones."""
    found: list[Any] = []
    for bone, parent in enumerate(parents()):
        local, joint = bases[bone], (bone - 1) % 4
        if 1 <= bone <= 20 and joint > 0:
            first = 6 + 4 * ((bone - 1) // 4)
            x, z = (
                (theta[first], theta[first + 1]) if joint == 1 else
                (theta[first + joint], 0.0 * theta[0])
            )  # fmt: skip
            local = local @ turn(m, x, z)
        found.append(local if parent < 0 else found[parent] @ local)
    return found


def rotation(m: Any, a: Any) -> Any:
    """Rodrigues' matrix; the identity for |a| < 1e-4."""
    square = m.sum(a * a)
    turns = square > 1e-8
    angle = m.sqrt(m.where(turns, square, 1.0))
    x, y, z = (a[i] / angle for i in range(3))
    zero = m.zeros_like(x)
    skew = m.stack([zero, -z, y, z, zero, -x, -y, x, zero]).reshape(3, 3)
    eye = m.constant(np.eye(3))
    turned = eye + m.sin(angle) * skew + (1 - m.cos(angle)) * (skew @ skew)
    return m.where(turns, turned, eye)


def vertices(m: Any, theta: Any, bases: Any, inverses: Any, rest: Any, weights: Any) -> Any:
    transforms = m.stack(absolute(m, theta, bases)) @ inverses  # (22, 4, 4)
    moved = m.einsum("bij,vj->vbi", transforms[:, :3], rest)  # (V, 22, 3)
    skinned = m.sum(weights[:, :, None] * moved, 1)  # (V, 3)
    return skinned @ rotation(m, theta[:3]).T + theta[3:6]


def errors(m: Any, theta: Any, us: Any, *model: Any) -> Any:
    *hand, corners, points = model  # corners (N, 3): the vertices of each point's triangle
    u, v = us[:, :1], us[:, 1:]
    found = vertices(m, theta, *hand)
    first, second, third = (found[corners[:, i]] for i in range(3))
    return (points - (u * first + v * second + (1 - u - v) * third)).reshape(-1)


def jacobian(m: Any, theta: Any, us: Any, *model: Any) -> Any:
    """(3N, 2 + 26). A point's errors depend on its own u alone: one tangent serves all points."""

    def by_u(place: int) -> Any:
        tangent = m.constant(np.eye(2)[place]) + m.zeros_like(us)
        return m.jvp(lambda us: errors(m, theta, us, *model), (us,), (tangent,))[1]

    by_theta = m.jacobian(lambda theta: errors(m, theta, us, *model))(theta)
    return m.concatenate([by_u(0)[:, None], by_u(1)[:, None], by_theta], 1)


def simple_errors(m: Any, theta: Any, *model: Any) -> Any:
    *hand, corresponding, points = model
    return (points - vertices(m, theta, *hand)[corresponding]).reshape(-1)


def arrays(size: tuple[int, int, bool]) -> tuple[Array, ...]:
    count, corners, simple = size
    rng = np.random.default_rng(0)
    theta = rng.standard_normal(ANGLES) / 5
    bases = np.tile(np.eye(4), (BONES, 1, 1))
    bases[:, :3, :3] = np.linalg.qr(rng.standard_normal((BONES, 3, 3)))[0]
    bases[:, :3, 3] = rng.standard_normal((BONES, 3))
    rest = np.concatenate([rng.standard_normal((corners, 3)), np.ones((corners, 1))], 1)
    weights = rng.random((corners, BONES))
    hand = theta, bases, np.linalg.inv(bases), rest, weights / weights.sum(1, keepdims=True)
    points = rng.standard_normal((count, 3))
    if simple:
        return *hand, rng.integers(0, corners, count), points
    triangles = np.sort(rng.integers(0, corners, (2 * corners, 3)))
    us = rng.random((count, 2))
    return theta, us, *hand[1:], triangles[rng.integers(0, 2 * corners, count)], points


def value(m: Any, size: Any) -> Any:
    f = simple_errors if size[2] else errors
    return lambda *given: f(m, *given)


def derivative(m: Any, size: Any) -> Any:
    if not size[2]:
        return lambda *given: jacobian(m, *given)
    return lambda theta, *model: m.jacobian(lambda t: simple_errors(m, t, *model))(theta)


def reference(part: str, size: Any, theta: Array, *model: Array) -> Any:
    us, model = (None, model) if size[2] else (model[0], model[1:])
    if part == "value":
        return _errors(theta, us, *model)
    columns = complex_step(lambda t: _errors(t, us, *model), theta, range(ANGLES))
    if us is None:
        return columns
    by_u = [np.imag(_errors(theta, us + 1e-30j * np.eye(2)[i], *model)) / 1e-30 for i in range(2)]
    return np.concatenate([np.stack(by_u, 1), columns], 1)


def _errors(theta: Array, us: Any, *model: Array) -> Array:
    """The errors by NumPy: each vertex is the weighted sum of matrices times its place at rest."""
    bases, inverses, rest, weights, corners, points = model
    transforms: list[Array] = []
    for bone, parent in enumerate(parents()):
        finger, joint = divmod(bone - 1, 4)
        local = bases[bone].astype(theta.dtype)
        if 0 <= finger < 5 and joint > 0:
            angles = theta[6 + 4 * finger : 10 + 4 * finger]
            x, z = (angles[0], angles[1]) if joint == 1 else (angles[joint], 0.0)
            about_x, about_z = np.eye(4, dtype=theta.dtype), np.eye(4, dtype=theta.dtype)
            about_x[1:3, 1:3] = [[np.cos(x), -np.sin(x)], [np.sin(x), np.cos(x)]]
            about_z[:2, :2] = [[np.cos(z), -np.sin(z)], [np.sin(z), np.cos(z)]]
            local = local @ about_z @ about_x
        transforms.append(local if parent < 0 else transforms[parent] @ local)
    blended = np.tensordot(weights, np.stack(transforms) @ inverses, 1)  # (V, 4, 4)
    placed = (blended @ rest[:, :, None])[:, :3, 0]
    a = theta[:3]
    angle = np.sqrt((a * a).sum())
    w = a / angle
    turned = placed * np.cos(angle) + np.cross(w, placed) * np.sin(angle)
    turned = turned + (placed @ w)[:, None] * w * (1 - np.cos(angle)) + theta[3:6]
    if us is None:
        return (points - turned[corners]).ravel()
    shares = np.stack([us[:, 0], us[:, 1], 1 - us[:, 0] - us[:, 1]], 1)
    return (points - (shares[:, :, None] * turned[corners]).sum(1)).ravel()


PROBLEM = Problem(
    sizes={
        f"{'simple' if simple else 'complicated'}, N = {n:,}, V = {v:,}": (n, v, simple)
        for n, v, simple in (
            (100, 544, True), (100, 544, False), (10_000, 544, False), (100_000, 10_000, False),
        )
    },
    tiny=(4, 6, False),
    arrays=arrays,
    value=value,
    derivative=derivative,
    reference=reference,
    peers=("JAX",),
)  # fmt: skip
