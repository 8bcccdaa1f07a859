"""Division, floor division, remainders and shifts, as NumPy defines them."""

from __future__ import annotations

from typing import Any

from .....dtypes import float64, is_boolean, is_floating, is_signed, is_unsigned
from ..loops import splatted
from ..values import Value, chosen
from .pieces import either, magnitude, signed
from .slow_path import by_lane, corrected, repeated


def _both(x: Any, y: Any) -> tuple[Value, Value]:
    return x.pair(y) if isinstance(x, Value) else y.coerced(x).pair(y)


def divide(x: Any, y: Any) -> Value:
    """x / y, rounded as IEEE 754 says. Error ½ ULP.

    If a whole vector is divided by one number s, as rows by their sum, r = 1/s is computed once,
    q = x·r has an error of at most 1 ULP, and q + (x − q·s)·r is the rounded quotient: r is rounded
    correctly and the remainder is exact (Markstein 1990, "Computation of elementary functions on
    the IBM RISC System/6000 processor"). AVX-512's division of a vector takes three times as long.
    """
    x, y = _both(x, y)
    s = y.one
    if s is None or not is_floating(x.dtype) or x.lanes * x.dtype.itemsize != 64:
        return x / y
    r = splatted(s.number(1.0) / s, x.lanes)
    q = x * r
    z = (-q).fma(y, x).fma(r, q)
    # The range in which q doesn't overflow and the remainder isn't subnormal.
    size, most = magnitude(s), either(s, 2.0**25, 2.0**200)
    usual = splatted((size >= 1 / most) & (size <= most), x.lanes)
    size, most, zero = magnitude(x), either(x, 2.0**100, 2.0**700), x == 0.0
    inside = ((size >= 1 / most) & (size <= most) | zero) & usual
    return corrected(~inside, chosen(zero, q, z), lambda: x / y)


def floor_divide(x: Any, y: Any) -> Value:
    """⌊x/y⌋. Integers: 0 where y = 0. Floats: (x − x mod y)/y, a whole number; x/y where y = 0."""
    x, y = _both(x, y)
    if not is_floating(x.dtype):
        return _whole_quotient(x, y)
    rest = _truncated_remainder(x, y)
    quotient = (x - rest) / y
    below = (rest != 0.0) & ((rest < 0.0) ^ (y < 0.0))
    quotient = chosen(below, quotient - 1.0, quotient)
    floor = quotient.called("floor")
    whole = chosen(quotient - floor > 0.5, floor + 1.0, floor)
    plain = x / y
    result = chosen(quotient == 0.0, signed(x.number(0.0), plain), whole)
    return chosen(y == 0.0, plain, result)


def mod(x: Any, y: Any) -> Value:
    """x − ⌊x/y⌋·y, with the sign of y; of integers 0 where y = 0, of floats NaN."""
    x, y = _both(x, y)
    if not is_floating(x.dtype):
        quotient = _whole_quotient(x, y)
        return chosen(y == 0, x.number(0), x - quotient * y)
    rest = _truncated_remainder(x, y)
    below = (rest != 0.0) & ((rest < 0.0) ^ (y < 0.0))
    rest = chosen(below, rest + y, rest)
    return chosen(rest == 0.0, signed(rest, y), rest)


def _truncated_remainder(x: Value, y: Value) -> Value:
    """x − trunc(x/y)·y, exactly: one fused operation if the quotient has few enough digits (it may
    be 1 too large, which the sign of the result shows), otherwise by halving, lane by lane."""
    limit = 2.0**23 if x.dtype.itemsize == 4 else 2.0**52
    quotient = x / y
    rest = (-quotient.called("trunc")).fma(y, x)
    over = (rest != 0.0) & ((rest < 0.0) ^ (x < 0.0))
    rest = chosen(over, rest + signed(y, x), rest)
    rest = chosen(magnitude(x) < magnitude(y), x, signed(rest, x))
    rest = chosen(y == 0.0, x.number(float("nan")), rest)
    far = (magnitude(quotient) > limit) & (y != 0.0) & (magnitude(x) < float("inf"))

    def rare() -> Value:
        return by_lane(
            "remainder", _halved, chosen(far, x, x.number(0)), chosen(far, y, y.number(1))
        )

    return corrected(far, rest, rare)


def _halved(x: Value, y: Value) -> Value:
    """The remainder by long division: doubles |y| up to |x|, then subtracts each multiple that
    fits, halving; every step is exact."""
    small, size = magnitude(y), magnitude(x)
    half = size * 0.5
    (top,) = repeated([small], lambda t: t <= half, lambda t: [t * 2.0])

    def step(t: Value, rest: Value) -> list[Value]:
        return [t * 0.5, chosen(rest >= t, rest - t, rest)]

    _, rest = repeated([top, size], lambda t, rest: (t >= small) & (rest >= small), step)
    return signed(rest, x)


def _whole_quotient(x: Value, y: Value) -> Value:
    """⌊x/y⌋ of integers, 0 where y = 0. For up to 32 bits float64 represents it exactly."""
    if is_boolean(x.dtype):
        raise NotImplementedError("division of booleans")
    nothing = y == 0
    safe = chosen(nothing, y.number(1), y)
    if x.dtype.itemsize <= 4:
        quotient = (x.cast(float64) / safe.cast(float64)).called("floor")
        bottom = -(2.0 ** (8 * x.dtype.itemsize - 1))  # its quotient by −1 wraps around
        if is_signed(x.dtype):
            quotient = chosen(quotient == -bottom, x.number(bottom, float64), quotient)
        return chosen(nothing, x.number(0), quotient.cast(x.dtype))
    if is_unsigned(x.dtype):
        return chosen(nothing, x.number(0), x / safe)
    # y = −1 is handled apart: dividing the smallest integer by −1 overflows.
    minus = y == -1
    quotient = x / chosen(minus, y.number(1), safe)
    rest = x - quotient * safe
    quotient = chosen((rest != 0) & ((rest < 0) ^ (y < 0)), quotient - 1, quotient)
    return chosen(nothing, x.number(0), chosen(minus, -x, quotient))


def left_shift(x: Any, y: Any) -> Value:
    """x·2ʸ modulo 2ᵇ; 0 where y is negative or at least the number of bits."""
    x, y = _both(x, y)
    outside = _outside(y)
    return chosen(outside, x.number(0), x << chosen(outside, y.number(0), y))


def right_shift(x: Any, y: Any) -> Value:
    """⌊x/2ʸ⌋; 0 or −1, by the sign, where y is negative or at least the number of bits."""
    x, y = _both(x, y)
    last = y.number(8 * x.dtype.itemsize - 1)
    if is_signed(x.dtype):
        return x >> chosen(_outside(y), last, y)
    return chosen(_outside(y), x.number(0), x >> chosen(_outside(y), last, y))


def _outside(y: Value) -> Value:
    bits = 8 * y.dtype.itemsize
    return (y < 0) | (y >= bits) if is_signed(y.dtype) else y >= bits
