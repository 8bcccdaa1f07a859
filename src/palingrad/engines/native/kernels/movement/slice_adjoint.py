"""The adjoint of slicing: zeros with a value at a slice."""

from __future__ import annotations

import math
from typing import Any

from .....graph.state.records import dataclass
from .....shapes import sizes
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import collapsed, integer, loop, nest, read, vectors, write
from ...llvm.strided_view import View, filled
from ..family import KernelFamily
from ..formula import dtype_of, lanes_for
from ..kernel import Fused, Kernel, Views
from .copy import clear


@dataclass(frozen=True, eq=False)
class SliceAdjoint(Kernel):
    """Zeros with the input's elements at a slice, row by row: rows of the result's first axis if
    the input's first axis steps through whole rows of it, else the whole result as one row."""

    label, description = "SliceAdjoint", "zeros with a value at a slice"

    source: View
    target: View  # the slice
    count: int  # of rows
    length: int  # of a row

    @classmethod
    def of(cls, fused: Fused, views: Views) -> SliceAdjoint:
        """The kernel of a node."""
        node = fused.first
        x, shape = views[node.inputs[0]], sizes(node.shape)
        target = (filled(node) or [])[0]
        row = math.prod(shape[1:])
        if x.shape and row and target.strides[0] and target.strides[0] % row == 0:
            return cls(fused, x, target, shape[0], row)
        row = math.prod(shape)
        x = View(x.base, (1, *x.shape), (0, *x.strides), x.offset)
        target = View(target.base, x.shape, (row or 1, *target.strides), target.offset)
        return cls(fused, x, target, 1, row)

    @property
    def items(self) -> int:
        """Rows of the result."""
        return self.count if self.length else 0

    @property
    def cost(self) -> float:
        return 0.1 * self.count * self.length

    def emit(self, context: KernelContext) -> None:
        b, node = context.builder, self.fused.first
        dtype = dtype_of(node)
        x, target, length = self.source, self.target, self.length
        to = context.typed(node, dtype)
        first, inner = divmod(target.offset, length)
        with loop(b, context.begin, context.end) as item:
            start = b.mul(item, integer(length))
            clear(b, dtype, b.gep(to, [start]), length)
            if 0 in x.shape:
                return
            away, step = b.sub(item, integer(first)), integer(target.strides[0] // length)
            number = b.sdiv(away, step)
            mine = b.icmp_unsigned("<", number, integer(x.shape[0]))
            mine = b.and_(mine, b.icmp_signed("==", b.mul(number, step), away))
            with b.if_then(mine):
                source = b.add(b.mul(number, integer(x.strides[0])), integer(x.offset))
                end = b.add(start, integer(inner))
                self._row(context, (source, end))

    def _row(self, context: KernelContext, starts: tuple[Any, Any]) -> None:
        """Emits the copy of the input's elements that belong to one row."""
        b, x, target = context.builder, self.source, self.target
        dtype = dtype_of(self.fused.first)
        source, to = context.pointer(x.base), context.pointer(self.fused.first)
        extents, (steps, ends) = collapsed(x.shape[1:], [x.strides[1:], target.strides[1:]])
        extents, steps, ends = extents or [1], steps or [1], ends or [1]
        lanes = lanes_for([dtype], extents[-1])

        def body(places: list[Any]) -> None:
            def one(index: Any, active: int) -> None:
                place = b.add(places[0], b.mul(index, integer(steps[-1])))
                value = read(b, source, dtype, place, lanes, steps[-1], active)
                there = b.add(places[1], b.mul(index, integer(ends[-1])))
                write(b, to, value, there, ends[-1], active)

            vectors(b, extents[-1], lanes, one)

        nest(b, extents[:-1], [steps[:-1], ends[:-1]], list(starts), body)


SLICE_ADJOINT = KernelFamily(SliceAdjoint.of)
