"""Payne-Hanek reduction: x modulo ½π for any float64, in integer arithmetic (Payne & Hanek 1983).

x = M·2ᵉ with an integer M < 2⁵³, and x·2/π modulo 4 needs only those digits of 2/π whose product
with 2ᵉ isn't a multiple of 4. With W = ⌊2/π·2^(e + 254)⌋ modulo 2²⁵⁶ the product M·W modulo 2²⁵⁶ is
x·2/π modulo 4 in units of 2⁻²⁵⁴, with an error of less than 2⁵³ units. No float64 is closer to a
multiple of ½π than about 2⁻⁶¹ (Muller, Elementary Functions, ch. 11), so of the 126 fractional bits
that are kept at least 64 are significant.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .....dtypes import float64, int64
from ..values import Value
from .coefficients import TWO_OVER_PI, TWO_OVER_PI_BITS
from .pieces import fast_two_sum

_WIDE = ir.IntType(256)
_TABLE = TWO_OVER_PI.to_bytes(TWO_OVER_PI_BITS // 8 + 40, "little")
_HALF_PI = (1.5707963267948966, 6.123233995736766e-17)


def quarter_turns(x: Value) -> tuple[Value, Value, Value]:
    """(q, r, tail) with x = q·½π + r + tail modulo 2π, |r| ≤ ¼π; a scalar float64, |x| ≥ 16."""
    builder = x.builder
    bits = x.bits(int64)
    exponent = ((bits >> 52) & 2047) - 1075
    whole = (bits & ((1 << 52) - 1)) | (1 << 52)
    shift = x.number(TWO_OVER_PI_BITS - 254, int64) - exponent  # of 2/π's digits, to the right
    window = _window(builder, shift)
    product = builder.mul(window, builder.zext(whole.code, _WIDE))
    near = builder.add(product, _WIDE(1 << 253))
    quarter = builder.lshr(near, _WIDE(254))
    rest = builder.sub(product, builder.shl(quarter, _WIDE(254)))
    high, low = _fraction(x, builder.ashr(rest, _WIDE(128)))
    r = high * _HALF_PI[0]
    tail = high.fma(_HALF_PI[0], -r) + (high * _HALF_PI[1] + low * _HALF_PI[0])
    r, tail = fast_two_sum(r, tail)
    turns = x.like(builder.trunc(quarter, ir.IntType(64)), int64)
    from_below = x < 0
    sign = x.number(1.0).called("copysign", x)
    return _signed(turns, from_below), r * sign, tail * sign


def _signed(turns: Value, negative: Value) -> Value:
    """−q modulo 4 where x is negative."""
    flipped = (turns.number(4) - turns) & 3
    return turns.like(turns.builder.select(negative.code, flipped.code, turns.code))


def _window(builder: Any, shift: Value) -> Any:
    """256 bits of 2/π, from bit `shift` on."""
    module = builder.module
    table: Any = module.globals.get("palingrad.two_over_pi")
    if table is None:
        llvm_type = ir.ArrayType(ir.IntType(8), len(_TABLE))
        table = ir.GlobalVariable(module, llvm_type, "palingrad.two_over_pi")
        table.global_constant = True
        table.linkage = "internal"
        table.initializer = ir.Constant(llvm_type, bytearray(_TABLE))
    byte = builder.gep(table, [ir.IntType(64)(0), (shift >> 3).code])
    wider = ir.IntType(264)
    digits = builder.load(builder.bitcast(byte, wider.as_pointer()), align=1)
    rest = builder.zext((shift & 7).code, wider)
    return builder.trunc(builder.lshr(digits, rest), _WIDE)


def _fraction(x: Value, rest: Any) -> tuple[Value, Value]:
    """A signed number in units of 2⁻¹²⁶ as the sum of two float64."""
    builder, long = x.builder, ir.IntType(64)

    def piece(start: int, top: bool = False) -> Value:
        shifted = (builder.ashr if top else builder.lshr)(rest, _WIDE(start))
        part = x.like(builder.trunc(shifted, long), int64)
        return (part if top else part & 0xFFFFFFFF).cast(float64) * 2.0 ** (start - 126)

    high, carry = fast_two_sum(piece(96, top=True), piece(64))
    return fast_two_sum(high, carry + (piece(32) + piece(0)))
