"""`m` for generated code: the maths namespace that formulas are written with, on Values.

Errors are in units in the last place (ULP) over the whole range, measured by
tests/engines/native/test_maths.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...dtypes import DType, float32, int32, int64
from .values import Value, chosen


def _value(*candidates: Any) -> Value:
    return next(x for x in candidates if isinstance(x, Value))


def _polynomial(x: Value, coefficients: list[float]) -> Value:
    """Σ cₙ·xⁿ by Horner's rule with fused multiplications; the highest power comes first."""
    total = x.number(coefficients[0])
    for c in coefficients[1:]:
        total = total.fma(x, c)
    return total


def _narrow(x: Value) -> bool:
    return x.dtype == float32


def _integers(x: Value) -> DType:
    """The integers as wide as x's floats."""
    return int32 if _narrow(x) else int64


def _power_of_two(n: Value, like: Value) -> Value:
    """2ⁿ for integers n in the normal range, made in the exponent's bits."""
    bias, shift = (127, 23) if _narrow(like) else (1023, 52)
    return ((n + bias) << shift).bits(like.dtype)


# log 2 in two parts, the first with so few digits that a small integer times it is exact.
_LOG2 = {
    True: (0.693359375, -2.12194440e-4),
    False: (6.93147180369123816490e-1, 1.90821492927058770002e-10),
}


def _reduced(x: Value) -> tuple[Value, Value]:
    """(n, r) with x = n·log 2 + r, n whole and |r| ≤ ½·log 2."""
    high, low = _LOG2[_narrow(x)]
    n = (x * (1 / math.log(2))).called("rint")
    return n, (-n).fma(low, (-n).fma(high, x))


def _scaled(x: Value, n: Value) -> Value:
    """x·2ⁿ in two steps, so that neither overflows and small results round once."""
    whole = n.cast(_integers(x))
    half = whole >> 1
    return x * _power_of_two(half, x) * _power_of_two(whole - half, x)


class NativeMaths:
    """Formulas' functions that generated code knows; asking for another raises AttributeError."""

    # ---------------------------------------------------------------- arithmetic

    def add(self, x: Any, y: Any) -> Value:
        return x + y

    def subtract(self, x: Any, y: Any) -> Value:
        return x - y

    def multiply(self, x: Any, y: Any) -> Value:
        return x * y

    def divide(self, x: Any, y: Any) -> Value:
        return x / y

    def negative(self, x: Value) -> Value:
        return -x

    def positive(self, x: Value) -> Value:
        return x

    def square(self, x: Value) -> Value:
        return x * x

    def absolute(self, x: Value) -> Value:
        if x.dtype.kind == "f":
            return x.called("fabs")
        return x if x.dtype.kind in "ub" else chosen(x < 0, -x, x)

    def sqrt(self, x: Value) -> Value:
        return x.called("sqrt")

    def floor(self, x: Value) -> Value:
        return x.called("floor") if x.dtype.kind == "f" else x

    def ceil(self, x: Value) -> Value:
        return x.called("ceil") if x.dtype.kind == "f" else x

    def trunc(self, x: Value) -> Value:
        return x.called("trunc") if x.dtype.kind == "f" else x

    def rint(self, x: Value) -> Value:
        return x.called("rint") if x.dtype.kind == "f" else x

    def sign(self, x: Value) -> Value:
        if x.dtype.kind in "ub":
            return chosen(x > 0, x.number(1), x)
        return chosen(x > 0, x.number(1), chosen(x < 0, x.number(-1), x))

    def cast(self, x: Value, dtype: DType) -> Value:
        return x.cast(dtype)

    def ones_like(self, x: Value) -> Value:
        return x.number(1)

    def zeros_like(self, x: Value) -> Value:
        return x.number(0)

    # ---------------------------------------------------------------- choices and logic

    def where(self, condition: Value, x: Any, y: Any) -> Value:
        like = _value(x, y)
        return chosen(condition, like.coerced(x), like.coerced(y))

    def maximum(self, x: Any, y: Any) -> Value:
        x, y = _value(x, y).coerced(x).pair(y)
        return chosen((x > y) | (x != x), x, y)

    def minimum(self, x: Any, y: Any) -> Value:
        x, y = _value(x, y).coerced(x).pair(y)
        return chosen((x < y) | (x != x), x, y)

    def equal(self, x: Value, y: Any) -> Value:
        return x == y

    def not_equal(self, x: Value, y: Any) -> Value:
        return x != y

    def less(self, x: Value, y: Any) -> Value:
        return x < y

    def less_equal(self, x: Value, y: Any) -> Value:
        return x <= y

    def greater(self, x: Value, y: Any) -> Value:
        return x > y

    def greater_equal(self, x: Value, y: Any) -> Value:
        return x >= y

    def logical_and(self, x: Value, y: Value) -> Value:
        return (x != 0) & (y != 0)

    def logical_or(self, x: Value, y: Value) -> Value:
        return (x != 0) | (y != 0)

    def logical_xor(self, x: Value, y: Value) -> Value:
        return (x != 0) ^ (y != 0)

    def logical_not(self, x: Value) -> Value:
        return x == 0

    def bitwise_and(self, x: Value, y: Value) -> Value:
        return x & y

    def bitwise_or(self, x: Value, y: Value) -> Value:
        return x | y

    def bitwise_xor(self, x: Value, y: Value) -> Value:
        return x ^ y

    def bitwise_invert(self, x: Value) -> Value:
        return ~x

    def isinf(self, x: Value) -> Value:
        return self.absolute(x) == (math.inf if x.dtype.kind == "f" else -1)

    def isfinite(self, x: Value) -> Value:
        return self.absolute(x) < math.inf if x.dtype.kind == "f" else x == x

    # ---------------------------------------------------------------- exponentials

    def exp(self, x: Value) -> Value:
        """eˣ: x = n·log 2 + r, the series of eʳ, times 2ⁿ."""
        low, high = (-104.0, 89.0) if _narrow(x) else (-746.0, 710.0)
        inside = chosen(x < low, x.number(low), chosen(x > high, x.number(high), x))
        n, r = _reduced(inside)
        terms = 7 if _narrow(x) else 13
        series = _polynomial(r, [1 / math.factorial(k) for k in range(terms, -1, -1)])
        return _scaled(series, n)

    def exp2(self, x: Value) -> Value:
        """2ˣ: the whole part goes to the exponent, the rest through the series."""
        low, high = (-151.0, 129.0) if _narrow(x) else (-1076.0, 1025.0)
        inside = chosen(x < low, x.number(low), chosen(x > high, x.number(high), x))
        n = inside.called("rint")
        terms = 7 if _narrow(x) else 13
        r = (inside - n) * math.log(2)
        series = _polynomial(r, [1 / math.factorial(k) for k in range(terms, -1, -1)])
        return _scaled(series, n)

    def expm1(self, x: Value) -> Value:
        """eˣ − 1: for |x| < 1 the series from its second term, beyond the difference."""
        terms = 11 if _narrow(x) else 19
        near = chosen(self.absolute(x) < 1.0, x, x.number(0.0))
        tail = _polynomial(near, [1 / math.factorial(k) for k in range(terms, 1, -1)])
        small = (near * near).fma(tail, near)
        large = self.exp(x) - 1.0
        return chosen(self.absolute(x) < 1.0, chosen(x == 0, x, small), large)

    def log(self, x: Value) -> Value:
        """log x: x = 2ᵉ·(1 + f), √½ ≤ 1 + f < √2, and the series of artanh (as in fdlibm)."""
        tiny, scale, steps = (
            (float(np.finfo(np.float32).tiny), 2.0**24, 24)
            if _narrow(x)
            else (float(np.finfo(np.float64).tiny), 2.0**54, 54)
        )
        small = x < tiny
        normal = chosen(small, x * scale, x)
        bits = normal.bits(_integers(x))
        shift = 23 if _narrow(x) else 52
        root_half = int(np.asarray(math.sqrt(0.5), x.dtype).view(_integers(x)))
        e = (bits - root_half) >> shift
        fraction = (bits - (e << shift)).bits(x.dtype)
        exponent = e.cast(x.dtype) - chosen(small, x.number(steps), x.number(0))
        f = fraction - 1.0
        s = f / (f + 2.0)
        z = s * s
        terms = 5 if _narrow(x) else 11
        series = z * _polynomial(z, [2 / (2 * k + 1) for k in range(terms, 0, -1)])
        half = f * f * 0.5
        high, low = _LOG2[_narrow(x)]
        result = exponent.fma(high, f - (half - s.fma(half + series, exponent * low)))
        result = chosen(x == math.inf, x, chosen(x == 0, x.number(-math.inf), result))
        return chosen(x < 0, x.number(math.nan), chosen(x != x, x, result))

    def log2(self, x: Value) -> Value:
        return self.log(x) * (1 / math.log(2))

    def log10(self, x: Value) -> Value:
        return self.log(x) * (1 / math.log(10))

    def log1p(self, x: Value) -> Value:
        """log(1 + x) = x·log(u)/(u − 1), u = 1 + x rounded: the roundings cancel (Kahan)."""
        u = x + 1.0
        there = u - 1.0
        plain = (there == 0) | (u == math.inf)
        safe = chosen(plain, x.number(1.0), there)
        result = self.log(u) * (x / safe)
        return chosen(there == 0, x, chosen(u == math.inf, x, result))

    def tanh(self, x: Value) -> Value:
        """tanh x = −t/(t + 2), t = e^(−2|x|) − 1, with the sign of x."""
        t = self.expm1(self.absolute(x) * -2.0)
        size = -t / (t + 2.0)
        return chosen(x == 0, x, chosen(x < 0, -size, size))
