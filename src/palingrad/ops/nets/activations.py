"""More activations: piecewise ones, self-normalising ones, and gated linear units."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import DType
from ...errors import ShapeError
from ...graph.describe.nonfinite import overflow
from ...graph.functions import frozen, unary
from ...graph.kinds import Composite, Elementwise
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case, edge, kink
from ...messages.checks import within
from ...shapes import Shape, axis_in
from ..elementwise.activation import Rectifier
from ..reduction.axes import narrowed, widened

_TAILS = edge(0.0, 1e-8, 30.0, -30.0, 1000.0, -1000.0, np.inf, -np.inf, np.nan)
_NEAR_0 = edge(0.01, -1e-4, 1e-8, -0.3)
_SCALE, _ALPHA = 1.0507009873554804934, 1.6732632423543772848  # λ and α of SELU


class Selu(Rectifier):
    """y = λ·x where x > 0, else λα·(eˣ − 1), with λ = 1.0507… and α = 1.6733….

    Layers keep mean 0 and variance 1 (Klambauer et al. 2017).
    """

    math, onnx = r"\operatorname{selu}({x})", "Selu"
    floats = True
    samples = [case((3, 4), low=0.1), case((3,), low=-2, high=-0.1), _TAILS,
               kink([0.0, np.inf, -np.inf], slopes=[[_SCALE * _ALPHA, _SCALE, 0.0]])]  # fmt: skip

    def f(m, x):
        return _SCALE * m.where(x > 0, x, _ALPHA * m.expm1(m.minimum(x, 0)))

    def d(y, x):
        return [ops.where(x > 0, _SCALE, _SCALE * _ALPHA * ops.exp(ops.minimum(x, 0)))]

    def nonfinite(y, value, x):
        return overflow(y.dtype, "·", _SCALE, x)


class Celu(Rectifier):
    """y = x where x > 0, else α·(e^(x/α) − 1): its slope is continuous at 0 (Barron 2017)."""

    math, onnx = r"\operatorname{celu}({x})", "Celu"
    floats = True
    stays_finite = True
    samples = [case((3, 4), low=0.1, alpha=0.7), case((3,), low=-2, high=-0.1, alpha=0.7),
               kink([0.0, -np.inf], slopes=[[1.0, 0.0]], alpha=0.7)]  # fmt: skip

    def f(m, x, *, alpha):
        return m.where(x > 0, x, alpha * m.expm1(m.minimum(x, 0) / alpha))

    def d(y, x):
        return [ops.exp(ops.where(x > 0, 0, x) / y.alpha)]


class Mish(Elementwise):
    """y = x·tanh(softplus x). ∂y/∂x = t + x·σ(x)·(1 − t²), with t = tanh(softplus x).

    Misra 2019.
    """

    math, onnx = r"{x} \* \tanh(\operatorname{softplus}({x}))", "Mish"
    floats = True
    stays_finite = True
    samples = [case((3, 4)), edge(0.0, 30.0, -30.0, np.nan),
               kink([np.inf, -np.inf], slopes=[[1.0, 0.0]])]  # fmt: skip

    def f(m, x):
        bounded = m.maximum(x, -1000)  # t is 0 below: −∞ · 0 is NaN
        return bounded * m.tanh(m.maximum(x, 0) + m.log1p(m.exp(-m.absolute(x))))

    def d(y, x):
        x = ops.where(ops.abs(x) > 1000, 1000 * ops.sign(x), x)
        t = ops.tanh(ops.softplus(x))
        return [t + x * ops.sigmoid(x) * (1 - t * t)]


class HardTanh(Rectifier):
    """y = x, kept within least … most. ∂y/∂x = 1 where least < x < most, and 0 elsewhere."""

    math = r"\operatorname{hardtanh}({x})"
    floats = True
    stays_finite = True
    samples = [
        case(np.array([-2.5, -0.6, 0.4, 2.2]), least=-1.0, most=1.0),
        kink([-1.0, 2.0, np.inf], slopes=[[0.0, 0.0, 0.0]], least=-1.0, most=2.0),
    ]

    def f(m, x, *, least, most):
        return m.minimum(m.maximum(x, least), most)

    def d(y, x):
        return [(x > y.least) & (x < y.most)]


class Relu6(Rectifier):
    """y = min(max(x, 0), 6). ∂y/∂x = 1 where 0 < x < 6, and 0 elsewhere."""

    math = r"\operatorname{relu6}({x})"
    floats = True
    stays_finite = True
    samples = [case(np.array([-2.5, 0.6, 5.4, 7.2])), kink([0.0, 6.0], slopes=[[0.0, 0.0]])]

    def f(m, x):
        return m.minimum(m.maximum(x, 0), 6)

    def d(y, x):
        return [(x > 0) & (x < 6)]


class HardSigmoid(Elementwise):
    """y = (x + 3)/6, kept within 0 … 1. ∂y/∂x = 1/6 where −3 < x < 3, and 0 elsewhere."""

    math, onnx = r"\operatorname{hardsigmoid}({x})", "HardSigmoid"
    floats = True
    stays_finite = True
    samples = [case(np.array([-4.5, -2.4, 2.4, 5.2])), kink([-3.0, 3.0], slopes=[[0.0, 0.0]])]

    def f(m, x):
        return (m.minimum(m.maximum(x, -3), 3) + 3) / 6

    def d(y, x):
        return [ops.where((x > -3) & (x < 3), 1 / 6, ops.zeros_like(x))]


class HardSwish(Elementwise):
    """y = x·(x + 3)/6 where −3 < x < 3, 0 below and x above (Howard et al. 2019).

    ∂y/∂x = (2x + 3)/6 where −3 < x < 3, 0 from −3 down and 1 from 3 up.
    """

    math, onnx = r"\operatorname{hardswish}({x})", "HardSwish"
    floats = True
    stays_finite = True
    samples = [
        case(np.array([-4.5, -2.4, 2.4, 5.2])),
        kink([-3.0, 3.0, -np.inf, np.inf], slopes=[[0.0, 1.0, 0.0, 1.0]]),
    ]

    def f(m, x):
        inner = m.minimum(m.maximum(x, -3), 3)
        return m.where(x > 3, x, inner * (inner + 3) / 6)

    def d(y, x):
        return [ops.where(x >= 3, 1, ops.where(x > -3, (2 * x + 3) / 6, 0))]


class Softsign(Elementwise):
    """y = x/(1 + |x|), ±1 at ±∞. ∂y/∂x = 1/(1 + |x|)²."""

    math, onnx = r"\frac{{x}}{1 + |{x}|}", "Softsign"
    floats = True
    stays_finite = True
    samples = [case((3, 4), low=0.1), case((3,), low=-2, high=-0.1), _TAILS,
               kink([0.0, np.inf], slopes=[[1.0, 0.0]])]  # fmt: skip

    def f(m, x):
        size = m.absolute(x)
        return m.where(m.isinf(x), m.sign(x), x / (1 + size))

    def d(y, x):
        share = 1 / (1 + ops.abs(x))
        return [share * share]


class Tanhshrink(Elementwise):
    """y = x − tanh x, without cancellation near 0. ∂y/∂x = tanh² x."""

    math = r"{x} - \tanh {x}"
    floats = True
    stays_finite = True
    samples = [case((3, 4)), _TAILS, _NEAR_0]

    def f(m, x):
        # tanh x = x/(1 + c) with Lambert's continued fraction c = x²/(3 + x²/(5 + x²/(7 + …))).
        square = m.square(m.minimum(m.absolute(x), 1))
        rest = 21 + square / 23
        for odd in (19, 17, 15, 13, 11, 9, 7, 5, 3):
            rest = odd + square / rest
        c = square / rest
        return m.where(m.absolute(x) < 1, x * (c / (1 + c)), x - m.tanh(x))

    def d(y, x):
        return [ops.square(ops.tanh(x))]


class Prelu(Rectifier):
    """z = x where x > 0, else a·x, with a learnt slope a (He et al. 2015)."""

    math, onnx = r"\operatorname{prelu}({x}, {s})", "PRelu"
    floats = True
    samples = [
        case((3, 4), (4,), low=0.1),
        case(np.array([-1.5, -0.5]), np.array([[0.2], [0.1]])),
        kink([0.0], [0.2], slopes=[[0.2], [0.0]]),
    ]

    def f(m, x, a):
        return m.where(x > 0, x, a * x)

    def d(z, x, a):
        return [ops.where(x > 0, 1, a), lambda: ops.where(x > 0, 0, x)]

    def nonfinite(z, value, x, a):
        return overflow(z.dtype, "·", a, x)


class Glu(Composite):
    """y = a·σ(b) for the halves a and b of x along `axis` (Dauphin et al. 2017)."""

    complexes = False
    math = r"\operatorname{glu}({x})"
    floats = True
    samples = [case((3, 4), axis=-1), case((2, 3), axis=0)]

    def shape_rule(self, *shapes: Shape) -> Shape:
        axis = axis_in(self.attributes["axis"], len(shapes[0]))
        length = shapes[0][axis]
        if length is not None and length % 2:
            raise ShapeError(f"axis {axis} of size {length} has no halves")
        half = None if length is None else length // 2
        return (*shapes[0][:axis], half, *shapes[0][axis + 1 :])

    def dtype_rule(self, *dtypes: DType) -> DType:
        return dtypes[0]

    def expand(y, x):
        value, gate = ops.split(widened(x), 2, axis=y.axis)
        return narrowed(value * ops.sigmoid(gate), x.dtype)


@register
def celu(x: Any, /, *, alpha: float = 1.0, name: str | None = None) -> Node:
    """y = x where x > 0, else alpha·(e^(x/alpha) − 1) (Barron 2017)."""
    return Celu(x, alpha=float(within("celu: alpha", alpha, "(0, inf)", like=1.0)), name=name)


@register
def hard_tanh(x: Any, /, *, min: float = -1.0, max: float = 1.0, name: str | None = None) -> Node:
    """y = x, kept within min … max; the slope at both bounds is 0, unlike that of `clip`."""
    least = float(within("hard_tanh: min", min, "(-inf, inf)", like=-1.0))
    most = float(within("hard_tanh: max", max, f"[{least}, inf)", like=least + 1))
    return HardTanh(x, least=least, most=most, name=name)


@register
def prelu(x: Any, slope: Any, /, *, name: str | None = None) -> Node:
    """z = x where x > 0, else slope·x, with a learnt slope that broadcasts to x (He et al. 2015).

    One slope for each channel of images (n, c, height, width) has shape (c, 1, 1).
    """
    return Prelu(x, slope, name=name)


@register
def glu(x: Any, /, axis: int = -1, *, name: str | None = None) -> Node:
    """y = a·σ(b) for the halves a and b of x along `axis`, whose size is even."""
    return Glu(x, axis=frozen(axis), name=name)


selu = register(unary(Selu))
mish = register(unary(Mish))
relu6 = register(unary(Relu6))
hard_sigmoid = register(unary(HardSigmoid))
hard_swish = register(unary(HardSwish))
softsign = register(unary(Softsign))
tanhshrink = register(unary(Tanhshrink))
