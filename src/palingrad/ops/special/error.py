"""Relatives of the error function: its scaled form and inverses, and the normal distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...graph.describe.notation import applied
from ...graph.functions import unary
from ...graph.registry import ops, register
from ...graph.samples import case, edge, kink
from ...maths.numpy import ERF_SMALL, ERFC_LARGE, ERFC_MIDDLE, rational
from .base import Special, like, single

_ROOT = math.sqrt(0.5)
_SQRT_PI = math.sqrt(math.pi)
_SQRT_2PI = math.sqrt(2 * math.pi)
_SPLIT = 0.46875  # where Cody's approximations of erf and erfc meet
_UNIT = [case((3,), low=-0.9, high=0.9), edge(0.0, 1e-10, 0.999, 1.0, -1.0, 1.5, np.nan)]
_SHARE = [case((3,), low=0.2, high=0.8), edge(0.0, 1e-10, 0.5, 1.0, 1.5, -1.0, np.nan)]
_FAR = [
    case((3,)),
    case((3,), low=-60, high=-20),
    edge(0.0, 6.0, -6.0, 40.0, -1e5, np.inf, np.nan),
    kink([np.inf], slopes=[[0.0]]),
]
_TAILS = edge(0.0, 1e-8, 6.0, -6.0, 20.0, -20.0, 1000.0, -1000.0, np.inf, -np.inf, np.nan)


def _polynomial(coefficients: Any, x: Any) -> Any:
    """Horner's scheme; the first coefficient is that of the highest power."""
    total = coefficients[0] * x + coefficients[1]
    for c in coefficients[2:]:
        total = total * x + c
    return total


def _rational(x: Any, table: Any) -> Any:
    if type(x) is np.ndarray:
        return rational(x, table)
    return _polynomial(table[0], x) / _polynomial(table[1], x)


def _slope(m, x):
    """erf(x)/x for |x| ≤ 0.46875 (Cody 1969)."""
    return _rational(m.minimum(x * x, 0.25), ERF_SMALL)


def _outer(m, x):
    """e^x²·erfc x for x ≥ 0.46875 (Cody 1969)."""
    centre = _rational(m.minimum(x, 4.0), ERFC_MIDDLE)
    large = m.maximum(x, 4.0)
    inverse = 1 / large / large
    tail = (1 / _SQRT_PI - inverse * _rational(inverse, ERFC_LARGE)) / large
    return m.where(x <= 4.0, centre, tail)


def _scaled(m, x):
    """e^x²·erfc x for x ≥ 0."""
    small = m.exp(m.minimum(x * x, 0.25)) * (1 - x * _slope(m, x))
    return m.where(x <= _SPLIT, small, _outer(m, x))


def _bell(m, x):
    """e^−½x² of x split in two, so that the rounding of x² isn't amplified."""
    size = m.minimum(m.absolute(x), 60.0)
    coarse = m.trunc(size * 16) / 16
    return m.exp(-0.5 * coarse * coarse) * m.exp(-0.5 * (size - coarse) * (size + coarse))


class Bell(Special):
    """y = e^−½x². ∂y/∂x = −x·y."""

    math = r"e^{-{x}^2/2}"
    stays_finite = True
    samples = [case((3,)), _TAILS, kink([np.inf, -np.inf], slopes=[[0.0, 0.0]])]

    def f(m, x):
        return _bell(m, x)

    def d(y, x):
        return [-ops.where(ops.abs(x) > 60, 0, x) * y]  # beyond 60, y is 0


class Erfcx(Special):
    """y = e^x²·erfc x, which decreases like 1/(x√π). ∂y/∂x = −2·e^x²·i¹erfc x.

    The slope 2xy − 2/√π would cancel for large x.
    """

    math = r"\operatorname{erfcx} {x}"
    harmless = 0
    samples = [case((3,)), case((3,), low=3, high=30), edge(0.0, -5.0, 1e10, -np.inf, np.nan)]

    def f(m, x):
        wide = single(m, x)
        size = m.absolute(wide)
        coarse = m.trunc(m.minimum(size, 30.0) * 16) / 16
        growth = m.exp(coarse * coarse) * m.exp((size - coarse) * (size + coarse))
        scaled = _scaled(m, size)
        return like(m, m.where(wide < 0, 2 * growth - scaled, scaled), x)

    def d(y, x):
        return [-2 * ErfcxIntegral(x, n=1)]


class ErfcxIntegral(Special):
    """y = Eₙ(x) = e^x²·iⁿerfc x, for the n-fold integral of erfc from x to ∞ (DLMF 7.18).

    ∂y/∂x = −2(n + 1)·Eₙ₊₁(x).
    """

    math = r"e^{{x}^2} i^n\operatorname{erfc} {x}"
    harmless = 0
    samples = [case((3,), n=1), case((3,), low=3, high=30, n=2), edge(0.0, 1e5, np.nan, n=1)]

    def f(m, x, *, n):
        return m.erfcx_integral(x, n)

    def notation(y, x):
        return applied(rf"\operatorname{{i}}^{{{y.n}}}\operatorname{{erfcx}}", [x])

    def d(y, x):
        return [-2 * (y.n + 1) * ErfcxIntegral(x, n=y.n + 1)]


class Erfinv(Special):
    """y with erf y = x; ±∞ at ±1, NaN for |x| > 1. ∂y/∂x = ½√π·e^y²."""

    math = r"\operatorname{erf}^{-1} {x}"
    harmless = 0
    samples = _UNIT

    def f(m, x):
        return m.erfinv(x)

    def d(y, x):
        return [_SQRT_PI / 2 * ops.exp(y * y)]


class Erfcinv(Special):
    """y with erfc y = x; ∞ at 0, −∞ at 2, NaN outside [0, 2]. ∂y/∂x = −½√π·e^y²."""

    math = r"\operatorname{erfc}^{-1} {x}"
    harmless = 1
    samples = [case((3,), low=0.1, high=1.9), edge(0.0, 1e-30, 1.0, 2.0, 2.5, -1.0, np.nan)]

    def f(m, x):
        return m.erfcinv(x)

    def d(y, x):
        return [-_SQRT_PI / 2 * ops.exp(y * y)]


class Ndtr(Special):
    """y = Φ(x) = ½·erfc(−x/√2), the normal distribution function. ∂y/∂x = φ(x) = e^−½x²/√2π."""

    math = r"\Phi({x})"
    stays_finite = True
    samples = [case((3,)), _TAILS]

    def f(m, x):
        z = single(m, x)
        t = z * _ROOT
        tail = 0.5 * _bell(m, z) * _outer(m, m.absolute(t))
        centre = 0.5 + 0.5 * t * _slope(m, t)
        return like(m, m.where(t < -_SPLIT, tail, m.where(t > _SPLIT, 1 - tail, centre)), x)

    def d(y, x):
        return [Bell(x) / _SQRT_2PI]


class LogNdtr(Special):
    """y = log Φ(x), also where Φ(x) underflows. ∂y/∂x = φ(x)/Φ(x)."""

    math = r"\log\Phi({x})"
    harmless = 0
    samples = _FAR

    def f(m, x):
        z = single(m, x)
        t = z * _ROOT
        outer = _outer(m, m.absolute(t))
        lower = m.log(0.5 * outer) - 0.5 * z * z
        tail = -0.5 * _bell(m, z) * outer
        centre = 0.5 * t * _slope(m, t) - 0.5
        upper = m.log1p(m.where(m.absolute(t) <= _SPLIT, centre, tail))
        return like(m, m.where(t < -_SPLIT, lower, upper), x)

    def d(y, x):
        return [InverseMills(x)]


class InverseMills(Special):
    """y = φ(x)/Φ(x), the inverse Mills ratio of −x, which is close to −x for large −x.

    ∂y/∂x = −y·(x + y), which for x < 0 is −√π·y²·e^u²·i¹erfc u, u = −x/√2, without cancellation.
    Its derivatives would cancel far out: for x < −30 that is `InverseMillsTail`.
    """

    math = r"\frac{\varphi({x})}{\Phi({x})}"
    harmless = 0
    samples = [*_FAR, case((3,), low=-29, high=-20)]

    def f(m, x):
        z = single(m, x)
        scaled, bell = _scaled(m, m.absolute(z) * _ROOT), _bell(m, z)
        lower = math.sqrt(2 / math.pi) / scaled
        upper = bell / _SQRT_2PI / (1 - 0.5 * bell * scaled)
        return like(m, m.where(z < 0, lower, upper), x)

    def d(y, x):
        low, far = x < 0, x < -30
        left = ops.where(low, ops.where(far, 0, x), 0)
        right = ops.where(x > 60, 0, x)  # beyond 60, y is 0
        curved = y * (y * ErfcxIntegral(left * -_ROOT, n=1))
        near = -ops.where(low, _SQRT_PI * curved, y * (right + y))
        return [ops.where(far, InverseMillsTail(ops.where(far, x, -60), n=1), near)]


class InverseMillsTail(Special):
    """y = dⁿ/dxⁿ φ(x)/Φ(x) for x ≤ −30, n ≥ 1. ∂y/∂x is that of order n + 1.

    φ/Φ ~ t + Σ cₖ·t¹⁻²ᵏ, t = −x, where 1/(1 + Σ cₖsᵏ) = Σ (−1)ᵏ(2k − 1)!!·sᵏ (DLMF 7.12), is
    differentiated term by term.
    """

    math = r"\left(\frac{\varphi}{\Phi}\right)^{(n)}({x})"
    harmless = -60
    samples = [
        case((3,), low=-90, high=-30, n=1),
        case((3,), low=-90, high=-30, n=3),
        edge(-30.0, -1e5, -1e30, -np.inf, np.nan, n=2),
    ]

    def f(m, x, *, n):
        inverse = -1 / single(m, x)
        power = inverse
        for _ in range(n):
            power = power * inverse
        y = power * _polynomial(_mills_tail(n), inverse * inverse)
        return like(m, y - 1 if n == 1 else y, x)

    def notation(y, x):
        return applied(rf"\left(\frac{{\varphi}}{{\Phi}}\right)^{{({y.n})}}", [x])

    def d(y, x):
        return [InverseMillsTail(x, n=y.n + 1)]


def _mills_tail(n: int, terms: int = 12) -> list[float]:
    """cₖ·(2k − 1)·2k·…·(2k + n − 2), of which the last is c₁'s: the factors of t¹⁻²ᵏ⁻ⁿ."""
    odd = [(-1) ** k * math.prod(range(1, 2 * k, 2)) for k in range(terms + 1)]
    c = [1]
    for k in range(1, terms + 1):
        c.append(-sum(odd[j] * c[k - j] for j in range(1, k + 1)))
    slopes = (c[k] * math.prod(range(2 * k - 1, 2 * k + n - 1)) for k in range(terms, 0, -1))
    return [float(one) for one in slopes]


class Ndtri(Special):
    """y with Φ(y) = x; −∞ at 0, ∞ at 1, NaN outside [0, 1]. ∂y/∂x = √2π·e^½y²."""

    math = r"\Phi^{-1}({x})"
    harmless = 0.5
    samples = _SHARE

    def f(m, x):
        return m.ndtri(x)

    def d(y, x):
        return [_SQRT_2PI * ops.exp(0.5 * y * y)]


erfcx = register(unary(Erfcx))
erfinv = register(unary(Erfinv))
erfcinv = register(unary(Erfcinv))
ndtr = register(unary(Ndtr))
log_ndtr = register(unary(LogNdtr))
ndtri = register(unary(Ndtri))
