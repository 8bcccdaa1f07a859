"""Rows taken by integers that are fed: they are looked at before anything runs, and what is out of
range is an error that has changed nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...dtypes import int64
from ...graph.node import Node
from ...graph.operation import Operation
from ...ops.take import Take
from ...shapes import axis_in, sizes
from .body import dtype_of, lanes_for
from .checks import Check, fed
from .frame import Frame
from .loop import Unit
from .loops import collapsed, integer, loop, nest, place_of, read, unravelled, vectors, write
from .views import View, row_major


def fits(node: Operation, views: dict[Node, View]) -> bool:
    """Whether this kernel computes the node."""
    if not isinstance(node, Take) or 0 in sizes(node.inputs[0].shape):
        return False
    return fed(node.inputs[1], views) is not None


@dataclass(eq=False)
class Gather(Unit):
    """x at integers along an axis."""

    def check(self, views: dict[Node, View]) -> Check:
        """What must hold of the indices."""
        x, indices = self.nodes[0].inputs
        length = sizes(x.shape)[axis_in(self.nodes[0].axis, len(sizes(x.shape)))]
        base = fed(indices, views)
        assert base is not None
        return Check(base, -length, length)

    def items(self, views: dict[Node, View]) -> int:
        """The places of an index, for each place before the axis."""
        x, indices = self.nodes[0].inputs
        axis = axis_in(self.nodes[0].axis, len(sizes(x.shape)))
        return math.prod(sizes(x.shape)[:axis]) * math.prod(sizes(indices.shape))

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread."""
        return 0.2 * math.prod(sizes(self.nodes[0].shape)) + 2.0 * self.items(views)

    def emit(self, frame: Frame) -> None:
        """The code for items `frame.begin` to `frame.end`."""
        b, node = frame.builder, self.nodes[0]
        x, indices = (frame.views[one] for one in node.inputs)
        dtype, kind = dtype_of(node), dtype_of(node.inputs[1])
        axis = axis_in(node.axis, len(x.shape))
        count = math.prod(indices.shape)
        inner = x.shape[axis + 1 :]
        each = math.prod(inner)
        source, chosen, out = (frame.pointer(one) for one in (x.base, indices.base, node))
        extents, (steps, order) = collapsed(inner, [x.strides[axis + 1 :], row_major(inner)])
        extents, steps, order = extents or [1], steps or [1], order or [1]
        lanes = lanes_for([dtype], extents[-1])
        with loop(b, frame.begin, frame.end) as item:
            number = b.srem(item, integer(count))
            outer = unravelled(b, b.sdiv(item, integer(count)), x.shape[:axis])
            index = read(b, chosen, kind, number, 1, 1).cast(int64).code
            below = b.icmp_signed("<", index, integer(0))
            index = b.select(below, b.add(index, integer(x.shape[axis])), index)
            start = place_of(b, outer, x.strides[:axis], integer(x.offset))
            start = b.add(start, b.mul(index, integer(x.strides[axis])))
            end = b.mul(item, integer(each))

            def row(places: list[object]) -> None:
                def one(at: object, active: int) -> None:
                    place = b.add(places[0], b.mul(at, integer(steps[-1])))
                    value = read(b, source, dtype, place, lanes, steps[-1], active)
                    write(b, out, value, b.add(places[1], at), 1, active)

                vectors(b, extents[-1], lanes, one)

            nest(b, extents[:-1], [steps[:-1], order[:-1]], [start, end], row)
