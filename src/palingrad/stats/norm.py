"""The normal distribution."""

from __future__ import annotations

import math
from typing import Any

from ..graph.node import Node
from ..messages.calls import public
from ..ops.special.error import Bell, log_ndtr, ndtr
from .base import Distribution, density, log_density, tail

_ROOT = math.sqrt(2 * math.pi)


def _pdf(z: Any) -> Any:
    return Bell(z) / _ROOT


def _logpdf(z: Any) -> Any:
    return -0.5 * z * z - math.log(_ROOT)


def _cdf(z: Any) -> Any:
    return ndtr(z)


def _sf(z: Any) -> Any:
    return ndtr(-z)


def _logcdf(z: Any) -> Any:
    return log_ndtr(z)


def _logsf(z: Any) -> Any:
    return log_ndtr(-z)


class Norm(Distribution):
    """The normal distribution, with mean `loc` and standard deviation `scale`."""

    @public
    def pdf(self, x: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None) -> Node:
        """The density at x, 0 outside of the support."""
        return density(_pdf, x, (), loc, scale, name)

    @public
    def logpdf(self, x: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None) -> Node:
        """log of the density at x, −∞ outside of the support."""
        return log_density(_logpdf, x, (), loc, scale, name)

    @public
    def cdf(self, x: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None) -> Node:
        """The probability of at most x."""
        return tail(_cdf, x, (), loc, scale, name)

    @public
    def sf(self, x: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None) -> Node:
        """The probability of more than x, without cancellation: 1 − cdf."""
        return tail(_sf, x, (), loc, scale, name)

    @public
    def logcdf(self, x: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None) -> Node:
        """log of the probability of at most x."""
        return tail(_logcdf, x, (), loc, scale, name)

    @public
    def logsf(self, x: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None) -> Node:
        """log of the probability of more than x."""
        return tail(_logsf, x, (), loc, scale, name)
