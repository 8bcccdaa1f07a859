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
    _library = "cholesky"
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
    """y = the cotangent of c cᴴ from the cotangent g of c: the Hermitian part of c⁻ᴴ Φ(cᴴ g) c⁻¹.

    Φ takes the lower triangle and half of the diagonal (Murray 2016, "Differentiation of the
    Cholesky decomposition", eq. 10).
    It is computed in blocks, in three times the multiplications of the factor itself, and
    differentiated as the formula is. The upper triangles of c and g aren't read.
    """

    math = r"\operatorname{D\,cholesky}({c})^{*}\left[{g}\right]"
    _library = "cholesky_slope"
    samples = [
        case(np.linalg.cholesky(POSITIVE), POSITIVE[::-1]),
        case(np.linalg.cholesky(HERMITIAN), np.stack([HERMITIAN, HERMITIAN[::-1]])),
    ]

    def f(m, c, g):
        return m.cholesky_slope(c, g)

    def shape_rule(y, *shapes):
        c, g = shapes
        if not same(square(c, "c"), square(g, "g")):
            raise ShapeError("c and g have different sizes")
        return (*broadcast(c[:-2], g[:-2]), *c[-2:])

    def vjp(y, t, c, g):
        def formula(c: Any, g: Any) -> Any:
            c = lower(c)
            inner = half_lower(adjoint(c) @ g)
            left = SolveTriangular(adjoint(c), inner, **UPPER)  # c⁻ᴴ Φ
            return hermitian_part(adjoint(SolveTriangular(adjoint(c), adjoint(left), **UPPER)))

        def of_c() -> Any:
            fixed = ops.positive(g)  # a node of its own: g may depend on c, which counts elsewhere
            return ops.pull_back(formula(c, fixed), [c, fixed], t)[0]

        def of_g() -> Any:
            fixed = ops.positive(c)
            return ops.pull_back(formula(fixed, g), [fixed, g], t)[1]

        return [of_c, of_g]


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
