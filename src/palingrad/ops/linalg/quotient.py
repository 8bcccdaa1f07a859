"""Division by the gaps between eigenvalues or singular values, which may be 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.kinds import Factorisation
from ...graph.registry import ops
from ...graph.samples import case
from ...shapes import broadcast, sizes


class GapQuotient(Factorisation):
    """y = p/d, elementwise; 0 where p = 0, whatever d is.

    Raises `numpy.linalg.LinAlgError` where p isn't 0 but |d| ≤ 10ε·scale, with the dtype's rounding
    ε: d is the difference of two computed eigenvalues, which can't be told from 0 there, so that
    the vectors whose derivative is asked for aren't determined.
    """

    math = r"\frac{{p}}{{d}}"
    samples = [
        case((2, 3), np.array([[1.5, -0.7, 2.0], [0.4, 1.1, -3.0]]), np.ones((2, 1))),
        case((2, 2), np.array([[1.5, -0.7]]), np.array([[1.0], [2.0]])),
    ]

    def f(m, p, d, scale):
        return m.gap_quotient(p, d, scale)

    def shape_rule(y, *shapes):
        return broadcast(*shapes)

    def vjp(y, g, p, d, scale):
        over = GapQuotient(g, d, scale)
        return [over, lambda: -(over * y), None]


def gap_quotient(p: Any, d: Any, scale: Any) -> Any:
    """p/d, guarded; the scale isn't differentiated."""
    return GapQuotient(p, d, ops.stop_gradient(scale))


def differences(w: Any, factor: Any, scale: Any) -> Any:
    """(wⱼ − wᵢ)·factor at (i, j); on the diagonal, which isn't used, a number larger than scale."""
    d = (ops.expand_dims(w, axis=-2) - ops.expand_dims(w, axis=-1)) * factor
    return ops.where(np.eye(sizes(w.shape)[-1], dtype=bool), ops.stop_gradient(scale) + 1, d)


def largest(w: Any) -> Any:
    """max |w| along the last axis, as a matrix of one element."""
    return ops.expand_dims(ops.max(ops.abs(w), axis=-1, keepdims=True), axis=-1)
