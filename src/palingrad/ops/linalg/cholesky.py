"""The Cholesky factor of a positive definite matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from ...graph.kinds import Factorisation
from ...graph.node import Node
from ...graph.registry import ops
from ...graph.samples import case
from ...messages.calls import public
from ...messages.checks import flag
from ...shapes import broadcast, same
from .parts import (
    adjoint,
    check_hermitian,
    conjugated,
    half_lower,
    hermitian_part,
    lower,
    square,
)
from .triangular import UPPER, SolveTriangular

POSITIVE = np.array([[2.0, 0.4, -0.3], [0.4, 1.5, 0.2], [-0.3, 0.2, 1.2]])
HERMITIAN = POSITIVE[:2, :2] + 0.3j * np.array([[0, 1], [-1, 0]])


class Cholesky(Factorisation):
    """y = the lower triangular matrix with a positive diagonal and y yᴴ = (x + xᴴ)/2.

    ∂L/∂x is `CholeskySlope` of y and g. Raises `numpy.linalg.LinAlgError` if a matrix isn't
    positive definite.
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
        return [conjugated(CholeskySlope(y, conjugated(g)))]


class CholeskySlope(Factorisation):
    """y = the cotangent of l lᴴ from the cotangent g of l: the Hermitian part of l⁻ᴴ Φ(lᴴ g) l⁻¹.

    Φ takes the lower triangle and half of the diagonal (Murray 2016, "Differentiation of the
    Cholesky decomposition", eq. 10).
    It is computed in blocks, in three times the multiplications of the factor itself, and
    differentiated as the formula is. The upper triangles of l and g aren't read.
    """

    math = r"\operatorname{D\,cholesky}({l})^{*}\left[{g}\right]"
    samples = [
        case(np.linalg.cholesky(POSITIVE), POSITIVE[::-1]),
        case(np.linalg.cholesky(HERMITIAN), np.stack([HERMITIAN, HERMITIAN[::-1]])),
    ]

    def f(m, l, g):
        return m.cholesky_slope(l, g)

    def shape_rule(y, *shapes):
        l, g = shapes
        if not same(square(l, "l"), square(g, "g")):
            raise ShapeError("l and g have different sizes")
        return (*broadcast(l[:-2], g[:-2]), *l[-2:])

    def vjp(y, t, l, g):
        def formula(l: Any, g: Any) -> Any:
            l = lower(l)
            inner = half_lower(adjoint(l) @ g)
            left = SolveTriangular(adjoint(l), inner, **UPPER)  # l⁻ᴴ Φ
            return hermitian_part(adjoint(SolveTriangular(adjoint(l), adjoint(left), **UPPER)))

        def of_l() -> Any:
            fixed = ops.positive(g)  # a node of its own: g may depend on l, which counts elsewhere
            return ops.pull_back(formula(l, fixed), [l, fixed], t)[0]

        def of_g() -> Any:
            fixed = ops.positive(l)
            return ops.pull_back(formula(fixed, g), [fixed, g], t)[1]

        return [of_l, of_g]


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
