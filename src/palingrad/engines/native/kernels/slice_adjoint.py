"""Zeros with a value at a slice of them: what pulls a slice back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ....graph.node import Node
from ....shapes import sizes
from ..llvm.kernel_context import KernelContext
from ..llvm.loops import collapsed, integer, loop, nest, read, vectors, write
from ..llvm.strided_view import View, sliced, whole
from .copy import clear
from .elementwise import Unit
from .formula import dtype_of, lanes_for


@dataclass(eq=False)
class SliceAdjoint(Unit):
    """The input's elements at a slice of zeros."""

    def _lies(self, views: dict[Node, View]) -> tuple[View, View, int, int]:
        """(the input, the slice, how many rows there are, elements of each): rows along the first
        axis if the input's first axis runs over some of them, else all as one row."""
        node = self.nodes[0]
        x, shape = views[node.inputs[0]], sizes(node.shape)
        target = sliced(whole(node), node.attributes["index"], x.shape)
        row = math.prod(shape[1:])
        if x.shape and row and target.strides[0] and target.strides[0] % row == 0:
            return x, target, shape[0], row
        row = math.prod(shape)
        x = View(x.base, (1, *x.shape), (0, *x.strides), x.offset)
        target = View(target.base, x.shape, (row or 1, *target.strides), target.offset)
        return x, target, 1, row

    def items(self, views: dict[Node, View]) -> int:
        """Rows of the result."""
        return 0 if 0 in sizes(self.nodes[0].shape) else self._lies(views)[2]

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread."""
        return 0.1 * math.prod(sizes(self.nodes[0].shape))

    def emit(self, context: KernelContext) -> None:
        """The code for rows `frame.begin` to `frame.end`."""
        b, node = context.builder, self.nodes[0]
        dtype = dtype_of(node)
        x, target, _, length = self._lies(context.views)
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
                self._row(context, x, target, (source, end))

    def _row(self, context: KernelContext, x: View, target: View, starts: tuple[Any, Any]) -> None:
        """What of the input lies in one row."""
        b, dtype = context.builder, dtype_of(self.nodes[0])
        source, to = context.pointer(x.base), context.pointer(self.nodes[0])
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
