"""Student's t distribution."""

from __future__ import annotations

import math
from typing import Any

from ..graph.node import Node
from ..graph.registry import ops
from ..messages.calls import public
from ..ops.distributions.student import student_cdf, student_log_density
from .base import Distribution, density, log_density, log_tail, positive, tail


def _logpdf(z: Any, df: Any) -> Any:
    normal = df == math.inf
    finite = student_log_density(positive(ops.where(normal, 1, df)), z)
    return ops.where(normal, -0.5 * z * z - 0.5 * math.log(2 * math.pi), finite)


def _pdf(z: Any, df: Any) -> Any:
    return ops.exp(_logpdf(z, df))


def _cdf(z: Any, df: Any) -> Any:
    return student_cdf(df, z)


def _sf(z: Any, df: Any) -> Any:
    return student_cdf(df, -z)


class T(Distribution):
    """Student's distribution with df > 0 degrees of freedom, the normal one for df = ∞."""

    @public
    def pdf(
        self, x: Any, df: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """The density at x, 0 outside of the support."""
        return density(_pdf, x, (df,), loc, scale, name)

    @public
    def logpdf(
        self, x: Any, df: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """log of the density at x, −∞ outside of the support."""
        return log_density(_logpdf, x, (df,), loc, scale, name)

    @public
    def cdf(
        self, x: Any, df: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """The probability of at most x."""
        return tail(_cdf, x, (df,), loc, scale, name)

    @public
    def sf(self, x: Any, df: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None) -> Node:
        """The probability of more than x, without cancellation: 1 − cdf."""
        return tail(_sf, x, (df,), loc, scale, name)

    @public
    def logcdf(
        self, x: Any, df: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """log of the probability of at most x; −∞ with slope 0 where it underflows."""
        return log_tail(_cdf, _sf, x, (df,), loc, scale, name)

    @public
    def logsf(
        self, x: Any, df: Any, loc: Any = 0, scale: Any = 1, *, name: str | None = None
    ) -> Node:
        """log of the probability of more than x; −∞ with slope 0 where it underflows."""
        return log_tail(_sf, _cdf, x, (df,), loc, scale, name)
