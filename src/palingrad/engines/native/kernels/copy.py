"""Moves that no view can express: a value's elements copied in another order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ....dtypes import DType
from ....graph.node import Node
from ..llvm.kernel_context import KernelContext
from ..llvm.loops import either, integer, loop, place_of, read, unravelled, vectors, write
from ..llvm.strided_view import View, row_major
from ..llvm.target import host
from ..llvm.values import Value
from .elementwise import BLOCK, Unit
from .formula import dtype_of, lanes_for


@dataclass(eq=False)
class Copy(Unit):
    """The elements of the node's input in row-major order, to a buffer of their own or, as `into`,
    to a Variable's."""

    into: Node | None = None

    def reads(self) -> list[Node]:
        return [self._source]

    @property
    def _source(self) -> Node:
        return self.nodes[0].inputs[0] if self.into is None else self.nodes[0]

    @property
    def _target(self) -> Node:
        return self.nodes[0] if self.into is None else self.into

    def items(self, views: dict[Node, View]) -> int:
        """Blocks of a contiguous input, else rows along its last axis."""
        x = views[self._source]
        if 0 in x.shape:
            return 0
        if x.strides == row_major(x.shape):
            return -(-math.prod(x.shape) // BLOCK)
        return math.prod(x.shape[:-1])

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread."""
        x = views[self._source]
        return math.prod(x.shape) * (0.2 if x.strides == row_major(x.shape) else 1.0)

    def emit(self, context: KernelContext) -> None:
        """The code for items `frame.begin` to `frame.end`."""
        b = context.builder
        x = context.views[self._source]
        dtype = dtype_of(self._source)
        source, to = context.pointer(x.base), context.pointer(self._target)
        if x.strides == row_major(x.shape):
            length = math.prod(x.shape)
            extents, strides = [-(-length // BLOCK), BLOCK], (BLOCK, 1)
            rest = length - (extents[0] - 1) * BLOCK
        else:
            extents, strides = list(x.shape), x.strides
            rest = extents[-1]
        lanes = lanes_for([dtype], extents[-1])
        with loop(b, context.begin, context.end) as item:
            indices = unravelled(b, item, extents[:-1])
            place = place_of(b, indices, strides[:-1], integer(x.offset))
            end = b.mul(item, integer(extents[-1]))

            def body(index: object, active: int) -> None:
                there = b.add(place, b.mul(index, integer(strides[-1])))
                value = read(b, source, dtype, there, lanes, strides[-1], active)
                write(b, to, value, b.add(end, index), 1, active)

            def across(size: int) -> None:
                vectors(b, size, lanes, body)

            either(b, item, extents[0], rest, extents[-1], across)


def clear(b: Any, dtype: DType, to: Any, count: int) -> None:
    """Write `count` zeros from the pointer `to` on."""
    if count:
        lanes = min(host().lanes(dtype.itemsize), 1 << (count - 1).bit_length())
        zero = Value(b, None, dtype, lanes).number(0)
        vectors(b, count, lanes, lambda index, active: write(b, to, zero, index, 1, active))
