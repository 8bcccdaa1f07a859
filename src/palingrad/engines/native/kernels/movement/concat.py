"""Concatenation: arrays one after another in one buffer.

What a kernel computes only to be concatenated may lie in the joined buffer from the start
(`plan/concat_in_place.py`); what is left is copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .....graph.node import Node
from .....graph.operation import Operation
from .....shapes import size, sizes
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import integer, read, write
from ...llvm.strided_view import View, filled
from ..elementwise import LoopNest
from ..family import KernelFamily
from ..formula import dtype_of, lanes_for
from ..kernel import Fused, Kernel, Views


@dataclass(frozen=True, eq=False)
class Concatenation(Kernel):
    """The node's inputs one after another; `copies` are those that don't lie there already."""

    label, words = "Concat", "join"

    copies: tuple[tuple[Node, LoopNest], ...]
    some_placed: bool  # whether an input lies there already

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Concatenation:
        """The kernel of a node."""
        node = fused.first
        copies: list[tuple[Node, LoopNest]] = []
        placed = False
        for x, place in zip(node.inputs, pieces(node), strict=True):
            if views[x].base is node and views[x].offset == place.offset:
                placed = True
            elif 0 not in place.shape:
                copies.append((x, LoopNest.of(place.shape, [views[x]], [place])))
        return cls(fused, tuple(copies), placed)

    @property
    def is_placed(self) -> bool:
        return self.some_placed and not self.copies

    def reads(self) -> tuple[Node, ...]:
        return tuple(dict.fromkeys(x for x, _ in self.copies))

    @property
    def items(self) -> int:
        """Blocks or rows of all that is copied."""
        return sum(nest.items for _, nest in self.copies)

    @property
    def cost(self) -> float:
        return 0.2 * sum(size(sizes(x.shape)) for x, _ in self.copies)

    def emit(self, context: KernelContext) -> None:
        b, dtype = context.builder, dtype_of(self.fused.first)
        first = 0
        for _, nest in self.copies:
            begin = context.larger(b.sub(context.begin, integer(first)), integer(0))
            end = context.smaller(b.sub(context.end, integer(first)), integer(nest.items))
            with b.if_then(b.icmp_signed("<", begin, end)):
                nest.run(context, begin, end, *_copying(context, nest, dtype))
            first += nest.items


def pieces(node: Operation) -> list[View]:
    """Where in the joined buffer each input lies."""
    found = filled(node)
    assert found is not None
    return found


def _copying(context: KernelContext, nest: LoopNest, dtype: Any) -> tuple[int, Any]:
    """(lanes, the code for a row) for a loop nest of one operand read and one written."""
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


CONCATENATION = KernelFamily(Concatenation.of)
