"""The building blocks of the functions: polynomials, pairs of numbers, exponents, signs.

A pair (high, low) represents the exact sum high + low, |low| ≤ ½ ULP of high (Dekker 1971).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .....dtypes import DType, float32, int32, int64
from ..values import Value, chosen
from . import avx512

Rows = tuple[tuple[float, ...], tuple[float, ...]]
Pair = tuple[Value, Value]


def narrow(x: Value) -> bool:
    """Whether x is float32, not float64."""
    return x.dtype == float32


def either(x: Value, single: Any, double: Any) -> Any:
    """`single` if x is float32, `double` if it is float64."""
    return single if narrow(x) else double


def integers(x: Value) -> DType:
    """The integers as wide as x's floats."""
    return either(x, int32, int64)


def polynomial(x: Value, rows: Rows) -> Value:
    """Σ cₙ·xⁿ with fused multiplications and the coefficients of x's dtype, as c₀ + x·Q(x), which
    keeps the error of Q small. The even and odd powers of a long Q are two polynomials in x²: one
    more product, and half the latency."""
    coefficients = either(x, *rows)
    if len(coefficients) < 5:
        return horner(x, coefficients)
    *upper, lowest = coefficients
    square = x * x
    even, odd = horner(square, upper[::-2][::-1]), horner(square, upper[-2::-2][::-1])
    return odd.fma(x, even).fma(x, lowest)


def horner(x: Value, coefficients: Sequence[float]) -> Value:
    """Σ cₙ·xⁿ by Horner's scheme; the highest power comes first."""
    total = x.number(coefficients[0])
    for c in coefficients[1:]:
        total = total.fma(x, c)
    return total


def split(x: Value, number: float, digits: int | None = None) -> tuple[float, float]:
    """A float64 number as the sum of two of x's dtype; the first has at most `digits` bits."""
    count: int = digits or either(x, 24, 53)
    mantissa, exponent = math.frexp(number)
    high = math.ldexp(math.floor(math.ldexp(mantissa, count)), exponent - count)
    return high, number - high


def clamped(x: Value, low: float, high: float) -> Value:
    """x within bounds; NaN stays NaN."""
    x = chosen(x < low, x.number(low), x)
    return chosen(x > high, x.number(high), x)


def magnitude(x: Value) -> Value:
    """|x|."""
    return x.called("fabs")


def signed(size: Value, sign: Value) -> Value:
    """|size| with the sign of `sign`."""
    return size.called("copysign", sign)


# ---------------------------------------------------------------- pairs


def two_sum(x: Value, y: Value) -> Pair:
    """x + y and its rounding error (Knuth, TAOCP 2, 4.2.2)."""
    total = x + y
    part = total - x
    return total, (x - (total - part)) + (y - part)


def fast_two_sum(x: Value, y: Value) -> Pair:
    """x + y and its rounding error where |x| ≥ |y| or x = 0 (Dekker 1971)."""
    total = x + y
    return total, y - (total - x)


def two_product(x: Value, y: Any) -> Pair:
    """x·y and its rounding error."""
    product = x * y
    return product, x.fma(y, -product)


# ---------------------------------------------------------------- exponents and whole numbers


def magic(x: Value) -> float:
    """1.5·2ᵖ⁻¹ for a precision of p bits: added to it, a number is rounded to an integer, whose
    bits are the lowest bits of the sum."""
    return either(x, 1.5 * 2.0**23, 1.5 * 2.0**52)


def rounded(x: Value, factor: float = 1.0) -> Value:
    """The integer nearest to x·factor, |x·factor| < 2ᵖ⁻²; ties go to the even integer."""
    high = magic(x)
    return (x + high if factor == 1.0 else x.fma(factor, high)) - high


def odd(n: Value) -> Value:
    """The lowest bit of an integer |n| < 2ᵖ⁻², moved to the sign bit."""
    return (n + magic(n)).bits(integers(n)) << either(n, 31, 63)


def with_bits(x: Value, bits: Value) -> Value:
    """x with these bits of its representation flipped."""
    return (x.bits(bits.dtype) ^ bits).bits(x.dtype)


def power_of_two(n: Value) -> Value:
    """2ⁿ for an integer n in the normal range: `magic` moves n plus the bias to the low bits."""
    bias, shift = either(n, (127, 23), (1023, 52))
    return ((n + (magic(n) + bias)).bits(integers(n)) << shift).bits(n.dtype)


def scaled(x: Value, n: Value) -> Value:
    """x·2ⁿ for whole n up to twice the normal range, rounded once: in two steps, so that neither
    factor overflows and the first product is exact."""
    if avx512.fits(x):
        return avx512.scaled(x, n)
    half = rounded(n, 0.5)
    return x * power_of_two(half) * power_of_two(n - half)


def exponent_and_mantissa(x: Value) -> Pair:
    """(e, m) with x = m·2ᵉ, ¾ ≤ m < 3/2, for a positive finite x, subnormal ones too."""
    if avx512.fits(x):
        mantissa = avx512.mantissa(x)
        return avx512.exponent(x) - avx512.exponent(mantissa), mantissa
    bias, shift, up = either(x, (127, 23, 24), (1023, 52, 54))
    whole = integers(x)
    tiny = x < float(np.finfo(x.dtype).tiny)
    normal = chosen(tiny, x * 2.0**up, x)
    one, start = ((bias << shift), (bias << shift) - (1 << (shift - 1)))  # the bits of 1 and of ¾
    moved = normal.bits(whole) + (one - start)
    mantissa = ((moved & ((1 << shift) - 1)) + start).bits(x.dtype)
    # The exponent's bits below those of 2ᵖ⁻¹ make a float without a conversion.
    base = either(x, 2.0**23, 2.0**52)
    base_bits = int(np.asarray(base, x.dtype).view(whole))
    places = moved.like(moved.builder.lshr(moved.code, moved.number(shift).code))
    exponent = (places | base_bits).bits(x.dtype) - chosen(
        tiny, x.number(base + bias + up), x.number(base + bias)
    )
    return exponent, mantissa
