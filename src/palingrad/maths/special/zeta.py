"""Hurwitz's zeta function and its derivatives, on arrays of doubles."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np

from ...dtypes import Array


@cache
def bernoulli(count: int) -> tuple[Fraction, ...]:
    """The Bernoulli numbers B₀, B₁ = −½, …, B_count."""
    numbers = [Fraction(1)]
    for m in range(1, count + 1):
        total = sum((math.comb(m + 1, k) * numbers[k] for k in range(m)), Fraction(0))
        numbers.append(-total / (m + 1))
    return tuple(numbers)


_TERMS, _CORRECTIONS = 16, 14
_B = bernoulli(28)
_E = [float(_B[2 * k] / math.factorial(2 * k)) for k in range(1, _CORRECTIONS + 1)]


def zeta(s: Array, q: Array, order: int = 0) -> Array:
    """∂ⁿ/∂sⁿ Σₖ (q + k)⁻ˢ for s > 1 and q > 0, n = order, by the formula of Euler and Maclaurin.

    (DLMF 25.11.5.) The sums are Taylor polynomials in s, of degree n.
    """
    s, q = np.broadcast_arrays(s, q)
    with np.errstate(all="ignore"):
        total = np.zeros((order + 1, *s.shape))
        for k in range(_TERMS - 1, -1, -1):  # small terms first
            total += _powers(s, q, k, order)
        a = q + _TERMS
        power = _powers(s, q, _TERMS, order)  # a^−s
        tail = _divided(power * a, s - 1) + power / 2
        factor = _times(power / a, s)
        corrections = np.zeros_like(tail)
        for k, weight in enumerate(_E):
            corrections += weight * factor
            factor = _times(_times(factor, s + (2 * k + 1)), s + (2 * k + 2)) / a / a
        value = math.factorial(order) * (total + (tail + corrections))[order]
    pole = np.inf * (-1.0) ** order
    value = np.where((s == np.inf) & (q >= 1), np.where((q == 1) & (order == 0), 1.0, 0.0), value)
    value = np.where((q == np.inf) & (s > 1), 0.0, value)
    value = np.where((q == 0) & (s > 1), np.inf, np.where(s == 1, pole, value))
    return np.where((s < 1) | (q < 0) | np.isnan(s + q), np.nan, value)


def _powers(s: Array, q: Array, k: int, order: int) -> Array:
    """Taylor coefficients in ε of (q + k)^−(s + ε), with the rounding of q + k compensated."""
    base = q + k
    part = base - q
    rest = (q - (base - part)) + (k - part)
    logarithm = np.log(base)
    first = np.power(base, -s) * (1 - np.where(base > 0, s * rest / base, 0.0))
    rows = [first]
    for n in range(1, order + 1):
        rows.append(rows[-1] * -logarithm / n)
    return np.array(rows)


def _times(rows: Array, c: Array) -> Array:
    """Taylor coefficients times c + ε."""
    result = rows * c
    result[1:] += rows[:-1]
    return result


def _divided(rows: Array, c: Array) -> Array:
    """Taylor coefficients divided by c + ε."""
    result = np.empty_like(rows)
    last = np.zeros(rows.shape[1:])
    for n, row in enumerate(rows):
        last = result[n] = (row - last) / c
    return result
