"""The error function and its complement.

erfc x = e^(−x²)·w(x) for x ≥ 0, with w(x) = e^(x²)·erfc(x) as t·P(t − ½), t = 1/(1 + ½x), in the
manner of Schonfelder (Math. Comp. 32, 1978) and Shepherd & Laframboise (Math. Comp. 36, 1981). x²
is a pair of numbers, because e^(−x²) multiplies the relative error of x² by x².
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..values import Value, chosen
from . import avx512
from .coefficients import (
    ERF,
    ERF_FAR,
    ERF_PIECES,
    ERFC,
    ERFC_NEAR,
    ERFC_PIECES,
    EXP2,
    EXPM1,
)
from .exponential import LOG2
from .pieces import (
    clamped,
    either,
    integers,
    magic,
    magnitude,
    narrow,
    polynomial,
    power_of_two,
    rounded,
    scaled,
    signed,
    two_product,
)
from .slow_path import corrected

_ERFC_SLOPE = (ERFC[0][:-1], ERFC[1][:-1])
_ERFC_START = (ERFC[0][-1], ERFC[1][-1])
_ERF_IS_ONE = 3.919206  # from here on erf x rounds to 1 in float32


def _decay(x: Value) -> tuple[Value, Value]:
    """(n, y): erfc x = 2ⁿ·y for 0 ≤ x ≤ 10.2 or 27.3."""
    n, r, tail = _negative_square(x)
    bottom = x.fma(0.5, 1.0)
    t = 1.0 / bottom
    lack = (-t).fma(bottom, 1.0) - t * x.fma(0.5, 1.0 - bottom)  # 1 − t·(1 + ½x) exactly
    u = t - 0.5
    slope, start = polynomial(u, _ERFC_SLOPE), x.number(either(x, *_ERFC_START))
    p = u.fma(slope, start)
    w, w_low = two_product(t, p)
    w_low = t.fma(u.fma(slope, start - p), w_low)
    # eʳ − 1 − r, and the effect of t's error: d log w/d log t is about 0.95 + 1.35·t.
    rest = lack.fma(t.fma(1.35, 0.95), (r * r).fma(polynomial(r, EXPM1), tail))
    return n, w + w.fma(r, w.fma(rest, w_low))


def _negative_square(x: Value) -> tuple[Value, Value, Value]:
    """(n, r, tail) with −x² = n·log 2 + r + tail."""
    square, error = two_product(x, x)
    high, low = either(x, *LOG2)
    n = rounded(square, -1 / math.log(2))
    start = (-n).fma(high, -square)
    more = (-n).fma(low, -error)
    r = start + more
    return n, r, more - (r - start)


def _decay_by_table(x: Value) -> tuple[Value, Value]:
    """The same for float32 on a CPU with tables: log₂ erfc x is close to a parabola, so each of 32
    pieces is a short polynomial."""
    place = x.fma(64 / 21, -0.5) + magic(x)
    t = (place - magic(x)).fma(-21 / 64, x) - 21 / 128
    index = place.bits(integers(x))
    whole, start, *slopes = (avx512.looked_up(row, index) for row in ERFC_PIECES)
    first, second, third, fourth = slopes
    high = t * first
    rest = t.fma(first, -high) + (t * t) * t.fma(t.fma(fourth, third), second)
    near = rounded(high + start)
    r = -((high - near) + (start + rest))
    return -(whole + near), r.fma(polynomial(r, EXP2), 1.0)


def _in_pieces(x: Value, width: float, rows: Sequence[tuple[float, ...]]) -> Value:
    """For float32 on a CPU with tables: a piecewise polynomial in the distance to the nearest
    multiple of `width`. `rows`: the coefficients of each power, the highest first."""
    place = x.fma(1 / width, magic(x))
    t = (place - magic(x)).fma(-width, x)
    index = place.bits(integers(x))
    coefficients = [avx512.looked_up(row, index) for row in rows]
    *upper, lowest = coefficients
    square = t * t
    even, odd = (_horner(square, part) for part in (upper[::-2][::-1], upper[-2::-2][::-1]))
    return odd.fma(t, even).fma(t, lowest)


def _horner(x: Value, coefficients: Sequence[Value]) -> Value:
    total = coefficients[0]
    for one in coefficients[1:]:
        total = total.fma(x, one)
    return total


def erfc(x: Value) -> Value:
    """erfc x = 1 − erf x without cancellation, into the subnormal numbers. Error 2 ULP.

    For float32 on a CPU with tables most numbers, |x| below 3.4, need polynomials only.
    """
    size = magnitude(x)
    if narrow(x) and avx512.has_tables():

        def far() -> Value:
            n, y = _decay_by_table(clamped(size, 0.0, 10.4))
            return scaled(y, n)

        positive = corrected(size > 31.5 * 7 / 64, _in_pieces(size, 7 / 64, ERFC_NEAR), far)
        return chosen(x < 0.0, 2.0 - positive, positive)
    n, y = _decay(clamped(size, 0.0, either(x, 10.2, 27.3)))
    positive = scaled(y, n)
    return chosen(x < 0.0, 2.0 - positive, positive)


def erf(x: Value) -> Value:
    """erf x = x + x·P(x²) up to 0.9, beyond ±(1 − erfc |x|), where erfc and its error are small.

    For float32, erfc is 2 to the power of a polynomial there; on a CPU with tables erf is a
    piecewise polynomial. Error 1 ULP."""
    size = magnitude(x)
    square = x * x
    near = x.fma(polynomial(square, ERF), x)
    if narrow(x) and avx512.has_tables():
        pieces = _in_pieces(clamped(size, 0.0, 3.9), 1 / 8, ERF_PIECES)
        far = chosen(size >= _ERF_IS_ONE, x.number(1), pieces)
        return chosen(size < 0.9, near, signed(far, x))
    if narrow(x):
        power = -polynomial(clamped(size, 0.9, 4.0), ERF_FAR)
        n = rounded(power)
        r = power - n
        rest = r.fma(polynomial(r, EXP2), 1.0) * power_of_two(n)
    else:
        n, y = _decay(clamped(size, 0.0, 6.0))
        rest = y * power_of_two(n)
    return chosen(size < 0.9, near, signed(1.0 - rest, x))
