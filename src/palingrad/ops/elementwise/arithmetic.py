"""Arithmetic, elementwise: sums, products, quotients, powers and roots."""

from __future__ import annotations

import numpy as np

from ...dtypes import DType, bool_, int8, is_integer
from ...errors import DTypeError
from ...graph.declared.bounds import Bounds
from ...graph.describe.nonfinite import Reason, number, overflow
from ...graph.describe.notation import (
    ATOM,
    POWER,
    SUM,
    Piece,
    added,
    negated,
    power,
    product,
    quotient,
    subtracted,
)
from ...graph.functions import binary, unary
from ...graph.kinds import Elementwise
from ...graph.registry import ops, register
from ...graph.samples import case, edge, kink

_PAIR = [case((3, 4), (3, 4)), case((3, 1), (4,)), case((), (2, 3)), case((0, 2), (2,))]
_SPECIAL = edge(0.0, -1.5, np.inf, -np.inf, np.nan, inputs=2)


class Numeric(Elementwise):
    """An operation on numbers. Raises DTypeError for booleans, as NumPy raises TypeError."""

    complexes = True

    def dtype_rule(self, *dtypes: DType) -> DType:
        if dtypes[0] == bool_:
            raise DTypeError("expected numbers, got booleans", hint="Use pg.cast, or & | ^ ~.")
        return dtypes[0]


class Counting(Elementwise):
    """An operation that converts booleans to 8-bit integers, as NumPy does."""

    def dtype_rule(self, *dtypes: DType) -> DType:
        return int8 if dtypes[0] == bool_ else dtypes[0]


class Add(Elementwise):
    """z = x + y. ∂z/∂x = ∂z/∂y = 1."""

    math, symbol, onnx = "{x} + {y}", "+", "Add"
    commutes = complexes = True
    samples = [*_PAIR, _SPECIAL]

    def f(m, x, y):
        return m.add(x, y)

    def d(z, x, y):
        return [1, 1]

    def notation(z, x, y):
        return added([x, y])

    def nonfinite(z, value, x, y):
        return overflow(z.dtype, "+", x, y)


class Subtract(Numeric):
    """z = x − y. ∂z/∂x = 1, ∂z/∂y = −1."""

    math, symbol, onnx = "{x} - {y}", "-", "Sub"
    drawn = "−"
    samples = [*_PAIR, _SPECIAL]

    def f(m, x, y):
        return m.subtract(x, y)

    def d(z, x, y):
        return [1, -1]

    def notation(z, x, y):
        return subtracted(x, y)

    def nonfinite(z, value, x, y):
        return overflow(z.dtype, "−", x, y)


class Multiply(Elementwise):
    """z = x · y. ∂z/∂x = y, ∂z/∂y = x."""

    math, symbol, onnx = r"{x} \cdot {y}", "*", "Mul"
    drawn, commutes = "×", True
    complexes = True
    samples = [*_PAIR, _SPECIAL]

    def f(m, x, y):
        return m.multiply(x, y)

    def d(z, x, y):
        return [y, x]

    def notation(z, x, y):
        one, other = z.inputs
        whole = (one.shape == z.shape, other.shape == z.shape)
        return product(x, y, arrays=bool(one.ndim and other.ndim), whole=whole)

    def nonfinite(z, value, x, y):
        return overflow(z.dtype, "·", x, y)


class Divide(Elementwise):
    """z = x / y; integers are converted to floats. ∂z/∂x = 1/y, ∂z/∂y = −z/y."""

    math, symbol, onnx = r"\frac{{x}}{{y}}", "/", "Div"
    drawn = "÷"
    floats = complexes = True
    samples = [case((3, 4), (3, 4), low=0.5), case((3, 1), (4,), low=0.5), _SPECIAL]

    def f(m, x, y):
        return m.divide(x, y)

    def d(z, x, y):
        return [lambda: 1 / y, lambda: -z / y]

    def notation(z, x, y):
        return quotient(x, y)

    def nonfinite(z, value, x, y):
        return _quotient_fault(z.dtype, x, y)

    @classmethod
    def masked(cls):
        return _MASKED_QUOTIENT


_MASKED_QUOTIENT = "x / pg.where(ok, y, 1)"


def _quotient_fault(dtype: DType | None, x: float, y: float) -> Reason:
    if y == 0:
        return Reason(
            f"{number(x)}/0",
            "pg.where(y == 0, 0, x / pg.where(y == 0, 1, y)), or x / (y + eps) where y ≥ 0",
        )
    return Reason(f"{number(x)} / {number(y)} overflows {dtype}", "a larger eps below, or float64")


def _remainder_fault(z: Elementwise, x: float, y: float) -> Reason:
    return Reason(
        f"{z.kind_name()} of {number(x)} by {number(y)}", "pg.where(y == 0, 1, y) as the divisor"
    )


class FloorDivide(Counting):
    """z = ⌊x / y⌋. Piecewise constant: ∂z/∂x = ∂z/∂y = 0."""

    math, symbol = r"\left\lfloor\frac{{x}}{{y}}\right\rfloor", "//"
    samples = [
        case((3, 4), np.asarray(0.7), low=0.1, high=0.6),
        case(np.array([7, -7]), np.array(2)),
    ]

    def f(m, x, y):
        return m.floor_divide(x, y)

    def d(z, x, y):
        return [0, 0]

    def nonfinite(z, value, x, y):
        return _remainder_fault(z, x, y)


class Remainder(Counting):
    """z = x − ⌊x/y⌋·y, with the sign of y. ∂z/∂x = 1, ∂z/∂y = −⌊x/y⌋."""

    math, symbol = r"{x} \bmod {y}", "%"
    samples = [case((3, 4), (4,), low=1.1, high=1.9), case(np.array([7, -7]), np.array(3))]

    def f(m, x, y):
        return m.mod(x, y)

    def d(z, x, y):
        return [1, -(x // y)]

    def notation(z, x, y):
        return Piece(rf"{x.within(POWER)} \bmod {y.within(POWER)}", SUM)

    def nonfinite(z, value, x, y):
        return _remainder_fault(z, x, y)


class Negative(Numeric):
    """y = −x. ∂y/∂x = −1."""

    math, onnx = "-{x}", "Neg"
    stays_finite = True
    samples = [case((3, 4)), case(()), case((0, 2)), edge(0.0, np.inf, np.nan)]

    def f(m, x):
        return m.negative(x)

    def d(y, x):
        return [-1]

    def notation(y, x):
        return negated(x)


class Positive(Numeric):
    """y = x. ∂y/∂x = 1."""

    math, onnx = "{x}", "Identity"
    stays_finite = True
    samples = [case((3, 4)), case((0, 2))]

    def f(m, x):
        return m.positive(x)

    def d(y, x):
        return [1]


class Reciprocal(Elementwise):
    """y = 1/x; integers are converted to floats. ∂y/∂x = −y²."""

    math, onnx = r"\frac{1}{{x}}", "Reciprocal"
    floats = complexes = True
    samples = [case((3, 4), low=0.5), edge(0.0, -0.0, np.inf, np.nan)]

    def f(m, x):
        return m.divide(1, x)

    def d(y, x):
        return [-y * y]

    def nonfinite(y, value, x):
        return _quotient_fault(y.dtype, 1.0, x)

    @classmethod
    def masked(cls):
        return _MASKED_QUOTIENT


class Square(Elementwise):
    """y = x². ∂y/∂x = 2x."""

    math = "{x}^2"
    complexes = True
    samples = [case((3, 4)), case(()), case((0, 2)), edge(0.0, -np.inf, np.nan)]

    def f(m, x):
        return m.multiply(x, x)

    def d(y, x):
        return [2 * x]

    def notation(y, x):
        return Piece(f"{x.within(ATOM)}^2", POWER)

    def nonfinite(y, value, x):
        return overflow(y.dtype, "·", x, x)


class Sqrt(Elementwise):
    """y = √x, NaN for x < 0. ∂y/∂x = 1/(2y), infinite at x = 0."""

    math, onnx = r"\sqrt{{x}}", "Sqrt"
    floats = complexes = True
    harmless = 1
    steep = "pg.sqrt(x + eps), say eps = 1e-12, or pg.sqrt(pg.where(x > 0, x, 1)) and a mask"
    samples = [case((3, 4), low=0.3), case((0, 2)), edge(0.0, -1.0, np.inf, np.nan)]

    def f(m, x):
        return m.sqrt(x)

    def d(y, x):
        return [0.5 / y]

    def nonfinite(y, value, x):
        return Reason(
            f"square root of {number(x)}",
            "pg.sqrt(pg.maximum(x, 0)), or pg.var and pg.std where it is a variance",
        )


class Cbrt(Elementwise):
    """y = ∛x, negative for negative x. ∂y/∂x = 1/(3y²), infinite at x = 0."""

    math = r"\sqrt[3]{{x}}"
    floats = True
    stays_finite = True
    harmless = 1
    steep = "pg.cbrt(pg.where(x == 0, 1, x)) and a mask: at 0 it has no slope"
    samples = [case((3, 4), low=0.3), case((3,), low=-2, high=-0.3), edge(0.0, -np.inf, np.nan)]

    def f(m, x):
        return m.cbrt(x)

    def d(y, x):
        return [1 / (3 * y * y)]


class Pow(Counting):
    """z = xʸ. ∂z/∂x = y·xʸ⁻¹, and 0 for x = y = 0; ∂z/∂y = z·log x, 0 for x = 0, NaN for x < 0."""

    math, symbol, onnx = "{x}^{{y}}", "**", "Pow"
    drawn = "^"
    steep = "(x + eps) ** p, or pg.where(x == 0, 1, x) ** p and a mask"
    complexes = True
    samples = [
        case((3, 4), (3, 4), low=0.3),
        case((3, 1), (4,), low=0.3),
        case((3,), np.array([0.0, 1.0, 3.0]), low=0.3),
        edge(0.0, 1.0, 2.0, 0.5, np.inf, np.nan, inputs=2),
        kink([0.0] * 4, [0.0, 0.5, 1.0, 2.0], slopes=[[0.0, np.inf, 1.0, 0.0], [0.0] * 4]),
        kink([1.0, 2.0], [0.0, 0.0], slopes=[[0.0, 0.0], [0.0, np.log(2)]]),
    ]

    def f(m, x, y):
        return m.power(x, y)

    def bounds(z):
        return [Bounds(z.inputs[1], 0, None, _negative)] if is_integer(z.dtype) else []

    def d(z, x, y):
        return [lambda: _base_slope(x, y), lambda: _exponent_slope(z, x)]

    def notation(z, x, y):
        return power(x, y)

    def nonfinite(z, value, x, y):
        if x < 0 and y != int(y):
            return Reason(
                f"{number(x)} to the power {number(y)}",
                "pg.abs(x) ** y, or pg.maximum(x, 0) ** y; for cube roots pg.cbrt(x)",
            )
        if x == 0:
            return Reason(
                f"0 to the power {number(y)}", "pg.where(x == 0, 1, x) ** y, or (x + eps) ** y"
            )
        what = f"{number(x)} to the power {number(y)} overflows {z.dtype}"
        return Reason(what, "pg.exp(y * log_x) with a bounded exponent, or float64")

    @classmethod
    def masked(cls):
        return "pg.where(ok, x, 1) ** p"


def _negative(least: int, most: int) -> Exception:
    return ValueError("Integers to negative integer powers are not allowed.")  # NumPy's words


def _base_slope(x, y):
    """y·xʸ⁻¹. For x = y = 0 the exponent is 1 instead of y − 1, because 0·∞ would give NaN."""
    return y * x ** ops.where((x == 0) & (y == 0), 1, y - 1)


def _exponent_slope(z, x):
    """z·log x. For x = 0 the logarithm is that of 1, because 0·(−∞) would give NaN."""
    return z * ops.log(ops.where(x == 0, 1, x))


add = register(binary(Add))
subtract = register(binary(Subtract))
multiply = register(binary(Multiply))
divide = register(binary(Divide))
floor_divide = register(binary(FloorDivide))
remainder = register(binary(Remainder))
negative = register(unary(Negative))
positive = register(unary(Positive))
reciprocal = register(unary(Reciprocal))
square = register(unary(Square))
sqrt = register(unary(Sqrt))
cbrt = register(unary(Cbrt))
pow = register(binary(Pow))
