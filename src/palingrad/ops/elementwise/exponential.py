"""Exponentials and logarithms, elementwise."""

from __future__ import annotations

import math

import numpy as np

from ...graph.describe.nonfinite import Reason, number, too_steep
from ...graph.functions import binary, unary
from ...graph.kinds import Elementwise
from ...graph.registry import ops, register
from ...graph.samples import case, edge, kink

_ANY = [case((3, 4)), case(()), case((0, 2)), edge(0.0, 1e-8, 90.0, -90.0, np.inf, -np.inf, np.nan)]
_POSITIVE = [case((3, 4), low=0.3), case((0, 2)), edge(0.0, 1.0, 1e-30, -1.0, np.inf, np.nan)]


class Logarithm(Elementwise):
    """A logarithm of x + offset: −∞ at x + offset = 0, NaN where x + offset < 0."""

    floats = complexes = True
    offset = 0

    def nonfinite(y, value, x):
        kind = y.kind_name()
        what = f"{kind} of {number(x)}"
        if x + y.offset < 0:
            safe = f"pg.{kind}(pg.maximum(x, 1e-7))"
            return Reason(what, f"keeping the argument positive, as in {safe}")
        safe = f"pg.{kind}(x + eps) or pg.{kind}(pg.maximum(x, eps))"
        return Reason(what, f"{safe}, say eps = 1e-7")


class Exp(Elementwise):
    """y = eˣ. ∂y/∂x = y."""

    math, onnx = "e^{{x}}", "Exp"
    floats = complexes = True
    harmless = 0
    samples = _ANY

    def f(m, x):
        return m.exp(x)

    def d(y, x):
        return [y]

    def nonfinite(y, value, x):
        return too_steep(y.kind_name(), y.dtype, x, math.log)


class Exp2(Elementwise):
    """y = 2ˣ. ∂y/∂x = y·log 2."""

    math = "2^{{x}}"
    floats = complexes = True
    harmless = 0
    samples = _ANY

    def f(m, x):
        return m.exp2(x)

    def d(y, x):
        return [y * math.log(2)]

    def nonfinite(y, value, x):
        return too_steep(y.kind_name(), y.dtype, x, math.log2)


class Expm1(Elementwise):
    """y = eˣ − 1, without cancellation near 0. ∂y/∂x = eˣ."""

    math = "e^{{x}} - 1"
    floats = complexes = True
    harmless = 0
    samples = _ANY

    def f(m, x):
        return m.expm1(x)

    def d(y, x):
        return [y + 1]

    def nonfinite(y, value, x):
        return too_steep(y.kind_name(), y.dtype, x, math.log)


class Log(Logarithm):
    """y = log x, the natural logarithm; −∞ at x = 0, NaN for x < 0. ∂y/∂x = 1/x."""

    math, onnx = r"\log {x}", "Log"
    harmless = 1
    samples = _POSITIVE

    def f(m, x):
        return m.log(x)

    def d(y, x):
        return [1 / x]


class Log2(Logarithm):
    """y = log₂ x. ∂y/∂x = 1/(x·log 2)."""

    math = r"\log_2 {x}"
    harmless = 1
    samples = _POSITIVE

    def f(m, x):
        return m.log2(x)

    def d(y, x):
        return [1 / (x * math.log(2))]


class Log10(Logarithm):
    """y = log₁₀ x. ∂y/∂x = 1/(x·log 10)."""

    math = r"\log_{10} {x}"
    harmless = 1
    samples = _POSITIVE

    def f(m, x):
        return m.log10(x)

    def d(y, x):
        return [1 / (x * math.log(10))]


class Log1p(Logarithm):
    """y = log(1 + x), without cancellation near 0. ∂y/∂x = 1/(1 + x)."""

    math = r"\log(1 + {x})"
    harmless, offset = 0, 1
    samples = [case((3, 4), low=-0.7), edge(0.0, 1e-20, -1.0, -2.0, np.inf, np.nan)]

    def f(m, x):
        return m.log1p(x)

    def d(y, x):
        return [1 / (1 + x)]


class Logaddexp(Elementwise):
    """z = log(eˣ + eʸ), without overflow. ∂z/∂x = σ(x − y), ∂z/∂y = σ(y − x).

    Where x = y, also at ±∞, both are ½.
    """

    math = r"\log(e^{{x}} + e^{{y}})"
    floats = True
    commutes = stays_finite = True
    samples = [
        case((3, 4), (3, 4)),
        case((3, 1), (4,)),
        case([0.3, -1.2], [0.3, -1.2]),
        edge(0.0, 1000.0, -1000.0, np.inf, -np.inf, np.nan, inputs=2),
        kink([np.inf, -np.inf], [np.inf, -np.inf], slopes=[[0.5, 0.5], [0.5, 0.5]]),
        kink([np.inf, -np.inf, 0.0], [0.0, 0.0, np.inf], slopes=[[1, 0, 0], [0, 1, 1]]),
    ]

    def f(m, x, y):
        return m.logaddexp(x, y)

    def d(z, x, y):
        infinite = (x == y) & ops.isinf(x)  # ∞ − ∞ would give NaN
        gap = ops.where(infinite, 0, x - y)
        return [lambda: ops.sigmoid(gap), lambda: ops.sigmoid(-gap)]


exp = register(unary(Exp))
exp2 = register(unary(Exp2))
expm1 = register(unary(Expm1))
log = register(unary(Log))
log2 = register(unary(Log2))
log10 = register(unary(Log10))
log1p = register(unary(Log1p))
logaddexp = register(binary(Logaddexp))
