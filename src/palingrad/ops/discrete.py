"""Rounding, dtypes, bits and stopped gradients, elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import DType, as_dtype, is_inexact, is_integer
from ..errors import DTypeError
from ..graph.describe.nonfinite import Reason, number
from ..graph.describe.notation import Piece
from ..graph.functions import binary, unary
from ..graph.kinds import Elementwise
from ..graph.node import Node
from ..graph.registry import register
from ..graph.samples import case, edge

_STEPS = [case((3, 4), low=0.1, high=0.4), edge(0.5, 1.5, -0.5, -1.7, np.inf, -np.inf, np.nan)]
_BITS = [
    case(np.array([5, 6, -1]), np.array([[3], [4]])),
    case(np.array([True, False]), np.array([[True], [False]])),
]


class Step(Elementwise):
    """A function constant between its steps: ∂y/∂x = 0."""

    stays_finite = True
    piecewise_constant = True

    def d(y, *x):
        return [0] * len(x)


class Floor(Step):
    """y = ⌊x⌋, the largest whole number ≤ x."""

    math, onnx = r"\left\lfloor {x} \right\rfloor", "Floor"
    samples = _STEPS

    def f(m, x):
        return m.floor(x)


class Ceil(Step):
    """y = ⌈x⌉, the smallest whole number ≥ x."""

    math, onnx = r"\left\lceil {x} \right\rceil", "Ceil"
    samples = _STEPS

    def f(m, x):
        return m.ceil(x)


class Round(Step):
    """y = the whole number nearest to x, the even one of two."""

    math, onnx = r"\operatorname{round}({x})", "Round"
    samples = _STEPS

    def f(m, x):
        return m.rint(x) if is_inexact(x.dtype) else m.trunc(x)


class Trunc(Step):
    """y = x without its fraction."""

    math = r"\operatorname{trunc}({x})"
    samples = _STEPS

    def f(m, x):
        return m.trunc(x)


class StopGradient(Step):
    """y = x, through which nothing flows back."""

    math = "{x}"
    samples = [edge(0.0, 1.5, np.nan)]  # differences see what stop_gradient hides

    def f(m, x):
        return x


class Bitwise(Step):
    """A logical operation on each bit; on booleans the logical one."""

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        nodes = super().align_inputs(inputs)
        for x in nodes:
            if is_inexact(x.dtype):
                raise DTypeError(
                    f"{x.dtype} has no bits to combine", hint="Compare it first: x > 0."
                )
        return nodes


class BitwiseAnd(Bitwise):
    """z = x & y."""

    math, symbol = r"{x} \land {y}", "&"
    commutes = True
    samples = _BITS

    def f(m, x, y):
        return m.bitwise_and(x, y)


class BitwiseOr(Bitwise):
    """z = x | y."""

    math, symbol = r"{x} \lor {y}", "|"
    commutes = True
    samples = _BITS

    def f(m, x, y):
        return m.bitwise_or(x, y)


class BitwiseXor(Bitwise):
    """z = x ^ y."""

    math, symbol = r"{x} \oplus {y}", "^"
    commutes = True
    samples = _BITS

    def f(m, x, y):
        return m.bitwise_xor(x, y)


class BitwiseInvert(Bitwise):
    """y = ~x."""

    math = r"\lnot {x}"
    samples = [case(np.array([5, -1])), case(np.array([True, False]))]

    def f(m, x):
        return m.bitwise_invert(x)


class Shift(Step):
    """The bits of an integer moved."""

    samples = [
        case(np.array([5, 6, -1, 1 << 40]), np.array([[0], [3], [70]])),
        case(np.array([5, 2**64 - 1], np.uint64), np.array([32, 63], np.uint64)),
    ]

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        nodes = super().align_inputs(inputs)
        for x in nodes:
            if x.dtype is not None and not is_integer(x.dtype):
                raise DTypeError(f"only integers are shifted, got {x.dtype}")
        return nodes


class BitwiseLeftShift(Shift):
    """z = x << y, which is x·2ʸ without the bits that fall off."""

    math, symbol = r"{x} \ll {y}", "<<"

    def f(m, x, y):
        return m.left_shift(x, y)


class BitwiseRightShift(Shift):
    """z = x >> y, which is ⌊x/2ʸ⌋."""

    math, symbol = r"{x} \gg {y}", ">>"

    def f(m, x, y):
        return m.right_shift(x, y)


class Cast(Elementwise):
    """y = x in another dtype; a float becomes an integer without its fraction."""

    math, onnx = "{x}", "Cast"
    converts = True
    promotes = False
    samples = [
        case((3, 4), dtype=np.dtype(np.float64)),
        case(np.array([1, 2]), dtype=np.dtype(np.float64)),
        case(np.array([1.7, -1.7, 0.0]), dtype=np.dtype(np.int64)),
        case(np.array([0.0, 2.0]), dtype=np.dtype(np.bool_)),
    ]

    def f(m, x, *, dtype):
        return m.cast(x, dtype)

    def dtype_rule(self, *dtypes: DType) -> DType:
        return self.attributes["dtype"]

    def vjp(y, g: Node, *x: Node) -> Sequence[Node | None]:
        return [cast(g, x[0].dtype) if _floats(y, x[0]) else None]

    def jvp(y, tangents: Sequence[Node | None], *x: Node) -> Node | None:
        return cast(tangents[0], y.dtype) if tangents[0] is not None and _floats(y, x[0]) else None

    def nonfinite(y, value, x):
        return Reason(f"{number(x)} doesn't fit {y.dtype}", "a wider dtype, or pg.clip")


def _floats(y: Any, x: Any) -> bool:
    return is_inexact(y.dtype) and is_inexact(x.dtype)


@register
def cast(x: Any, dtype: Any, *, name: str | None = None) -> Node:
    """y = x in another dtype; a float becomes an integer without its fraction."""
    return Cast(x, dtype=as_dtype(dtype), name=name)


class OnesLike(Step):
    """y = 1 for each element of x."""

    math = "1"
    samples = [case((3, 4)), case((0, 2)), case(np.array([1, 2]))]

    def f(m, x):
        return m.ones_like(x)

    def notation(y, x):
        return Piece(r"\mathbf{1}" if y.ndim else "1")


class ZerosLike(Step):
    """y = 0 for each element of x."""

    math = "0"
    samples = [case((3, 4)), case((0, 2)), case(np.array([1, 2]))]

    def f(m, x):
        return m.zeros_like(x)

    def notation(y, x):
        return Piece(r"\mathbf{0}" if y.ndim else "0")


floor = register(unary(Floor))
ceil = register(unary(Ceil))
round = register(unary(Round))
trunc = register(unary(Trunc))
stop_gradient = register(unary(StopGradient))
ones_like = register(unary(OnesLike))
zeros_like = register(unary(ZerosLike))
bitwise_and = register(binary(BitwiseAnd))
bitwise_or = register(binary(BitwiseOr))
bitwise_xor = register(binary(BitwiseXor))
bitwise_invert = register(unary(BitwiseInvert))
bitwise_left_shift = register(binary(BitwiseLeftShift))
bitwise_right_shift = register(binary(BitwiseRightShift))
