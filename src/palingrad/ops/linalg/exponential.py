"""The exponential of matrices."""

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
from .solve import BATCH, REGULAR


class Expm(Factorisation):
    """y = eˣ = Σ xᵏ/k!, of square matrices, by scaling and squaring (Al-Mohy & Higham 2009).

    ∂L/∂x is the derivative of `expm` at xᵀ in the direction g.
    """

    math = "e^{{x}}"
    samples = [case(REGULAR), case(0.3 * BATCH), case(np.array([[0.0, 4.0], [-9.0, 1.0]]))]

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
            n = sizes(x.shape)[-1]
            fixed = ops.positive(t)  # a node of its own: t may depend on x, which counts elsewhere
            top = ops.concat([x, fixed], axis=-1)
            bottom = ops.concat([ops.zeros_like(x), x], axis=-1)
            block = Expm(ops.concat([top, bottom], axis=-2))[..., :n, n:]
            return ops.pull_back(block, [x, fixed], g)[0]

        return [of_x, lambda: ExpmFrechet(x.mT, g)]


expm = public(unary(Expm))
