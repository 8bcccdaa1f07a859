"""The beta distribution."""

from __future__ import annotations

import math
from typing import Any

from ..graph.node import Node
from ..graph.registry import ops
from ..messages.calls import public
from ..ops.special.beta import beta as beta_function, betaln
from ..ops.special.entropy import xlog1py, xlogy
from ..ops.special.incomplete import BetaDensity, betainc, betaincc
from .base import Distribution, density, log_density, log_tail, positive, tail, within


def _inside(z: Any) -> Any:
    return ~(z < 0) & ~(z > 1)


def _inner(z: Any, a: Any, b: Any) -> Any:
    ends = (z == 0) | (z == 1)  # where the derivative of the density has a logarithm of 0
    end = ops.where(ends, z, 0.5)
    divisor = beta_function(a, b)
    divisor = ops.where(divisor == 0, 1, divisor)  # where it underflows the powers are 0 or ∞
    edge = ops.pow(end, a - 1) * ops.pow(1 - end, b - 1) / divisor
    return ops.where(ends, edge, BetaDensity(a, b, ops.where(ends, 0.5, z)))


def _pdf(z: Any, a: Any, b: Any) -> Any:
    return within(_inside(z), z, 0.5, _inner, 0, positive(a), positive(b))


def _logpdf(z: Any, a: Any, b: Any) -> Any:
    def inner(z: Any, a: Any, b: Any) -> Any:
        return xlogy(a - 1, z) + xlog1py(b - 1, -z) - betaln(a, b)

    return within(_inside(z), z, 0.5, inner, -math.inf, positive(a), positive(b))


def _tail(z: Any, a: Any, b: Any, upper: bool) -> Any:
    def inner(z: Any, a: Any, b: Any) -> Any:
        return (betaincc if upper else betainc)(a, b, z)

    below = within(~(z < 0), z, 0, lambda z, *_: z, 0)  # z cut off at 0 and 1
    cut = within(~(below > 1), below, 1, lambda z, *_: z, 1)
    return inner(cut, positive(a), positive(b))


def _cdf(z: Any, a: Any, b: Any) -> Any:
    return _tail(z, a, b, False)


def _sf(z: Any, a: Any, b: Any) -> Any:
    return _tail(z, a, b, True)


class Beta(Distribution):
    """The beta distribution with a, b > 0: zᵃ⁻¹(1 − z)ᵇ⁻¹/B(a, b) for 0 ≤ z ≤ 1."""

    @public
    def pdf(
        self, x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """The density at x, 0 outside of the support."""
        return density(_pdf, x, (a, b), loc, scale, name)

    @public
    def logpdf(
        self, x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """log of the density at x, −∞ outside of the support."""
        return log_density(_logpdf, x, (a, b), loc, scale, name)

    @public
    def cdf(
        self, x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """The probability of at most x."""
        return tail(_cdf, x, (a, b), loc, scale, name)

    @public
    def sf(
        self, x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """The probability of more than x, without cancellation: 1 − cdf."""
        return tail(_sf, x, (a, b), loc, scale, name)

    @public
    def logcdf(
        self, x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """log of the probability of at most x; −∞ with slope 0 where it underflows."""
        return log_tail(_cdf, _sf, x, (a, b), loc, scale, name)

    @public
    def logsf(
        self, x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """log of the probability of more than x; −∞ with slope 0 where it underflows."""
        return log_tail(_sf, _cdf, x, (a, b), loc, scale, name)
