"""The gamma function and its relatives, on arrays of doubles.

SciPy's values are used where they are within a few units in the last place; where sums cancel (near
zeros, differences of log-gammas) the same formulas are evaluated in double-double arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sc  # pyright: ignore[reportMissingTypeStubs]

from ...dtypes import Array
from .double_double import (
    HALF_LOG_2PI,
    PI,
    Wide,
    apart,
    cos_pi,
    exactly,
    exp,
    log,
    series,
    sin_pi,
    stacked,
    wide,
)
from .zeta import bernoulli, zeta

_SHIFT = 14.0  # from here on Stirling's series with 18 terms is exact to 1e-29
_EXACT = 5  # of these terms, the rest is so small that doubles suffice


_B = bernoulli(36)
_STIRLING = [exactly(_B[2 * k] / (2 * k * (2 * k - 1))) for k in range(1, 19)]
_DIGAMMA = [exactly(_B[2 * k] / (2 * k)) for k in range(1, 19)]


def log_gamma(x: Wide) -> Wide:
    """log Γ(x) for x > 0, by Stirling's series (DLMF 5.11.1) after an upward recurrence."""
    y, _, factors = _raised(x)
    while len(factors.hi) > 1:
        first, second = _halves(factors)
        factors = first * second
    log_y, log_product = apart(log(stacked(y, *apart(factors))))
    return _stirling(y, 1 / y, log_y) - log_product


def psi(x: Wide) -> Wide:
    """ψ(x) for x > 0, by its asymptotic series (DLMF 5.11.2) after an upward recurrence."""
    y, above, below = _sum_of(*_raised(x))
    return _asymptotic(1 / y, log(y)) - above / below


def log_gamma_and_psi(x: Wide) -> tuple[Wide, Wide]:
    """Both, with one recurrence and one logarithm."""
    y, above, below = _sum_of(*_raised(x))
    inverse = 1 / y
    log_y, log_product = apart(log(stacked(y, below)))
    log_gamma = _stirling(y, inverse, log_y) - log_product
    return log_gamma, _asymptotic(inverse, log_y) - above / below


def _stirling(y: Wide, inverse: Wide, log_y: Wide) -> Wide:
    tail = _tail(_STIRLING, inverse * inverse) * inverse
    return (y - 0.5) * log_y - y + HALF_LOG_2PI + tail


def _asymptotic(inverse: Wide, log_y: Wide) -> Wide:
    square = inverse * inverse
    return log_y - inverse * 0.5 - _tail(_DIGAMMA, square) * square


def _raised(x: Wide) -> tuple[Wide, Wide, Wide]:
    """y = x + n ≥ 14 with a least integer n ≥ 0, and fractions 1/(x + k) for k < n, 0/1 after them,
    as numerators and denominators whose first axis has size 16."""
    n = np.ceil(np.clip(_SHIFT - x.hi, 0.0, _SHIFT))
    k = np.arange(16.0).reshape(16, *[1] * np.ndim(n))
    zero, one = wide(0.0), wide(1.0)
    return x + n, chosen(k < n, one, zero), chosen(k < n, x + k, one)


def _sum_of(y: Wide, above: Wide, below: Wide) -> tuple[Wide, Wide, Wide]:
    """y, and the sum of the fractions, whose denominator is the product of theirs."""
    while len(below.hi) > 1:
        (a, c), (b, d) = _halves(above), _halves(below)
        above, below = a * d + c * b, b * d
    return y, apart(above)[0], apart(below)[0]


def _halves(x: Wide) -> tuple[Wide, Wide]:
    """The first and the second half along the first axis."""
    half = len(x.hi) // 2
    return Wide(x.hi[:half], x.lo[:half]), Wide(x.hi[half:], x.lo[half:])


def _tail(coefficients: list[Wide], x: Wide) -> Wide:
    rest = np.polyval([c.hi for c in coefficients[: _EXACT - 1 : -1]], x.hi)
    return series([*coefficients[:_EXACT], wide(rest)], x)


def chosen(condition: Any, a: Wide, b: Wide) -> Wide:
    """a where the condition holds, else b."""
    return Wide(np.where(condition, a.hi, b.hi), np.where(condition, a.lo, b.lo))


def sine_and_cosine(x: Wide) -> tuple[Wide, Wide]:
    """(sin πr, cos πr) for r = x − ⌊x⌉, which have the ratio of (sin πx, cos πx)."""
    r = x - np.rint(x.hi)
    size = chosen(r.hi < 0, -r, r)
    far = size.hi > 0.25
    near = chosen(far, 0.5 - size, size)
    sine, cosine = sin_pi(near), cos_pi(near)
    s, c = chosen(far, cosine, sine), chosen(far, sine, cosine)
    return chosen(r.hi < 0, -s, s), c


def improved(value: Array, where: Array, better: Callable[..., Array], *x: Array) -> Array:
    """`value`, with better(*x) at the elements of the mask `where`."""
    if not where.any():
        return value
    result = np.array(value)
    whole = [np.broadcast_to(one, where.shape)[where] for one in x]
    result[where] = better(*whole)
    return result


# ---------------------------------------------------------------- functions


def gammaln(x: Array) -> Array:
    """log |Γ(x)|; ∞ at the poles 0, −1, −2, … and at ±∞."""
    value = sc.gammaln(x)
    value = improved(value, (x > 0.5) & (x < 3), _near_zeros, x)
    return improved(value, (x < 0) & (x > -1e15) & (x != np.rint(x)), _reflected, x)


_NEAR_TWO = [-float(sc.zetac(k)) / k * (-1) ** (k + 1) for k in range(2, 56)]
_SLOPE_AT_TWO = 0.42278433509846713  # 1 − γ


def _near_zeros(x: Array) -> Array:
    """By the series of log Γ(2 + z) = (1 − γ)z + Σ (ζ(k) − 1)(−z)ᵏ/k, |z| ≤ 1, DLMF 5.7.3."""
    low = x < 1.25
    z = np.where(low, x - 1, x - 2)
    total = z * (_SLOPE_AT_TWO + z * np.polynomial.polynomial.polyval(z, _NEAR_TWO))
    return np.where(low, total - np.log1p(np.where(low, z, 0.0)), total)


def _reflected(x: Array) -> Array:
    """log |π / (sin πx · Γ(1 − x))|."""
    sine, _ = sine_and_cosine(wide(x))
    sine = chosen(sine.hi < 0, -sine, sine)
    return (log(PI / sine) - log_gamma(1 - wide(x))).value


def digamma(x: Array) -> Array:
    """ψ(x) = Γ′(x)/Γ(x); NaN at −1, −2, …, ∓∞ at ±0."""
    value = sc.digamma(x)
    hard = (x < 0) & (x > -1e15) & (x != np.rint(x))
    return improved(value, hard, _reflected_digamma, x)


def _reflected_digamma(x: Array) -> Array:
    """ψ(1 − x) − π cot πx."""
    sine, cosine = sine_and_cosine(wide(x))
    return (psi(1 - wide(x)) - PI * cosine / sine).value


def polygamma(x: Array, n: int) -> Array:
    """ψ⁽ⁿ⁾(x), the derivative of order n ≥ 0 of ψ; at 0, −1, … ∞ for odd n and else NaN."""
    if n == 0:
        return digamma(x)
    sign = 1.0 if n % 2 else -1.0
    value = sign * float(sc.gamma(n + 1.0)) * zeta(np.full_like(x, n + 1.0), x)
    return improved(value, (x <= 0) & np.isfinite(x), lambda x: _reflected_polygamma(x, n), x)


def _reflected_polygamma(x: Array, n: int) -> Array:
    """(−1)ⁿψ⁽ⁿ⁾(1 − x) − π dⁿ/dxⁿ cot πx, DLMF 5.15.6."""
    whole = x == np.rint(x)
    sine, cosine = sine_and_cosine(wide(np.where(whole, 0.5, x)))
    cot = cosine.hi / sine.hi
    # dⁿ/dxⁿ cot πx = πⁿ·P(cot πx), where P′ ↦ −(1 + c²)·P′.
    polynomial = np.polynomial.Polynomial([0.0, 1.0])
    for _ in range(n):
        polynomial = np.polynomial.Polynomial([-1.0, 0.0, -1.0]) * polynomial.deriv()
    slope = math.pi ** (n + 1) * polynomial(cot)
    y = (1.0 if n % 2 == 0 else -1.0) * polygamma(1 - x, n) - slope
    pole = np.inf if n % 2 else np.nan
    return np.where(whole, pole, y)


def polygamma_step(x: Array, h: Array, n: int) -> Array:
    """ψ⁽ⁿ⁾(x + h) − ψ⁽ⁿ⁾(x); where h is small compared with x > 0, by Taylor's series."""
    x, h = np.broadcast_arrays(x, h)
    value = polygamma(x + h, n) - polygamma(x, n)
    if n == 0:
        inner = (x > 1e-290) & (x + h > 1e-290) & (np.maximum(x, h) < 1e18)
        size = np.maximum(np.abs(digamma(x + h)), np.abs(digamma(x)))
        return improved(value, inner & (size > 3 * np.abs(value)), _psi_step, x, h)
    return improved(value, np.abs(h) < 0.05 * x, lambda x, h: _taylor_step(x, h, n), x, h)


def _psi_step(x: Array, h: Array) -> Array:
    above, here = apart(psi(stacked(wide(x) + h, wide(x))))
    return (above - here).value


def _taylor_step(x: Array, h: Array, n: int) -> Array:
    total = np.zeros_like(x)
    for k in range(14, 0, -1):
        total = (polygamma(x, n + k) + total) * h / k
    return total


def gamma(x: Array) -> Array:
    """Γ(x); NaN at −1, −2, …, ±∞ at ±0."""
    return sc.gamma(x)


def rgamma(x: Array) -> Array:
    """1/Γ(x); 0 at 0, −1, −2, …."""
    return sc.rgamma(x)


# ---------------------------------------------------------------- beta


def _beta_case(a: Array, b: Array) -> tuple[Array, Array]:
    """Where log B is computed in double-double arithmetic, and where from its limit for b ≫ a."""
    small, large = np.minimum(a, b), np.maximum(a, b)
    positive = (small > 1e-290) & (large < np.inf)
    far = positive & (large > 1e15) & (small < large * 1e-17)
    return positive & ~far & (large < 1e18), far


def _log_beta(a: Array, b: Array) -> Wide:
    of_a, of_b, of_both = apart(log_gamma(stacked(wide(a), wide(b), wide(a) + b)))
    return of_a + of_b - of_both


def _log_beta_far(a: Array, b: Array) -> Wide:
    """log Γ(a) − a log b, for the smaller a."""
    small, large = np.minimum(a, b), np.maximum(a, b)
    return log_gamma(wide(small)) - log(wide(large)) * small


def betaln(a: Array, b: Array) -> Array:
    """log |B(a, b)|."""
    a, b = np.broadcast_arrays(a, b)
    near, far = _beta_case(a, b)
    parts = gammaln(a), gammaln(b), gammaln(a + b)
    value = np.where(near, parts[0] + parts[1] - parts[2], sc.betaln(a, b))
    slip = np.abs((a + b) * sc.digamma(a + b))  # by which the rounding of a + b is multiplied
    size = np.maximum.reduce([np.abs(part) for part in (*parts, slip)])
    hard = near & ~(size < 3 * np.abs(value))  # where the sum cancels
    value = improved(value, hard, lambda a, b: _log_beta(a, b).value, a, b)
    return improved(value, far, lambda a, b: _log_beta_far(a, b).value, a, b)


def beta(a: Array, b: Array) -> Array:
    """B(a, b) = Γ(a)Γ(b)/Γ(a + b)."""
    near, far = _beta_case(a, b)
    value = improved(sc.beta(a, b), near, lambda a, b: exp(_log_beta(a, b)).value, a, b)
    return improved(value, far, lambda a, b: exp(_log_beta_far(a, b)).value, a, b)


def poch(x: Array, n: Array) -> Array:
    """Γ(x + n)/Γ(x), the rising factorial."""
    x, n = np.broadcast_arrays(x, n)
    near = (x > 1e-290) & (x + n > 1e-290) & (np.maximum(x, x + n) < 1e18)
    return improved(sc.poch(x, n), near, _ratio, x, n)


def _ratio(x: Array, n: Array) -> Array:
    above, here = apart(log_gamma(stacked(wide(x) + n, wide(x))))
    return exp(above - here).value


def binom(n: Array, k: Array) -> Array:
    """Γ(n + 1)/(Γ(k + 1) Γ(n − k + 1))."""
    n, k = np.broadcast_arrays(n, k)
    near = (k > -1) & (n - k > -1) & (n > -1) & (n < 1e18)
    value = improved(sc.binom(n, k), near, _binomial, n, k)
    beyond = (n > -1) & (k - n > 1) & (k < 1e15) & (k - n != np.rint(k - n))
    return improved(value, beyond, _binomial_beyond, n, k)


def _binomial(n: Array, k: Array) -> Array:
    top, rest = wide(n) + 1, wide(n) - k + 1
    of_n, of_k, of_rest = apart(log_gamma(stacked(top, wide(k) + 1, rest)))
    return exp(of_n - of_k - of_rest).value


def _binomial_beyond(n: Array, k: Array) -> Array:
    """Γ(n + 1)Γ(k − n)·sin(π(k − n))/(π·Γ(k + 1)) for k > n + 1, by reflection."""
    gap = wide(k) - n
    sine, _ = sine_and_cosine(gap)
    sign = 1 - 2 * np.abs(np.mod(np.rint(gap.hi), 2))
    of_n, of_gap, of_k = apart(log_gamma(stacked(wide(n) + 1, gap, wide(k) + 1)))
    return (exp(of_n + of_gap - of_k) * sine / PI).value * sign
