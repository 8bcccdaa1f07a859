"""Trigonometric and hyperbolic functions and their inverses, elementwise; angles in radians."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...dtypes import is_complex
from ...graph.describe.nonfinite import Reason, number, overflow, too_steep
from ...graph.functions import binary, unary
from ...graph.kinds import Elementwise
from ...graph.registry import ops, register
from ...graph.samples import case, complex_case, edge, kink

_ANY = [case((3, 4)), case(()), case((0, 2)), edge(0.0, 30.0, -30.0, np.inf, -np.inf, np.nan)]
_UNIT = [case((3, 4), low=-0.8, high=0.8), case((0, 2)), edge(0.0, 1.0, -1.0, 1.5, np.nan)]

_INTO_UNIT = "pg.clip(x, -1 + eps, 1 - eps) inside, say eps = 1e-6"


def _outside(y: Any, x: float, where: str, rewrite: str) -> Reason:
    return Reason(f"{y.kind_name()} of {number(x)}, {where}", rewrite)


class Sin(Elementwise):
    """y = sin x. ∂y/∂x = cos x."""

    math, onnx = r"\sin {x}", "Sin"
    floats = complexes = True
    stays_finite = True
    samples = _ANY

    def f(m, x):
        return m.sin(x)

    def d(y, x):
        return [ops.cos(x)]


class Cos(Elementwise):
    """y = cos x. ∂y/∂x = −sin x."""

    math, onnx = r"\cos {x}", "Cos"
    floats = complexes = True
    stays_finite = True
    samples = _ANY

    def f(m, x):
        return m.cos(x)

    def d(y, x):
        return [-ops.sin(x)]


class Tan(Elementwise):
    """y = tan x. ∂y/∂x = 1 + y²."""

    math, onnx = r"\tan {x}", "Tan"
    floats = complexes = True
    samples = [case((3, 4), low=-1, high=1), case((0, 2)), edge(0.0, 30.0, np.inf, np.nan)]

    def f(m, x):
        return m.tan(x)

    def d(y, x):
        return [1 + y * y]

    def nonfinite(y, value, x):
        return Reason(
            f"tan of {number(x)} overflows {y.dtype} near a pole",
            "a wider dtype, or keeping the angle away from π/2 + kπ",
        )


class Asin(Elementwise):
    """y = arcsin x in [−π/2, π/2], NaN outside [−1, 1]. ∂y/∂x = 1/√(1 − x²)."""

    math, onnx = r"\arcsin {x}", "Asin"
    floats = complexes = True
    harmless = 0
    steep = "pg.clip inside asin: its slope is infinite at the ends of its domain"
    samples = _UNIT

    def f(m, x):
        return m.arcsin(x)

    def d(y, x):
        return [1 / ops.sqrt(1 - x * x)]

    def nonfinite(y, value, x):
        return _outside(y, x, "which is outside −1 … 1", _INTO_UNIT)


class Acos(Elementwise):
    """y = arccos x in [0, π], NaN outside [−1, 1]. ∂y/∂x = −1/√(1 − x²)."""

    math, onnx = r"\arccos {x}", "Acos"
    floats = complexes = True
    harmless = 0
    steep = "pg.clip inside acos: its slope is infinite at the ends of its domain"
    samples = _UNIT

    def f(m, x):
        return m.arccos(x)

    def d(y, x):
        return [-1 / ops.sqrt(1 - x * x)]

    def nonfinite(y, value, x):
        return _outside(y, x, "which is outside −1 … 1", _INTO_UNIT)


class Atan(Elementwise):
    """y = arctan x in (−π/2, π/2). ∂y/∂x = 1/(1 + x²)."""

    math, onnx = r"\arctan {x}", "Atan"
    floats = complexes = True
    stays_finite = True
    samples = _ANY

    def f(m, x):
        return m.arctan(x)

    def d(y, x):
        return [1 / (1 + x * x)]


class Atan2(Elementwise):
    """z = atan2(x, y), the angle in [−π, π] with sin z = x/r and cos z = y/r, r² = x² + y².

    ∂z/∂x = y/r², ∂z/∂y = −x/r².
    """

    math = r"\operatorname{atan2}({x}, {y})"
    floats = True
    stays_finite = True
    samples = [
        case((3, 4), (3, 4), low=0.3),
        case((3, 1), (4,), low=0.3),
        edge(0.0, -0.0, 1.0, -1.0, np.inf, np.nan, inputs=2),
        kink([np.inf, 1.0, np.inf], [1.0, np.inf, np.inf], slopes=[[0.0] * 3, [0.0] * 3]),
    ]

    def f(m, x, y):
        return m.arctan2(x, y)

    def d(z, x, y):
        r = ops.hypot(x, y)  # its square may overflow or underflow
        infinite = r == math.inf
        return [ops.where(infinite, 0, y / r / r), ops.where(infinite, 0, -x / r / r)]


class Hypot(Elementwise):
    """z = √(x² + y²), without overflow. ∂z/∂x = x/z, ∂z/∂y = y/z, both 0 where z = 0.

    That of an infinite number is ±1, its limit, and ±√½ if both are.
    """

    math = r"\sqrt{{x}^2 + {y}^2}"
    floats = True
    commutes = True
    samples = [
        case((3, 4), (3, 4), low=0.3),
        case((3, 1), (4,), low=0.3),
        edge(0.0, 1e30, np.inf, np.nan, inputs=2),
        kink([0.0], [0.0], slopes=[[0.0], [0.0]]),
        kink([np.inf, 2.0, -np.inf], [1.0, -np.inf, np.inf],
             slopes=[[1.0, 0.0, -np.sqrt(0.5)], [0.0, -1.0, np.sqrt(0.5)]]),
    ]  # fmt: skip

    def f(m, x, y):
        return m.hypot(x, y)

    def d(z, x, y):
        length = ops.where(z == 0, 1, z)
        both = ops.logical_and(ops.isinf(x), ops.isinf(y))
        ends = [ops.where(both, math.sqrt(0.5) * ops.sign(one), ops.sign(one)) for one in (x, y)]
        return [
            ops.where(ops.isinf(one), end, one / length)
            for one, end in zip((x, y), ends, strict=True)
        ]

    def nonfinite(z, value, x, y):
        return overflow(z.dtype, "and", x, y)


class Sinh(Elementwise):
    """y = sinh x. ∂y/∂x = cosh x."""

    math, onnx = r"\sinh {x}", "Sinh"
    floats = complexes = True
    harmless = 0
    samples = _ANY

    def f(m, x):
        return m.sinh(x)

    def d(y, x):
        return [ops.cosh(x)]

    def nonfinite(y, value, x):
        return too_steep(y.kind_name(), y.dtype, x, math.asinh)


class Cosh(Elementwise):
    """y = cosh x. ∂y/∂x = sinh x."""

    math, onnx = r"\cosh {x}", "Cosh"
    floats = complexes = True
    harmless = 0
    samples = _ANY

    def f(m, x):
        return m.cosh(x)

    def d(y, x):
        return [ops.sinh(x)]

    def nonfinite(y, value, x):
        return too_steep(y.kind_name(), y.dtype, x, math.acosh)


class Tanh(Elementwise):
    """y = tanh x. ∂y/∂x = 1 − y²."""

    math, onnx = r"\tanh {x}", "Tanh"
    floats = complexes = True
    stays_finite = True
    samples = _ANY

    def f(m, x):
        return m.tanh(x)

    def d(y, x):
        return [1 - y * y]


class Asinh(Elementwise):
    """y = arsinh x. ∂y/∂x = 1/√(1 + x²)."""

    math, onnx = r"\operatorname{arsinh} {x}", "Asinh"
    floats = complexes = True
    stays_finite = True
    samples = [*_ANY, complex_case((3,))]

    def f(m, x):
        return m.arcsinh(x)

    def d(y, x):
        if is_complex(x.dtype):
            return [1 / ops.sqrt(1 + x * x)]
        return [1 / ops.hypot(x, 1)]  # x² may overflow


class Acosh(Elementwise):
    """y = arcosh x ≥ 0, NaN for x < 1. ∂y/∂x = 1/√(x² − 1)."""

    math, onnx = r"\operatorname{arcosh} {x}", "Acosh"
    floats = complexes = True
    harmless = 2
    steep = "pg.clip inside acosh: its slope is infinite at the ends of its domain"
    samples = [case((3, 4), low=1.3, high=3), case((0, 2)), edge(1.0, 0.5, np.inf, np.nan)]

    def f(m, x):
        return m.arccosh(x)

    def d(y, x):
        return [1 / (ops.sqrt(x - 1) * ops.sqrt(x + 1))]  # x² may overflow

    def nonfinite(y, value, x):
        return _outside(y, x, "which is below 1", "pg.maximum(x, 1) inside")


class Atanh(Elementwise):
    """y = artanh x, ±∞ at ±1, NaN for |x| > 1. ∂y/∂x = 1/(1 − x²)."""

    math, onnx = r"\operatorname{artanh} {x}", "Atanh"
    floats = complexes = True
    harmless = 0
    steep = "pg.clip inside atanh: its slope is infinite at the ends of its domain"
    samples = _UNIT

    def f(m, x):
        return m.arctanh(x)

    def d(y, x):
        return [1 / (1 - x * x)]

    def nonfinite(y, value, x):
        return _outside(y, x, "which isn't inside −1 … 1", _INTO_UNIT)


sin = register(unary(Sin))
cos = register(unary(Cos))
tan = register(unary(Tan))
asin = register(unary(Asin))
acos = register(unary(Acos))
atan = register(unary(Atan))
atan2 = register(binary(Atan2))
hypot = register(binary(Hypot))
sinh = register(unary(Sinh))
cosh = register(unary(Cosh))
tanh = register(unary(Tanh))
asinh = register(unary(Asinh))
acosh = register(unary(Acosh))
atanh = register(unary(Atanh))
