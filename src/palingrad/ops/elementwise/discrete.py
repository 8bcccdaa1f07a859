"""Rounding, casts, bitwise operations and stopped gradients, elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import (
    DType,
    as_dtype,
    check_parts_kept,
    is_complex,
    is_floating,
    is_inexact,
    is_integer,
    promote,
)
from ...errors import ArgumentError, DTypeError
from ...graph.describe.nonfinite import Reason, number
from ...graph.describe.notation import Piece, applied, operator, sized, truth
from ...graph.functions import binary, unary
from ...graph.kinds import Elementwise
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops, register
from ...graph.samples import case, complex_case, edge
from ...messages.calls import explains, misfit
from ...messages.checks import shown

_STEPS = [case((3, 4), low=0.1, high=0.4), edge(0.5, 1.5, -0.5, -1.7, np.inf, -np.inf, np.nan)]
_BITS = [
    case(np.array([5, 6, -1]), np.array([[3], [4]])),
    case(np.array([True, False]), np.array([[True], [False]])),
]


class Step(Elementwise):
    """A piecewise constant function: ∂y/∂x = 0."""

    stays_finite = True
    piecewise_constant = True

    def d(y, *x):
        return [0] * len(x)


class Floor(Step):
    """y = ⌊x⌋, the largest integer ≤ x. ∂y/∂x = 0."""

    math, onnx = r"\left\lfloor {x} \right\rfloor", "Floor"
    samples = _STEPS

    def f(m, x):
        return m.floor(x)


class Ceil(Step):
    """y = ⌈x⌉, the smallest integer ≥ x. ∂y/∂x = 0."""

    math, onnx = r"\left\lceil {x} \right\rceil", "Ceil"
    samples = _STEPS

    def f(m, x):
        return m.ceil(x)


class Round(Step):
    """y = the integer nearest to x; halves round to even. ∂y/∂x = 0."""

    math, onnx = r"\operatorname{round}({x})", "Round"
    samples = _STEPS

    def f(m, x):
        return m.rint(x) if is_inexact(x.dtype) else m.trunc(x)


class Trunc(Step):
    """y = x without its fractional part, rounded towards 0. ∂y/∂x = 0."""

    math = r"\operatorname{trunc}({x})"
    samples = _STEPS

    def f(m, x):
        return m.trunc(x)


class StopGradient(Step):
    """y = x, with ∂y/∂x = 0: reverse and forward mode treat y as a constant."""

    complexes = True

    math = "{x}"
    samples = [edge(0.0, 1.5, np.nan)]  # central differences would give 1, not 0

    def f(m, x):
        return x


class Bitwise(Step):
    """A bitwise operation on integers; for booleans the logical operation."""

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        nodes = super().align_inputs(inputs)
        for x in nodes:
            if is_inexact(x.dtype):
                raise DTypeError(
                    f"{x.dtype} has no bits to combine", hint="Compare it first: x > 0."
                )
        return nodes


class BitwiseAnd(Bitwise):
    """z = x & y, bit by bit; for booleans x ∧ y."""

    math, symbol = r"{x} \land {y}", "&"
    commutes = True
    samples = _BITS

    def f(m, x, y):
        return m.bitwise_and(x, y)


class BitwiseOr(Bitwise):
    """z = x | y, bit by bit; for booleans x ∨ y."""

    math, symbol = r"{x} \lor {y}", "|"
    commutes = True
    samples = _BITS

    def f(m, x, y):
        return m.bitwise_or(x, y)


class BitwiseXor(Bitwise):
    """z = x ^ y (exclusive or), bit by bit; for booleans x ⊕ y."""

    math, symbol = r"{x} \oplus {y}", "^"
    commutes = True
    samples = _BITS

    def f(m, x, y):
        return m.bitwise_xor(x, y)


class BitwiseInvert(Bitwise):
    """y = ~x, every bit inverted; for booleans ¬x."""

    math = r"\lnot {x}"
    samples = [case(np.array([5, -1])), case(np.array([True, False]))]

    def f(m, x):
        return m.bitwise_invert(x)


class Shift(Step):
    """A shift of an integer's bits. Raises DTypeError for other dtypes."""

    samples = [
        case(np.array([5, 6, -1, 1 << 40]), np.array([[0], [3], [70]])),
        case(np.array([5, 2**64 - 1], np.uint64), np.array([32, 63], np.uint64)),
    ]

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        nodes = super().align_inputs(inputs)
        for x in nodes:
            if x.dtype is not None and not is_integer(x.dtype):
                raise DTypeError(f"expected integers to shift, got {x.dtype}")
        return nodes


class BitwiseLeftShift(Shift):
    """z = x << y = x·2ʸ modulo 2ᵇ, for integers of b bits; 0 where y < 0 or y ≥ b."""

    math, symbol = r"{x} \ll {y}", "<<"

    def f(m, x, y):
        return m.left_shift(x, y)


class BitwiseRightShift(Shift):
    """z = x >> y = ⌊x/2ʸ⌋, for integers of b bits; where y < 0 or y ≥ b, −1 for x < 0, else 0."""

    math, symbol = r"{x} \gg {y}", ">>"

    def f(m, x, y):
        return m.right_shift(x, y)


class Cast(Elementwise):
    """y = x in another dtype; from floats to integers it truncates towards 0."""

    math, onnx = "{x}", "Cast"
    converts = True
    promotes = False
    samples = [
        case((3, 4), dtype=np.dtype(np.float64)),
        case(np.array([1, 2]), dtype=np.dtype(np.float64)),
        case(np.array([1.7, -1.7, 0.0]), dtype=np.dtype(np.int64)),
        case(np.array([0.0, 2.0]), dtype=np.dtype(np.bool_)),
        case((3,), dtype=np.dtype(np.complex128)),
        complex_case((3,), dtype=np.dtype(np.complex128)),
    ]

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        nodes = super().align_inputs(inputs)
        if nodes[0].dtype is not None:
            check_parts_kept(nodes[0].dtype, self.attributes["dtype"])
        return nodes

    def notation(y, x):
        given, dtype = y.inputs[0].dtype, y.attributes["dtype"]
        if given is None or np.can_cast(given, dtype, "same_kind"):
            return x if dtype == given else truth(x)
        return applied(operator(str(dtype)), [x])  # int64(x): the number itself is changed

    def f(m, x, *, dtype):
        return m.cast(x, dtype)

    def dtype_rule(self, *dtypes: DType) -> DType:
        return self.attributes["dtype"]

    def vjp(y, g: Node, *x: Node) -> Sequence[Node | None]:
        return [ops.like_input(g, x[0]) if _floats(y, x[0]) else None]

    def jvp(y, tangents: Sequence[Node | None], *x: Node) -> Node | None:
        return cast(tangents[0], y.dtype) if tangents[0] is not None and _floats(y, x[0]) else None

    def nonfinite(y, value, x):
        return Reason(f"{number(x)} doesn't fit {y.dtype}", "a wider dtype, or pg.clip")


def _floats(y: Any, x: Any) -> bool:
    return is_inexact(y.dtype) and is_inexact(x.dtype)


@register
@explains
def cast(x: Any, dtype: Any, *more: Any, name: str | None = None, **unknown: Any) -> Node:
    """y = x in another dtype; from floats to integers it truncates towards 0.

    Floats outside the integer's range give the nearest bound, and NaN gives 0. Complex numbers
    become no real ones: take their real or imaginary parts. Python's `float` is the default float,
    or x's own dtype if that is a wider float; likewise `complex`.
    """
    if more or unknown:
        raise misfit(cast, (x, dtype, *more), unknown)
    if dtype is float or dtype is complex:
        x = as_node(x)
        return Cast(x, dtype=_not_narrowed(x.dtype, as_dtype(dtype)), name=name)
    return Cast(x, dtype=as_dtype(dtype), name=name)


def _not_narrowed(given: DType | None, default: DType) -> DType:
    """The default float or complex dtype, or a wider one if the given dtype is."""
    if given is None:
        raise DTypeError(
            "cast: the dtype of x isn't known yet, and Python's float and complex depend on it",
            hint=f"Write {default.name!r}, or give the placeholder a dtype.",
        )
    if not is_inexact(given) or (is_complex(given) and not is_complex(default)):
        return default
    return promote(given, default)


@register
@explains
def round(x: Any, decimals: Any = 0, *more: Any, name: str | None = None, **unknown: Any) -> Node:
    """y = the number nearest to x that has `decimals` decimals; halves round to even. ∂y/∂x = 0.

    Negative decimals round to tens, hundreds, …; of complex x both parts are rounded.
    """
    if more or unknown:
        raise misfit(round, (x, decimals, *more), unknown)
    if is_complex(getattr(x, "dtype", None)):
        parts = [round(part, decimals) for part in (ops.real(x), ops.imag(x))]
        return ops.complex(*parts, name=name)
    if type(decimals) is int and decimals == 0:
        return Round(x, name=name)
    if isinstance(decimals, bool) or not isinstance(decimals, (int, np.integer)):
        raise ArgumentError(f"round: decimals is {shown(decimals)}; expected an integer.",
                            hint="Write decimals=2.")  # fmt: skip
    found = _rounded(as_node(x), int(decimals))
    return found if name is None else ops.positive(found, name=name)


def _rounded(x: Node, decimals: int) -> Node:
    power = 10 ** abs(decimals)
    if is_integer(x.dtype):
        if decimals > 0 or power > np.iinfo(x.dtype).max:
            return Round(x) if decimals > 0 else ops.zeros_like(x)
        rest = x % power
        below, left = x // power, power - rest  # rest > left if 2·rest > power, which may overflow
        up = (rest > left) | ((rest == left) & (below % 2 == 1))
        return (below + ops.cast(up, x.dtype)) * power
    if is_floating(x.dtype) and power > int(np.finfo(x.dtype).max):
        same = ops.stop_gradient(x)
        return same if decimals > 0 else ops.where(ops.isfinite(x), same * 0, same)
    scaled = x * float(power) if decimals > 0 else x / float(power)
    whole = Round(scaled)
    found = whole / float(power) if decimals > 0 else whole * float(power)
    return ops.where(ops.isfinite(scaled), found, ops.stop_gradient(x))  # without overflow


class OnesLike(Step):
    """y = 1, with the shape and dtype of x."""

    complexes = True

    math = "1"
    samples = [case((3, 4)), case((0, 2)), case(np.array([1, 2]))]

    def f(m, x):
        return m.ones_like(x)

    def notation(y, x):
        return Piece(sized("1", y.shape) if y.shape else "1")


class ZerosLike(Step):
    """y = 0, with the shape and dtype of x."""

    complexes = True

    math = "0"
    samples = [case((3, 4)), case((0, 2)), case(np.array([1, 2]))]

    def f(m, x):
        return m.zeros_like(x)

    def notation(y, x):
        return Piece(sized("0", y.shape) if y.shape else "0")


@register
@explains
def ones_like(
    x: Any, /, dtype: Any = None, *more: Any, shape: Any = None, device: Any = None,
    name: str | None = None, **unknown: Any,
) -> Node:  # fmt: skip
    """y = 1, with the shape and dtype of x, or those given."""
    if more or unknown:
        raise misfit(ones_like, (x, dtype, *more), unknown)
    if dtype is None and shape is None and device is None:
        return OnesLike(x, name=name)
    return ops.full_like(x, 1, dtype, shape=shape, device=device, name=name)


@register
@explains
def zeros_like(
    x: Any, /, dtype: Any = None, *more: Any, shape: Any = None, device: Any = None,
    name: str | None = None, **unknown: Any,
) -> Node:  # fmt: skip
    """y = 0, with the shape and dtype of x, or those given."""
    if more or unknown:
        raise misfit(zeros_like, (x, dtype, *more), unknown)
    if dtype is None and shape is None and device is None:
        return ZerosLike(x, name=name)
    return ops.full_like(x, 0, dtype, shape=shape, device=device, name=name)


floor = register(unary(Floor))
ceil = register(unary(Ceil))
trunc = register(unary(Trunc))
stop_gradient = register(unary(StopGradient))
bitwise_and = register(binary(BitwiseAnd))
bitwise_or = register(binary(BitwiseOr))
bitwise_xor = register(binary(BitwiseXor))
bitwise_invert = register(unary(BitwiseInvert))
bitwise_left_shift = register(binary(BitwiseLeftShift))
bitwise_right_shift = register(binary(BitwiseRightShift))
