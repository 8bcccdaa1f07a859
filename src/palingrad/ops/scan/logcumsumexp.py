"""Running log-sum-exps along one axis, without overflow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...graph.batching.rules import along_axis
from ...graph.describe.notation import Piece
from ...graph.functions import frozen
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case, kink
from ...shapes import Shape, axis_in
from ..reduction.axes import narrowed, widened
from .cumulative import ALONG, BACK, LAST, CumulativeMax, previous, recurrence


class Logcumsumexp(Composite):
    """yᵢ = log Σⱼ≤ᵢ exp xⱼ along `axis`, without overflow; from the end with `reverse`.

    y = M + log S with the running maximum M and Sᵢ = exp(Mᵢ₋₁ − Mᵢ)·Sᵢ₋₁ + exp(xᵢ − Mᵢ) ≥ 1.
    ∂L/∂xⱼ = exp(xⱼ − Mⱼ)/Sⱼ·rⱼ with rⱼ = gⱼ + exp(Mⱼ − Mⱼ₊₁)·Sⱼ/Sⱼ₊₁·rⱼ₊₁, without y, whose
    rounding would be a relative error of the slopes. Where y = −∞ the gradient is 0; elements of ∞
    share it equally, as in `logsumexp`.
    """

    batched = along_axis
    math = r"\log\operatorname{cumsum}_{<axis>} e^{{x}}"
    floats = True
    samples = [
        case((5,), **ALONG),
        case((2, 3, 2), **BACK),
        case(np.array([[1000.0, 999.0, 1001.0], [-1000.0, -1001.0, -999.0]]), **LAST),
        kink([-np.inf, 1.0, np.inf, 2.0, np.inf], slopes=[[0.0, 1.0, 2.5, 0.0, 0.5]], **ALONG),
        case((2, 0), **LAST),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        axis_in(self.attributes["axis"], len(shapes[0]))
        return shapes[0]

    def notation(y, x):
        plain = super().notation(x)
        latex = (
            plain.latex.replace("cumsum}", r"cumsum}^{\leftarrow}") if y.reverse else plain.latex
        )
        return Piece(latex, plain.level)

    def expand(y, x):
        parts = _Parts(y, widened(x))
        return narrowed(parts.top + ops.log(parts.divisor), x.dtype)

    def vjp(y, g, x):
        parts = _Parts(y, widened(x))
        kept = parts.factor * previous(parts.total, y.axis, y.reverse) / parts.divisor
        follows = previous(kept, y.axis, not y.reverse)
        rest = recurrence(follows, widened(g), y.axis, not y.reverse)
        return [narrowed(ops.scaled(rest, parts.term / parts.divisor), x.dtype)]


class _Parts:
    """The running maximum M of x (`top`), the terms exp(x − M), 0 where M = −∞, their running sums
    S relative to M (`total`), S or 1 where it is 0 (`divisor`), and exp(Mᵢ₋₁ − Mᵢ) (`factor`)."""

    def __init__(self, y: Any, x: Any) -> None:
        axis, reverse = y.axis, y.reverse
        self.top: Any = ops.stop_gradient(CumulativeMax(x, axis=axis, reverse=reverse))
        before = previous(self.top, axis, reverse, -math.inf)
        self.term = ops.where(self.top == -math.inf, 0, _ratio(x, self.top))
        self.factor = _ratio(before, self.top)
        self.total = recurrence(self.factor, self.term, axis, reverse)
        self.divisor = ops.where(self.total == 0, 1, self.total)


def _ratio(x: Any, y: Any) -> Node:
    """exp(x − y) for x ≤ y, where exp(±∞ − ±∞) is 1."""
    finite = ops.isfinite(y)
    gap = ops.where(finite, x - ops.where(finite, y, 0), ops.log(ops.cast(x == y, x.dtype)))
    return ops.exp(gap)


@register
def logcumsumexp(x: Any, /, axis: int = 0, *, name: str | None = None) -> Node:
    """yᵢ = log Σⱼ≤ᵢ exp xⱼ along `axis`, without overflow."""
    return Logcumsumexp(x, axis=frozen(axis), reverse=False, name=name)
