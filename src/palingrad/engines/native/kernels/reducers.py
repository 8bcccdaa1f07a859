"""How partial results of a reduction become one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir

from ....dtypes import DType
from ....graph.operation import Operation
from ....ops.reduce import All, Any_, Max, Min, Prod, Sum
from ..llvm.loops import mask_of
from ..llvm.maths import NativeMaths
from ..llvm.values import Value, chosen
from .formula import dtype_of

_maths = NativeMaths()

# How two partial results become one.
COMBINE: dict[type, Callable[[Any, Any], Value]] = {
    Sum: lambda a, b: a + b,
    Prod: lambda a, b: a * b,
    Max: _maths.maximum,
    Min: _maths.minimum,
    Any_: lambda a, b: a | b,
    All: lambda a, b: a & b,
}


def start_of(operation: type, dtype: DType) -> Any:
    """The number that changes nothing when combined."""
    if operation in (Max, Min):
        if dtype.kind == "f":
            return -math.inf if operation is Max else math.inf
        if dtype.kind == "b":
            return operation is Min
        return np.iinfo(dtype).min if operation is Max else np.iinfo(dtype).max
    return {Sum: 0, Prod: 1, Any_: 0, All: 1}[operation]


class Total:
    """A running total of one reduction in generated code: `lanes` totals side by side."""

    def __init__(self, builder: Any, node: Operation, lanes: int, slot: Any) -> None:
        self.builder, self.node, self.lanes, self.slot = builder, node, lanes, slot
        self.dtype = dtype_of(node)
        self.combine = COMBINE[type(node)]

    def neutral(self) -> Value:
        """What changes nothing, in every lane."""
        empty = Value(self.builder, None, self.dtype, self.lanes)
        return empty.number(start_of(type(self.node), self.dtype))

    def begin(self) -> None:
        """Nothing combined yet."""
        self.builder.store(self.neutral().code, self.slot)

    def value(self) -> Value:
        """The totals so far."""
        return Value(self.builder, self.builder.load(self.slot), self.dtype, self.lanes)

    def add(self, value: Value, active: int) -> None:
        """Combine with the first `active` lanes of a value."""
        value = value.cast(self.dtype)
        if active != self.lanes:
            mask = value.like(mask_of(self.lanes, active))
            value = chosen(mask, value, self.neutral())
        self.builder.store(self.combine(self.value(), value).code, self.slot)


def across(vector: Value, combine: Callable[[Any, Any], Value]) -> Value:
    """All lanes of a vector combined: halves with halves."""
    b = vector.builder
    while vector.lanes > 1:
        half = vector.lanes // 2
        number = ir.IntType(32)
        parts: list[Value] = []
        for start in (0, half):
            if half == 1:
                code = b.extract_element(vector.code, ir.Constant(number, start))
            else:
                picked = [ir.Constant(number, start + lane) for lane in range(half)]
                mask = ir.Constant(ir.VectorType(number, half), picked)
                code = b.shuffle_vector(vector.code, vector.code, mask)
            parts.append(Value(b, code, vector.dtype, half))
        vector = combine(*parts)
    return vector


def fits(node: Operation) -> bool:
    """Whether the reduction is one that generated code can do."""
    return type(node) in COMBINE
