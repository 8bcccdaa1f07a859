"""The Poisson distribution."""

from __future__ import annotations

import math
from typing import Any

from ..graph.node import Node
from ..graph.registry import ops
from ..messages.calls import public
from ..ops.special.entropy import xlogy
from ..ops.special.gamma import lgamma, rgamma
from ..ops.special.incomplete import GammaDensity, gammainc, gammaincc
from .base import Distribution, log_tail, tail, within


def _rate(mu: Any) -> Any:
    return ops.where(mu >= 0, mu, math.nan)


def _counts(k: Any) -> Any:
    return ~(k < 0) & ~(k == math.inf) & ~(k != ops.floor(k)) | ops.isnan(k)


def _pmf(k: Any, mu: Any) -> Any:
    def inner(k: Any, mu: Any) -> Any:
        at_0 = mu == 0  # where the derivative of the density has a logarithm of 0
        zero = ops.where(at_0, mu, 1)
        edge = ops.pow(zero, k) * ops.exp(-zero) * rgamma(k + 1)
        return ops.where(at_0, edge, GammaDensity(k + 1, ops.where(at_0, 1, mu)))

    return within(_counts(k), ops.stop_gradient(k), 0, inner, 0, _rate(mu))


def _logpmf(k: Any, mu: Any) -> Any:
    def inner(k: Any, mu: Any) -> Any:
        return xlogy(k, mu) - mu - lgamma(k + 1)

    return within(_counts(k), ops.stop_gradient(k), 0, inner, -math.inf, _rate(mu))


def _cdf(k: Any, mu: Any) -> Any:
    def inner(k: Any, mu: Any) -> Any:
        return gammaincc(k + 1, mu)

    return _step(k, mu, inner, 1)


def _sf(k: Any, mu: Any) -> Any:
    def inner(k: Any, mu: Any) -> Any:
        return gammainc(k + 1, mu)

    return _step(k, mu, inner, 0)


def _step(k: Any, mu: Any, inner: Any, at_infinity: int) -> Any:
    """A tail at ⌊k⌋; below 0 and at ∞ it is 0 or 1."""
    k = ops.stop_gradient(ops.floor(k))
    y = within(~(k == math.inf), k, 0, lambda k, mu: _below(k, mu, inner, 1 - at_infinity),
               at_infinity, _rate(mu))  # fmt: skip
    return y


def _below(k: Any, mu: Any, inner: Any, value: int) -> Any:
    return within(~(k < 0), k, 0, inner, value, mu)


class Poisson(Distribution):
    """The Poisson distribution with the rate mu ≥ 0: μᵏe⁻ᵘ/k! for k = 0, 1, 2, …, moved by `loc`.

    Its functions are steps in k, whose derivative is 0; they are differentiable in mu.
    """

    @public
    def pmf(self, k: Any, mu: Any, loc: Any = 0, *, name: str | None = None) -> Node:
        """The probability of k, 0 where k isn't a natural number."""
        return tail(_pmf, k, (mu,), loc, 1, name)

    @public
    def logpmf(self, k: Any, mu: Any, loc: Any = 0, *, name: str | None = None) -> Node:
        """log of the probability of k, −∞ where k isn't a natural number."""
        return tail(_logpmf, k, (mu,), loc, 1, name)

    @public
    def cdf(self, k: Any, mu: Any, loc: Any = 0, *, name: str | None = None) -> Node:
        """The probability of at most k."""
        return tail(_cdf, k, (mu,), loc, 1, name)

    @public
    def sf(self, k: Any, mu: Any, loc: Any = 0, *, name: str | None = None) -> Node:
        """The probability of more than k, without cancellation: 1 − cdf."""
        return tail(_sf, k, (mu,), loc, 1, name)

    @public
    def logcdf(self, k: Any, mu: Any, loc: Any = 0, *, name: str | None = None) -> Node:
        """log of the probability of at most k; −∞ with slope 0 where it underflows."""
        return log_tail(_cdf, _sf, k, (mu,), loc, 1, name)

    @public
    def logsf(self, k: Any, mu: Any, loc: Any = 0, *, name: str | None = None) -> Node:
        """log of the probability of more than k; −∞ with slope 0 where it underflows."""
        return log_tail(_sf, _cdf, k, (mu,), loc, 1, name)
