"""Running totals of reductions in generated code, combined by the operation's own `combine`.

A running total of floats sums at most one block of terms; then it is added to a compensated sum
and reset. So the error of a sum is that of one block, however many terms there are, and the
inner loop is one addition per vector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir

from ....dtypes import DType, is_floating
from ....graph.declared.parts import options_of
from ....graph.kinds import Reduce
from ....graph.node import Node
from ....graph.operation import Operation
from ..llvm.builder import INT32, shuffled
from ..llvm.functions.pieces import two_sum
from ..llvm.kernel_context import KernelContext
from ..llvm.loops import integer, mask_of, read
from ..llvm.maths import NativeMaths
from ..llvm.values import Value, chosen, supported, value_type
from .formula import dtype_of, instructions

Combine = Callable[[Value, Value], Value]

BLOCK = 128  # vectors that are added to a running total before it is reset


def combine_of(node: Node) -> Combine:
    """The function that combines two partial results of a reduction, in its dtype."""
    assert isinstance(node, Reduce)
    options, dtype = options_of(node.attributes), dtype_of(node)
    return lambda a, b: node.combine(NativeMaths(), a, b, **options).cast(dtype)


def identity_of(node: Node) -> Any:
    """The identity element of the reduction."""
    assert isinstance(node, Reduce)
    return node.identity(dtype_of(node), **options_of(node.attributes))


class Total:
    """A running total of one reduction in generated code: `lanes` independent totals."""

    def __init__(self, builder: Any, node: Operation, lanes: int, slot: Any) -> None:
        self.builder, self.node, self.lanes, self.slot = builder, node, lanes, slot
        self.dtype = dtype_of(node)
        self.combine = combine_of(node)

    def identity(self) -> Value:
        """The identity element in every lane."""
        empty = Value(self.builder, None, self.dtype, self.lanes)
        return empty.number(identity_of(self.node))

    def begin(self) -> None:
        """Emits the reset to the identity element."""
        self.builder.store(self.identity().code, self.slot)

    def value(self) -> Value:
        """The totals so far."""
        return Value(self.builder, self.builder.load(self.slot), self.dtype, self.lanes)

    def add(self, value: Value, active: int) -> None:
        """Emits the combination with the first `active` lanes of a value."""
        value = value.cast(self.dtype)
        if active != self.lanes:
            mask = value.like(mask_of(self.lanes, active))
            value = chosen(mask, value, self.identity())
        self.builder.store(self.combine(self.value(), value).code, self.slot)


class CompensatedSum:
    """A compensated sum of blocks' sums, as an unevaluated pair high + low: low is the sum of the
    rounding errors of high (Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation
    endlicher Summen", 1974)."""

    def __init__(self, context: KernelContext, dtype: DType, lanes: int) -> None:
        self.builder, self.dtype, self.lanes = context.builder, dtype, lanes
        self.slots = [context.slot(value_type(dtype, lanes)) for _ in range(2)]

    def begin(self) -> None:
        """Emits the reset to 0."""
        zero = Value(self.builder, None, self.dtype, self.lanes).number(0)
        for slot in self.slots:
            self.builder.store(zero.code, slot)

    def _pair(self) -> tuple[Value, Value]:
        b = self.builder
        high, low = (Value(b, b.load(slot), self.dtype, self.lanes) for slot in self.slots)
        return high, low

    def add(self, block: Value) -> None:
        """Emits the addition of one block's sum."""
        high, low = self._pair()
        total, error = two_sum(high, block)
        for slot, value in zip(self.slots, (total, low + error), strict=True):
            self.builder.store(value.code, slot)

    def take(self, totals: list[Total]) -> None:
        """Emits the addition of the running totals, and their reset."""
        self.add(joined([total.value() for total in totals], totals[0].combine))
        for total in totals:
            total.begin()

    def value(self) -> Value:
        """high + low; only high where it isn't finite, because low is NaN there."""
        high, low = self._pair()
        return chosen(low == low, high + low, high)


def needs_compensation(node: Operation) -> bool:
    """Whether combining a reduction's partial results rounds, so that it needs a compensated sum:
    a sum of floats."""
    return isinstance(node, Reduce) and node.combines_by == "add" and is_floating(node.dtype)


def block_of(lengths: Sequence[int]) -> tuple[int, int] | None:
    """(the loop to cut into blocks, its iterations per block) for nested loops of these lengths
    around an addition; None if all iterations together are at most one block."""
    inside = 1
    for level in reversed(range(len(lengths))):
        if inside * lengths[level] > BLOCK:
            return level, max(1, BLOCK // inside)
        inside *= lengths[level]
    return None


def read_parts(
    b: Any, work: Any, dtype: DType, place: Any, parts: tuple[int, int], lanes: int, active: int
) -> list[Value]:
    """A vector of each part: `parts` is (their number, the elements of one), and the vectors begin
    at element `place` of a part."""
    number, count = parts
    return [
        read(b, work, dtype, b.add(place, integer(part * count)), lanes, 1, active)
        for part in range(number)
    ]


def joined(parts: list[Value], combine: Callable[[Any, Any], Value]) -> Value:
    """Partial results, a power of two of them, combined pairwise."""
    while len(parts) > 1:
        parts = [combine(x, y) for x, y in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def across(vector: Value, combine: Callable[[Any, Any], Value]) -> Value:
    """All lanes of a vector combined, by halving the vector."""
    b = vector.builder
    while vector.lanes > 1:
        half = vector.lanes // 2
        parts: list[Value] = []
        for start in (0, half):
            if half == 1:
                code = b.extract_element(vector.code, ir.Constant(INT32, start))
            else:
                code = shuffled(b, vector.code, vector.code, range(start, start + half))
            parts.append(Value(b, code, vector.dtype, half))
        vector = combine(*parts)
    return vector


def fits(node: Reduce) -> bool:
    """Whether generated code supports the reduction: its totals are single numbers, which are its
    results, and `combine` calls only functions with native code."""
    if not node.is_plain or not supported(node.dtype):
        return False
    return instructions((node, node), combine_of(node)) is not None
