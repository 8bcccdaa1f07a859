"""Stencils: elementwise nodes, and layouts that join or pad arrays, in one loop over vectors.

A node reads what the loop computed some elements earlier from the vectors before, in registers. So
a Runge–Kutta step, whose stages read their neighbours, reads its inputs once and writes its results
once. Near the ends of the loop, where nodes begin and end and pieces of layouts meet, a second
version of the code reads, selects and writes with masks.

An item is a block of elements. It begins with the elements before it on which its own depend, and
doesn't write them: bits don't depend on where blocks begin.
"""

from __future__ import annotations

from .....graph.state.records import dataclass
from ...llvm.kernel_context import KernelContext
from ..family import KernelFamily
from ..formula import dtype_of, lanes_for, overlapped
from ..kernel import Fused, Kernel, Views, per_element
from .alignment import Alignment
from .emitter import Emitter, Plan

BLOCK = 2048  # elements of an item


@dataclass(frozen=True, eq=False)
class Stencil(Kernel):
    """Nodes with one axis that read one another's elements at shifted positions."""

    label, description = "Stencil", "elementwise at shifted positions"

    plan: Plan

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Stencil:
        """The kernel of these nodes."""
        (length,) = fused.shape
        found = Alignment.of(fused.nodes, length, views)
        assert found is not None, "fusion has placed these nodes"
        dtypes = [dtype_of(x) for x in (*fused.nodes, *fused.operands)]
        lanes = overlapped(lanes_for(dtypes, length), fused.nodes, length)
        return cls(fused, Plan.of(found, lanes, BLOCK))

    @property
    def items(self) -> int:
        """Blocks."""
        first, last = self.plan.span
        return -(-(last - first) // BLOCK)

    @property
    def cost(self) -> float:
        operands = len(self.fused.operands) + len(self.live_out)
        return self.fused.shape[0] * per_element(self.nodes, operands)

    def emit(self, context: KernelContext) -> None:
        """Emits the code for items `context.begin` to `context.end`."""
        Emitter(self.fused, self.plan, context).run()


class StencilFamily(KernelFamily):
    """Nodes that an `Alignment` has placed. Operands must stay runs of elements."""

    reads_any_strides = False


STENCIL = StencilFamily(Stencil.of)
