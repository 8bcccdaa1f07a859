"""The regularised incomplete gamma and beta functions, with derivatives in all arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...graph.describe.notation import SUM, Piece, applied
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case, edge, kink
from .base import Special
from .gamma import PolygammaStep, digamma, polygamma

# Parameters that are integers have no derivatives here: differences of third order in three
# arguments take long, and one sample has them. tests/ops/test_special.py compares all derivatives
# with mpmath's, which tells the slopes here too.
_GAMMA = [
    case(np.array([1, 3]), np.array([0.4, 4.0]), order=0),
    kink([0.7], [1.2], slopes=[[0.022346490797858855], [-0.5997688583488725]], order=3),
    edge(0.5, 30.0, 0.0, np.inf, -1.0, np.nan, inputs=2, order=0),
]
_AT = ([0.7], [1.2], [0.3])
_BETA = [
    case(np.array([2, 1]), np.array([1, 3]), np.array([0.3, 0.7]), i=0, j=0),
    kink(*_AT, slopes=[[-0.48477443270767], [0.22005255011598], [0.85765296546112]], i=1, j=1),
    kink(np.array([1]), np.array([2]), [0.3], slopes=[0, 0, [-0.34832020878668]], i=3, j=2),
    edge(0.5, 1.0, 0.0, np.nan, inputs=3, i=0, j=0),
]


class GammaDensity(Special):
    """y = xᵃ⁻¹e⁻ˣ/Γ(a), the density of the gamma distribution.

    ∂y/∂a = y·(log x − ψ(a)), ∂y/∂x = y·(a − 1 − x)/x.
    """

    math = r"\frac{{x}^{{a} - 1} \* e^{-{x}}}{\Gamma({a})}"
    samples = [case((1,), (1,), low=0.5, high=3.0), edge(0.5, 1.0, 30.0, 0.0, np.nan, inputs=2)]

    def f(m, a, x):
        return m.gamma_density(a, x)

    def d(y, a, x):
        return [lambda: y * _log_slope(a, x, 1), lambda: y * ((a - 1 - x) / x)]


def _log_slope(a: Any, x: Any, n: int) -> Any:
    """∂ⁿ/∂aⁿ log(xᵃ⁻¹e⁻ˣ/Γ(a)), n ≥ 1."""
    return ops.log(x) - digamma(a) if n == 1 else -polygamma(n - 1, a)


def _density_slope(a: Any, x: Any, n: int) -> Any:
    """∂ⁿ/∂aⁿ of the density d: Σ C(n − 1, k)·(log d)⁽ⁿ⁻ᵏ⁾·d⁽ᵏ⁾ over k < n."""
    slopes: list[Any] = [GammaDensity(a, x)]
    for m in range(1, n + 1):
        terms = [math.comb(m - 1, k) * _log_slope(a, x, m - k) * slopes[k] for k in range(m)]
        slopes.append(sum(terms[1:], start=terms[0]))
    return slopes[n]


class GammaTail(Special):
    """∂ⁿ/∂aⁿ of a tail of the gamma distribution, n = order."""

    upper = False

    def notation(y, a, x):
        sign = "Q" if y.upper else "P"
        return applied(rf"\partial_1^{{{y.order}}}{sign}" if y.order else sign, [a, x])

    def d(y, a, x):
        sign = -1 if y.upper else 1
        return [
            lambda: type(y)(a, x, order=y.order + 1),
            lambda: sign * _density_slope(a, x, y.order),
        ]


class Gammainc(GammaTail):
    """y = ∂ⁿ/∂aⁿ P(a, x), n = order, with P(a, x) = ∫₀ˣ tᵃ⁻¹e⁻ᵗ dt / Γ(a).

    ∂y/∂a is that of order n + 1, from the series or the continued fraction of P, differentiated;
    ∂P/∂x = xᵃ⁻¹e⁻ˣ/Γ(a).
    """

    math = r"P({a}, {x})"
    samples = _GAMMA

    def f(m, a, x, *, order):
        return m.gamma_tail(a, x, False, order)


class Gammaincc(GammaTail):
    """y = ∂ⁿ/∂aⁿ Q(a, x), n = order, with Q(a, x) = 1 − P(a, x) = ∫ₓ^∞ tᵃ⁻¹e⁻ᵗ dt / Γ(a)."""

    math = r"Q({a}, {x})"
    upper = True
    samples = [
        *(_GAMMA[0], _GAMMA[-1]),
        kink([0.7], [1.2], slopes=[[0.3562105507650244], [-0.21968431090918866]], order=0),
    ]

    def f(m, a, x, *, order):
        return m.gamma_tail(a, x, True, order)


class BetaDensity(Special):
    """y = xᵃ⁻¹(1 − x)ᵇ⁻¹/B(a, b), the density of the beta distribution.

    ∂y/∂a = y·(log x + ψ(a + b) − ψ(a)), ∂y/∂b = y·(log(1 − x) + ψ(a + b) − ψ(b)),
    ∂y/∂x = y·((a − 1)/x − (b − 1)/(1 − x)).
    """

    math = r"\frac{{x}^{{a} - 1} \* (1 - {x})^{{b} - 1}}{B({a}, {b})}"
    samples = [
        case(np.array([2.2]), np.array([2]), np.array([0.3])),
        kink(*_AT, slopes=[[0.40137837259095], [0.31114054710732], [-1.3863769705903]]),
        edge(0.5, 1.0, 0.0, np.nan, inputs=3),
    ]

    def f(m, a, b, x):
        return m.beta_density(a, b, x)

    def d(y, a, b, x):
        return [
            lambda: y * _log_beta_slope(a, b, x, 1, 0),
            lambda: y * _log_beta_slope(a, b, x, 0, 1),
            lambda: y * ((a - 1) / x - (b - 1) / (1 - x)),
        ]


def _log_beta_slope(a: Any, b: Any, x: Any, i: int, j: int) -> Any:
    """∂ⁱ⁺ʲ/∂aⁱ∂bʲ log(xᵃ⁻¹(1 − x)ᵇ⁻¹/B(a, b)), i + j ≥ 1."""
    if i and j:
        return polygamma(i + j - 1, a + b)
    step = PolygammaStep(a, b, n=i - 1) if i else PolygammaStep(b, a, n=j - 1)
    return step if i + j > 1 else step + (ops.log(x) if i else ops.log1p(-x))


def _beta_slope(a: Any, b: Any, x: Any, i: int, j: int) -> Any:
    """∂ⁱ⁺ʲ/∂aⁱ∂bʲ of the density, from the derivatives of its logarithm."""
    if not i and not j:
        return BetaDensity(a, b, x)
    by_a = i > 0
    total = None
    for p in range(i if by_a else i + 1):
        for q in range(j + 1 if by_a else j):
            ways = math.comb(i - 1, p) * math.comb(j, q) if by_a else math.comb(j - 1, q)
            slope = _log_beta_slope(a, b, x, i - p, j - q)
            term = ways * slope * _beta_slope(a, b, x, p, q)
            total = term if total is None else total + term
    return total


class BetaTail(Special):
    """∂ⁱ⁺ʲ/∂aⁱ∂bʲ of a tail of the beta distribution."""

    upper = False

    def notation(y, a, b, x):
        orders = rf"\partial_1^{{{y.i}}}\partial_2^{{{y.j}}}" if y.i or y.j else ""
        tail = applied(f"{orders}I", [a, b, x])
        if y.upper:  # 1 − I
            return Piece(("-" if orders else "1 - ") + tail.latex, SUM)
        return tail

    def d(y, a, b, x):
        sign = -1 if y.upper else 1
        return [
            lambda: type(y)(a, b, x, i=y.i + 1, j=y.j),
            lambda: type(y)(a, b, x, i=y.i, j=y.j + 1),
            lambda: sign * _beta_slope(a, b, x, y.i, y.j),
        ]


class Betainc(BetaTail):
    """y = ∂ⁱ⁺ʲ/∂aⁱ∂bʲ I(x; a, b), with I(x; a, b) = ∫₀ˣ tᵃ⁻¹(1 − t)ᵇ⁻¹ dt / B(a, b).

    The derivatives in a and b are those of its continued fraction;
    ∂I/∂x = xᵃ⁻¹(1 − x)ᵇ⁻¹/B(a, b).
    """

    math = r"I({a}, {b}, {x})"
    samples = [*_BETA, case(*map(np.array, _AT), i=1, j=1)]

    def f(m, a, b, x, *, i, j):
        return m.beta_tail(a, b, x, False, i, j)


class Betaincc(BetaTail):
    """y = ∂ⁱ⁺ʲ/∂aⁱ∂bʲ (1 − I(x; a, b)), without cancellation where I is near 1."""

    math = r"1 - I({a}, {b}, {x})"
    upper = True
    samples = [
        _BETA[0],
        kink(*_AT, slopes=[[0.52162506497782], [-0.24637920525568], [-1.0782931993480]], i=0, j=0),
    ]

    def f(m, a, b, x, *, i, j):
        return m.beta_tail(a, b, x, True, i, j)


@register
def gammainc(a: Any, x: Any, /, *, name: str | None = None) -> Node:
    """y = P(a, x) = ∫₀ˣ tᵃ⁻¹e⁻ᵗ dt / Γ(a), differentiable in a and x, to any order."""
    return Gammainc(a, x, order=0, name=name)


@register
def gammaincc(a: Any, x: Any, /, *, name: str | None = None) -> Node:
    """y = Q(a, x) = 1 − P(a, x), differentiable in a and x, to any order."""
    return Gammaincc(a, x, order=0, name=name)


@register
def betainc(a: Any, b: Any, x: Any, /, *, name: str | None = None) -> Node:
    """y = I(x; a, b) = ∫₀ˣ tᵃ⁻¹(1 − t)ᵇ⁻¹ dt / B(a, b), differentiable in a, b and x, to any order.

    The regularised incomplete beta function; NaN for x outside [0, 1].
    """
    return Betainc(a, b, x, i=0, j=0, name=name)


@register
def betaincc(a: Any, b: Any, x: Any, /, *, name: str | None = None) -> Node:
    """y = 1 − I(x; a, b), differentiable in a, b and x, to any order."""
    return Betaincc(a, b, x, i=0, j=0, name=name)
