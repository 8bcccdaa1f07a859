"""The exponential, the square root and the logarithm of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.functions import unary
from ...graph.kinds import Factorisation
from ...graph.registry import ops
from ...graph.samples import case
from ...messages.calls import public
from ...shapes import sizes
from .parts import square
from .solve import SolveSylvester
from .triangular import BATCH, COMPLEX, REGULAR


class Expm(Factorisation):
    """y = eˣ = Σ xᵏ/k!, of square matrices, by scaling and squaring (Al-Mohy & Higham 2009).

    ∂L/∂x is the derivative of `expm` at xᵀ in the direction g.
    """

    math = r"\operatorname{expm}({x})"
    samples = [
        case(REGULAR),
        case(0.3 * BATCH),
        case(np.array([[0.0, 4.0], [-9.0, 1.0]])),
        case(COMPLEX),
    ]

    def f(m, x):
        return m.expm(x)

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0]

    def vjp(y, g, x):
        return [ExpmFrechet(x.mT, g)]


class ExpmFrechet(Factorisation):
    """y = the derivative of `expm` at x in the direction t (Al-Mohy & Higham 2009).

    It is the upper right block of expm [[x, t], [0, x]], and differentiated as such.
    """

    math = r"\operatorname{D\,expm}({x})\left[{t}\right]"
    samples = [case(REGULAR, REGULAR[::-1]), case(0.1 * BATCH, BATCH[::-1])]

    def f(m, x, t):
        return m.expm_frechet(x, t)

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0]

    def vjp(y, g, x, t):
        def of_x() -> Any:
            fixed = ops.positive(t)  # a node of its own: t may depend on x, which counts elsewhere
            return ops.pull_back(_upper_right(Expm, x, fixed), [x, fixed], g)[0]

        return [of_x, lambda: ExpmFrechet(x.mT, g)]


def _upper_right(function: Any, x: Any, t: Any) -> Any:
    """The upper right block of the function of [[x, t], [0, x]]: its derivative in direction t."""
    n = sizes(x.shape)[-1]
    top = ops.concat([x, t], axis=-1)
    bottom = ops.concat([ops.zeros_like(x), x], axis=-1)
    return function(ops.concat([top, bottom], axis=-2))[..., :n, n:]


class Sqrtm(Factorisation):
    """y = the principal square root of x: y y = x, with eigenvalues of positive real part.

    ∂L/∂x = w with yᵀ w + w yᵀ = g. Raises `numpy.linalg.LinAlgError` if a real x has a negative
    eigenvalue, whose root isn't real, or x has a defective eigenvalue 0; the derivative, if x is
    singular.
    """

    math = r"\operatorname{sqrtm}({x})"
    samples = [
        case(REGULAR),
        case(BATCH),
        case(np.array([[0.0, 4.0], [-9.0, 1.0]])),
        case(COMPLEX),
    ]

    def f(m, x):
        return m.sqrtm(x)

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0]

    def vjp(y, g, x):
        return [SolveSylvester(y.mT, y.mT, g)]


class Logm(Factorisation):
    """y = the principal logarithm of x: eʸ = x, with eigenvalues of imaginary parts in (−π, π].

    ∂L/∂x is the derivative of `logm` at xᵀ in the direction g. Raises `numpy.linalg.LinAlgError`
    if x is singular to rounding, or real with a negative eigenvalue.
    """

    math = r"\operatorname{logm}({x})"
    samples = [
        case(REGULAR),
        case(BATCH),
        case(np.array([[0.0, 4.0], [-9.0, 1.0]])),
        case(COMPLEX),
    ]

    def f(m, x):
        return m.logm(x)

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0]

    def vjp(y, g, x):
        return [LogmFrechet(x.mT, g)]


class LogmFrechet(Factorisation):
    """y = the derivative of `logm` at x in the direction t.

    It is the upper right block of logm [[x, t], [0, x]], and differentiated as such.
    """

    math = r"\operatorname{D\,logm}({x})\left[{t}\right]"
    samples = [case(REGULAR, REGULAR[::-1]), case(BATCH, BATCH[::-1])]

    def f(m, x, t):
        return m.logm_frechet(x, t)

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0]

    def vjp(y, g, x, t):
        def of_x() -> Any:
            fixed = ops.positive(t)
            return ops.pull_back(_upper_right(Logm, x, fixed), [x, fixed], g)[0]

        return [of_x, lambda: LogmFrechet(x.mT, g)]


expm = public(unary(Expm))
sqrtm = public(unary(Sqrtm))
logm = public(unary(Logm))
