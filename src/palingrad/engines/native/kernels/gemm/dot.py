"""Dot products: products of few rows or columns whose operands are both contiguous along the terms,
with vectors along the terms."""

from __future__ import annotations

import math
import operator
from typing import Any

from .....dtypes import is_floating
from .....graph.state.records import dataclass
from ...llvm.caches import LINE
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import (
    blocks,
    integer,
    loop,
    place_of,
    prefetch_ahead,
    read,
    unravelled,
    vectors,
    write,
)
from ...llvm.values import Value, value_type
from ..formula import dtype_of, lanes_for
from ..kernel import Fused
from ..reducers import BLOCK, CompensatedSum, across, joined
from .problem import GemmProblem
from .small import Product

_STREAMS = 4


@dataclass(frozen=True, eq=False)
class Dot(Product):
    """A product, computed as one sum for each element of the result."""

    label, description = "Dot", "dot products"

    @classmethod
    def of(cls, fused: Fused, f: GemmProblem) -> Dot:
        """The kernel of a product."""
        return cls(fused.with_first_live_out(), f)

    @property
    def items(self) -> int:
        """The elements of the result."""
        return math.prod(self.f.batch) * self.f.rows * self.f.columns

    def emit(self, context: KernelContext) -> None:
        """Emits the code for elements `context.begin` to `context.end`."""
        _Emitter(self, context).run()


class _Emitter:
    """Emits the sum of one element: independent running totals, and a compensated sum of blocks."""

    def __init__(self, kernel: Dot, context: KernelContext) -> None:
        self.context, self.b = context, context.builder
        self.f = f = kernel.f
        self.dtype = dtype_of(kernel.node)
        self.lanes = lanes_for([self.dtype], f.depth)
        nodes = f.x.base, f.y.base, kernel.node
        self.x, self.y, self.z = (context.pointer(node) for node in nodes)
        llvm_type = value_type(self.dtype, self.lanes)
        self.buffers = [context.slot(llvm_type) for _ in range(_STREAMS)]
        self.zero = Value(self.b, None, self.dtype, self.lanes).number(0)
        self.step = self.lanes * _STREAMS
        self.bulk = f.depth // self.step * self.step
        self.compensated: CompensatedSum | None = None
        if is_floating(self.dtype) and self.bulk > BLOCK * self.step:
            self.compensated = CompensatedSum(context, self.dtype, self.lanes)

    def run(self) -> None:
        """Emits the loop over the elements of the result."""
        b, f = self.b, self.f
        with loop(b, self.context.begin, self.context.end) as item:
            *batch, row, column = unravelled(b, item, (*f.batch, f.rows, f.columns))
            self.left = place_of(b, [*batch, row], [*f.x_batch, f.x_step[0]], integer(f.x.offset))
            self.right = place_of(
                b, [*batch, column], [*f.y_batch, f.y_step[1]], integer(f.y.offset)
            )
            self._begin()
            if self.compensated is not None:
                self.compensated.begin()
                span = integer(0), integer(self.bulk), self.step
                blocks(b, span, BLOCK, self._streams, self._block_ends)
            elif self.bulk:
                with loop(b, integer(0), integer(self.bulk), self.step) as index:
                    self._streams(index)
            if self.bulk < f.depth:
                vectors(b, f.depth - self.bulk, self.lanes, self._rest)
            self._block_ends()
            total = self._total() if self.compensated is None else self.compensated.value()
            write(b, self.z, across(total, operator.add), item)

    def _begin(self) -> None:
        for slot in self.buffers:
            self.b.store(self.zero.code, slot)

    def _streams(self, index: Any) -> None:
        for stream, slot in enumerate(self.buffers):
            place = stream * self.lanes
            ahead = self.lanes > 1 and place * self.dtype.itemsize % LINE == 0
            self._add(self.b.add(index, integer(place)), self.lanes, slot, ahead=ahead)

    def _rest(self, index: Any, active: int) -> None:
        self._add(self.b.add(index, integer(self.bulk)), active, self.buffers[0])

    def _add(self, index: Any, active: int, slot: Any, *, ahead: bool = False) -> None:
        """Emits the addition of a vector of products, which prefetches if it is the first of a
        cache line (`ahead`). Inactive lanes are loaded as 0."""
        b, f, lanes = self.b, self.f, self.lanes
        x = read(b, self.x, self.dtype, b.add(self.left, index), lanes, 1, active)
        y = read(b, self.y, self.dtype, b.add(self.right, index), lanes, 1, active)
        if ahead:  # the smaller operand stays in the first-level cache
            long = (self.x, self.left) if f.rows > f.columns else (self.y, self.right)
            prefetch_ahead(b, long[0], self.dtype, b.add(long[1], index))
        total = Value(b, b.load(slot), self.dtype, lanes)
        b.store(x.fused(y, total).code, slot)

    def _block_ends(self) -> None:
        if self.compensated is not None:
            self.compensated.add(self._total())
            self._begin()

    def _total(self) -> Value:
        parts = [Value(self.b, self.b.load(slot), self.dtype, self.lanes) for slot in self.buffers]
        return joined(parts, operator.add)
