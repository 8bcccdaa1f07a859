"""The beta function, binomial coefficients and rising factorials."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...graph.functions import binary
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case, edge
from ...messages.checks import flag
from .base import Special
from .gamma import PolygammaStep, digamma, gamma, rgamma, rgamma_slope

_SAMPLES = [
    case((1,), (1,), low=0.6, high=3.0),
    edge(0.5, 3e5, 0.0, np.inf, np.nan, inputs=2),
]


class Beta(Special):
    """z = B(a, b) = Γ(a)Γ(b)/Γ(a + b). ∂z/∂a = z·(ψ(a) − ψ(a + b)), and alike for b."""

    math = r"B({a}, {b})"
    commutes = True
    samples = _SAMPLES

    def f(m, a, b):
        return m.beta(a, b)

    def d(z, a, b):
        return [lambda: -z * PolygammaStep(a, b, n=0), lambda: -z * PolygammaStep(b, a, n=0)]


class Betaln(Special):
    """z = log |B(a, b)|. ∂z/∂a = ψ(a) − ψ(a + b), ∂z/∂b = ψ(b) − ψ(a + b)."""

    math = r"\log B({a}, {b})"
    commutes = True
    samples = _SAMPLES

    def f(m, a, b):
        return m.betaln(a, b)

    def d(z, a, b):
        return [lambda: -PolygammaStep(a, b, n=0), lambda: -PolygammaStep(b, a, n=0)]


class Poch(Special):
    """y = (x)ₙ = Γ(x + n)/Γ(x), the rising factorial (Pochhammer's symbol).

    ∂y/∂x = y·(ψ(x + n) − ψ(x)), ∂y/∂n = y·ψ(x + n).
    """

    math = r"\operatorname{poch}({x}, {n})"
    samples = [
        _SAMPLES[0],
        case(np.array([-1.0]), np.array([1.5])),  # a zero
        edge(0.5, 4.0, 0.0, np.nan, inputs=2),
    ]

    def f(m, x, n):
        return m.poch(x, n)

    def d(y, x, n):
        def of_x() -> Any:  # at the zeros of 1/Γ(x) the difference of ψ is infinite
            at_zero = y * digamma(x + n) + gamma(x + n) * rgamma_slope(x)
            return ops.where(y == 0, at_zero, y * PolygammaStep(x, n, n=0))

        return [of_x, lambda: y * digamma(x + n)]


class Binom(Special):
    """y = n!/(k!·(n − k)!), for real n and k. ∂y/∂n = y·(ψ(n + 1) − ψ(n − k + 1)),
    ∂y/∂k = y·(ψ(n − k + 1) − ψ(k + 1)).
    """

    math = r"\binom{{n}}{{k}}"
    samples = [
        case(np.array([3.2, 1.4, 3.2]), np.array([0.3, 2.4, -1.0])),  # the last two are zeros
        edge(0.0, 30.0, 60.0, np.nan, inputs=2),
    ]

    def f(m, n, k):
        return m.binom(n, k)

    def d(y, n, k):
        rest = n - k + 1

        def of_n() -> Any:
            at_zero = y * digamma(n + 1) + gamma(n + 1) * rgamma(k + 1) * rgamma_slope(rest)
            return ops.where(y == 0, at_zero, y * PolygammaStep(rest, k, n=0))

        def of_k() -> Any:
            slope = rgamma_slope(k + 1) * rgamma(rest) - rgamma(k + 1) * rgamma_slope(rest)
            return ops.where(y == 0, gamma(n + 1) * slope, y * (digamma(rest) - digamma(k + 1)))

        return [of_n, of_k]


beta = register(binary(Beta))
betaln = register(binary(Betaln))


@register
def poch(x: Any, n: Any, /, *, name: str | None = None) -> Node:
    """y = (x)ₙ = Γ(x + n)/Γ(x), the rising factorial (Pochhammer's symbol)."""
    return Poch(x, n, name=name)


@register
def binom(n: Any, k: Any, /, *, name: str | None = None) -> Node:
    """y = n!/(k!·(n − k)!), the binomial coefficient, for real n and k."""
    return Binom(n, k, name=name)


@register
def comb(n: Any, k: Any, /, *, exact: bool = False, name: str | None = None) -> Node:
    """y = n!/(k!·(n − k)!), the number of subsets of k of n things; 0 for k > n, k < 0 or n < 0.

    It is a float; `exact` integers of any size are Python's math.comb(n, k).
    """
    if flag("comb: exact", exact):
        raise ArgumentError("comb: exact integers aren't tensors.", hint="Write math.comb(n, k).")
    y = binom(n, k)
    n, k = y.inputs
    return ops.where((k > n) | (k < 0) | (n < 0), 0, y, name=name)


@register
def factorial(n: Any, /, *, exact: bool = False, name: str | None = None) -> Node:
    """y = n! = Γ(n + 1), for real n too; 0 for n < 0, as in SciPy.

    It is a float; `exact` integers of any size are Python's math.factorial(n).
    """
    if flag("factorial: exact", exact):
        raise ArgumentError(
            "factorial: exact integers aren't tensors.", hint="Write math.factorial(n)."
        )
    n = ops.positive(n)
    return ops.where(n < 0, 0, gamma(n + 1.0), name=name)
