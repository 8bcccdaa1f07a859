"""Concatenation: copies arrays to their parts of a joined buffer.

An input that its producer writes to the joined buffer directly (`plan/concat_in_place.py`) is not
copied.
"""

from __future__ import annotations

from typing import Any

from .....graph.kinds import Layout
from .....graph.node import Node
from .....graph.operation import Operation
from .....graph.state.records import dataclass
from .....shapes import size, sizes
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import integer, read, write
from ...llvm.strided_view import View, positions, view_of
from ..elementwise.loop_nest import LoopNest
from ..family import Group, KernelFamily
from ..formula import dtype_of, lanes_for
from ..kernel import Fused, Kernel, Views
from .transposition import Transposition


@dataclass(frozen=True, eq=False)
class Concatenation(Kernel):
    """The node's inputs in one buffer; `copies` are the inputs that must be copied there."""

    label, description = "Concat", "concatenation"

    # (input, the loops of its copy, the transposition by which it is copied if it is turned)
    copies: tuple[tuple[Node, LoopNest, Transposition | None], ...]
    some_placed: bool  # whether a producer writes an input there directly

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Concatenation:
        """The kernel of a node."""
        node = fused.first
        copies: list[tuple[Node, LoopNest, Transposition | None]] = []
        placed = False
        for x, place in zip(node.inputs, pieces(node, views[node]), strict=True):
            if views[x].base is place.base and positions(views[x]) == positions(place):
                placed = True
            elif 0 not in place.shape:
                nest = LoopNest.of(place.shape, [views[x]], [place])
                offsets = views[x].offset, place.offset
                turned = Transposition.of(dtype_of(node), nest.extents, nest.steps, offsets)
                copies.append((x, nest, turned))
        return cls(fused, tuple(copies), placed)

    @property
    def is_placed(self) -> bool:
        return self.some_placed and not self.copies

    def reads(self) -> tuple[Node, ...]:
        return tuple(dict.fromkeys(x for x, *_ in self.copies))

    @property
    def items(self) -> int:
        """The blocks or rows of all copied inputs."""
        return sum((turned or nest).items for _, nest, turned in self.copies)

    @property
    def cost(self) -> float:
        return 0.2 * sum(size(sizes(x.shape)) for x, *_ in self.copies)

    def emit(self, context: KernelContext) -> None:
        b, dtype = context.builder, dtype_of(self.fused.first)
        first = 0
        for _, nest, turned in self.copies:
            items = (turned or nest).items
            begin = context.larger(b.sub(context.begin, integer(first)), integer(0))
            end = context.smaller(b.sub(context.end, integer(first)), integer(items))
            with b.if_then(b.icmp_signed("<", begin, end)):
                if turned is None:
                    nest.run(context, begin, end, *_copying(context, nest, dtype))
                else:
                    buffers = (context.pointer(view.base) for view in nest.operands)
                    turned.run(context, begin, end, *buffers)
            first += items


def pieces(node: Operation, view: View) -> list[View]:
    """The part of the joined buffer that each input fills. The buffer is `view`, which may be a
    piece of another one."""
    assert isinstance(node, Layout)
    parts = [node.filled(view.layout, position) for position in range(len(node.inputs))]
    return [view_of(view.base, part) for part in parts if part is not None]


def _copying(context: KernelContext, nest: LoopNest, dtype: Any) -> tuple[int, Any]:
    """(lanes, the `row` argument of LoopNest.run) for a nest that copies one operand to another."""
    b = context.builder
    source, target = (context.pointer(view.base) for view in nest.operands)
    lanes = lanes_for([dtype], nest.extents[-1])
    step, to = (steps[-1] for steps in nest.steps)

    def row(places: list[Any]) -> Any:
        def body(index: Any, active: int) -> None:
            there = b.add(places[0], b.mul(index, integer(step)))
            value = read(b, source, dtype, there, lanes, step, active)
            write(b, target, value, b.add(places[1], b.mul(index, integer(to))), to, active)

        return body

    return lanes, row


class ConcatenationFamily(KernelFamily):
    """A concatenation, whose result may be a piece of another one."""

    def writes_any_strides(self, group: Group, node: Node) -> bool:
        return True


CONCATENATION = ConcatenationFamily(Concatenation.of)
