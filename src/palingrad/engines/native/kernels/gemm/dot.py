"""Products of few rows or columns whose operands both lie along the summed axis: plain dot
products, vectors along the terms."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .....graph.node import Node
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import fetch_ahead, integer, loop, place_of, read, unravelled, vectors, write
from ...llvm.strided_view import View
from ...llvm.values import Value, value_type
from ..formula import dtype_of, lanes_for
from ..reducers import across
from .problem import gemm_problem
from .small import Product

_STREAMS = 4


@dataclass(eq=False)
class Dot(Product):
    """A product, computed as one sum for each element of the result."""

    def needs_buffer(self, views: dict[Node, View]) -> bool:
        return True

    def items(self, views: dict[Node, View]) -> int:
        """The elements of the result."""
        f = gemm_problem(self.node, views)
        return math.prod(f.batch) * f.rows * f.columns

    def emit(self, context: KernelContext) -> None:
        """The code for elements `frame.begin` to `frame.end`."""
        b, f = context.builder, gemm_problem(self.node, context.views)
        dtype = dtype_of(self.node)
        lanes = lanes_for([dtype], f.depth)
        x, y, z = (context.pointer(one) for one in (f.x.base, f.y.base, self.node))
        buffers = [context.slot(value_type(dtype, lanes)) for _ in range(_STREAMS)]
        zero = Value(b, None, dtype, lanes).number(0)
        bulk = f.depth // (lanes * _STREAMS) * lanes * _STREAMS
        with loop(b, context.begin, context.end) as item:
            *batch, row, column = unravelled(b, item, (*f.batch, f.rows, f.columns))
            left = place_of(b, [*batch, row], [*f.x_batch, f.x_step[0]], integer(f.x.offset))
            right = place_of(b, [*batch, column], [*f.y_batch, f.y_step[1]], integer(f.y.offset))
            for slot in buffers:
                b.store(zero.code, slot)

            def add(index: object, active: int, slot: object) -> None:
                # Lanes beyond the end are read as 0 and add nothing.
                one = read(b, x, dtype, b.add(left, index), lanes, 1, active)
                other = read(b, y, dtype, b.add(right, index), lanes, 1, active)
                if active == lanes > 1:  # the shorter operand stays in the first cache
                    long = (x, left) if f.rows > f.columns else (y, right)
                    fetch_ahead(b, long[0], dtype, b.add(long[1], index))
                total = Value(b, b.load(slot), dtype, lanes)
                b.store(one.fused(other, total).code, slot)

            if bulk:
                with loop(b, integer(0), integer(bulk), lanes * _STREAMS) as index:
                    for stream, slot in enumerate(buffers):
                        add(b.add(index, integer(stream * lanes)), lanes, slot)
            if bulk < f.depth:
                vectors(
                    b, f.depth - bulk, lanes,
                    lambda index, active: add(b.add(index, integer(bulk)), active, buffers[0]),
                )  # fmt: skip
            parts = [Value(b, b.load(slot), dtype, lanes) for slot in buffers]
            while len(parts) > 1:
                parts = [p + q for p, q in zip(parts[::2], parts[1::2], strict=True)]
            write(b, z, across(parts[0], lambda p, q: p + q), item)
