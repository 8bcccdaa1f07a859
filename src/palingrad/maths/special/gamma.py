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
from .double_double import HALF_LOG_2PI, PI, Wide, cos_pi, exactly, exp, log, series, sin_pi, wide
from .zeta import bernoulli, zeta

_SHIFT = 14.0  # from here on Stirling's series with 18 terms is exact to 1e-29
_EXACT = 5  # of these terms, the rest is so small that doubles suffice


_B = bernoulli(36)
_STIRLING = [exactly(_B[2 * k] / (2 * k * (2 * k - 1))) for k in range(1, 19)]
_DIGAMMA = [exactly(_B[2 * k] / (2 * k)) for k in range(1, 19)]


def log_gamma(x: Wide) -> Wide:
    """log Γ(x) for x > 0, by Stirling's series (DLMF 5.11.1) after an upward recurrence."""
    y, product = x, wide(1.0)
    while np.any(small := y.hi < _SHIFT):
        product = product * chosen(small, y, wide(1.0))
        y = y + np.where(small, 1.0, 0.0)
    inverse = 1 / y
    tail = _tail(_STIRLING, inverse * inverse) * inverse
    return (y - 0.5) * log(y) - y + HALF_LOG_2PI + tail - log(product)


def psi(x: Wide) -> Wide:
    """ψ(x) for x > 0, by its asymptotic series (DLMF 5.11.2) after an upward recurrence."""
    y, above, below = x, wide(0.0), wide(1.0)  # Σ 1/(x + k) = above/below
    while np.any(small := y.hi < _SHIFT):
        above = chosen(small, above * y + below, above)
        below = chosen(small, below * y, below)
        y = y + np.where(small, 1.0, 0.0)
    inverse = 1 / y
    square = inverse * inverse
    return log(y) - inverse * 0.5 - _tail(_DIGAMMA, square) * square - above / below


def _tail(coefficients: list[Wide], x: Wide) -> Wide:
    rest = np.polyval([c.hi for c in coefficients[: _EXACT - 1 : -1]], x.hi)
    return series([*coefficients[:_EXACT], wide(rest)], x)


def chosen(condition: Any, a: Wide, b: Wide) -> Wide:
    """a where the condition holds, else b."""
    return Wide(np.where(condition, a.hi, b.hi), np.where(condition, a.lo, b.lo))


def sine_and_cosine(x: Array) -> tuple[Wide, Wide]:
    """(sin πr, cos πr) for r = x − ⌊x⌉, which have the ratio of (sin πx, cos πx)."""
    r = x - np.rint(x)
    far = np.abs(r) > 0.25
    near = np.where(far, 0.5 - np.abs(r), np.abs(r))
    sine, cosine = sin_pi(near), cos_pi(near)
    s, c = chosen(far, cosine, sine), chosen(far, sine, cosine)
    return chosen(r < 0, -s, s), c


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
    value = improved(value, (x > 0.4) & (x < 3), lambda x: log_gamma(wide(x)).value, x)
    return improved(value, (x < 0) & (x > -1e15) & (x != np.rint(x)), _reflected, x)


def _reflected(x: Array) -> Array:
    """log |π / (sin πx · Γ(1 − x))|."""
    sine, _ = sine_and_cosine(x)
    sine = chosen(sine.hi < 0, -sine, sine)
    return (log(PI / sine) - log_gamma(1 - wide(x))).value


def digamma(x: Array) -> Array:
    """ψ(x) = Γ′(x)/Γ(x); NaN at −1, −2, …, ∓∞ at ±0."""
    value = sc.digamma(x)
    hard = (x < 0) & (x > -1e15) & (x != np.rint(x))
    return improved(value, hard, _reflected_digamma, x)


def _reflected_digamma(x: Array) -> Array:
    """ψ(1 − x) − π cot πx."""
    sine, cosine = sine_and_cosine(x)
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
    sine, cosine = sine_and_cosine(np.where(whole, 0.5, x))
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
        return improved(value, inner, lambda x, h: (psi(wide(x) + h) - psi(wide(x))).value, x, h)
    return improved(value, np.abs(h) < 0.05 * x, lambda x, h: _taylor_step(x, h, n), x, h)


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
    return log_gamma(wide(a)) + log_gamma(wide(b)) - log_gamma(wide(a) + b)


def _log_beta_far(a: Array, b: Array) -> Wide:
    """log Γ(a) − a log b, for the smaller a."""
    small, large = np.minimum(a, b), np.maximum(a, b)
    return log_gamma(wide(small)) - log(wide(large)) * small


def betaln(a: Array, b: Array) -> Array:
    """log |B(a, b)|."""
    near, far = _beta_case(a, b)
    value = improved(sc.betaln(a, b), near, lambda a, b: _log_beta(a, b).value, a, b)
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
    return exp(log_gamma(wide(x) + n) - log_gamma(wide(x))).value


def binom(n: Array, k: Array) -> Array:
    """Γ(n + 1)/(Γ(k + 1) Γ(n − k + 1))."""
    n, k = np.broadcast_arrays(n, k)
    near = (k > -1) & (n - k > -1) & (n > -1) & (n < 1e18)
    return improved(sc.binom(n, k), near, _binomial, n, k)


def _binomial(n: Array, k: Array) -> Array:
    top, rest = wide(n) + 1, wide(n) - k + 1
    return exp(log_gamma(top) - log_gamma(wide(k) + 1) - log_gamma(rest)).value
