"""The maths namespace `m` of generated code, whose functions emit instructions on Values.

The functions are in functions/, one family a file; this class gives them NumPy's names. Their
maximum errors, in units in the last place (ULP), hold for float32 and float64 over the whole range,
as tests/engines/native/llvm/test_maths.py measures:

    ½     sqrt, divide, reciprocal
    1     exp, exp2, log, cbrt; power for float32
    1.5   expm1, log2, log1p, sinh, cosh, tanh, arcsinh, arctanh, tan, arcsin, arccos, erf, hypot;
          power for float64
    2     log10, sin, cos, arctan, arctan2, arccosh, erfc; logaddexp, in ULP of the largest of |x|,
          |y| and |z|
    0     floor_divide and mod, functions of integers, roundings: as NumPy, bit for bit

Signed zeros, subnormal numbers, infinities and NaN are C99's. The bits don't depend on the width of
vectors, nor (except for float32's erf and erfc) on the instructions that the CPU has.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from ....dtypes import DType, is_boolean, is_floating, is_unsigned
from .functions import division, exponential, inverse, logarithm, power, special, trigonometric
from .values import Value, chosen


def _value(*candidates: Any) -> Value:
    return next(x for x in candidates if isinstance(x, Value))


class NativeMaths:
    """The functions with native code; any other name raises AttributeError."""

    # ---------------------------------------------------------------- arithmetic

    def add(self, x: Any, y: Any) -> Value:
        return x + y

    def subtract(self, x: Any, y: Any) -> Value:
        return x - y

    def multiply(self, x: Any, y: Any) -> Value:
        return x * y

    def absorbing_product(self, x: Any, y: Any) -> Value:
        x, y = _value(x, y).coerced(x).pair(y)
        z = x * y
        return z.unless_nan(lambda: chosen(x == 0, z.number(0), z))

    divide = staticmethod(division.divide)

    def negative(self, x: Value) -> Value:
        return -x

    def positive(self, x: Value) -> Value:
        return x

    def square(self, x: Value) -> Value:
        return x * x

    def absolute(self, x: Value) -> Value:
        if is_floating(x.dtype):
            return x.called("fabs")
        return x if (is_unsigned(x.dtype) or is_boolean(x.dtype)) else chosen(x < 0, -x, x)

    def reciprocal(self, x: Value) -> Value:
        return 1 / x

    def floor(self, x: Value) -> Value:
        return x.called("floor") if is_floating(x.dtype) else x

    def ceil(self, x: Value) -> Value:
        return x.called("ceil") if is_floating(x.dtype) else x

    def trunc(self, x: Value) -> Value:
        return x.called("trunc") if is_floating(x.dtype) else x

    def rint(self, x: Value) -> Value:
        return x.called("rint") if is_floating(x.dtype) else x

    def sign(self, x: Value) -> Value:
        if is_unsigned(x.dtype) or is_boolean(x.dtype):
            return chosen(x > 0, x.number(1), x)
        rest = x + 0.0 if is_floating(x.dtype) else x  # NaN, or 0 without a sign, as from NumPy
        return chosen(x > 0, x.number(1), chosen(x < 0, x.number(-1), rest))

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
        return _unless_nan(y, chosen(y >= x, y, x))  # of 0.0 and −0.0 the second

    def minimum(self, x: Any, y: Any) -> Value:
        x, y = _value(x, y).coerced(x).pair(y)
        return _unless_nan(y, chosen(y <= x, y, x))

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
        return self.absolute(x) == math.inf if is_floating(x.dtype) else x != x

    def isnan(self, x: Value) -> Value:
        return x != x

    def isfinite(self, x: Value) -> Value:
        return self.absolute(x) < math.inf if is_floating(x.dtype) else x == x

    # ---------------------------------------------------------------- functions of their own files

    exp = staticmethod(exponential.exp)
    exp2 = staticmethod(exponential.exp2)
    expm1 = staticmethod(exponential.expm1)
    sinh = staticmethod(exponential.sinh)
    cosh = staticmethod(exponential.cosh)
    tanh = staticmethod(exponential.tanh)

    log = staticmethod(logarithm.log)
    log2 = staticmethod(logarithm.log2)
    log10 = staticmethod(logarithm.log10)
    log1p = staticmethod(logarithm.log1p)
    logaddexp = staticmethod(logarithm.logaddexp)
    arcsinh = staticmethod(logarithm.arcsinh)
    arccosh = staticmethod(logarithm.arccosh)
    arctanh = staticmethod(logarithm.arctanh)

    sin = staticmethod(trigonometric.sin)
    cos = staticmethod(trigonometric.cos)
    tan = staticmethod(trigonometric.tan)

    arcsin = staticmethod(inverse.arcsin)
    arccos = staticmethod(inverse.arccos)
    arctan = staticmethod(inverse.arctan)
    arctan2 = staticmethod(inverse.arctan2)

    sqrt = staticmethod(power.sqrt)
    cbrt = staticmethod(power.cbrt)
    hypot = staticmethod(power.hypot)
    power = staticmethod(power.power)

    erf = staticmethod(special.erf)
    erfc = staticmethod(special.erfc)

    floor_divide = staticmethod(division.floor_divide)
    mod = staticmethod(division.mod)
    left_shift = staticmethod(division.left_shift)
    right_shift = staticmethod(division.right_shift)


class CheckedMaths(NativeMaths):
    """The same for powers of integers whose exponents a bounds check has verified."""

    power = staticmethod(partial(power.power, checked=True))


def _unless_nan(y: Value, result: Value) -> Value:
    """`result`, or y where y is NaN; a constant y never is."""
    known = y.known
    if not is_floating(y.dtype) or (known is not None and known == known):
        return result
    return chosen(y != y, y, result)
