"""The normalised sinc function."""

from __future__ import annotations

import math

import numpy as np

from ...graph.describe.notation import applied
from ...graph.functions import unary
from ...graph.registry import register
from ...graph.samples import case, edge, kink
from .base import Special


class Sinc(Special):
    """y = sin(πx)/(πx), and 1 at x = 0. Its derivatives are integrals, exact near 0 too.

    The sine is taken of the distance to the nearest integer, so that the zeros are exact.
    """

    math = r"\operatorname{sinc} {x}"
    stays_finite = True
    samples = [
        case((2, 3)),
        edge(0.0, 1e-8, 1e-30, 1.0, -3.0, 2.5, 1e6, np.inf, np.nan),
        kink([0.0, 1.0], slopes=[[0.0, -1.0]]),
    ]

    def f(m, x):
        inside = m.isfinite(x)
        x = m.where(inside | m.isnan(x), x, 0.5)
        whole = m.rint(x)
        sign = 1 - 2 * m.absolute(whole - 2 * m.rint(whole * 0.5))
        zero = x == 0
        sine = sign * m.sin(math.pi * (x - whole))
        y = m.where(zero, 1, sine / (math.pi * m.where(zero, 1, x)))
        return m.where(inside | m.isnan(x), y, 0)

    def d(y, x):
        return [SincDerivative(x, n=1)]


class SincDerivative(Special):
    """y = dⁿ/dxⁿ sinc x = πⁿ ∫₀¹ tⁿ·cos(πxt + ½nπ) dt. ∂y/∂x is that of order n + 1."""

    math = r"\operatorname{sinc}^{(n)} {x}"
    stays_finite = True
    samples = [
        case((2, 3), n=1),
        edge(0.0, 1e-8, 3.0, -20.5, 1e6, np.inf, np.nan, n=2),
        kink([0.0], slopes=[[-(np.pi**2) / 3]], n=1),
    ]

    def f(m, x, *, n):
        return m.sinc_derivative(x, n)

    def notation(y, x):
        return applied(rf"\operatorname{{sinc}}^{{({y.n})}}", [x])

    def d(y, x):
        return [SincDerivative(x, n=y.n + 1)]


sinc = register(unary(Sinc))
