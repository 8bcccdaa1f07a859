"""Reductions over any axes of any view, fused with the elementwise nodes that produce the input.

Vectors run along the axis on which most operands are contiguous. If that axis is kept, each lane is
one result; if it is reduced, lanes and streams are partial results that are combined at the end. A
long reduction with few results is cut into parts of fixed size, which a second kernel combines in
order: so the result does not depend on the number of threads.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from ....graph.node import Node
from ....graph.operation import Operation
from ....graph.state.records import dataclass
from ....shapes import size, sizes, text
from ..llvm.kernel_context import KernelContext
from ..llvm.loops import (
    blocks,
    integer,
    loop,
    place_of,
    read,
    splatted,
    unravelled,
    vectors,
    write,
)
from ..llvm.values import Value, value_type
from .family import KernelFamily
from .formula import compute, dtype_of, is_number, lanes_for, number
from .kernel import Continuation, Fused, Kernel, Views, per_element
from .reducers import CompensatedSum, Total, across, combine_of, joined
from .reduction_plan import STREAMS, ReductionPlan


@dataclass(frozen=True, eq=False)
class Reduction(Kernel):
    """One reduction, the last of the nodes; the others compute its input."""

    label, description = "Reduction", "reduction"

    plan: ReductionPlan

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Reduction:
        """The kernel of these nodes."""
        return cls(fused, ReductionPlan.of(fused, views))

    @property
    def node(self) -> Operation:
        """The reduction."""
        return self.nodes[-1]

    @property
    def items(self) -> int:
        """The parts of results, which are independent."""
        return self.plan.results * self.plan.parts

    @property
    def cost(self) -> float:
        x = self.node.inputs[0]
        return size(sizes(x.shape)) * per_element(self.nodes, len(self.reads()))

    @property
    def workspace(self) -> int:
        """Bytes for partial results."""
        plan = self.plan
        return plan.parts * plan.count * dtype_of(self.node).itemsize if plan.parts > 1 else 0

    def continuation(self) -> Kernel | None:
        return CombineParts(self.fused, self) if self.workspace else None

    def emit(self, context: KernelContext) -> None:
        _Emitter(self, context).run()

    def space(self) -> str:
        shapes = [text(sizes(x.shape)) for x in (self.node.inputs[0], self.node)]
        return f"{' to '.join(shapes)} {dtype_of(self.node)}"


class _Emitter:
    """Emits the code of one reduction."""

    def __init__(self, kernel: Reduction, context: KernelContext) -> None:
        self.plan, self.inner = kernel.plan, kernel.fused.inner
        self.context, self.b = context, context.builder
        self.bases = [context.pointer(view.base) for view in self.plan.operands]
        self.node = kernel.node
        self.prologue = kernel.nodes[:-1]
        dtype = dtype_of(self.node)
        llvm_type = value_type(dtype, self.plan.lanes)
        self.buffers = [context.slot(llvm_type) for _ in range(STREAMS)]
        self.compensated: list[CompensatedSum] = []
        if self.plan.block is not None:
            self.compensated = [
                CompensatedSum(context, dtype, self.plan.lanes)
                for _ in range(STREAMS if self.plan.lane_per_result else 1)
            ]
        self.work = self.plan.parts > 1
        self.base = context.pointer(kernel if self.work else self.node)

    def run(self) -> None:
        """Emits the loop over items: a result or a block of results, and a part of its terms."""
        b, plan = self.b, self.plan
        with loop(b, self.context.begin, self.context.end) as item:
            part = b.srem(item, integer(plan.parts))
            which = b.sdiv(item, integer(plan.parts))
            if plan.lane_per_result:
                self._block_of_results(which, part)
            else:
                self._result(which, part)

    def _starts(self, indices: list[Any]) -> list[Any]:
        return [
            place_of(self.b, indices, steps, integer(view.offset))
            for view, steps in zip(self.plan.operands, self.plan.outer_steps, strict=True)
        ]

    def _target(self, place: Any, part: Any) -> Any:
        b = self.b
        if not self.work:
            return place
        return b.add(place, b.mul(part, integer(self.plan.count)))

    def _block_of_results(self, which: Any, part: Any) -> None:
        """Emits a block of neighbouring results."""
        b, plan = self.b, self.plan
        length, width = plan.outer[-1], plan.width
        blocks = -(-length // width)
        indices = unravelled(b, which, [*plan.outer[:-1], blocks])
        first = b.mul(indices[-1], integer(width))
        indices = [*indices[:-1], first]
        place = place_of(b, indices, plan.result_steps, integer(0))
        starts = self._starts(indices)
        rest = length - (blocks - 1) * width
        if rest == width:
            self._block(starts, self._target(place, part), width, part)
            return
        last = b.icmp_signed("==", first, integer((blocks - 1) * width))
        with b.if_else(last) as (then, otherwise):
            with then:
                self._block(starts, self._target(place, part), rest, part)
            with otherwise:
                if blocks > 1:
                    self._block(starts, self._target(place, part), width, part)

    def _block(self, starts: list[Any], target: Any, width: int, part: Any) -> None:
        """Emits `width` results, each in a lane of its own."""
        b, plan, lanes = self.b, self.plan, self.plan.lanes
        counts = [min(lanes, width - at) for at in range(0, width, lanes)]
        totals = [Total(b, self.node, lanes, slot) for slot in self.buffers[: len(counts)]]
        compensated = self.compensated[: len(counts)]
        for total in (*totals, *compensated):
            total.begin()

        def block_ends() -> None:
            for compensated_sum, total in zip(compensated, totals):
                compensated_sum.take([total])

        def one(places: list[Any]) -> None:
            for place_in, (total, active) in enumerate(zip(totals, counts, strict=True)):
                there = [
                    b.add(place, integer(place_in * lanes * steps[-1]))
                    for place, steps in zip(places, plan.outer_steps, strict=True)
                ]
                last = [steps[-1] for steps in plan.outer_steps]
                total.add(self._summand(there, last, active), lanes)

        self._nest(starts, part, len(plan.inner), one, block_ends)
        for number_, (total, active) in enumerate(zip(compensated or totals, counts)):
            place = b.add(target, integer(number_ * lanes * plan.result_steps[-1]))
            write(b, self.base, total.value(), place, plan.result_steps[-1], active)

    def _nest(
        self, starts: list[Any], part: Any, count: int, body: Any, block_ends: Any, axis: int = 0
    ) -> None:
        """Emits loops over the first `count` reduced axes, from `axis` on, the outermost over one
        part; `block_ends` is emitted at the end of each block."""
        b, plan = self.b, self.plan
        if axis == count:
            body(starts)
            return
        low, high = integer(0), integer(plan.inner[axis])
        if axis == 0:
            low = b.mul(part, integer(plan.part))
            high = self.context.smaller(b.add(low, integer(plan.part)), high)

        def one(index: Any) -> None:
            places = [
                b.add(start, b.mul(index, integer(steps[axis])))
                for start, steps in zip(starts, plan.inner_steps, strict=True)
            ]
            self._nest(places, part, count, body, block_ends, axis + 1)

        if plan.block is not None and plan.block[0] == axis:
            blocks(b, (low, high, 1), plan.block[1], one, block_ends)
        else:
            with loop(b, low, high) as index:
                one(index)

    def _result(self, which: Any, part: Any) -> None:
        """Emits one result, with vectors along the innermost reduced axis."""
        b, plan, lanes = self.b, self.plan, self.plan.lanes
        indices = unravelled(b, which, plan.outer)
        starts = self._starts(indices)
        totals = [Total(b, self.node, lanes, slot) for slot in self.buffers]
        for running in (*totals, *self.compensated):
            running.begin()
        last = [steps[-1] if steps else 0 for steps in plan.inner_steps]
        if not plan.inner:
            totals[0].add(self._summand(starts, last, lanes), lanes)
        elif len(plan.inner) == 1:
            self._row(starts, last, totals, part)
        else:
            self._nest(
                starts, part, len(plan.inner) - 1,
                lambda at: self._row(at, last, totals, None), lambda: self._block_ends(totals),
            )  # fmt: skip
        self._block_ends(totals)
        combine = combine_of(self.node)
        if self.compensated:
            total = self.compensated[0].value()
        else:
            total = joined([stream.value() for stream in totals], combine)
        place = place_of(b, indices, plan.result_steps, integer(0))
        write(b, self.base, across(total, combine), self._target(place, part))

    def _block_ends(self, totals: list[Total]) -> None:
        for compensated_sum in self.compensated:
            compensated_sum.take(totals)

    def _row(self, starts: list[Any], last: list[int], totals: list[Total], part: Any) -> None:
        """Emits the loop along the innermost axis, or along one part of it."""
        b, plan, lanes = self.b, self.plan, self.plan.lanes
        length = plan.inner[-1]

        def at(index: Any) -> list[Any]:
            return [
                b.add(start, b.mul(index, integer(step)))
                for start, step in zip(starts, last, strict=True)
            ]

        bulk = length // (lanes * STREAMS) * lanes * STREAMS
        if part is None:
            low, high = integer(0), integer(bulk)
        else:
            low = b.mul(part, integer(plan.part))
            high = self.context.smaller(b.add(low, integer(plan.part)), integer(bulk))

        def streams(index: Any) -> None:
            for stream, total in enumerate(totals):
                there = at(b.add(index, integer(stream * lanes)))
                total.add(self._summand(there, last, lanes), lanes)

        if bulk and plan.block is not None and plan.block[0] == len(plan.inner) - 1:
            span = low, high, lanes * STREAMS
            blocks(b, span, plan.block[1], streams, lambda: self._block_ends(totals))
        elif bulk:
            with loop(b, low, high, lanes * STREAMS) as index:
                streams(index)
        if bulk == length:
            return

        def rest() -> None:
            def one(index: Any, active: int) -> None:
                there = at(b.add(index, integer(bulk)))
                totals[0].add(self._summand(there, last, active), active)

            vectors(b, length - bulk, lanes, one)

        if part is None or plan.parts == 1:
            rest()
        else:
            with b.if_then(b.icmp_signed("==", part, integer(plan.parts - 1))):
                rest()

    def _summand(self, places: list[Any], last: list[int], active: int) -> Value:
        """Emits the value to combine, at these positions of the operands."""
        b, lanes = self.b, self.plan.lanes
        values: dict[Node, Value] = {}
        for x, base, place, step in zip(self.plan.reads, self.bases, places, last, strict=True):
            value = read(b, base, dtype_of(x), place, lanes, step, active)
            values[x] = splatted(value, lanes) if value.lanes != lanes else value
        compute(b, self.prologue, values, lanes, self.inner)
        x = self.node.inputs[0]
        x = self.inner.get(x, x)
        return number(b, x, lanes) if is_number(x) else values[x]


@dataclass(frozen=True, eq=False)
class CombineParts(Continuation):
    """Combines the parts of a reduction, in order."""

    label, description = "CombineParts", "parts of a reduction combined"
    is_counted_before: ClassVar[bool] = True

    before: Reduction

    @property
    def nodes(self) -> tuple[Operation, ...]:
        return (self.before.node,)

    @property
    def items(self) -> int:
        """One, because the work is small."""
        return 1

    @property
    def cost(self) -> float:
        return 500.0

    def space(self) -> str:
        return self.before.space()

    def emit(self, context: KernelContext) -> None:
        b = context.builder
        plan, node = self.before.plan, self.before.node
        dtype = dtype_of(node)
        lanes = lanes_for([dtype], plan.count)
        work, target = context.pointer(self.before), context.pointer(node)
        llvm_type = value_type(dtype, lanes)
        total: Any = Total(b, node, lanes, context.slot(llvm_type))
        add: Any = partial(total.add, active=lanes)
        if plan.block is not None:
            total = CompensatedSum(context, dtype, lanes)
            add = total.add

        def body(index: Any, active: int) -> None:
            total.begin()
            with loop(b, integer(0), integer(plan.parts)) as part:
                place = b.add(index, b.mul(part, integer(plan.count)))
                add(read(b, work, dtype, place, lanes, 1, active))
            write(b, target, total.value(), index, 1, active)

        vectors(b, plan.count, lanes, body)


# ---------------------------------------------------------------- the family


class ReductionFamily(KernelFamily):
    """A reduction, and the sinkable nodes of its input, which its kernel recomputes."""

    recomputes: ClassVar[bool] = True


REDUCTION = ReductionFamily(Reduction.of)
