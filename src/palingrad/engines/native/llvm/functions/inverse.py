"""Inverse trigonometric functions: polynomials on a short interval, after argument reduction."""

from __future__ import annotations

import math

from ..values import Value, chosen
from .coefficients import ARCSIN, ARCTAN
from .pieces import either, magnitude, narrow, polynomial, signed, split

_HALF_PI = (1.5707963267948966, 6.123233995736766e-17)


def _parts(x: Value, scale: float) -> tuple[float, float]:
    """½π·scale as two numbers of x's dtype; scale is a power of 2."""
    high, low = split(x, _HALF_PI[0]) if narrow(x) else _HALF_PI
    return high * scale, low * scale


def _arcsine(x: Value) -> tuple[Value, Value, Value]:
    """(far, s, rest) with s + rest = arcsin s: s = |x|, or where far holds, |x| > ½,
    s = √(½(1 − |x|)), whose arcsine is half of arccos |x|."""
    size = magnitude(x)
    far = size > 0.5
    square = chosen(far, size.fma(-0.5, 0.5), size * size)
    s = chosen(far, square.called("sqrt"), size)
    return far, s, (s * square) * polynomial(square, ARCSIN)


def arcsin(x: Value) -> Value:
    """arcsin x = x + x³·P(x²) up to ½, beyond ±(½π − 2 arcsin √(½(1 − |x|))). Error 1.5 ULP."""
    far, s, rest = _arcsine(x)
    high, low = _parts(x, 1.0)
    start = s.fma(-2.0, high)
    lost = s.fma(-2.0, high - start)
    beyond = start + rest.fma(-2.0, lost + low)
    return signed(chosen(far, beyond, s + rest), x)


def arccos(x: Value) -> Value:
    """arccos x = ½π − arcsin x up to ½, beyond 2 arcsin √(½(1 − x)), or π minus it.
    Error 1.5 ULP."""
    far, s, rest = _arcsine(x)
    p = s + rest
    high, low = _parts(x, 1.0)
    near = high - (signed(p, x) - low)
    twice = p * 2.0
    return chosen(far, chosen(x > 0.0, twice, high * 2 - (twice - low * 2)), near)


def _angle(top: Value, bottom: Value) -> Value:
    """arctan(top/bottom) for numbers ≥ 0, not both 0: with one division for t in −tan ⅛π … tan ⅛π,
    arctan q = t' = arctan t, ¼π + arctan((q − 1)/(q + 1)) or ½π + arctan(−1/q)."""
    tangent = math.sqrt(2) - 1  # of ⅛π
    high = top > bottom * (1 / tangent)
    middle = top > bottom * tangent
    above = chosen(high, -bottom, chosen(middle, top - bottom, top))
    below = chosen(high, top, chosen(middle, top + bottom, bottom))
    t = above / below
    square = t * t
    rest = (t * square).fma(polynomial(square, ARCTAN), _base(top, high, middle, 1))
    return _base(top, high, middle, 0) + (t + rest)


def _base(x: Value, high: Value, middle: Value, part: int) -> Value:
    half, quarter = _parts(x, 1.0)[part], _parts(x, 0.5)[part]
    return chosen(high, x.number(half), chosen(middle, x.number(quarter), x.number(0.0)))


def arctan(x: Value) -> Value:
    """arctan x. Error 1.5 ULP."""
    return signed(_angle(magnitude(x), x.number(1.0)), x)


def arctan2(y: Value, x: Value) -> Value:
    """The angle of (x, y) from the x axis in −π … π, for zeros and infinities as in C99.
    Error 2 ULP."""
    y, x = y.pair(x)
    top, bottom = magnitude(y), magnitude(x)
    both = (top == math.inf) & (bottom == math.inf)
    top, bottom = chosen(both, x.number(1.0), top), chosen(both, x.number(1.0), bottom)
    bottom = chosen((top == 0.0) & (bottom == 0.0), x.number(1.0), bottom)
    limit, down = either(x, (2.0**120, 2.0**-8), (2.0**1020, 2.0**-8))
    large = (top > limit) | (bottom > limit)
    scale = chosen(large, x.number(down), x.number(1.0))
    angle = _angle(top * scale, bottom * scale)
    high, low = _parts(x, 2.0)
    left = x.number(1.0).called("copysign", x) < 0.0
    return signed(chosen(left, high - (angle - low), angle), y)
