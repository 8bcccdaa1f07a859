"""Bessel functions of one real order, on arrays of doubles.

SciPy's come from AMOS (ACM TOMS algorithm 644) and are exact for arguments from 25 on, also near
zeros. Below, where AMOS cancels, J and Y of integer order are their power series in double-double
arithmetic, which are exact near zeros too.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import scipy.special as sc  # pyright: ignore[reportMissingTypeStubs]

from ...dtypes import Array
from .double_double import PI, Wide, exactly, exp, log, wide
from .gamma import improved, log_gamma

_SMALL = 25.0
_TERMS = 75  # of the power series; at x = 25 the last one is 1e-40 of the largest
_EULER = Wide(0.5772156649015329, -4.942915152430645e-18)


def bessel_j(x: Array, n: float) -> Array:
    """J of order n. For x < 0 and a fractional n, NaN."""
    if n != int(n):
        return sc.jv(n, x)
    order, size = int(abs(n)), np.abs(x)
    sign = np.where(((n < 0) != (x < 0)) & (order % 2 == 1), -1.0, 1.0)
    if order < 2:
        y = (sc.j1 if order else sc.j0)(size)
        y = improved(y, size >= _SMALL, lambda x: sc.jv(order, x), size)
        hard = (size > 0.5) & (size < _SMALL)
    else:
        y = sc.jv(order, size)
        hard = (size < _SMALL) & (size > 0)
        low = (size >= _SMALL) & (size < min(order * order, 5e3))  # there AMOS loses digits
        y = improved(y, low, lambda x: _down(x, order), size)
    y = improved(y, hard, lambda x: _j_series(x, order).value, size)
    return sign * np.where(np.isinf(x), 0.0, y)


def _j_series(x: Array, n: int) -> Wide:
    """(x/2)ⁿ/n!·Σ (−x²/4)ᵏ/(k!·(n + 1)…(n + k)), DLMF 10.2.2."""
    half = wide(x) * 0.5
    square = half * half
    total = wide(1.0)
    for k in range(_terms(x), 0, -1):
        total = 1 - square * _reciprocal(k * (n + k)) * total
    if n < 2:
        return total * half if n else total
    return total * exp(log(half) * float(n) - log_gamma(wide(n + 1.0)))


def _terms(x: Array) -> int:
    """The number of terms of the power series that count."""
    return min(_TERMS, 14 + int(2.5 * float(np.max(x))))


@cache
def _reciprocal(k: int) -> Wide:
    return exactly(Fraction(1, k))


def _down(x: Array, n: int) -> Array:
    """J by downward recurrence (Miller's algorithm), scaled to the larger of J₀ and J₁."""
    start = int(max(n, float(np.max(x))) + 20 + 8 * max(n, float(np.max(x))) ** (1 / 3)) + 10
    above, here, wanted = np.zeros_like(x), np.full_like(x, 1e-300), np.zeros_like(x)
    for k in range(start, 0, -1):  # here = Jₖ
        wanted = here if k == n else wanted
        above, here = here, 2 * k / x * here - above
        large = np.abs(here) > 1e200
        if large.any():
            scale = np.where(large, 1e-200, 1.0)
            above, here, wanted = above * scale, here * scale, wanted * scale
    zero, one = sc.jv(0, x), sc.jv(1, x)
    return wanted * np.where(np.abs(zero) > np.abs(one), zero / here, one / above)


def bessel_y(x: Array, n: float) -> Array:
    """Y of order n; −∞ at 0, NaN for x < 0."""
    if n != int(n):
        return sc.yv(n, x)
    order = int(abs(n))
    sign = -1.0 if n < 0 and order % 2 else 1.0
    if order < 2:
        return sign * _y_first(x, order)
    with np.errstate(all="ignore"):
        below, y = _y_first(x, 0), _y_first(x, 1)
        for k in range(1, order):  # stable upwards
            below, y = y, np.where(y == -np.inf, y, 2 * k / x * y - below)
    return sign * np.where(x == np.inf, 0.0, np.where(x == 0, -np.inf, y))


def _y_first(x: Array, n: int) -> Array:
    y = (sc.y1 if n else sc.y0)(x)
    y = improved(y, x >= _SMALL, lambda x: sc.yv(n, x), x)
    y = improved(y, (x > 1e-3) & (x < _SMALL), _y1_series if n else _y0_series, x)
    return np.where(x == np.inf, 0.0, y)


def _harmonic(k: int) -> Fraction:
    return sum((Fraction(1, i) for i in range(1, k + 1)), Fraction(0))


def _y0_series(x: Array) -> Array:
    """DLMF 10.8.2: (2/π)·((log x/2 + γ)·J₀ + Σ (−1)ᵏ⁺¹ Hₖ (x²/4)ᵏ/k!²)."""
    half = wide(x) * 0.5
    square = half * half
    total = wide(0.0)
    for k in range(_terms(x), 0, -1):
        total = (_HARMONIC[k] - total) * (square * _reciprocal(k * k))
    return (((log(half) + _EULER) * _j_series(x, 0) + total) * 2 / PI).value


def _y1_series(x: Array) -> Array:
    """DLMF 10.8.1: (2/π)·((log x/2 + γ)·J₁ − 1/x) − (x/2π)·Σ (−x²/4)ᵏ (Hₖ + Hₖ₊₁)/(k!(k + 1)!)."""
    half = wide(x) * 0.5
    square = half * half
    total = wide(0.0)
    for k in range(_terms(x), -1, -1):
        whole = _HARMONIC[k] + _HARMONIC[k + 1]
        total = whole - total * (square * _reciprocal((k + 1) * (k + 2)))
    first = (log(half) + _EULER) * _j_series(x, 1) - 1 / wide(x)
    return ((first * 2 - total * half) / PI).value


_HARMONIC = [exactly(_harmonic(k)) for k in range(_TERMS + 2)]


def bessel_i(x: Array, n: float, scaled: bool) -> Array:
    """I of order n, times e^−|x| if `scaled`."""
    if n in (0, 1):
        first = (sc.i0e, sc.i1e) if scaled else (sc.i0, sc.i1)
        return first[int(n)](x)
    return (sc.ive if scaled else sc.iv)(n, x)


def bessel_k(x: Array, n: float, scaled: bool) -> Array:
    """K of order n, times eˣ if `scaled`."""
    return (sc.kve if scaled else sc.kv)(n, x)
