"""Zeros with a value at a slice of them: what pulls a slice back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ...graph.node import Node
from ...shapes import sizes
from .body import dtype_of, lanes_for
from .frame import Frame
from .images import clear
from .loop import Unit
from .loops import collapsed, integer, nest, read, vectors, write
from .views import View, sliced, whole


@dataclass(eq=False)
class Put(Unit):
    """The input's elements at a slice of zeros."""

    def items(self, views: dict[Node, View]) -> int:
        """One: the slice may be anywhere."""
        return 0 if 0 in sizes(self.nodes[0].shape) else 1

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread."""
        return 0.1 * math.prod(sizes(self.nodes[0].shape))

    def emit(self, frame: Frame) -> None:
        """The code for all of it."""
        b, node = frame.builder, self.nodes[0]
        dtype = dtype_of(node)
        x = frame.views[node.inputs[0]]
        target = sliced(whole(node), node.attributes["index"], x.shape)
        to, source = frame.pointer(node), frame.pointer(x.base)
        clear(b, dtype, to, math.prod(sizes(node.shape)))
        if 0 in x.shape:
            return
        extents, (steps, ends) = collapsed(x.shape, [x.strides, target.strides])
        extents, steps, ends = extents or [1], steps or [1], ends or [1]
        lanes = lanes_for([dtype], extents[-1])

        def row(places: list[Any]) -> None:
            def one(index: Any, active: int) -> None:
                place = b.add(places[0], b.mul(index, integer(steps[-1])))
                value = read(b, source, dtype, place, lanes, steps[-1], active)
                there = b.add(places[1], b.mul(index, integer(ends[-1])))
                write(b, to, value, there, ends[-1], active)

            vectors(b, extents[-1], lanes, one)

        starts = [integer(x.offset), integer(target.offset)]
        nest(b, extents[:-1], [steps[:-1], ends[:-1]], starts, row)
