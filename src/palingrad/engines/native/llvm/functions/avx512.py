"""AVX-512's instructions for exponents, each of which replaces five to ten others.

They give the same bits as the code that they replace: scaling by 2ⁿ rounds once, and the exponent
and the mantissa of a positive finite number are exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir

from ..builder import INT32, declared, shuffled
from ..target import host
from ..values import Value

_AS_SET = INT32(4)  # the current rounding mode
_FROM_THREE_QUARTERS = INT32(3)  # mantissas from ¾ to 3/2


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
    single = ir.FloatType()
    code = index.code
    if lanes == 1:
        code = b.insert_element(
            ir.Constant(ir.VectorType(INT32, 16), ir.Undefined), code, ir.Constant(INT32, 0)
        )
    elif lanes < 16:
        code = shuffled(b, code, code, [min(lane, lanes - 1) for lane in range(16)])
    parts = [code] if lanes <= 16 else [
        shuffled(b, code, code, range(start, start + 16)) for start in range(0, lanes, 16)
    ]  # fmt: skip
    vector = ir.VectorType(single, 16)
    halves = [
        ir.Constant(vector, [ir.Constant(single, one) for one in table[at : at + 16]])
        for at in (0, 16)
    ]
    full = "llvm.x86.avx512.vpermi2var.ps.512"
    function = declared(b.module, full, vector, [vector, ir.VectorType(INT32, 16), vector])
    found = [b.call(function, [halves[0], one, halves[1]]) for one in parts]
    while len(found) > 1:
        count = 2 * found[0].type.count
        found = [shuffled(b, x, y, range(count)) for x, y in zip(found[::2], found[1::2])]
    code = found[0]
    if lanes == 1:
        code = b.extract_element(code, ir.Constant(INT32, 0))
    elif lanes < 16:
        code = shuffled(b, code, code, range(lanes))
    return Value(b, code, np.dtype(np.float32), lanes)


def _called(name: str, x: Value, *operands: Any) -> Value:
    suffix = "ps" if x.dtype.itemsize == 4 else "pd"
    every_lane = ir.Constant(ir.IntType(x.lanes), -1)
    arguments = [*operands, ir.Constant(x.code.type, ir.Undefined), every_lane, _AS_SET]
    full = f"llvm.x86.avx512.mask.{name}.{suffix}.512"
    types = [argument.type for argument in arguments]
    function = declared(x.builder.module, full, x.code.type, types)
    return x.like(x.builder.call(function, arguments))
