"""Sines, cosines and tangents.

sin and cos reduce x modulo π, tan modulo ½π, with π in three parts and fused multiplications: the
first difference is exact (Cody & Waite 1980; Muller, Elementary Functions, ch. 11). Beyond 2¹⁵
(float32) and 2²⁷ (float64) a scalar function reduces each lane in integers: payne_hanek.py.
"""

from __future__ import annotations

import math

from .....dtypes import float64
from ..values import Value, chosen
from .coefficients import COS_QUARTER, SIN, SIN_QUARTER
from .payne_hanek import quarter_turns
from .pieces import (
    Pair,
    clamped,
    either,
    fast_two_sum,
    magnitude,
    odd,
    polynomial,
    rounded,
    with_bits,
)
from .slow_path import by_lane, corrected

# π in three parts of 24 and of 53 bits.
_PI = (
    (3.1415927410125732, -8.742277657347586e-08, -3.4302490200117637e-15),
    (3.141592653589793, 1.2246467991473532e-16, -2.9947698097183397e-33),
)
_FAR = (2.0**15, 2.0**27)


def _remainder(x: Value, n: Value, scale: float) -> tuple[Value, Value]:
    """x − n·π·scale as a pair; scale is a power of 2."""
    first, second, third = (part * scale for part in either(x, *_PI))
    start = (-n).fma(first, x)
    product = n * second
    error = n.fma(second, -product)
    r = start - product
    lost = (start - r) - product
    return r, lost - n.fma(third, error)


def _sine(r: Value, tail: Value) -> Value:
    """sin(r + tail) ≈ sin r + tail·cos r for |r| ≤ ½π, with cos r ≈ 1 − 4r²/π².

    Near ±½π rounding errors could make the result exceed 1, so it is clamped to [−1, 1]: 1 − sin²
    is never negative.
    """
    square = r * r
    sine = (square * r).fma(polynomial(square, SIN), r) + tail * square.fma(-0.405, 1.0)
    return clamped(sine, -1.0, 1.0)


def _far(name: str, x: Value, near: Value) -> Value:
    """`near`, or the scalar function's result where |x| needs more digits of π."""

    far = magnitude(x) > either(x, *_FAR)

    def rare() -> Value:
        angle = chosen(far, x, x.number(either(x, *_FAR)))
        return by_lane(name, _SCALAR[name], angle.cast(float64)).cast(x.dtype)

    return corrected(far, near, rare)


def sin(x: Value) -> Value:
    """sin x = ±sin r, x = n·π + r. Error 1.5 ULP."""
    n = rounded(x, 1 / math.pi)
    r, tail = _remainder(x, n, 1.0)
    near = chosen(x == 0.0, x, with_bits(_sine(r, tail), odd(n)))
    return _far("sin", x, near)


def cos(x: Value) -> Value:
    """cos x = ±sin r, x = k·½π + r with an odd k. Error 1.5 ULP."""
    n = rounded(magnitude(x).fma(1 / math.pi, -0.5))
    r, tail = _remainder(magnitude(x), n.fma(2.0, 1.0), 0.5)
    near = with_bits(-_sine(r, tail), odd(n))
    return _far("cos", x, near)


def _quarter(r: Value, tail: Value) -> tuple[Pair, Pair]:
    """(sin, cos) of r + tail for |r| ≤ ¼π, as pairs."""
    square = r * r
    sine = fast_two_sum(r, (square * r).fma(polynomial(square, SIN_QUARTER), tail))
    half = square * 0.5
    whole = 1.0 - half
    lost = (1.0 - whole) - half
    rest = (square * square).fma(polynomial(square, COS_QUARTER), lost - r * tail)
    return sine, fast_two_sum(whole, rest)


def _quotient(top: Pair, bottom: Pair) -> Value:
    """The quotient of two pairs; the remainder corrects the rounded quotient."""
    inverse = 1.0 / bottom[0]
    rough = top[0] * inverse
    rest = (-rough).fma(bottom[0], top[0]) + (-rough).fma(bottom[1], top[1])
    return rest.fma(inverse, rough)


def _tangent(turned: Value, sine: Pair, cosine: Pair) -> Value:
    """sin/cos, or −cos/sin a quarter turn further."""
    top = chosen(turned, -cosine[0], sine[0]), chosen(turned, -cosine[1], sine[1])
    bottom = chosen(turned, sine[0], cosine[0]), chosen(turned, sine[1], cosine[1])
    return _quotient(top, bottom)


def tan(x: Value) -> Value:
    """tan x = sin r/cos r or −cos r/sin r, x = n·½π + r. Error 1 ULP."""
    n = rounded(x, 2 / math.pi)
    sine, cosine = _quarter(*_remainder(x, n, 0.5))
    near = _tangent(odd(n) < 0, sine, cosine)
    return _far("tan", x, chosen(magnitude(x) < either(x, 2.0**-13, 2.0**-27), x, near))


# ---------------------------------------------------------------- scalar functions of huge angles


def _huge_sin(x: Value) -> Value:
    q, r, tail = quarter_turns(x)
    return _turned(x, q, *_quarter(r, tail))


def _huge_cos(x: Value) -> Value:
    q, r, tail = quarter_turns(x)
    return _turned(x, q + 1, *_quarter(r, tail))


def _huge_tan(x: Value) -> Value:
    q, r, tail = quarter_turns(x)
    result = _tangent((q & 1) == 1, *_quarter(r, tail))
    return chosen(magnitude(x) < math.inf, result, x.number(math.nan))


def _turned(x: Value, q: Value, sine: Pair, cosine: Pair) -> Value:
    """sin(q·½π + r), from the sine and cosine of r."""
    size = chosen((q & 1) == 0, sine[0], cosine[0])
    result = chosen((q & 2) == 0, size, -size)
    return chosen(magnitude(x) < math.inf, result, x.number(math.nan))


_SCALAR = {"sin": _huge_sin, "cos": _huge_cos, "tan": _huge_tan}
