"""The gamma distribution, and chi-squared, its special case."""

from __future__ import annotations

import math
from typing import Any

from ..graph.node import Node
from ..graph.registry import ops
from ..messages.calls import public
from ..ops.special.entropy import xlogy
from ..ops.special.gamma import lgamma, rgamma
from ..ops.special.incomplete import GammaDensity, gammainc, gammaincc
from .base import Distribution, density, log_density, log_tail, positive, tail, within


def _inside(z: Any) -> Any:
    return ~(z < 0) & ~(z == math.inf)


def _at_least(z: Any) -> Any:
    return ~(z < 0)


def _inner(z: Any, a: Any) -> Any:
    at_0 = z == 0  # where the logarithm in the derivative of the density isn't finite
    edge = ops.pow(ops.where(at_0, z, 1), a - 1) * ops.exp(-ops.where(at_0, z, 1)) * rgamma(a)
    return ops.where(at_0, edge, GammaDensity(a, ops.where(at_0, 1, z)))


def _pdf(z: Any, a: Any) -> Any:
    return within(_inside(z), z, 1, _inner, 0, positive(a))


def _logpdf(z: Any, a: Any) -> Any:
    def inner(z: Any, a: Any) -> Any:
        return xlogy(a - 1, z) - z - lgamma(a)

    return within(_inside(z), z, 1, inner, -math.inf, positive(a))


def _cdf(z: Any, a: Any) -> Any:
    return within(_at_least(z), z, 1, lambda z, a: gammainc(a, z), 0, positive(a))


def _sf(z: Any, a: Any) -> Any:
    return within(_at_least(z), z, 1, lambda z, a: gammaincc(a, z), 1, positive(a))


class Gamma(Distribution):
    """The gamma distribution with the shape a > 0: zᵃ⁻¹e⁻ᶻ/Γ(a) for z ≥ 0."""

    @public
    def pdf(self, x: Any, a: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None) -> Node:
        """The density at x, 0 outside of the support."""
        return density(_pdf, x, (a,), loc, scale, name)

    @public
    def logpdf(
        self, x: Any, a: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """log of the density at x, −∞ outside of the support."""
        return log_density(_logpdf, x, (a,), loc, scale, name)

    @public
    def cdf(self, x: Any, a: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None) -> Node:
        """The probability of at most x."""
        return tail(_cdf, x, (a,), loc, scale, name)

    @public
    def sf(self, x: Any, a: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None) -> Node:
        """The probability of more than x, without cancellation: 1 − cdf."""
        return tail(_sf, x, (a,), loc, scale, name)

    @public
    def logcdf(
        self, x: Any, a: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """log of the probability of at most x; −∞ with slope 0 where it underflows."""
        return log_tail(_cdf, _sf, x, (a,), loc, scale, name)

    @public
    def logsf(
        self, x: Any, a: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """log of the probability of more than x; −∞ with slope 0 where it underflows."""
        return log_tail(_sf, _cdf, x, (a,), loc, scale, name)


def _chi2_pdf(z: Any, df: Any) -> Any:
    return 0.5 * _pdf(0.5 * z, 0.5 * df)


def _chi2_logpdf(z: Any, df: Any) -> Any:
    return _logpdf(0.5 * z, 0.5 * df) - math.log(2)


def _chi2_cdf(z: Any, df: Any) -> Any:
    return _cdf(0.5 * z, 0.5 * df)


def _chi2_sf(z: Any, df: Any) -> Any:
    return _sf(0.5 * z, 0.5 * df)


class Chi2(Distribution):
    """The chi-squared distribution with df > 0 degrees of freedom: gamma for a = ½df, doubled."""

    @public
    def pdf(
        self, x: Any, df: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """The density at x, 0 outside of the support."""
        return density(_chi2_pdf, x, (df,), loc, scale, name)

    @public
    def logpdf(
        self, x: Any, df: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """log of the density at x, −∞ outside of the support."""
        return log_density(_chi2_logpdf, x, (df,), loc, scale, name)

    @public
    def cdf(
        self, x: Any, df: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """The probability of at most x."""
        return tail(_chi2_cdf, x, (df,), loc, scale, name)

    @public
    def sf(self, x: Any, df: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None) -> Node:
        """The probability of more than x, without cancellation: 1 − cdf."""
        return tail(_chi2_sf, x, (df,), loc, scale, name)

    @public
    def logcdf(
        self, x: Any, df: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """log of the probability of at most x; −∞ with slope 0 where it underflows."""
        return log_tail(_chi2_cdf, _chi2_sf, x, (df,), loc, scale, name)

    @public
    def logsf(
        self, x: Any, df: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """log of the probability of more than x; −∞ with slope 0 where it underflows."""
        return log_tail(_chi2_sf, _chi2_cdf, x, (df,), loc, scale, name)
