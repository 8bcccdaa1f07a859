"""The regularised incomplete gamma and beta functions and their derivatives in the parameters.

Each is a power, computed in double-double arithmetic, times a series or a continued fraction with
coefficients that are rational in the parameters; the derivatives are those of these expressions,
evaluated on Taylor polynomials (`jets.py`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sc  # pyright: ignore[reportMissingTypeStubs]

from ...dtypes import Array
from . import jets
from .double_double import apart, exp, log, stacked, wide
from .gamma import betaln, gammaln, improved, log_gamma, log_gamma_and_psi, polygamma, psi
from .huge import HUGE, beta_power, gamma_power, log_ratio

# ---------------------------------------------------------------- gamma

_NEAR = 0.6  # below it, the continued fraction of Q converges slowly
_TINY = 1e-290  # below it, a/x may overflow and double-double arithmetic lose digits
_LEAST = 1e-307  # below it, powers lose digits
_LARGE = 20_000.0  # above it, series and continued fraction take more steps than an integral


def gamma_tail(a: Array, x: Array, upper: bool, order: int) -> Array:
    """∂ⁿ/∂aⁿ of P(a, x), or of Q(a, x) if `upper`, for n = order."""
    a, x = np.broadcast_arrays(a, x)
    if order:
        result = np.full(a.shape, np.nan)
        result[(a > 0) & np.isfinite(a) & ((x == 0) | (x == np.inf))] = 0.0
    else:
        result = np.array((sc.gammaincc if upper else sc.gammainc)(a, x))
    inner = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    below = inner & ((x <= a) | (x <= _NEAR))
    if order == 0 and upper:  # Q isn't computed from the rounded P; for tiny a by SciPy's series
        near = below & (x <= _NEAR)
        below &= ~near
        result = improved(result, near & (a > 1e-13) & (x > 1e-290), _upper_near, a, x)
    large = a > _LARGE
    above = inner & (x > a) & (x > _NEAR)
    for mask, part, of_q in (
        (below & ~large, _lower, False),
        (above & ~large, _upper, True),
        (below & large, _integral, False),
        (above & large, _integral, True),
    ):
        if mask.any():
            value = part(a[mask], x[mask], order)
            if of_q != upper:
                value = (1.0 - value) if order == 0 else -value
            result[mask] = value
    return result


def _power(a: Array, x: Array, order: int) -> Array:
    """xᵃ e⁻ˣ / Γ(a + 1) as a polynomial in a."""
    result = np.empty((order + 1, 1, *a.shape))
    for mask, part in ((a <= HUGE, _usual_power), (a > HUGE, gamma_power)):
        if mask.any():
            result[..., mask] = part(a[mask], x[mask], order)
    return result


def _usual_power(a: Array, x: Array, order: int) -> Array:
    whole = wide(a) + 1
    logarithm = log(wide(x))
    slopes = jets.constant(np.zeros_like(a), order, 0)
    if order:
        slopes[1, 0] = (logarithm - psi(whole)).value
    for k in range(2, order + 1):
        slopes[k, 0] = -polygamma(a + 1, k - 1) / math.factorial(k)
    return exp(logarithm * a - x - log_gamma(whole)).value * jets.exp(slopes)


def _lower(a: Array, x: Array, order: int) -> Array:
    """P by its series Σ xⁿ/((a + 1)…(a + n)), DLMF 8.7.1, from the end by Horner's scheme."""
    divisor = jets.constant(a, order, 0)
    if order:
        divisor[1, 0] = 1.0
    total = one = jets.constant(np.ones_like(a), order, 0)
    for n in range(int(np.max(25 + 9.5 * np.sqrt(a))), 0, -1):
        total = one + jets.over(total * x, divisor + n * one)
    return math.factorial(order) * jets.times(_power(a, x, order), total)[order, 0]


def _upper_near(a: Array, x: Array) -> Array:
    """Q = 1 − P for small x, with the series of P in double-double arithmetic."""
    total = wide(1.0)
    for n in range(26, 0, -1):
        total = 1 + total * x / (wide(a) + float(n))
    power = exp(log(wide(x)) * a - x - log_gamma(wide(a) + 1))
    return (1 - power * total).value


def _upper(a: Array, x: Array, order: int) -> Array:
    """Q by its continued fraction, DLMF 8.9.2, evaluated from the end."""
    count = int(np.max(40 + 100 / x + 9 * np.sqrt(a)))
    step = jets.constant(np.zeros_like(a), order, 0)
    if order:
        step[1, 0] = 1.0
    a_jet = step.copy()
    a_jet[0, 0] = a
    fraction = jets.constant(x + (2 * count + 1), order, 0) - a_jet
    for k in range(count, 0, -1):
        numerator = jets.constant(np.full_like(a, float(k)), order, 0) - a_jet
        start = jets.constant(x + (2 * k - 1), order, 0) - a_jet
        fraction = start - jets.over(k * numerator, fraction)
    scale = jets.times(_power(a, x, order), a_jet)  # Γ(a + 1) = a Γ(a)
    return math.factorial(order) * jets.over(scale, fraction)[order, 0]


def _integral(a: Array, x: Array, order: int) -> Array:
    """The smaller tail of the density tᵃ⁻¹ e⁻ᵗ/Γ(a) by Gauss's quadrature, for large a.

    From x to where the density has decreased to e⁻⁴⁸ of what it is at x; v = t/x − 1 is small.
    """
    gap = (a - x) - 1.0  # in this order no digits of x − a are lost
    steep, curved = np.abs(gap) / x, a / x / x / 2
    length = 96 / (steep + np.sqrt(steep * steep + 4 * 48 * curved)) * np.where(x > a, 1.0, -1.0)
    nodes, weights = np.polynomial.legendre.leggauss(80)
    v = (nodes[:, None] + 1) / 2 * (length / x)
    bend = v * v * np.polyval([(-1.0) ** (k + 1) / k for k in range(24, 1, -1)], v)
    fall = np.exp((a - 1) * bend + gap * v)  # the density divided by that at x
    first = _power(a, x, 0)[0, 0] * a / x * np.abs(length) / 2
    slopes = jets.constant(np.zeros_like(v), order, 0)
    if order:
        usual = (log(wide(x)) - psi(wide(a))).value
        slopes[1, 0] = np.where(a > HUGE, log_ratio(a, x) + 0.5 / a, usual) + np.log1p(v)
    for k in range(2, order + 1):
        slopes[k, 0] = -polygamma(a, k - 1) / math.factorial(k)
    parts = jets.exp(slopes)[order, 0] * fall
    return math.factorial(order) * first * np.tensordot(weights, parts, 1)


def gamma_density(a: Array, x: Array) -> Array:
    """xᵃ⁻¹e⁻ˣ/Γ(a)."""
    a, x = np.broadcast_arrays(a, x)
    ends = np.where(a < 1, np.inf, np.where(a == 1, 1.0, 0.0))
    result = np.where(x == 0, ends, np.where((x == np.inf) | (x < 0), 0.0, np.nan))
    result = np.where((a > 0) & (a < np.inf) & ~np.isnan(x), result, np.nan)
    inner = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    result = improved(result, inner, lambda a, x: _power(a, x, 0)[0, 0] * (a / x), a, x)
    lost = inner & (x < 1) & ~((x > _TINY) & (result * (x / a) > _LEAST))
    return improved(result, lost, lambda a, x: np.exp((a - 1) * np.log(x) - x - gammaln(a)), a, x)


# ---------------------------------------------------------------- beta

_MOST = 1e7  # of the smaller parameter: the continued fraction has 4·√min(a, b) terms
_TOGETHER = 2**12  # elements of terms of a continued fraction that are computed at once


def beta_tail(a: Array, b: Array, x: Array, upper: bool, i: int, j: int) -> Array:
    """∂ⁱ⁺ʲ/∂aⁱ∂bʲ of I(x; a, b), or of 1 − I if `upper`."""
    a, b, x = np.broadcast_arrays(a, b, x)
    if i or j:
        result = np.full(a.shape, np.nan)
        result[(a > 0) & (b > 0) & ((x == 0) | (x == 1))] = 0.0
    else:
        result = np.array((sc.betaincc if upper else sc.betainc)(a, b, x))
    inner = (a > 0) & (b > 0) & (x > 0) & (x < 1) & np.isfinite(a) & np.isfinite(b)
    inner &= np.minimum(a, b) < _MOST
    if not (i or j):
        inner &= np.maximum(a, b) <= HUGE
    if not inner.any():
        return result
    a, b, x = a[inner], b[inner], x[inner]
    swap = x > (a + 1) / (a + b + 2)
    of_a, of_b = jets.constant(a, i, j), jets.constant(b, i, j)
    if i:
        of_a[1, 0] = 1.0
    if j:
        of_b[0, 1] = 1.0
    y, gap = 1 - x, of_a * (1 - x) - of_b * x
    gap[0, 0] = ((1 - wide(x)) * a - wide(x) * b).value
    fraction = _beta_fraction(
        np.where(swap, of_b, of_a),
        np.where(swap, of_a, of_b),
        np.where(swap, y, x),
        np.where(swap, x, y),
        np.where(swap, -gap, gap),
    )
    value = jets.over(_beta_power(a, b, x, i, j), fraction)
    value = math.factorial(i) * math.factorial(j) * value[i, j]
    turn = swap != upper
    value = np.where(turn, (0.0 if i or j else 1.0) - value, value)
    # For tiny a or b both tails may be small where one is computed from the other: SciPy's series.
    lost = turn & (value < 0.3) & (np.minimum(a, b) < 1) if not (i or j) else np.zeros_like(turn)
    result[inner] = np.where(lost, result[inner], value)
    return result


def _beta_power(a: Array, b: Array, x: Array, i: int, j: int) -> Array:
    """xᵃ (1 − x)ᵇ / B(a, b) as a polynomial in a and b."""
    result = np.empty((i + 1, j + 1, *a.shape))
    far = (np.maximum(a, b) > HUGE) & (np.minimum(a, b) < _MOST)
    for mask, part in ((~far, _usual_beta_power), (far, beta_power)):
        if mask.any():
            result[..., mask] = part(a[mask], b[mask], x[mask], i, j)
    return result


def _usual_beta_power(a: Array, b: Array, x: Array, i: int, j: int) -> Array:
    log_x, log_y = apart(log(stacked(wide(x), 1 - wide(x))))
    both = wide(a) + b
    three = stacked(wide(a), wide(b), both)
    slopes = jets.constant(np.zeros_like(a), i, j)
    if i or j:
        logarithms, digammas = map(apart, log_gamma_and_psi(three))
        of_a, of_b, total = digammas
        if i:
            slopes[1, 0] = (log_x - of_a + total).value
        if j:
            slopes[0, 1] = (log_y - of_b + total).value
    else:
        logarithms = apart(log_gamma(three))
    for m in range(i + 1):
        for n in range(j + 1):
            if m + n > 1:
                order = m + n - 1
                slope = polygamma(both.value, order)
                slope = slope - (polygamma(a, order) if n == 0 else 0.0)
                slope = slope - (polygamma(b, order) if m == 0 else 0.0)
                slopes[m, n] = slope / (math.factorial(m) * math.factorial(n))
    of_a, of_b, total = logarithms
    power = log_x * a + log_y * b + total - of_a - of_b
    return exp(power).value * jets.exp(slopes)


def _beta_fraction(a: Array, b: Array, x: Array, y: Array, gap: Array) -> Array:
    """The continued fraction β₀ + α₁/(β₁ + α₂/(β₂ + …)) for y = 1 − x and the gap λ = ay − bx.

    DiDonato & Morris, "Algorithm 708", ACM TOMS 18 (1992), equation 9, evaluated from the end.
    """
    least, most = np.minimum(a[0, 0], b[0, 0]), np.maximum(a[0, 0], b[0, 0])
    # Where one parameter is below 1 and the other large, it converges slowly beside the mean.
    slow = (least < 1) & (most > 20)
    count = int(np.max(np.where(slow, 105, 45 + 4 * np.sqrt(least))))
    together = max(1, _TOGETHER // x.size)
    fraction, above = np.ones_like(a), np.zeros_like(a)  # 0/1 after the last term
    for end in range(count + 1, 0, -together):
        n = np.arange(max(0, end - together), end, dtype=np.float64)[:, None]
        alphas, betas = _beta_terms(n, a, b, x, y, gap)
        for k in reversed(range(len(n))):
            fraction = betas[:, :, k] + jets.over(above, fraction)
            above = alphas[:, :, k]
    return fraction


def _beta_terms(
    n: Array, a: Array, b: Array, x: Array, y: Array, gap: Array
) -> tuple[Array, Array]:
    """αₙ, which isn't used for n = 0, and βₙ, with the terms n on a new axis before the last."""

    def plus(jet: Array, number: Any) -> Array:
        outer = np.broadcast_shapes(n.shape, x.shape)
        total = np.array(np.broadcast_to(jet[:, :, None], (*jet.shape[:2], *outer)))
        total[0, 0] += number
        return total  # (degrees in ε, degrees in δ, terms, elements)

    even = plus(a, np.abs(2 * n - 1))
    half = jets.over(plus(b, -n) * (n * x), even)
    beta = jets.over(jets.times(plus(a, n), plus(gap, 1 + n * (1 + y))), plus(a, 2 * n + 1))
    beta[0, 0] += n
    alpha = jets.times(plus(a, n - 1), plus(a + b, n - 1)) * x
    return jets.times(jets.over(alpha, even), half), beta + half


def beta_density(a: Array, b: Array, x: Array) -> Array:
    """xᵃ⁻¹(1 − x)ᵇ⁻¹/B(a, b)."""
    a, b, x = np.broadcast_arrays(a, b, x)
    at_zero = np.where(a < 1, np.inf, np.where(a == 1, b, 0.0))
    at_one = np.where(b < 1, np.inf, np.where(b == 1, a, 0.0))
    result = np.where(x == 0, at_zero, np.where(x == 1, at_one, np.nan))
    positive = (a > 0) & (b > 0) & np.isfinite(a) & np.isfinite(b)
    result = np.where(positive, result, np.nan)
    inner = positive & (x > 0) & (x < 1)
    result = improved(
        result, inner, lambda a, b, x: _beta_power(a, b, x, 0, 0)[0, 0] / (x * (1 - x)), a, b, x
    )
    lost = inner & ~((x > _TINY) & (result * (x * (1 - x)) > _LEAST))
    return improved(result, lost, _small_beta_density, a, b, x)


def _small_beta_density(a: Array, b: Array, x: Array) -> Array:
    return np.exp((a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - betaln(a, b))
