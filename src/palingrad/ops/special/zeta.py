"""Hurwitz's zeta function."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.describe.notation import applied
from ...graph.node import Node
from ...graph.registry import register
from ...graph.samples import case, edge
from .base import Special


class Zeta(Special):
    """y = ∂ⁿ/∂sⁿ ζ(s, q) with ζ(s, q) = Σₖ (q + k)⁻ˢ over k ≥ 0, n = order.

    ∂y/∂s is that of order n + 1. ∂y/∂q = −∂ⁿ/∂sⁿ (s·ζ(s + 1, q)).
    """

    math = r"\zeta({s}, {q})"
    samples = [
        case((2,), (2,), low=1.5, high=4.0, order=0),
        case((1,), (1,), low=1.5, high=4.0, order=1),
        edge(1.0, 60.0, 1e-3, 0.0, -1.0, np.inf, np.nan, inputs=2, order=0),
    ]

    def f(m, s, q, *, order):
        return m.zeta(s, q, order)

    def notation(y, s, q):
        sign = rf"\partial_1^{{{y.order}}}\zeta" if y.order else r"\zeta"
        return applied(sign, [s, q])

    def d(y, s, q):
        def of_q() -> Any:
            slope = s * Zeta(s + 1, q, order=y.order)
            if y.order:
                slope = slope + y.order * Zeta(s + 1, q, order=y.order - 1)
            return -slope

        return [lambda: Zeta(s, q, order=y.order + 1), of_q]


@register
def zeta(x: Any, q: Any = 1.0, /, *, name: str | None = None) -> Node:
    """y = ζ(x, q) = Σₖ (q + k)⁻ˣ over k ≥ 0, for x > 1 and q > 0; Riemann's ζ for q = 1.

    ∞ at x = 1 and q = 0; NaN for x < 1, where the series diverges, and for q < 0.
    """
    return Zeta(x, q, order=0, name=name)
