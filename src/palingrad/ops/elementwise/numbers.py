"""Signs, remainders, steps, neighbours and parts of numbers, elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import DType, int32, is_floating, is_integer
from ...errors import DTypeError
from ...graph.describe.nonfinite import Reason, number
from ...graph.functions import binary, unary
from ...graph.kinds import Elementwise
from ...graph.node import Node
from ...graph.promotion import align, as_node
from ...graph.registry import ops, register
from ...graph.samples import case, edge, kink
from .discrete import Step

_PAIR = [
    case((3, 4), np.array([2.5, -2.5, 3.5, -3.5])),
    edge(0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, inputs=2),
]
_TIES = kink([1.0, np.nan, 3.0], [1.0, 2.0, np.nan], slopes=[[0.5, 0.0, 1.0], [0.5, 1.0, 0.0]])


class Signbit(Elementwise):
    """y = whether x is negative, −0.0 too; of NaN always False."""

    math = r"\operatorname{signbit}({x})"
    boolean = stays_finite = True
    samples = [
        case((3,)),
        edge(0.0, -0.0, -1e-310, np.inf, -np.inf, np.nan),
        case(np.array([0, -1])),
    ]

    def f(m, x):
        return m.logical_or(x < 0, m.reciprocal(x) < 0) if is_floating(x.dtype) else x < 0


class Copysign(Elementwise):
    """z = |x| with the sign of y, also of −0.0; |x| where y is NaN. ∂z/∂x = sign x·sign y,
    ∂z/∂y = 0."""

    math = r"\operatorname{copysign}({x}, {y})"
    floats = stays_finite = True
    samples = _PAIR

    def f(m, x, y):
        size = m.absolute(x)
        return m.where(m.logical_or(y < 0, m.reciprocal(y) < 0), -size, size)

    def d(z, x, y):
        return [lambda: ops.where(signbit(x) == signbit(y), ops.ones_like(x), -1), None]


class Heaviside(Step):
    """z = 0 for x < 0, h for x = 0 and 1 for x > 0. ∂z/∂x = 0, ∂z/∂h = 1 where x = 0."""

    math = r"\operatorname{heaviside}({x}, {h})"
    floats = True
    piecewise_constant = False
    samples = [
        case((3, 4), (4,)),
        edge(0.0, -0.0, 1.0, -1.0, np.inf, np.nan, inputs=2),
        kink([0.0, 1.0], [0.5, 0.5], slopes=[[0.0, 0.0], [1.0, 0.0]]),
    ]

    def f(m, x, h):
        return m.where(
            x == 0, h, m.where(x < 0, m.zeros_like(x), m.where(x > 0, m.ones_like(x), x))
        )

    def d(z, x, h):
        return [0, x == 0]


class Fmax(Elementwise):
    """z = max(x, y), NaN only if both are NaN. Where x = y, each gets half of the gradient."""

    math = r"\operatorname{fmax}({x}, {y})"
    stays_finite = True
    samples = [*_PAIR, _TIES]

    def f(m, x, y):
        return m.where(m.isnan(x), y, m.where(m.isnan(y), x, m.maximum(x, y)))

    def d(z, x, y):
        return [lambda: _share((x > y) | ops.isnan(y), x, y),
                lambda: _share((y > x) | ops.isnan(x), x, y)]  # fmt: skip


class Fmin(Elementwise):
    """z = min(x, y), NaN only if both are NaN. Where x = y, each gets half of the gradient."""

    math = r"\operatorname{fmin}({x}, {y})"
    stays_finite = True
    samples = [*_PAIR, _TIES]

    def f(m, x, y):
        return m.where(m.isnan(x), y, m.where(m.isnan(y), x, m.minimum(x, y)))

    def d(z, x, y):
        return [lambda: _share((x < y) | ops.isnan(y), x, y),
                lambda: _share((y < x) | ops.isnan(x), x, y)]  # fmt: skip


def _share(wins: Any, x: Node, y: Node) -> Node:
    return ops.where(x == y, 0.5, ops.cast(wins, x.dtype))


class Fmod(Elementwise):
    """z = x − trunc(x/y)·y, exactly: the remainder with the sign of x; of integers 0 for y = 0.

    ∂z/∂x = 1, ∂z/∂y = −trunc(x/y).
    """

    math = r"\operatorname{fmod}({x}, {y})"
    samples = [
        case((3, 4), np.array([0.7, -0.7, 0.9, -0.9])),
        edge(0.0, 1.0, -7.5, 1e-20, np.inf, np.nan, inputs=2),
        case(np.array([7, -7, -128, 7, -128], np.int8), np.array([3, 3, 3, -3, 0], np.int8)),
    ]

    def f(m, x, y):
        if is_floating(x.dtype):  # mod(|x|, |y|) is exact
            rest = m.mod(m.absolute(x), m.absolute(y))
            return m.where(x < 0, -rest, rest)
        rest = m.mod(x, y)
        wrong = m.logical_and(rest != 0, (x < 0) != (y < 0))
        return m.where(wrong, rest - y, rest)

    def d(z, x, y):
        return [1, lambda: -ops.trunc(x / y)]

    def nonfinite(z, value, x, y):
        return Reason(
            f"the remainder of {number(x)} by {number(y)}", "keeping the divisor away from 0"
        )


class Nextafter(Elementwise):
    """z = the float next to x in the direction of y; y where x = y. ∂z/∂x = 1, ∂z/∂y = 0.

    Between powers of 2, z differs from x by a constant.
    """

    math = r"\operatorname{nextafter}({x}, {y})"
    floats = True
    samples = [
        edge(0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, inputs=2),
        kink([1.0, 2.0], [3.0, -1.0], slopes=[[1.0, 1.0], [0.0, 0.0]]),
    ]

    def f(m, x, y):
        return m.nextafter(x, y)

    def d(z, x, y):
        return [1, None]

    def nonfinite(z, value, x, y):
        return Reason(f"there is no larger number than {number(x)} in {z.dtype}", "a wider dtype")


class Ldexp(Elementwise):
    """z = x·2ⁿ for integers n, without overflow in between. ∂z/∂x = 2ⁿ."""

    math = r"{x} \* 2^{{n}}"
    promotes = False
    samples = [
        case((3, 4), np.array([0, 1, -2, 3])),
        case(np.array([1e-300, np.inf, np.nan, -0.0]), np.array([2000, 1, 1, -5])),
    ]

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        power = as_node(inputs[1])
        if power.dtype is not None and not is_integer(power.dtype):
            raise DTypeError(f"the exponent is {power.dtype}, expected integers",
                             hint="Write x * 2.0**n.")  # fmt: skip
        (x,) = align(inputs[:1], promotes=True, floats=True, complexes=False)
        return x, (power if power.dtype == int32 else ops.cast(power, int32))

    def dtype_rule(self, *dtypes: DType) -> DType:
        return dtypes[0]

    def f(m, x, n):
        return m.ldexp(x, n)

    def d(z, x, n):
        return [lambda: ldexp(ops.ones_like(x), n), None]

    def nonfinite(z, value, x, n):
        return Reason(f"{number(x)} · 2^{n:.0f} overflows {z.dtype}", "a smaller exponent")


class Exponent(Step):
    """y = the integer n (int32) with x = m·2ⁿ and ½ ≤ |m| < 1; 0 for 0, ±∞ and NaN."""

    math = r"\operatorname{exponent}({x})"
    floats = True
    samples = [edge(0.0, 1.0, -3.0, 0.1, 1e-310, np.inf, -np.inf, np.nan)]

    def f(m, x):
        return m.exponent(x)

    def vjp(y, g: Node, *x: Node) -> Sequence[Any]:
        return [None]

    def jvp(y, tangents: Any, *x: Node) -> Node | None:
        return None


class OfIntegers(Step):
    """A function of integers."""

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        nodes = super().align_inputs(inputs)
        for x in nodes:
            if x.dtype is not None and not is_integer(x.dtype):
                raise DTypeError(f"expected integers, got {x.dtype}",
                                 hint="Write pg.cast(x, 'int64').")  # fmt: skip
        return nodes


class Gcd(OfIntegers):
    """z = the greatest common divisor of integers x and y."""

    math = r"\gcd({x}, {y})"
    commutes = True
    samples = [case(np.array([12, -18, 0, 7]), np.array([[8], [0]]))]

    def f(m, x, y):
        return m.gcd(x, y)


class Lcm(OfIntegers):
    """z = the least common multiple of integers x and y."""

    math = r"\operatorname{lcm}({x}, {y})"
    commutes = True
    samples = [case(np.array([12, -18, 0, 7]), np.array([[8], [0]]))]

    def f(m, x, y):
        return m.lcm(x, y)


class BitwiseCount(OfIntegers):
    """y = the number of ones among the bits of |x|, as uint8."""

    math = r"\operatorname{popcount}({x})"
    samples = [case(np.array([0, 7, -8, 255]))]

    def f(m, x):
        return m.bitwise_count(x)


signbit = register(unary(Signbit))
copysign = register(binary(Copysign))
heaviside = register(binary(Heaviside))
fmax = register(binary(Fmax))
fmin = register(binary(Fmin))
fmod = register(binary(Fmod))
nextafter = register(binary(Nextafter))
ldexp = register(binary(Ldexp))
gcd = register(binary(Gcd))
lcm = register(binary(Lcm))
bitwise_count = register(unary(BitwiseCount))


@register
def frexp(x: Any, /) -> tuple[Node, Node]:
    """(m, n) with x = m·2ⁿ, ½ ≤ |m| < 1 and integers n (int32); (x, 0) for 0, ±∞ and NaN."""
    power = Exponent(x)
    return ldexp(x, -power), power
