"""The elementwise functions of `m`, written as ONNX operators."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...dtypes import Array, DType, is_boolean, is_floating, is_integer, is_unsigned
from ...errors import DTypeError
from ...maths import numpy_maths
from ...maths.protocol import ELEMENTWISE
from ...shapes import broadcast
from .values import Value, Writer

# Functions of one argument that ONNX has, by the names of `m`, which are those of NumPy's ufuncs.
UNARY = {
    "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "sin": "Sin", "cos": "Cos", "tan": "Tan",
    "arcsin": "Asin", "arccos": "Acos", "arctan": "Atan", "sinh": "Sinh", "cosh": "Cosh",
    "tanh": "Tanh", "arcsinh": "Asinh", "arccosh": "Acosh", "arctanh": "Atanh", "floor": "Floor",
    "ceil": "Ceil", "rint": "Round", "isnan": "IsNaN", "isinf": "IsInf", "absolute": "Abs",
}  # fmt: skip
BINARY = {
    "subtract": "Sub", "divide": "Div", "less": "Less", "less_equal": "LessOrEqual",
    "greater": "Greater", "greater_equal": "GreaterOrEqual", "equal": "Equal",
}  # fmt: skip
LOGICAL = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}
BITWISE = {
    "bitwise_and": ("And", "BitwiseAnd"), "bitwise_or": ("Or", "BitwiseOr"),
    "bitwise_xor": ("Xor", "BitwiseXor"),
}  # fmt: skip
_BOOL = np.dtype(bool)


class ElementwiseOnnx(Writer):
    """The functions of `ElementwiseMaths`, of values, numbers and arrays."""

    # ---------------------------------------------------------------- operands

    def lift(self, x: Any, dtype: Any = None) -> Value:
        """x as a value of the graph, in `dtype` if given."""
        if isinstance(x, Value):
            return x if dtype is None else self.cast_to(x, dtype)
        return self.constant(np.asarray(x, dtype))

    def resolved(self, name: str, *xs: Any) -> tuple[list[Value], DType]:
        """The operands in the dtypes in which NumPy computes the function, and the result's."""
        ufunc: Any = getattr(np, name)
        given = [_kind_of(x) for x in xs]
        *wanted, result = ufunc.resolve_dtypes((*given, None))
        if any(one.kind in "cO" for one in (*wanted, result)):
            raise DTypeError(f"ONNX's operators don't take {result}")
        return [self.lift(x, dtype) for x, dtype in zip(xs, wanted, strict=True)], result

    def elementwise(self, op: str, *xs: Value, dtype: Any, **attributes: Any) -> Value:
        """An ONNX operator that broadcasts."""
        shape = broadcast(*(x.shape for x in xs))
        return self.op(op, *xs, shape=shape, dtype=dtype, **attributes)

    # ---------------------------------------------------------------- arithmetic

    def add(self, x: Any, y: Any) -> Any:
        """x + y."""
        (x, y), dtype = self.resolved("add", x, y)
        return self.elementwise("Or" if is_boolean(dtype) else "Add", x, y, dtype=dtype)

    def multiply(self, x: Any, y: Any) -> Any:
        """x·y."""
        (x, y), dtype = self.resolved("multiply", x, y)
        return self.elementwise("And" if is_boolean(dtype) else "Mul", x, y, dtype=dtype)

    def negative(self, x: Any) -> Any:
        """−x."""
        (x,), dtype = self.resolved("negative", x)
        if is_unsigned(dtype):
            return self.elementwise("Sub", self.lift(0, dtype), x, dtype=dtype)
        return self.elementwise("Neg", x, dtype=dtype)

    def positive(self, x: Any) -> Any:
        """x."""
        return self.resolved("positive", x)[0][0]

    def square(self, x: Any) -> Any:
        """x²."""
        (x,), dtype = self.resolved("square", x)
        return self.elementwise("Mul", x, x, dtype=dtype)

    def reciprocal(self, x: Any) -> Any:
        """1/x."""
        (x,), dtype = self.resolved("reciprocal", x)
        if is_floating(dtype):
            return self.elementwise("Reciprocal", x, dtype=dtype)
        return self.elementwise("Div", self.lift(1, dtype), x, dtype=dtype)

    def sign(self, x: Any) -> Any:
        """−1, 0 or 1; NaN gives NaN."""
        (x,), dtype = self.resolved("sign", x)
        y = self.elementwise("Sign", x, dtype=dtype)
        return self.where(self.isnan(x), x, y) if is_floating(dtype) else y

    def absorbing_product(self, x: Any, y: Any) -> Any:
        """x·y, but 0 where x = 0 and y is ±∞ or NaN."""
        z = self.multiply(x, y)
        if not is_floating(z.dtype):
            return z
        return self.where(self.logical_and(self.equal(x, 0), self.isnan(z)), 0.0, z)

    def power(self, x: Any, y: Any) -> Any:
        """xʸ; integers by repeated squaring, so that they wrap around."""
        (x, y), dtype = self.resolved("power", x, y)
        if is_floating(dtype):
            z = self.elementwise("Pow", x, y, dtype=dtype)
            return self.where(self.logical_or(self.equal(y, 0.0), self.equal(x, 1.0)), 1.0, z)
        total, base = self.lift(1, dtype), x
        for bit in range(8 * dtype.itemsize - (not is_unsigned(dtype))):
            odd = self.not_equal(self.bitwise_and(y, np.asarray(1 << bit, dtype)), 0)
            total = self.where(odd, self.multiply(total, base), total)
            base = self.multiply(base, base)
        return total

    def floor_divide(self, x: Any, y: Any) -> Any:
        """⌊x/y⌋, of floats from the exact remainder, as NumPy's."""
        (x, y), dtype = self.resolved("floor_divide", x, y)
        zero = self.equal(y, 0)
        if not is_floating(dtype):
            divisor = self.where(zero, np.asarray(1, dtype), y)
            whole = self.elementwise("Div", x, divisor, dtype=dtype)  # truncated
            rest = self.subtract(x, self.multiply(whole, divisor))
            signs = self.not_equal(self.less(rest, 0), self.less(divisor, 0))
            down = self.logical_and(self.not_equal(rest, 0), signs)
            whole = self.subtract(whole, self.cast_to(down, dtype))
            return self.where(zero, np.asarray(0, dtype), whole)
        quotient = self.divide(x, y)
        rest = self.fmod(x, y)
        signs = self.not_equal(self.less(rest, 0.0), self.less(y, 0.0))
        other = self.logical_and(self.not_equal(rest, 0.0), signs)
        near = self.divide(self.subtract(x, rest), y) - self.cast_to(other, dtype)
        whole = self.floor(near)
        whole = self.where(self.greater(self.subtract(near, whole), 0.5), whole + 1.0, whole)
        signed_zero = self.multiply(quotient, 0.0)
        whole = self.where(self.not_equal(near, 0.0), whole, signed_zero)
        return self.where(zero, quotient, whole)

    def mod(self, x: Any, y: Any) -> Any:
        """x − ⌊x/y⌋·y, with the sign of y."""
        (x, y), dtype = self.resolved("remainder", x, y)
        if not is_floating(dtype):
            zero = self.equal(y, 0)
            divisor = self.where(zero, np.asarray(1, dtype), y)
            rest = self.elementwise("Mod", x, divisor, dtype=dtype)
            return self.where(zero, np.asarray(0, dtype), rest)
        rest = self.fmod(x, y)
        other = self.logical_and(
            self.not_equal(rest, 0.0), self.not_equal(self.less(rest, 0.0), self.less(y, 0.0))
        )
        rest = self.where(other, self.add(rest, y), rest)
        return self.copysign(rest, y)  # a zero has the sign of y, too

    def fmod(self, x: Any, y: Any) -> Any:
        """The remainder with the sign of x."""
        (x, y), dtype = self.resolved("fmod", x, y)
        if is_floating(dtype):
            return self.copysign(self.elementwise("Mod", x, y, dtype=dtype, fmod=1), x)
        zero = self.equal(y, 0)
        divisor = self.where(zero, np.asarray(1, dtype), y)
        rest = self.elementwise("Mod", x, divisor, dtype=dtype, fmod=1)
        return self.where(zero, np.asarray(0, dtype), rest)

    def cbrt(self, x: Any) -> Any:
        """∛x: the power, improved by a step of Newton's method."""
        (x,), _ = self.resolved("cbrt", x)
        root = self.power(self.absolute(x), 1.0 / 3.0)
        ok = self.logical_and(self.greater(root, 0.0), self.isfinite(root))
        safe = self.where(ok, root, 1.0)
        step = self.divide(self.subtract(self.divide(self.absolute(x), safe * safe), safe), 3.0)
        return self.copysign(self.where(ok, safe + step, root), x)

    def hypot(self, x: Any, y: Any) -> Any:
        """√(x² + y²) without overflow."""
        (x, y), _ = self.resolved("hypot", x, y)
        a, b = self.absolute(x), self.absolute(y)
        large, small = self.maximum(a, b), self.minimum(a, b)
        ratio = small / self.where(self.equal(large, 0.0), 1.0, large)
        size = large * self.sqrt(1.0 + ratio * ratio)
        infinite = self.logical_or(self.equal(a, math.inf), self.equal(b, math.inf))
        return self.where(infinite, math.inf, size)

    # ---------------------------------------------------------------- comparisons and choices

    def trunc(self, x: Any) -> Any:
        """x rounded towards 0."""
        (x,), dtype = self.resolved("trunc", x)
        if not is_floating(dtype):
            return x
        return self.where(self.less(x, 0.0), self.ceil(x), self.floor(x))

    def not_equal(self, x: Any, y: Any) -> Any:
        """x ≠ y."""
        return self.logical_not(self.equal(x, y))

    def logical_not(self, x: Any) -> Any:
        """Whether x is 0."""
        return self.elementwise("Not", self.truth(x), dtype=_BOOL)

    def truth(self, x: Any) -> Value:
        """Whether x differs from 0."""
        x = self.lift(x)
        return x if is_boolean(x.dtype) else self.cast_to(x, _BOOL)

    def isfinite(self, x: Any) -> Any:
        """Whether x is neither NaN nor ±∞."""
        return self.logical_not(self.logical_or(self.isnan(x), self.isinf(x)))

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """x where the condition isn't 0, else y."""
        dtype = np.result_type(*(_weak(one) for one in (x, y)))
        x, y = (one if isinstance(one, Value) else np.asarray(one).astype(dtype) for one in (x, y))
        x, y = self.lift(x, dtype), self.lift(y, dtype)  # Python's integers wrap around
        if is_boolean(dtype):
            chosen = self.truth(condition)
            return self.logical_or(
                self.logical_and(chosen, x), self.logical_and(self.logical_not(chosen), y)
            )
        if dtype.name in ("int16", "uint16", "uint64"):  # for which onnxruntime has no kernel
            wide = np.dtype(np.int64)
            x, y = self.cast_to(x, wide), self.cast_to(y, wide)
            found = self.elementwise("Where", self.truth(condition), x, y, dtype=wide)
            return self.cast_to(found, dtype)
        return self.elementwise("Where", self.truth(condition), x, y, dtype=dtype)

    def maximum(self, x: Any, y: Any) -> Any:
        """max(x, y); NaN if either is NaN."""
        return self._extreme("maximum", "Max", x, y)

    def minimum(self, x: Any, y: Any) -> Any:
        """min(x, y); NaN if either is NaN."""
        return self._extreme("minimum", "Min", x, y)

    def _extreme(self, name: str, op: str, x: Any, y: Any) -> Any:
        (x, y), dtype = self.resolved(name, x, y)
        if is_boolean(dtype):
            return (self.logical_or if name == "maximum" else self.logical_and)(x, y)
        if dtype.name in ("int16", "uint16"):  # which the operator doesn't take
            wide = np.dtype(np.int32)
            y = self.elementwise(op, self.cast_to(x, wide), self.cast_to(y, wide), dtype=wide)
            return self.cast_to(y, dtype)
        return self.elementwise(op, x, y, dtype=dtype)

    def fmax(self, x: Any, y: Any) -> Any:
        """max(x, y); the other if one is NaN."""
        return self._without_nan(self.maximum(x, y), x, y)

    def fmin(self, x: Any, y: Any) -> Any:
        """min(x, y); the other if one is NaN."""
        return self._without_nan(self.minimum(x, y), x, y)

    def _without_nan(self, z: Any, x: Any, y: Any) -> Any:
        if not is_floating(z.dtype):
            return z
        return self.where(self.isnan(x), y, self.where(self.isnan(y), x, z))

    def signbit(self, x: Any) -> Any:
        """Whether x has a minus sign; False for NaN."""
        x = self.lift(x)
        if not is_floating(x.dtype):
            return self.less(x, 0)
        below = self.logical_and(self.equal(x, 0.0), self.less(1.0 / x, 0.0))
        return self.logical_or(self.less(x, 0.0), below)

    def copysign(self, x: Any, y: Any) -> Any:
        """|x| with the sign of y."""
        (x, y), dtype = self.resolved("copysign", x, y)
        size = self.elementwise("Abs", x, dtype=dtype)
        one = np.asarray(1, dtype)  # a product, since onnxruntime's Where turns −0.0 into 0.0
        return size * self.where(self.signbit(y), -one, one)

    def heaviside(self, x: Any, y: Any) -> Any:
        """0 for x < 0, 1 for x > 0, y for x = 0; NaN for NaN."""
        (x, y), dtype = self.resolved("heaviside", x, y)
        step = self.where(self.less(x, 0.0), np.asarray(0, dtype), np.asarray(1, dtype))
        step = self.where(self.equal(x, 0.0), y, step)
        return self.where(self.isnan(x), x, step)

    def ldexp(self, x: Any, n: Any) -> Any:
        """x·2ⁿ, in two factors, of which neither overflows alone."""
        x, n = self.lift(x), self.lift(n)
        dtype = np.result_type(x.dtype, np.float16)
        exponent = self.cast(self.minimum(self.maximum(n, -2200), 2200), np.float64)
        wide = self.cast_to(x, np.dtype(np.float64))
        half = self.floor(exponent * 0.5)
        quarter = self.floor(half * 0.5)
        rest = exponent - half
        for part in (quarter, half - quarter, self.floor(rest * 0.5)):
            wide = wide * self.exp2(part)
        return self.cast_to(wide * self.exp2(rest - self.floor(rest * 0.5)), dtype)

    # ---------------------------------------------------------------- dtypes

    def cast(self, x: Any, dtype: Any) -> Any:
        """x in another dtype; from floats to integers it truncates, within the integers' bounds."""
        x, dtype = self.lift(x), np.dtype(dtype)
        if dtype.kind in "cO":
            raise DTypeError(f"ONNX's operators don't take {dtype}")
        if not (is_floating(x.dtype) and is_integer(dtype)):
            return self.cast_to(x, dtype)
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        below, above = self.less_equal(x, float(low)), self.greater_equal(x, float(high))
        outside = self.logical_or(self.logical_or(below, above), self.isnan(x))
        whole = self.cast_to(self.where(outside, 0.0, x), dtype)
        if dtype.itemsize < 4 or dtype == np.uint64:  # for which `Where` may have no kernel
            return self._bounded(whole, below, above, low, high)
        whole = self.where(below, np.asarray(low, dtype), whole)
        return self.where(above, np.asarray(high, dtype), whole)

    def _bounded(self, whole: Value, below: Value, above: Value, low: int, high: int) -> Value:
        """`whole`, 0 where it is below or above, plus the bounds there."""
        dtype = whole.dtype
        lowest = self.cast_to(below, dtype) * np.asarray(low, dtype)
        return whole + lowest + self.cast_to(above, dtype) * np.asarray(high, dtype)

    def ones_like(self, x: Any) -> Any:
        """1 in x's dtype."""
        return self.constant(np.ones((), self.lift(x).dtype))

    def zeros_like(self, x: Any) -> Any:
        """0 in x's dtype."""
        return self.constant(np.zeros((), self.lift(x).dtype))


def _kind_of(x: Any) -> Any:
    if isinstance(x, (Value, np.ndarray, np.generic)):
        return x.dtype
    return _BOOL if isinstance(x, bool) else type(x)


def _weak(x: Any) -> Any:
    return x.dtype if isinstance(x, (Value, np.ndarray)) else x


def folded(name: str, *xs: Any, **options: Any) -> Array | None:
    """The value of a function of numbers and arrays alone, or None if a value is among them."""
    if any(isinstance(x, Value) for x in (*xs, *options.values())) or not xs:
        return None
    if name not in ELEMENTWISE:
        return None
    with np.errstate(all="ignore"):
        return getattr(numpy_maths, name)(*xs, **options)
