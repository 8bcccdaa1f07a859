"""Division by the gaps between eigenvalues or singular values, which may be 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.batching.rules import first_aligned
from ...graph.kinds import Factorisation
from ...graph.registry import ops
from ...graph.samples import case, edge
from ...shapes import broadcast, sizes
from .parts import without_diagonal


class GapQuotient(Factorisation):
    """y = p/d, elementwise; 0 where p = 0, whatever d is.

    Raises `numpy.linalg.LinAlgError` where |d| ≤ 10ε·scale, with the dtype's rounding ε, unless p
    and `reach` are 0: d is the difference of two computed eigenvalues, which can't be told from 0
    there, so that their vectors aren't determined; `reach` isn't 0 where a cotangent reaches these.
    """

    batched = first_aligned
    math = r"\frac{{p}}{{d}}"
    samples = [
        case((2, 3), np.array([[1.5, -0.7, 2.0], [0.4, 1.1, -3.0]]), np.ones((2, 1)), np.ones(1)),
        case((2, 2), np.array([[1.5, -0.7]]), np.array([[1.0], [2.0]]), np.ones(1)),
    ]

    def f(m, p, d, scale, reach):
        return m.gap_quotient(p, d, scale, reach)

    def shape_rule(y, *shapes):
        return broadcast(*shapes)

    def vjp(y, g, p, d, scale, reach):
        over = GapQuotient(g, d, scale, ops.zeros_like(reach))
        return [over, lambda: -(over * y), None, None]


class WithoutPhase(Factorisation):
    """y = 0. Raises `numpy.linalg.LinAlgError` unless p is 0 up to rounding, beside `size`.

    p is the derivative along the phase of a complex eigenvector, which isn't determined.
    """

    batched = first_aligned
    math = "0"
    piecewise_constant = True
    samples = [edge(0.0, inputs=2)]

    def f(m, p, size):
        return m.without_phase(p, size)

    def shape_rule(y, *shapes):
        return shapes[0]

    def vjp(y, g, p, size):
        return [None, None]


def gap_quotient(p: Any, d: Any, scale: Any, reach: Any = None) -> Any:
    """p/d, guarded; scale and reach aren't differentiated."""
    reach = ops.zeros_like(scale) if reach is None else reach
    return GapQuotient(p, d, ops.stop_gradient(scale), ops.stop_gradient(reach))


def without_phase(p: Any, b: Any) -> Any:
    """0, if the imaginary part of p is rounding beside the sums of |b| over columns."""
    size = ops.sum(ops.abs(b), axis=-2)
    return WithoutPhase(ops.stop_gradient(ops.imag(p)), ops.stop_gradient(size))


def of_pairs(b: Any) -> Any:
    """Numbers at (i, j) that aren't 0 where column i or column j of b isn't 0."""
    size = ops.sum(ops.abs(b), axis=-2)
    return without_diagonal(ops.expand_dims(size, axis=-2) + ops.expand_dims(size, axis=-1))


def differences(w: Any, factor: Any, scale: Any) -> Any:
    """(wⱼ − wᵢ)·factor at (i, j); on the diagonal, which isn't used, a number larger than scale."""
    d = (ops.expand_dims(w, axis=-2) - ops.expand_dims(w, axis=-1)) * factor
    return ops.where(np.eye(sizes(w.shape)[-1], dtype=bool), ops.stop_gradient(scale) + 1, d)


def largest(w: Any) -> Any:
    """max |w| along the last axis, as a matrix of one element."""
    return ops.expand_dims(ops.max(ops.abs(w), axis=-1, keepdims=True), axis=-1)
