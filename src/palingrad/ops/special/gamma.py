"""The gamma function, its logarithm, and the derivatives of that."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...graph.describe.notation import PRODUCT, SUM, Piece, applied
from ...graph.functions import unary
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case, edge, kink
from .base import Special, order_of

_EDGES = edge(0.5, 1.0, 171.5, -1.5, -2.0, 0.0, 1e-8, np.inf, np.nan)
_SMOOTH = [case((2,), low=0.6, high=4.0), case((), low=-1.6, high=-1.4), _EDGES]


class Gamma(Special):
    """y = Γ(x); NaN at −1, −2, …, ±∞ at ±0. ∂y/∂x = Γ(x)·ψ(x)."""

    math = r"\Gamma({x})"
    harmless = 1
    samples = _SMOOTH

    def f(m, x):
        return m.gamma(x)

    def d(y, x):
        return [y * digamma(x)]


class Lgamma(Special):
    """y = log |Γ(x)|; ∞ at the poles 0, −1, −2, …. ∂y/∂x = ψ(x)."""

    math = r"\log\Gamma({x})"
    harmless = 1
    samples = [*_SMOOTH, case(np.array([-2.4570247382208006]))]  # zeros

    def f(m, x):
        return m.lgamma(x)

    def d(y, x):
        return [digamma(x)]


class Rgamma(Special):
    """y = 1/Γ(x), an entire function, with zeros at 0, −1, −2, …. ∂y/∂x = −ψ(x)/Γ(x).

    For x < ½ the slope is written by the reflection formula, which holds at the zeros too.
    """

    math = r"\frac{1}{\Gamma({x})}"
    harmless = 1
    samples = [
        *_SMOOTH,
        kink([0.0, -1.0, -2.0, -3.0, np.inf], slopes=[[1.0, -1.0, 2.0, -6.0, 0.0]]),
    ]

    def f(m, x):
        return m.rgamma(x)

    def d(y, x):
        return [rgamma_slope(x)]


def rgamma_slope(x: Any) -> Any:
    """d/dx 1/Γ(x)."""
    low = x < 0.5
    left, right = ops.where(low, x, 0), ops.where(low, 1, x)
    whole = ops.round(left)
    sign = 1 - 2 * ops.remainder(whole, 2)
    cosine = sign * ops.cos(math.pi * (left - whole))
    reflected = cosine * gamma(1 - left) - rgamma(left) * digamma(1 - left)
    return ops.where(low, reflected, -ops.absorbing_product(rgamma(right), digamma(right)))


class Digamma(Special):
    """y = ψ(x) = Γ′(x)/Γ(x); NaN at −1, −2, …, ∓∞ at ±0. ∂y/∂x = ψ′(x)."""

    math = r"\psi({x})"
    harmless = 1
    samples = [*_SMOOTH, case(np.array([-0.5040830082644554]))]  # zeros

    def f(m, x):
        return m.digamma(x)

    def d(y, x):
        return [Polygamma(x, n=1)]


class Polygamma(Special):
    """y = ψ⁽ⁿ⁾(x), the derivative of order n of ψ; at 0, −1, … ∞ for odd n. ∂y/∂x = ψ⁽ⁿ⁺¹⁾(x)."""

    math = r"\psi^{(n)}({x})"
    harmless = 1
    samples = [
        case((2,), low=0.7, high=4.0, n=1),
        case((), low=-1.6, high=-1.4, n=2),
        edge(0.5, 1.0, 30.0, -1.5, -2.0, 0.0, np.inf, np.nan, n=3),
    ]

    def f(m, x, *, n):
        return m.polygamma(x, n)

    def notation(y, x):
        return applied(rf"\psi^{{({y.n})}}", [x])

    def d(y, x):
        return [Polygamma(x, n=y.n + 1)]


class PolygammaStep(Special):
    """y = ψ⁽ⁿ⁾(x + h) − ψ⁽ⁿ⁾(x), without cancellation for small h.

    ∂y/∂x is that of order n + 1, ∂y/∂h = ψ⁽ⁿ⁺¹⁾(x + h).
    """

    math = r"\psi^{(n)}({x} + {h}) - \psi^{(n)}({x})"
    harmless = 1
    samples = [
        case((1,), (1,), low=0.6, high=3.0, n=0),
        case(np.array([2.0]), np.array([1e-9]), n=1),
    ]

    def f(m, x, h, *, n):
        return m.polygamma_step(x, h, n)

    def notation(y, x, h):
        sign = rf"\psi^{{({y.n})}}" if y.n else r"\psi"
        return Piece(f"{sign}({x.latex} + {h.within(PRODUCT)}) - {sign}({x.latex})", SUM)

    def d(y, x, h):
        return [
            lambda: PolygammaStep(x, h, n=y.n + 1),
            lambda: polygamma(y.n + 1, x + h),
        ]


class Gammasgn(Special):
    """y = the sign of Γ(x), ±1; NaN at −1, −2, …, ±1 at ±0. ∂y/∂x = 0."""

    math = r"\operatorname{sgn}\Gamma({x})"
    harmless = 1
    samples = [edge(0.5, 3.0, -0.5, -1.5, -2.5, -2.0, np.inf, np.nan)]

    def f(m, x):
        low = m.floor(x)
        sign = m.where((x > 0) | (low - 2 * m.floor(low / 2) == 0), m.ones_like(x), -1)
        sign = m.where(x == 0, m.sign(1 / x), sign)
        return m.where(m.isnan(x) | ((x < 0) & (low == x)), math.nan, sign)

    def d(y, x):
        return [None]


gamma = register(unary(Gamma))
lgamma = register(unary(Lgamma))
rgamma = register(unary(Rgamma))
digamma = register(unary(Digamma))
gammasgn = register(unary(Gammasgn))


@register
def polygamma(n: int, x: Any, /, *, name: str | None = None) -> Node:
    """y = ψ⁽ⁿ⁾(x), the derivative of order n = 0, 1, 2, … of the digamma function ψ.

    n is a Python integer. At the poles 0, −1, −2, … it is ∞ for odd n and NaN for even n.
    """
    n = order_of("polygamma: n", n, least=0)
    return Polygamma(x, n=n, name=name) if n else Digamma(x, name=name)


@register
def multigammaln(a: Any, d: int, /, *, name: str | None = None) -> Node:
    """y = log Γ_d(a) = ¼d(d − 1)·log π + Σⱼ log Γ(a + ½(1 − j)) over j = 1 … d, for a > ½(d − 1).

    The multivariate gamma function (DLMF 35.3.4); NaN for smaller a, where SciPy raises.
    """
    d = order_of("multigammaln: d", d, least=1)
    a = ops.positive(a)
    total: Any = sum((lgamma(a - j / 2) for j in range(1, d)), start=lgamma(a))
    total = total + d * (d - 1) / 4 * math.log(math.pi)
    return ops.where(a > (d - 1) / 2, total, math.nan, name=name)
