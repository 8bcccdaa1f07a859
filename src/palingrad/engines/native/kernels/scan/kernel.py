"""Scans: running totals along one axis, fused with the elementwise nodes that produce the input.

Where other axes lie inside the scanned one in memory, vectors run along them: each lane is a scan
of its own. Otherwise the scan runs along a row. There the running totals within a vector of l lanes
take log₂ l steps (Hillis & Steele, "Data parallel algorithms", 1986), and are combined with the
total before the vector. Products are taken in order where that could overflow or underflow on the
way.
"""

from __future__ import annotations

import math
from typing import ClassVar

from .....graph.operation import Operation
from .....graph.state.records import dataclass
from .....shapes import size, sizes
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import (
    either,
    integer,
    loop,
    place_of,
    unravelled,
)
from ..family import KernelFamily
from ..kernel import Fused, Kernel, Views, per_element
from .emitter import Emitter
from .plan import ScanPlan

_STEP = 1.5  # nanoseconds of one ⊕ that waits for the one before


@dataclass(frozen=True, eq=False)
class ScanKernel(Kernel):
    """One scan, the last of the nodes; the others compute its input."""

    label, description = "Scan", "running totals"

    plan: ScanPlan

    @classmethod
    def of(cls, fused: Fused, views: Views) -> ScanKernel:
        """The kernel of these nodes."""
        return cls(fused, ScanPlan.of(fused, views))

    @property
    def node(self) -> Operation:
        """The scan."""
        return self.nodes[-1]

    @property
    def items(self) -> int:
        """Rows, or blocks of neighbouring scans."""
        return 0 if 0 in sizes(self.node.shape) else math.prod(self.plan.outer)

    @property
    def cost(self) -> float:
        each = per_element(self.nodes, len(self.reads()) + 1)
        return size(sizes(self.node.shape)) * each + _STEP * self.items * self.plan.length

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.plan
        emitter = Emitter(self.fused, self.plan, context)
        with loop(b, context.begin, context.end) as item:
            indices = unravelled(b, item, plan.outer)
            places = [
                place_of(b, indices, steps, integer(offset))
                for steps, offset in zip(plan.outer_steps, plan.offsets, strict=True)
            ]
            if plan.is_row:
                emitter.row(places)
            else:
                rest = plan.columns - (plan.outer[-1] - 1) * plan.width
                either(b, indices[-1], plan.outer[-1], rest, plan.width,
                       lambda width: emitter.walk(places, plan.lanes, width))  # fmt: skip


class ScanFamily(KernelFamily):
    """A scan, and the sinkable nodes of its input, which its kernel recomputes."""

    recomputes: ClassVar[bool] = True


SCAN = ScanFamily(ScanKernel.of)
