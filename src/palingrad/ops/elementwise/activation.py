"""Activations and the error function, elementwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...dtypes import DType, bool_, int64
from ...graph.describe.nonfinite import overflow
from ...graph.functions import unary
from ...graph.kinds import Elementwise
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case, edge, kink
from ...messages.checks import flag, within

_TAILS = edge(0.0, 1e-8, 30.0, -30.0, 1000.0, -1000.0, np.inf, -np.inf, np.nan)
_SMOOTH = [case((3, 4)), case(()), case((0, 2)), _TAILS]
_ENDS = kink([np.inf, -np.inf], slopes=[[1.0, 0.0]])
_KINKED = [case((3, 4), low=0.1), case((3, 4), low=-2, high=-0.1), case((0, 2)), _TAILS]


def _sigmoid(m, x):
    """σ(x), computed from e^−|x| ≤ 1: it doesn't overflow, and small values stay accurate."""
    decay = m.exp(-m.absolute(x))
    return m.where(x >= 0, 1, decay) / (1 + decay)


def _within(bound: float, x: Any) -> Any:
    """x moved to −bound … bound, beyond which a slope is constant in every dtype: its own slopes
    are then exactly 0, also where a power of x overflows. NaN stays."""
    return ops.where(x > bound, bound, ops.where(x < -bound, -bound, x))


class Sigmoid(Elementwise):
    """y = σ(x) = 1/(1 + e⁻ˣ). ∂y/∂x = y(1 − y) = σ(x)·σ(−x)."""

    math, onnx = r"\sigma({x})", "Sigmoid"
    drawn = "σ"
    floats = True
    stays_finite = True
    samples = _SMOOTH

    def f(m, x):
        return _sigmoid(m, x)

    def d(y, x):
        return [y * (1 - y)]


class Rectifier(Elementwise):
    """An activation with a small or zero slope for x ≤ 0. A unit whose input is negative for every
    example is dead: it learns little or nothing."""


class Relu(Rectifier):
    """y = max(x, 0). ∂y/∂x = 1 where x > 0, and 0 elsewhere."""

    math, onnx = r"\operatorname{relu}({x})", "Relu"
    stays_finite = True
    samples = [*_KINKED, kink([0.0, -0.0], slopes=[[0.0, 0.0]])]

    def f(m, x):
        return m.maximum(x, 0)

    def dtype_rule(y, *dtypes: DType) -> DType:
        return int64 if dtypes[0] == bool_ else dtypes[0]

    def d(y, x):
        return [x > 0]


class LeakyRelu(Rectifier):
    """y = x where x > 0, else slope·x. ∂y/∂x = 1 where x > 0, else slope."""

    math, onnx = r"\operatorname{lrelu}({x})", "LeakyRelu"
    floats = True
    samples = [
        case((3, 4), low=0.1, slope=0.2),
        case((3,), low=-2, high=-0.1, slope=0.2),
        kink([0.0], slopes=[[0.2]], slope=0.2),
    ]

    def f(m, x, *, slope):
        return m.where(x > 0, x, slope * x)

    def d(y, x):
        return [ops.where(x > 0, ops.ones_like(x), y.slope)]

    def nonfinite(y, value, x):
        return overflow(y.dtype, "·", y.slope, x)


class Elu(Rectifier):
    """y = x where x > 0, else alpha·(eˣ − 1). ∂y/∂x = 1 where x > 0, else y + alpha.

    Clevert et al. 2015.
    """

    math, onnx = r"\operatorname{elu}({x})", "Elu"
    floats = True
    stays_finite = True
    samples = [
        case((3, 4), low=0.1, alpha=0.7),
        case((3,), low=-2, high=-0.1, alpha=0.7),
        kink([0.0], slopes=[[0.7]], alpha=0.7),
    ]

    def f(m, x, *, alpha):
        return m.where(x > 0, x, alpha * m.expm1(m.minimum(x, 0)))

    def d(y, x):
        return [ops.where(x > 0, 1, y + y.alpha)]


class Gelu(Elementwise):
    """y = x·Φ(x), with Φ the normal distribution function. ∂y/∂x = Φ(x) + x·φ(x), with φ = Φ′.

    Hendrycks & Gimpel 2016.
    """

    math, onnx = r"\operatorname{gelu}({x})", "Gelu"
    floats = True
    stays_finite = True
    samples = [case((3, 4)), case((0, 2)), edge(0.0, 10.0, -10.0, np.nan), _ENDS]

    def f(m, x):
        # As in d, so that a kernel that computes both computes erfc once.
        inside = m.where(x > 40, 40, m.where(x < -40, -40, x))
        area = 0.5 * m.erfc(inside * -math.sqrt(0.5))
        return area * m.maximum(x, -40)  # erfc 28 is 0: −∞ · 0 is NaN

    def d(y, x):
        x = _within(40, x)
        area = 0.5 * ops.erfc(x * -math.sqrt(0.5))
        density = ops.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
        return [area + density * x]


class GeluTanh(Elementwise):
    """y = ½x(1 + tanh u), u = √(2/π)(x + 0.044715x³): the tanh approximation of GELU."""

    math = r"\operatorname{gelu}_{\tanh}({x})"
    floats = True
    stays_finite = True
    samples = [case((3, 4)), case((0, 2)), edge(0.0, 10.0, -10.0, np.nan), _ENDS]

    def f(m, x):
        inside = m.where(x > 40, 40, m.where(x < -40, -40, x))  # as in d, which shares tanh
        wave = m.tanh(math.sqrt(2 / math.pi) * (inside + 0.044715 * inside * inside * inside))
        return 0.5 * m.maximum(x, -40) * (1 + wave)  # 1 + tanh is 0 below: −∞ · 0 is NaN

    def d(y, x):
        scale, x = math.sqrt(2 / math.pi), _within(40, x)
        wave = ops.tanh(scale * (x + 0.044715 * x * x * x))
        inner = scale * (1 + 3 * 0.044715 * x * x)
        return [0.5 * (1 + wave) + (1 - wave * wave) * (0.5 * x) * inner]


class Silu(Elementwise):
    """y = x·σ(x), also called swish. ∂y/∂x = σ(x)·(1 + x·(1 − σ(x)))."""

    math = r"{x} \* \sigma({x})"
    floats = True
    stays_finite = True
    samples = [case((3, 4)), case((0, 2)), edge(0.0, 30.0, -30.0, np.nan), _ENDS]

    def f(m, x):
        return m.maximum(x, -1000) * _sigmoid(m, x)  # σ is 0 below: −∞ · 0 is NaN

    def d(y, x):
        x = _within(1000, x)
        share = ops.sigmoid(x)
        return [share * (1 + (1 - share) * x)]


class Softplus(Elementwise):
    """y = log(1 + eˣ), without overflow. ∂y/∂x = σ(x)."""

    math, onnx = r"\log(1 + e^{{x}})", "Softplus"
    floats = True
    stays_finite = True
    samples = _SMOOTH

    def f(m, x):
        return m.maximum(x, 0) + m.log1p(m.exp(-m.absolute(x)))

    def d(y, x):
        return [ops.sigmoid(x)]


class Erf(Elementwise):
    """y = erf x = 2/√π ∫₀ˣ e^−u² du. ∂y/∂x = 2/√π·e^−x²."""

    math, onnx = r"\operatorname{erf} {x}", "Erf"
    floats = True
    stays_finite = True
    samples = _SMOOTH

    def f(m, x):
        return m.erf(x)

    def d(y, x):
        x = _within(40, x)
        return [2 / math.sqrt(math.pi) * ops.exp(-x * x)]


class Erfc(Elementwise):
    """y = erfc x = 1 − erf x, without cancellation for large x. ∂y/∂x = −2/√π·e^−x²."""

    math = r"\operatorname{erfc} {x}"
    floats = True
    stays_finite = True
    samples = _SMOOTH

    def f(m, x):
        return m.erfc(x)

    def d(y, x):
        x = _within(40, x)
        return [-2 / math.sqrt(math.pi) * ops.exp(-x * x)]


@register
def leaky_relu(x: Any, slope: float = 0.01, *, name: str | None = None) -> Node:
    """y = x where x > 0, else slope·x."""
    return LeakyRelu(
        x, slope=float(within("leaky_relu: slope", slope, "(-inf, inf)", like=0.01)), name=name
    )


@register
def elu(x: Any, alpha: float = 1.0, *, name: str | None = None) -> Node:
    """y = x where x > 0, else alpha·(eˣ − 1) (Clevert et al. 2015)."""
    within("elu: alpha", alpha, "(-inf, inf)", like=1.0)
    return Elu(x, alpha=float(alpha), name=name)


@register
def gelu(x: Any, *, approximate: bool = False, name: str | None = None) -> Node:
    """y = x·Φ(x), with Φ the normal distribution function (Hendrycks & Gimpel 2016).

    With `approximate`, y = ½x(1 + tanh(√(2/π)(x + 0.044715x³))).
    """
    return (GeluTanh if flag("gelu: approximate", approximate) else Gelu)(x, name=name)


@register
def log_sigmoid(x: Any, *, name: str | None = None) -> Node:
    """y = log σ(x) = −log(1 + e⁻ˣ), without overflow."""
    return ops.negative(softplus(ops.negative(x)), name=name)


sigmoid = register(unary(Sigmoid))
relu = register(unary(Relu))
silu = register(unary(Silu))
softplus = register(unary(Softplus))
erf = register(unary(Erf))
erfc = register(unary(Erfc))
