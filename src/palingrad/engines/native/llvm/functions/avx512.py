"""AVX-512's instructions for exponents, each of which replaces five to ten others.

They give the same bits as the code that they replace: scaling by 2ⁿ rounds once, and the exponent
and the mantissa of a positive finite number are exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir

from ..target import host
from ..values import Value

_AS_SET = ir.IntType(32)(4)  # the current rounding mode
_FROM_THREE_QUARTERS = ir.IntType(32)(3)  # mantissas from ¾ to 3/2


def fits(x: Value) -> bool:
    """Whether x fills a register of a CPU with these instructions."""
    full = x.lanes * x.dtype.itemsize == 64
    return full and host().vector_bytes == 64 and host().family == "x86"


def scaled(x: Value, n: Value) -> Value:
    """x·2ⁿ for a whole number n."""
    return _called("scalef", x, x.code, n.code)


def exponent(x: Value) -> Value:
    """⌊log₂ x⌋."""
    return _called("getexp", x, x.code)


def mantissa(x: Value) -> Value:
    """x divided by the power of 2 that gives ¾ ≤ m < 3/2."""
    return _called("getmant", x, x.code, _FROM_THREE_QUARTERS)


def has_tables() -> bool:
    """Whether this CPU can look up numbers in a table of 32 in registers."""
    return host().vector_bytes == 64 and host().family == "x86"


def looked_up(table: tuple[float, ...], index: Value) -> Value:
    """The float32 at each index of a table of 32; only the lowest five bits of an index count."""
    b, lanes = index.builder, index.lanes
    single, number = ir.FloatType(), ir.IntType(32)
    code = index.code
    if lanes == 1:
        code = b.insert_element(
            ir.Constant(ir.VectorType(number, 16), ir.Undefined), code, ir.Constant(number, 0)
        )
    elif lanes < 16:
        code = _picked(b, code, [min(lane, lanes - 1) for lane in range(16)])
    parts = [code] if lanes <= 16 else [
        _picked(b, code, list(range(start, start + 16))) for start in range(0, lanes, 16)
    ]  # fmt: skip
    vector = ir.VectorType(single, 16)
    halves = [
        ir.Constant(vector, [ir.Constant(single, one) for one in table[at : at + 16]])
        for at in (0, 16)
    ]
    full = "llvm.x86.avx512.vpermi2var.ps.512"
    function = b.module.globals.get(full)
    if function is None:
        kinds = [vector, ir.VectorType(number, 16), vector]
        function = ir.Function(b.module, ir.FunctionType(vector, kinds), full)
    found = [b.call(function, [halves[0], one, halves[1]]) for one in parts]
    while len(found) > 1:
        found = [_joined(b, one, other) for one, other in zip(found[::2], found[1::2])]
    code = found[0]
    if lanes == 1:
        code = b.extract_element(code, ir.Constant(number, 0))
    elif lanes < 16:
        code = _picked(b, code, list(range(lanes)))
    return Value(b, code, np.dtype(np.float32), lanes)


def _picked(b: Any, code: Any, lanes: list[int]) -> Any:
    number = ir.IntType(32)
    mask = ir.Constant(ir.VectorType(number, len(lanes)), [ir.Constant(number, x) for x in lanes])
    return b.shuffle_vector(code, code, mask)


def _joined(b: Any, one: Any, other: Any) -> Any:
    number, count = ir.IntType(32), 2 * one.type.count
    mask = ir.Constant(ir.VectorType(number, count), [ir.Constant(number, x) for x in range(count)])
    return b.shuffle_vector(one, other, mask)


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
