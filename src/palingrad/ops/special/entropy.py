"""Logarithms times their weights, as in entropies, with their limits where a weight is 0."""

from __future__ import annotations

import math

import numpy as np

from ...graph.functions import binary, unary
from ...graph.registry import ops, register
from ...graph.samples import case, edge, kink
from .base import Special, like, single

_PAIRS = [
    case((3,), (3,), low=0.5, high=3.0),
    case((2, 1), (2,), low=0.5, high=3.0),
    edge(0.0, 1.0, 1e-30, 1e30, -1.0, np.inf, np.nan, inputs=2),
]
# ((1 + u)·log(1 + u) − u) for u = 2s/(1 − s) is 2s²/(1 − s)·(1 + (1 + s)·Σ s²ᵏ⁻¹/(2k + 1)).
_ODD = tuple(1.0 / (2 * k + 1) for k in range(18, 0, -1))


class Xlogy(Special):
    """z = x·log y, and 0 where x = 0 unless y is NaN. ∂z/∂x = log y, ∂z/∂y = x/y."""

    math = r"{x} \* \log {y}"
    samples = [*_PAIRS, kink([0.0, 0.0], [2.0, 0.0], slopes=[[np.log(2), -np.inf], [0.0, 0.0]])]

    def f(m, x, y):
        return m.where((x == 0) & ~m.isnan(y), 0, x * m.log(y))

    def d(z, x, y):
        return [lambda: ops.log(y), lambda: ops.absorbing_product(x, 1 / y)]


class Xlog1py(Special):
    """z = x·log(1 + y), and 0 where x = 0 unless y is NaN.

    ∂z/∂x = log(1 + y), ∂z/∂y = x/(1 + y).
    """

    math = r"{x} \* \log(1 + {y})"
    samples = [*_PAIRS, kink([0.0, 0.0], [1.0, -1.0], slopes=[[np.log(2), -np.inf], [0.0, 0.0]])]

    def f(m, x, y):
        return m.where((x == 0) & ~m.isnan(y), 0, x * m.log1p(y))

    def d(z, x, y):
        return [lambda: ops.log1p(y), lambda: ops.absorbing_product(x, 1 / (1 + y))]


class Entr(Special):
    """y = −x·log x, 0 at x = 0 and −∞ for x < 0. ∂y/∂x = −log x − 1, ∞ at 0."""

    math = r"-{x} \* \log {x}"
    harmless = 1
    samples = [
        case((2, 3), low=0.2, high=3.0),
        edge(0.0, 1e-30, 1.0, -1.0, np.inf, np.nan),
        kink([0.0], slopes=[[np.inf]]),
    ]

    def f(m, x):
        return m.where(x == 0, 0, m.where(x < 0, -math.inf, -x * m.log(x)))

    def d(y, x):
        return [-ops.log(x) - 1]


def _log_ratio(m, x, y):
    """log(x/y) for x, y > 0: by log(1 + (x − y)/y) where x/y is near 1, without overflow."""
    ratio = x / y
    near = (ratio > 0.5) & (ratio < 2)
    extreme = (ratio == 0) | (ratio == math.inf)
    close = m.log1p(m.where(near, x - y, 0) / y)
    return m.where(near, close, m.where(extreme, m.log(x) - m.log(y), m.log(ratio)))


class LogRatio(Special):
    """z = log(x/y), without cancellation where x is near y, and 0 where x = y = 0.

    ∂z/∂x = 1/x, ∂z/∂y = −1/y. An event of probability 0 in both distributions, such as padding,
    then contributes nothing to the gradient of a divergence in x.
    """

    math = r"\log\frac{{x}}{{y}}"
    samples = [
        case((3,), (3,), low=0.5, high=3.0),
        edge(0.0, 1.0, 1e30, np.inf, inputs=2),
        kink([0.0, 0.0], [0.0, 2.0], slopes=[[0.0, np.inf], [0.0, -0.5]]),
        kink([2.0], [0.0], slopes=[[0.5], [-np.inf]]),
    ]

    def f(m, x, y):
        value = like(m, _log_ratio(m, single(m, x), single(m, y)), x)
        return m.where((x == 0) & (y == 0), 0, value)

    def d(z, x, y):
        neither = (x == 0) & (y == 0)
        return [lambda: ops.where(neither, 0, 1 / x), lambda: ops.where(neither, 0, -1 / y)]


class RelEntr(Special):
    """z = x·log(x/y), 0 for x = 0 ≤ y, else ∞ for x ≤ 0 or y ≤ 0.

    ∂z/∂x = log(x/y) + 1, ∂z/∂y = −x/y.
    """

    math = r"{x} \* \log\frac{{x}}{{y}}"
    samples = [
        *_PAIRS,
        kink([0.0, 0.0], [2.0, 0.0], slopes=[[-np.inf, 0.0], [0.0, 0.0]]),
        kink([2.0], [0.0], slopes=[[np.inf], [-np.inf]]),
    ]

    def f(m, x, y):
        inner = (x > 0) & (y > 0)
        a, b = single(m, m.where(inner, x, 1)), single(m, m.where(inner, y, 1))
        value = like(m, a * _log_ratio(m, a, b), x)
        outside = m.where((x == 0) & (y >= 0), m.zeros_like(x), math.inf)
        value = m.where(inner, value, outside)
        return m.where(m.isnan(x) | m.isnan(y), math.nan, value)

    def d(z, x, y):
        neither = (x == 0) & (y == 0)
        return [
            lambda: ops.where(neither, 0, LogRatio(x, y) + 1),
            lambda: -ops.absorbing_product(x, 1 / y),
        ]


class KlDiv(Special):
    """z = x·log(x/y) − x + y, y for x = 0 ≤ y, else ∞ for x < 0 or y ≤ 0.

    ∂z/∂x = log(x/y), ∂z/∂y = 1 − x/y = (y − x)/y. Where x is near y it is computed by a series.
    """

    math = r"{x} \* \log\frac{{x}}{{y}} - {x} + {y}"
    samples = [
        *_PAIRS,
        case(np.array([1.0, 2.0]), np.array([1.0 + 1e-7, 2.0])),
        kink(
            [0.0, 0.0, 0.0], [2.0, 0.0, np.nan], slopes=[[-np.inf, 0.0, np.nan], [1.0, 1.0, np.nan]]
        ),
        kink([2.0], [0.0], slopes=[[np.inf], [-np.inf]]),
    ]

    def f(m, x, y):
        inner = (x > 0) & (y > 0)
        a, b = single(m, m.where(inner, x, 1)), single(m, m.where(inner, y, 1))
        near = m.absolute(a - b) < 0.5 * b
        s = m.where(near, (a - b) / (a + b), 0)
        square, total = s * s, _ODD[0] + m.zeros_like(s)
        for c in _ODD[1:]:
            total = total * square + c
        close = b * (2 * square / (1 - s) * (1 + (1 + s) * (s * total)))
        value = like(m, m.where(near, close, a * _log_ratio(m, a, b) - a + b), x)
        outside = m.where((x == 0) & (y >= 0), y, math.inf)
        value = m.where(inner, value, outside)
        return m.where(m.isnan(x) | m.isnan(y), math.nan, value)

    def d(z, x, y):
        neither = (x == 0) & (y == 0)  # z = y for x = 0
        return [lambda: LogRatio(x, y), lambda: ops.where(neither, 1, (y - x) / y)]


class Logit(Special):
    """y = log(x/(1 − x)), the inverse of σ; ∓∞ at 0 and 1, NaN outside. ∂y/∂x = 1/(x(1 − x))."""

    math = r"\operatorname{logit} {x}"
    harmless = 0.5
    samples = [
        case((3,), low=0.2, high=0.8),
        edge(0.0, 1e-20, 0.5, 1.0, 1.5, -1.0, np.nan),
    ]

    def f(m, x):
        p = single(m, x)
        near = (p > 0.3) & (p < 0.65)
        s = m.where(near, 2 * p - 1, 0)  # log((1 + s)/(1 − s)) near s = 0
        return like(m, m.where(near, m.log1p(s) - m.log1p(-s), m.log(p / (1 - p))), x)

    def d(y, x):
        return [1 / (x * (1 - x))]


class Exp10(Special):
    """y = 10ˣ. ∂y/∂x = y·log 10."""

    math = "10^{{x}}"
    harmless = 0
    samples = [case((2, 3)), edge(0.0, 1e-8, 38.0, -40.0, 400.0, np.inf, -np.inf, np.nan)]

    def f(m, x):
        return m.power(m.ones_like(x) * 10, x)

    def d(y, x):
        return [y * math.log(10)]


xlogy = register(binary(Xlogy))
xlog1py = register(binary(Xlog1py))
entr = register(unary(Entr))
rel_entr = register(binary(RelEntr))
kl_div = register(binary(KlDiv))
logit = register(unary(Logit))
exp10 = register(unary(Exp10))
