"""Determinants, whose first two derivatives exist at singular matrices too."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...dtypes import is_complex, real_of
from ...graph.functions import unary
from ...graph.kinds import Factorisation
from ...graph.node import Node
from ...graph.operation import MultipleOutputs
from ...graph.registry import ops
from ...graph.samples import case, kink
from ...messages.calls import public
from .parts import per_matrix, square
from .solve import Inv
from .triangular import BATCH, COMPLEX, REGULAR

SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])


class Det(Factorisation):
    """y = det x. ∂y/∂x is the matrix of cofactors, det x · x⁻ᵀ where x isn't singular.

    The first and second derivatives are exact at singular matrices too; the third raises
    `numpy.linalg.LinAlgError` there.
    """

    math = r"\det {x}"
    samples = [
        case(REGULAR),
        case(BATCH),
        case(COMPLEX),
        kink(SINGULAR, slopes=[[[4.0, -2.0], [-2.0, 1.0]]]),
    ]

    def f(m, x):
        return m.det(x)

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0][:-2]

    def vjp(y, g, x):
        return [ops.scaled(per_matrix(g), Cofactor(x))]


class Cofactor(Factorisation):
    """y = the cofactors of x, by its singular values: det(u v) u diag(∏ of the other s) vᵀ."""

    math = r"\operatorname{cof} {x}"
    samples = [case(REGULAR), case(BATCH), case(COMPLEX)]

    def f(m, x):
        return m.cofactor(x)

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0]

    def vjp(y, g, x):  # the second derivative of det is symmetric
        return [CofactorSlope(x, g)]


class CofactorSlope(Factorisation):
    """y = the derivative of the cofactors of x in the direction t.

    It is det x (⟨x⁻ᵀ, t⟩ x⁻ᵀ − x⁻ᵀ tᵀ x⁻ᵀ) where x isn't singular, and differentiated as such.
    """

    math = r"\operatorname{D\,cof}({x})\left[{t}\right]"
    samples = [  # of 2 × 2 matrices the cofactors are linear in x, of larger ones they aren't
        case(REGULAR, REGULAR[::-1]),
        case(BATCH, BATCH[::-1]),
        case(COMPLEX, COMPLEX[:, ::-1]),
    ]

    def f(m, x, t):
        return m.cofactor_slope(x, t)

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0]

    def vjp(y, g, x, t):
        def of_x() -> Any:
            fixed = ops.positive(t)  # a node of its own: t may depend on x, which counts elsewhere
            inverse = Inv(x).mT
            along = per_matrix(ops.sum(inverse * fixed, axis=(-2, -1)))
            whole = per_matrix(Det(x)) * (along * inverse - inverse @ fixed.mT @ inverse)
            return ops.pull_back(whole, [x, fixed], g)[0]

        return [of_x, lambda: CofactorSlope(x, g)]  # symmetric in t and g


class Slogdet(MultipleOutputs, Factorisation):
    """The sign of det x and log |det x|. ∂ log |det x|/∂x = x⁻ᵀ; a real sign is constant.

    For complex x the sign is det x/|det x|.

    At a singular matrix they are 0 and −∞, and the gradient raises `numpy.linalg.LinAlgError`.
    """

    math = r"\operatorname{slogdet} {x}"
    samples = [case(REGULAR), case(BATCH[:, ::-1]), case(COMPLEX)]

    def f(m, x):
        return m.slogdet(x)

    @property
    def count(self) -> int:
        return 2

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0][:-2], shapes[0][:-2]

    def dtype_rule(y, *dtypes):
        return dtypes[0], real_of(dtypes[0])

    def vjp(y, g, x):
        slope = g[1]
        if is_complex(x.dtype):  # d sign = i sign Im(tr x⁻¹ dx)
            slope = slope + ops.imag(g[0] * y.items[0]) * 1j
        return [per_matrix(slope) * Inv(x).mT]


class SlogdetResult(NamedTuple):
    """The sign of a determinant and the logarithm of its absolute value."""

    sign: Node
    logabsdet: Node


det = public(unary(Det))


@public
def slogdet(x: Any, /, *, name: str | None = None) -> SlogdetResult:
    """The sign of det x and log |det x|, which neither overflows nor underflows.

    At a singular matrix they are 0 and −∞, and the gradient raises `numpy.linalg.LinAlgError`.
    """
    return SlogdetResult(*Slogdet(x, name=name).items)
