"""Logarithms, and the inverse hyperbolic functions computed from them.

x = 2ᵉ·m with ¾ ≤ m < 3/2 and f = m − 1, so that log x = e·log 2 + log(1 + f), and near 1, where
e = 0, nothing cancels. log(1 + f) = f + rest: for float32 rest = f²·P(f); for float64 the series of
2 artanh s, s = f/(2 + f), which needs a third of the terms, arranged as in fdlibm (Sun 1993) so
that the rounding of s doesn't matter (Muller, Elementary Functions, ch. 11).
"""

from __future__ import annotations

import math

from ..values import Value, chosen
from .coefficients import ATANH, LOG
from .exponential import exp
from .pieces import (
    Pair,
    either,
    exponent_and_mantissa,
    fast_two_sum,
    magnitude,
    narrow,
    polynomial,
    power_of_two,
    signed,
    split,
    two_product,
    two_sum,
)

_LOG_2 = (0.6931471805599453, 2.3190468138462996e-17)
_LOG2_E = (1.4426950408889634, 2.0355273740931033e-17)
_LOG10_E = (0.4342944819032518, 1.098319650216765e-17)
_LOG10_2 = (0.3010299956639812, -2.8037281277851704e-18)


def _rest(f: Value) -> Value:
    """log(1 + f) − f for −¼ ≤ f < ½."""
    if narrow(f):
        return f * f * polynomial(f, LOG)
    s = f / (f + 2.0)
    z = s * s
    half = f * f * 0.5
    return s.fma(z.fma(polynomial(z, ATANH), half), -half)


def _parts(x: Value, number: tuple[float, float]) -> tuple[float, float]:
    """A number, given to twice float64's precision, as two numbers of x's dtype."""
    return split(x, number[0]) if narrow(x) else number


def _with_specials(x: Value, result: Value) -> Value:
    """`result`, with the logarithm's values outside 0 < x < ∞."""
    outside = chosen(x == 0.0, x.number(-math.inf), chosen(x < 0.0, x.number(math.nan), x))
    return chosen((x > 0.0) & (x < math.inf), result, outside)


def log(x: Value) -> Value:
    """log x, the natural logarithm. Error 1 ULP."""
    e, m = exponent_and_mantissa(x)
    f = m - 1.0
    high, low = _parts(x, _LOG_2)
    return _with_specials(x, e.fma(high, f + e.fma(low, _rest(f))))


def log2(x: Value) -> Value:
    """log₂ x = e + log(1 + f)·log₂e; the product includes its rounding error. Error 1.5 ULP."""
    e, m = exponent_and_mantissa(x)
    f = m - 1.0
    high, low = _parts(x, _LOG2_E)
    product, error = two_product(f, high)
    tail = f.fma(low, _rest(f).fma(high, error))
    return _with_specials(x, (e + product) + tail)


def log10(x: Value) -> Value:
    """log₁₀ x = e·log₁₀2 + log(1 + f)·log₁₀e; both products include their errors. Error 1.5 ULP."""
    e, m = exponent_and_mantissa(x)
    f = m - 1.0
    high, low = _parts(x, _LOG10_E)
    product, error = two_product(f, high)
    tail = f.fma(low, _rest(f).fma(high, error))
    high, low = split(x, _LOG10_2[0], either(x, 14, 40))
    whole = e * high
    return _with_specials(x, (whole + product) + e.fma(low, tail))


def log_of_pair(high: Value, low: Value, twice: Value | None = None) -> Value:
    """log(high + low), or log(2·(high + low)) where `twice` holds, for 1 ≤ high < ∞ or ½ < high.

    The low part is scaled like the mantissa: log(1 + f + l) ≈ log(1 + f) + l·(1 − f).
    """
    e, m = exponent_and_mantissa(high)
    f = m - 1.0
    scale = power_of_two(chosen(e > 60.0, e.number(-60.0), -e))
    small = low * scale
    if twice is not None:
        e = chosen(twice, e + 1.0, e)
    first, second = _parts(high, _LOG_2)
    correction = (-small).fma(f, small)
    return e.fma(first, f + (e.fma(second, _rest(f)) + correction))


def log1p(x: Value) -> Value:
    """log(1 + x), corrected by the rounding error of 1 + x. Error 1 ULP."""
    total, error = two_sum(x.number(1.0), x)
    result = log_of_pair(total, error)
    result = chosen((x > -1.0) & (x < math.inf), result, _outside_log1p(x))
    return chosen(magnitude(x) < either(x, 2.0**-26, 2.0**-55), x, result)


def _outside_log1p(x: Value) -> Value:
    beyond = chosen(x < -1.0, x.number(math.nan), x)
    return chosen(x == -1.0, x.number(-math.inf), beyond)


def logaddexp(x: Value, y: Value) -> Value:
    """log(eˣ + eʸ) = max + log(1 + e^−|x − y|). Error 2 ULP of the largest of |x|, |y| and |z|:
    where the two terms cancel, the relative error of z grows."""
    x, y = x.pair(y)
    larger = chosen(x > y, x, y)
    difference = magnitude(x - y)
    result = larger + log1p(exp(-difference))
    result = chosen(x == y, x + math.log(2), result)
    return chosen(x != x, x, chosen(y != y, y, result))


# ---------------------------------------------------------------- inverse hyperbolic functions


def arcsinh(x: Value) -> Value:
    """arcsinh x = ±log(1 + a + a²/(1 + √(1 + a²))), a = |x|, and log 2a where a² overflows; the
    argument is a pair of numbers. Error 1.5 ULP."""
    size = magnitude(x)
    huge = size > either(x, 2.0**13, 2.0**27)
    a = chosen(huge, size.number(1.0), size)
    square = a * a
    high, low = fast_two_sum(a, square / ((square + 1.0).called("sqrt") + 1.0))
    total, error = two_sum(high.number(1.0), high)
    return signed(_far(x, huge, size, (total, error + low)), x)


def _far(x: Value, huge: Value, size: Value, pair: Pair) -> Value:
    """log(2·size) where size is huge, else the logarithm of the pair."""
    high = chosen(huge, size, pair[0])
    low = chosen(huge, size.number(0.0), pair[1])
    return chosen((x == x) & (size < math.inf), log_of_pair(high, low, huge), size)


def arccosh(x: Value) -> Value:
    """arccosh x = log(1 + t + √(t² + 2t)), t = x − 1; NaN below 1. Error 2 ULP."""
    huge = x > either(x, 2.0**13, 2.0**27)
    inside = chosen(huge, x.number(2.0), x)
    t = inside - 1.0
    high, low = two_sum(t.fma(t, t * 2.0).called("sqrt"), t)
    total, error = two_sum(high.number(1.0), high)
    result = _far(x, huge, x, (total, error + low))
    return chosen(x < 1.0, x.number(math.nan), result)


def arctanh(x: Value) -> Value:
    """arctanh x = ±½ log(1 + 2a/(1 − a)), a = |x|; the quotient includes its error.
    Error 1.5 ULP."""
    a = magnitude(x)
    bottom, lost = fast_two_sum(x.number(1.0), -a)
    inverse = 1.0 / bottom
    top = a * 2.0
    quotient = top * inverse
    left = (-quotient).fma(bottom, top) - quotient * lost
    total, error = two_sum(x.number(1.0), quotient)
    size = log_of_pair(total, left.fma(inverse, error)) * 0.5
    edge = chosen(a == 1.0, x.number(math.inf), x.number(math.nan))
    return signed(chosen(a < 1.0, size, edge), x)
