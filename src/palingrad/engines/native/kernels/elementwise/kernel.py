"""Elementwise kernels: one loop over fused operations, with intermediate values in registers."""

from __future__ import annotations

import math
from typing import Any

from .....graph.node import Node
from .....graph.state.records import dataclass
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import (
    integer,
    interleaved,
    prefetch_ahead,
    read,
    splatted,
    worth_prefetching,
    write,
)
from ...llvm.values import Value
from ..formula import compute, dtype_of, lanes_for, overlapped
from ..kernel import Fused, Kernel, Views, per_element
from .gathered import GatheredRow, Operands
from .loop_nest import LoopNest
from .short_rows import ShortRows, ShortRowsEmitter


@dataclass(frozen=True, eq=False)
class ElementwiseKernel(Kernel):
    """Elementwise nodes of one shape, and gathers that only they read."""

    label, description = "Elementwise", "elementwise"

    operands: Operands
    nest: LoopNest
    short: ShortRows | None

    @classmethod
    def of(cls, fused: Fused, views: Views) -> ElementwiseKernel:
        """The kernel of these nodes."""
        operands = Operands.of(fused, views)
        nest = LoopNest.of(fused.shape, [*operands.all], [views[x] for x in fused.live_out])
        return cls(fused, operands, nest, ShortRows.of(fused, operands, nest))

    @property
    def items(self) -> int:
        if 0 in self.fused.shape:
            return 0
        return self.nest.items if self.short is None else self.short.items

    @property
    def cost(self) -> float:
        operands = len(self.operands.all) + len(self.live_out)
        return math.prod(self.fused.shape) * per_element(self.nodes, operands)

    @property
    def is_guarded(self) -> bool:
        return bool(self.operands.gathers)

    def emit(self, context: KernelContext) -> None:
        """Emits the code for items `context.begin` to `context.end`."""
        if self.short is not None:
            ShortRowsEmitter(self.fused, self.operands, self.nest, self.short, context).run()
            return
        nest, b, operands = self.nest, context.builder, self.operands
        reads, inner = operands.direct, self.fused.inner
        bases = [context.pointer(context.views[x].base) for x in reads]
        outs = [context.pointer(context.views[x].base) for x in self.live_out]
        dtypes = [dtype_of(x) for x in (*self.nodes, *reads)]
        length = nest.extents[-1]
        lanes = overlapped(lanes_for(dtypes, length), operands.formulas, length)
        last = [step[-1] for step in nest.steps]
        first_out = len(operands.all)
        written_together = nest.interleaved_writes(first_out)
        read_too = {view.base for view in operands.all}
        fresh = [context.views[x].base not in read_too for x in self.live_out]
        prefetches = worth_prefetching(self.fused.shape)

        def row(places: list[Any]) -> Any:
            # Loads that are invariant along the row are hoisted.
            fixed = {
                x: read(b, base, dtype_of(x), place, 1, 0)
                for x, base, place, step in zip(reads, bases, places, last, strict=False)
                if step == 0
            }
            starts, steps = operands.of_gathers(places), operands.of_gathers(last)
            gathered = [
                GatheredRow(context, one, start, step)
                for (one, start), (_, step) in zip(starts, steps, strict=True)
            ]

            def body(index: Any, active: int) -> None:
                values: dict[Node, Value] = {
                    own.one.node: own.read(index, lanes, active) for own in gathered
                }
                for x, base, place, step in zip(reads, bases, places, last, strict=False):
                    if x in fixed:
                        values[x] = fixed[x] if lanes == 1 else splatted(fixed[x], lanes)
                        continue
                    there = b.add(place, b.mul(index, integer(step)))
                    values[x] = read(b, base, dtype_of(x), there, lanes, step, active)
                    if prefetches and step == 1 and active == lanes > 1:
                        prefetch_ahead(b, base, dtype_of(x), there)
                compute(b, operands.formulas, values, lanes, inner)
                for numbers in written_together:
                    first = numbers[0]
                    step, each = last[first_out + first], len(numbers)
                    there = b.add(places[first_out + first], b.mul(index, integer(step)))
                    value = interleaved([values[self.live_out[number]] for number in numbers])
                    write(b, outs[first], value, there, step // each, active * each)
                    if prefetches and step == 1 and fresh[first] and active == lanes > 1:
                        prefetch_ahead(b, outs[first], value.dtype, there, writing=True)

            return body

        nest.run(context, context.begin, context.end, lanes, row)
