"""Powers and roots: √x, ∛x, √(x² + y²), and xʸ = exp2(y·log₂ x) with a logarithm of extra bits."""

from __future__ import annotations

import math
from typing import Any

from .....dtypes import bool_, float32, float64, is_floating, is_unsigned
from ..target import host
from ..values import Value, chosen
from .coefficients import CBRT, EXP2, POWER
from .pieces import (
    Pair,
    either,
    exponent_and_mantissa,
    fast_two_sum,
    integers,
    magnitude,
    narrow,
    polynomial,
    power_of_two,
    rounded,
    scaled,
    signed,
    two_product,
    two_sum,
)
from .slow_path import corrected

_TWO_LOG2_E = (2.8853900817779268, 4.0710547481862066e-17)
_THIRD = (0.3333333333333333, 1.850371707708594e-17)


# ---------------------------------------------------------------- roots


_ROOT_FROM = 2.0**-96  # the smallest number whose root has no subnormal remainder


def sqrt(x: Value) -> Value:
    """√x, rounded as IEEE 754 says. Error ½ ULP.

    AVX-512's square root of a vector occupies the divider for 19 cycles. From the CPU's estimate of
    1/√x with 14 bits it takes eight instructions (Markstein 1990, "Computation of elementary
    functions on the IBM RISC System/6000 processor"): g ≈ √x and h ≈ 1/2√x, each refined once, and
    the remainder x − g². A test compares every mantissa (tests/engines/native).
    """
    if x.dtype != float32 or x.lanes * 4 != host().vector_bytes or x.lanes != 16:
        return x.called("sqrt")
    zero = x == 0.0
    y = chosen(zero, x.number(0.0), x.estimate("rsqrt14"))
    g, h = x * y, y * 0.5
    r = (-g).fma(h, 0.5)
    g, h = g.fma(r, g), h.fma(r, h)
    g = (-g).fma(g, x).fma(h, g)
    usual = (x >= _ROOT_FROM) & (x < math.inf) | zero
    return corrected(~usual, g, lambda: x.called("sqrt"))


def cbrt(x: Value) -> Value:
    """∛x: with x = m·2^(3k + j), t = m·2ʲ, r ≈ t^(−1/3) from a polynomial and Newton's step
    r + r·(1 − t·r³)/3, and y = t·r² + r²·(t − y³)/3 (Muller, Elementary Functions, ch. 5.5).
    Error 1 ULP."""
    e, m = exponent_and_mantissa(magnitude(x))
    k = rounded(e, 1 / 3)
    j = e - k * 3.0
    t = m * chosen(j > 0.0, x.number(2.0), chosen(j < 0.0, x.number(0.5), x.number(1.0)))
    turn = chosen(
        j > 0.0, x.number(2 ** (-1 / 3)), chosen(j < 0.0, x.number(2 ** (1 / 3)), x.number(1.0))
    )
    r = polynomial(m - 1.0, CBRT) * turn
    for _ in range(either(x, 0, 1)):
        lack = (-(t * r)).fma(r * r, 1.0)
        r = (r * lack).fma(1 / 3, r)
    square = r * r
    y = t * square
    lack = (-(y * y)).fma(y, t)
    y = (lack * square).fma(1 / 3, y)
    plain = (x == 0.0) | ~(magnitude(x) < math.inf)
    return chosen(plain, x, signed(y * power_of_two(k), x))


def hypot(x: Value, y: Value) -> Value:
    """√(x² + y²), both scaled by the larger one's power of 2. Error 1 ULP."""
    x, y = x.pair(y)
    x, y = magnitude(x), magnitude(y)
    larger = chosen(x > y, x, y)
    whole, shift, top = integers(x), *either(x, (23, 254), (52, 2046))
    exponent = larger.bits(whole) & ((top + 1) << shift)
    lowest, highest = exponent.number(1 << shift), exponent.number((top - 1) << shift)
    exponent = chosen(exponent < lowest, lowest, chosen(exponent > highest, highest, exponent))
    scale = (exponent.number(top << shift) - exponent).bits(x.dtype)
    a, b = x * scale, y * scale
    length = a.fma(a, b * b).called("sqrt") * exponent.bits(x.dtype)
    infinite = (x == math.inf) | (y == math.inf)
    return chosen(infinite, x.number(math.inf), length)


# ---------------------------------------------------------------- powers


def power(x: Any, y: Any, *, checked: bool = False) -> Value:
    """xʸ, with the values of C99 for zeros, infinities and negative x. Error 1 ULP.

    checked: whether a bounds check has verified that no exponent of integers is negative.
    """
    x, y = x.pair(y) if isinstance(x, Value) else y.coerced(x).pair(y)
    if not is_floating(x.dtype):
        return _whole_power(x, y, checked)
    short = _short_power(x, y.known)
    if short is not None:
        return short
    size = magnitude(x)
    if narrow(x):
        result = _power_in_double(size.cast(float64), y.cast(float64)).cast(x.dtype)
    else:
        result = _power_of_pairs(size, y)
    return _with_specials(x, y, size, result)


def _short_power(x: Value, y: Any) -> Value | None:
    """The power for a constant exponent with a shorter form, the same as NumPy's; else None."""
    if y == 0:
        return x.number(1.0)
    if y == 1:
        return x
    if y == 2:
        return x * x
    if y == 3:
        return x * x * x
    if y == 4:
        return (x * x) * (x * x)
    if y == -1:
        return 1.0 / x
    if y == 0.5:
        return chosen(x == -math.inf, x.number(math.inf), (x + 0.0).called("sqrt"))
    return None


def _power_in_double(x: Value, y: Value) -> Value:
    """xʸ for float32 in float64: log₂ x to 2⁻³⁸ relative, times y, exp2 to 2⁻²⁸."""
    e, m = exponent_and_mantissa(x)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    series = z.fma(_row(z, POWER), 1 / 3)
    logarithm = (s * _TWO_LOG2_E[0]).fma(z * series, e + s * _TWO_LOG2_E[0])
    logarithm = _log_specials(x, logarithm)
    product = _clamped_exponent(logarithm * y, 300.0)
    n = rounded(product)
    r = product - n
    return r.fma(_row(r, EXP2), 1.0) * power_of_two(n)


def _row(x: Value, rows: Any) -> Value:
    """A float64 polynomial with the coefficients that float32's precision needs."""
    total = x.number(rows[0][0])
    for c in rows[0][1:]:
        total = total.fma(x, c)
    return total


def _log_specials(x: Value, logarithm: Value) -> Value:
    """log₂ of 0 and ∞, and 0 for NaN at 1."""
    logarithm = chosen(x == 0.0, x.number(-math.inf), logarithm)
    return chosen(x < math.inf, logarithm, x)


def _clamped_exponent(product: Value, bound: float) -> Value:
    product = chosen(product > bound, product.number(bound), product)
    return chosen(product < -bound, product.number(-bound), product)


def _log2_pair(x: Value) -> Pair:
    """log₂ x to about 2⁻⁶⁵ relative, as a pair: e + 2·log₂e·artanh s, s = (m − 1)/(m + 1),
    artanh s = s + s·z·(1/3 + z·P(z)), z = s², the first terms in pairs."""
    e, m = exponent_and_mantissa(x)
    top, bottom = m - 1.0, m + 1.0
    lost = m - (bottom - 1.0)
    inverse = 1.0 / bottom
    s = top * inverse
    s_low = ((-s).fma(bottom, top) - s * lost) * inverse
    z, z_low = two_product(s, s)
    z_low = (s * 2.0).fma(s_low, z_low)
    third, third_low = fast_two_sum(z.number(_THIRD[0]), z * polynomial(z, POWER))
    third_low = third_low + _THIRD[1]
    u, u_low = two_product(z, third)
    u_low = u_low + z.fma(third_low, z_low * third)
    # s·(1 + u) as a pair, then times 2·log₂e.
    a, a_low = two_product(s, u)
    a_low = a_low + s.fma(u_low, s_low * u)
    a, a_more = fast_two_sum(s, a)
    a_low = a_more + (a_low + s_low)
    high, high_low = two_product(a, _TWO_LOG2_E[0])
    high_low = a.fma(_TWO_LOG2_E[1], a_low.fma(_TWO_LOG2_E[0], high_low))
    total, error = two_sum(e, high)
    return fast_two_sum(total, error + high_low)


def _power_of_pairs(x: Value, y: Value) -> Value:
    """xʸ for float64: y·log₂ x as a pair, whose low part only moves the fraction."""
    logarithm, low = _log2_pair(x)
    special = ~((x > 0.0) & (x < math.inf))
    logarithm = _log_specials(x, logarithm)
    product = logarithm * y
    tail = y.fma(low, logarithm.fma(y, -product))
    inside = (magnitude(product) < 2000.0) & ~special
    tail = chosen(inside, tail, x.number(0.0))
    product = _clamped_exponent(product, 2000.0)
    n = rounded(product)
    r = (product - n) + tail
    return scaled(r.fma(polynomial(r, EXP2), 1.0), n)


def _with_specials(x: Value, y: Value, size: Value, result: Value) -> Value:
    """`result`, with C99's special values and those for negative x (F.10.4.4)."""
    whole = y.called("trunc") == y
    half = y * 0.5
    uneven = whole & (half.called("trunc") != half)
    negative = x.number(1.0).called("copysign", x) < 0.0
    result = chosen(negative & uneven, -result, result)
    nothing = (x < 0.0) & ~whole & (size < math.inf)
    result = chosen(nothing, x.number(math.nan), result)
    one = (size == 1.0) & (magnitude(y) == math.inf)
    return chosen(one | (x == 1.0) | (y == 0.0), x.number(1.0), result)


def _whole_power(x: Value, y: Value, checked: bool) -> Value:
    """xʸ for integers by squaring, modulo 2ᵇ. Raises NotImplementedError unless y ≥ 0 is known."""
    known = y.known
    safe = checked or is_unsigned(x.dtype) or (known is not None and known >= 0)
    if x.dtype == bool_ or not safe:
        raise NotImplementedError("integers to powers that could be negative")
    result, base = x.number(1), x
    bits = 8 * x.dtype.itemsize if known is None else max(1, int(known).bit_length())
    for place in range(bits):
        taken = ((y >> place) & 1) == 1
        result = chosen(taken, result * base, result)
        base = base * base
    return result
