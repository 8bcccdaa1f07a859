"""Exponentials and hyperbolic functions.

All of them reduce x = n·log 2 + r with an integer n and |r| ≤ ½ log 2 (Cody & Waite 1980: log 2 in
two parts, the first so short that n times it is exact), evaluate polynomials in r and scale by 2ⁿ.
Muller, Elementary Functions (2016), ch. 11, describes the method and its errors.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..values import Value, chosen
from .coefficients import COSH, EXP, EXP2, EXPM1, SINH, TANH
from .pieces import (
    Pair,
    clamped,
    either,
    fast_two_sum,
    magnitude,
    polynomial,
    power_of_two,
    rounded,
    scaled,
    signed,
)

# log 2 in three parts; the first two have few digits, so that n times them is exact.
LOG2 = (
    (0.693359375, -2.12194440054690583e-4),
    (0.6931471803691238, 1.9082149292705877e-10),
)


def reduced(x: Value) -> Pair:
    """(n, r) with x = n·log 2 + r, n whole and |r| ≤ ½ log 2."""
    high, low = either(x, *LOG2)
    n = rounded(x, 1 / math.log(2))
    return n, (-n).fma(low, (-n).fma(high, x))


def _reduced_pair(x: Value) -> tuple[Value, Value, Value]:
    """(n, r, tail) with x = n·log 2 + r + tail."""
    high, low = either(x, *LOG2)
    n = rounded(x, 1 / math.log(2))
    first = (-n).fma(high, x)
    r = (-n).fma(low, first)
    return n, r, (-n).fma(low, first - r)


def power_of_e(r: Value) -> Value:
    """eʳ for |r| ≤ ½ log 2."""
    return (r * r).fma(polynomial(r, EXP), r) + 1.0


def exp(x: Value) -> Value:
    """eˣ = 2ⁿ·eʳ. Error 1 ULP."""
    n, r = reduced(clamped(x, *either(x, (-104.0, 89.0), (-746.0, 710.0))))
    return scaled(power_of_e(r), n)


def exp2(x: Value) -> Value:
    """2ˣ = 2ⁿ·2ʳ with n the whole number next to x. Error 1 ULP."""
    x = clamped(x, *either(x, (-151.0, 129.0), (-1076.0, 1025.0)))
    n = rounded(x)
    r = x - n
    return scaled(r.fma(polynomial(r, EXP2), 1.0), n)


def expm1(x: Value) -> Value:
    """eˣ − 1 = (2ⁿ − 1) + 2ⁿ·r + 2ⁿ·(eʳ − 1 − r), the largest terms first. Error 1.5 ULP.

    The sum is computed with ½·2ⁿ, which doesn't overflow before the result does.
    """
    inside = clamped(x, *either(x, (-19.0, 89.0), (-40.0, 710.0)))
    n, r, tail = _reduced_pair(inside)
    half = power_of_two(n - 1.0)
    rest = (r * r).fma(polynomial(r, EXPM1), tail)
    result = half.fma(rest, half.fma(r, half - 0.5)) * 2.0
    return chosen(magnitude(x) < either(x, 2.0**-26, 2.0**-55), x, result)


class _Halves(NamedTuple):
    """For |x| = n·log 2 + r: r, sinh r − r, cosh r − 1, and quarters of 2ⁿ and 2⁻ⁿ."""

    r: Value
    odd: Value
    even: Value
    up: Value
    down: Value


def _halves(x: Value) -> _Halves:
    size = clamped(magnitude(x), 0.0, either(x, 89.5, 710.5))
    n, r, tail = _reduced_pair(size)
    square = r * r
    odd = (square * r).fma(polynomial(square, SINH), tail)
    lowest = either(x, -120.0, -1000.0)  # below, 2⁻ⁿ is negligible
    down = chosen(n > -lowest, n.number(lowest), -n) - 2.0
    even = square * polynomial(square, COSH)
    return _Halves(r, odd, even, power_of_two(n - 2.0), power_of_two(down))


def sinh(x: Value) -> Value:
    """sinh(n·log 2 + r) = sinh(n·log 2)·cosh r + cosh(n·log 2)·sinh r. Error 1.5 ULP."""
    r, odd, even, up, down = _halves(x)
    difference, lost = fast_two_sum(up, -down)
    total = up + down
    rest = difference.fma(even, total.fma(odd, lost))
    size = (total.fma(r, difference) + rest) * 2.0
    return signed(chosen(magnitude(x) < either(x, 2.0**-13, 2.0**-28), x, size), x)


def cosh(x: Value) -> Value:
    """cosh(n·log 2 + r) = cosh(n·log 2)·cosh r + sinh(n·log 2)·sinh r. Error 1.5 ULP."""
    r, odd, even, up, down = _halves(x)
    total, lost = fast_two_sum(up, down)
    difference = up - down
    rest = total.fma(even, difference.fma(odd, lost))
    return (difference.fma(r, total) + rest) * 2.0


def tanh(x: Value) -> Value:
    """tanh x = x + x³·P(x²) up to 0.625, beyond ±(1 − 2/(e^(2|x|) + 1)), where the quotient and its
    error are small. Error 1.5 ULP.

    In a recurrence every step waits for this chain, so e^(2|x|) + 1 is (eʳ − 1)·2ⁿ + (2ⁿ + 1), and
    the last term of eʳ − 1 waits for the polynomial alone.
    """
    size = magnitude(x)
    square = x * x
    near = (x * square).fma(polynomial(square, TANH), x)
    inside = clamped(size, 0.0, either(x, 10.0, 20.0))
    high, low = either(x, *LOG2)
    n = rounded(inside, 2 / math.log(2))
    r = (-n).fma(low, (-n).fma(high, inside * 2.0))
    *upper, half = either(x, *EXP)
    first = (r * r).fma(half, r)  # eʳ − 1 = r + r²/2 + r³·Q(r)
    rest = (r * r * r).fma(polynomial(r, (tuple(upper), tuple(upper))), first)
    power = power_of_two(n)
    return signed(chosen(size < 0.625, near, 1.0 - 2.0 / rest.fma(power, power + 1.0)), x)
