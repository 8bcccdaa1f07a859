"""AVX-512's instructions for exponents, each in place of five to ten others.

They give the same bits as what they replace: scaling by 2ⁿ rounds once, and exponent and mantissa
of a positive finite number are exact.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .target import host
from .values import Value

_AS_SET = ir.IntType(32)(4)  # rounding as the processor is set
_FROM_THREE_QUARTERS = ir.IntType(32)(3)  # mantissas from ¾ to 3/2


def fits(x: Value) -> bool:
    """Whether x fills a register of a processor that has these instructions."""
    full = x.lanes * x.dtype.itemsize == 64
    return full and host().vector_bytes == 64 and host().family == "x86"


def scaled(x: Value, n: Value) -> Value:
    """x·2ⁿ for a whole number n."""
    return _called("scalef", x, x.code, n.code)


def exponent(x: Value) -> Value:
    """⌊log₂ x⌋."""
    return _called("getexp", x, x.code)


def mantissa(x: Value) -> Value:
    """x over the power of 2 that leaves ¾ to 3/2."""
    return _called("getmant", x, x.code, _FROM_THREE_QUARTERS)


def _called(name: str, x: Value, *operands: Any) -> Value:
    kind = "ps" if x.dtype.itemsize == 4 else "pd"
    every_lane = ir.Constant(ir.IntType(x.lanes), -1)
    arguments = [*operands, ir.Constant(x.code.type, ir.Undefined), every_lane, _AS_SET]
    full = f"llvm.x86.avx512.mask.{name}.{kind}.512"
    function = x.builder.module.globals.get(full)
    if function is None:
        signature = ir.FunctionType(x.code.type, [one.type for one in arguments])
        function = ir.Function(x.builder.module, signature, full)
    return x.like(x.builder.call(function, arguments))
