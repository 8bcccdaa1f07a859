"""Distributions of vectors: the multivariate normal and Dirichlet's."""

from __future__ import annotations

from typing import Any

from ..graph.node import Node
from ..graph.registry import ops
from ..messages.calls import public
from ..messages.checks import flag
from ..ops.distributions.vectors import (
    DirichletEntropy,
    DirichletLog,
    MultivariateNormalEntropy,
    MultivariateNormalLog,
)
from ..ops.linalg.parts import check_hermitian
from .base import Distribution


def _checked(mean: Any, cov: Any) -> tuple[Any, Any]:
    cov = 1.0 if cov is None else cov
    check_hermitian("multivariate_normal", cov, "A covariance is symmetric: (cov + cov.mT)/2.")
    return 0.0 if mean is None else mean, cov


class Multivariate_Normal(Distribution):
    """The normal distribution of vectors of d components.

    mean: (d,), or a number; by default 0. cov: symmetric (d, d), its diagonal (d,), or a number.
    A matrix that isn't positive definite raises `numpy.linalg.LinAlgError`, unless
    `allow_singular`: then the density is that on the range of cov, and 0 off it.
    """

    @public
    def logpdf(
        self,
        x: Any,
        mean: Any = None,
        cov: Any = 1,
        allow_singular: bool = False,
        *,
        name: str | None = None,
    ) -> Node:
        """log of the density at the points x (…, d); axes of size 1 are dropped, as in SciPy.

        The derivative in cov is symmetric; for a singular one it is that at constant rank.
        """
        singular = flag("multivariate_normal: allow_singular", allow_singular)
        return MultivariateNormalLog(x, *_checked(mean, cov), singular=singular, name=name)

    @public
    def pdf(
        self,
        x: Any,
        mean: Any = None,
        cov: Any = 1,
        allow_singular: bool = False,
        *,
        name: str | None = None,
    ) -> Node:
        """The density at the points x (…, d); axes of size 1 are dropped, as in SciPy."""
        return ops.exp(self.logpdf(x, mean, cov, allow_singular), name=name)

    @public
    def entropy(self, mean: Any = None, cov: Any = 1, *, name: str | None = None) -> Node:
        """½(r·(1 + log 2π) + log det⁺ cov), where r is the rank of cov."""
        return MultivariateNormalEntropy(*_checked(mean, cov), name=name)


class Dirichlet(Distribution):
    """Dirichlet's distribution on the simplex of k components, with parameters alpha (k,) > 0."""

    @public
    def logpdf(self, x: Any, alpha: Any, *, name: str | None = None) -> Node:
        """log of the density: Σ (αᵢ − 1)·log xᵢ − log B(α); −∞ where x isn't on the simplex.

        x: (k,), or points in the columns of (k, n); the last component may be left out. The
        derivative in x treats its components as independent: (αᵢ − 1)/xᵢ.
        """
        return DirichletLog(x, alpha, name=name)

    @public
    def pdf(self, x: Any, alpha: Any, *, name: str | None = None) -> Node:
        """The density; 0 where x isn't on the simplex."""
        return ops.exp(DirichletLog(x, alpha), name=name)

    @public
    def entropy(self, alpha: Any, *, name: str | None = None) -> Node:
        """log B(α) + (α₀ − k)·ψ(α₀) − Σ (αᵢ − 1)·ψ(αᵢ), with α₀ = Σ αᵢ."""
        return DirichletEntropy(alpha, name=name)
