"""The Cholesky factor of a positive definite matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.kinds import Factorisation
from ...graph.node import Node
from ...graph.samples import case
from ...messages.calls import public
from ...messages.checks import flag
from .parts import adjoint, conjugated, half_lower, hermitian_part, square
from .solve import SolveTriangular
from .symmetry import check_hermitian

POSITIVE = np.array([[2.0, 0.4, -0.3], [0.4, 1.5, 0.2], [-0.3, 0.2, 1.2]])
HERMITIAN = POSITIVE[:2, :2] + 0.3j * np.array([[0, 1], [-1, 0]])


class Cholesky(Factorisation):
    """y = the lower triangular matrix with a positive diagonal and y yᴴ = (x + xᴴ)/2.

    ∂L/∂x is the Hermitian part of y⁻ᴴ Φ(yᴴ g) y⁻¹, where Φ takes the lower triangle and half of
    the diagonal (Murray 2016, "Differentiation of the Cholesky decomposition", eq. 10). Raises
    `numpy.linalg.LinAlgError` if a matrix isn't positive definite.
    """

    math = r"\operatorname{cholesky} {x}"
    samples = [
        case(POSITIVE),
        case(np.stack([POSITIVE[:2, :2], POSITIVE[1:, 1:]])),
        case(HERMITIAN),
    ]

    def f(m, x):
        return m.cholesky(x)

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0]

    def vjp(y, g, x):
        inner = half_lower(adjoint(y) @ conjugated(g))
        options: dict[str, Any] = {"lower": False, "unit_diagonal": False}
        left = SolveTriangular(adjoint(y), inner, **options)  # y⁻ᴴ Φ
        whole = SolveTriangular(adjoint(y), adjoint(left), **options)  # its adjoint is y⁻ᴴ Φ y⁻¹
        return [conjugated(hermitian_part(whole))]


@public
def cholesky(x: Any, /, *, upper: bool = False, name: str | None = None) -> Node:
    """The lower triangular y with y yᴴ = x, or with `upper` the upper triangular yᴴ y = x.

    x (…, n, n) is symmetric, or Hermitian: y is computed from (x + xᴴ)/2, so that the gradient is
    symmetric. Raises `numpy.linalg.LinAlgError` if a matrix isn't positive definite.
    """
    check_hermitian("cholesky", x, "Complete a lower triangle: pg.where(np.tri(n) > 0, x, x.mT).")
    if not flag("cholesky: upper", upper):
        return Cholesky(x, name=name)
    return adjoint(Cholesky(x, name=name))


@public
def cho_factor(x: Any, /, lower: bool = False, *, name: str | None = None) -> tuple[Node, bool]:
    """(c, lower) for `cho_solve`, with the Cholesky factor c; unlike SciPy's, its other triangle
    is 0."""
    return cholesky(x, upper=not flag("cho_factor: lower", lower), name=name), bool(lower)
