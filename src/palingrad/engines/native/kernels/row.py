"""Row kernels: elementwise nodes and reductions along the last axis, in as few passes as possible.

A softmax takes three passes over a row that stays in the first-level cache: the largest element;
the exponentials and their sum; the quotients. A node's pass follows from the reductions that it
depends on. Nodes with one number per row (the results of reductions, and values computed from
them) are computed between the passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from ....graph.kinds import Reduce
from ....graph.leaves import Variable
from ....graph.node import Node
from ....graph.operation import Operation
from ....graph.state.records import dataclass
from ..llvm.kernel_context import KernelContext
from ..llvm.loops import (
    blocks,
    integer,
    loop,
    place_of,
    prefetch_ahead,
    read,
    splatted,
    unravelled,
    worth_prefetching,
    write,
)
from ..llvm.strided_view import View, broadcast
from ..llvm.values import Value, value_type
from .elementwise import ElementwiseKernel, compute
from .family import Group, KernelFamily
from .formula import dtype_of, is_number, lanes_for
from .kernel import Fused, Kernel, Views, per_element
from .reducers import BLOCK, CompensatedSum, Total, across, combine_of, joined, needs_compensation

_ROW = 8.0  # nanoseconds of overhead of a pass over a row
_STREAMS = 4  # independent running totals, which hide the latency of an addition


@dataclass(frozen=True, eq=False)
class RowKernel(Kernel):
    """Elementwise nodes and reductions over the last axis of the group's shape."""

    label, description = "Rows", "row kernel"

    plan: RowPlan

    @classmethod
    def of(cls, fused: Fused, views: Views) -> RowKernel:
        """The kernel of these nodes."""
        return cls(fused, RowPlan.of(fused, views))

    @property
    def items(self) -> int:
        """The number of rows."""
        return math.prod(self.fused.shape[:-1])

    @property
    def cost(self) -> float:
        operands = len(self.fused.operands) + len(self.live_out)
        ends = _ROW * math.prod(self.fused.shape[:-1]) * (1 + self.plan.last)
        return ends + math.prod(self.fused.shape) * per_element(self.nodes, operands)

    def emit(self, context: KernelContext) -> None:
        b = context.builder
        emitter = _Emitter(self, context)
        with loop(b, context.begin, context.end) as item:
            emitter.row(unravelled(b, item, self.fused.shape[:-1]))


@dataclass(frozen=True, eq=False)
class RowPlan:
    """The passes over a row."""

    level: dict[Node, int]  # the pass that computes each node; for a scalar, the pass after it
    last: int  # the last pass
    stored: list[Node]  # values along the row that a later pass reads again
    reads: dict[Node, View]  # operands in the space of the rows
    writes: dict[Node, View]
    lanes: int

    @classmethod
    def of(cls, fused: Fused, views: Views) -> RowPlan:
        """The passes of these nodes."""
        level: dict[Node, int] = {}
        stored: dict[Node, None] = {}
        for node in fused.nodes:
            inputs = [fused.inner.get(x, x) for x in node.inputs]
            pass_of = max((level.get(x, 0) for x in inputs), default=0)
            for x in inputs:
                if x in level and x not in fused.scalars and pass_of > level[x]:
                    stored[x] = None
            level[node] = pass_of + 1 if isinstance(node, Reduce) else pass_of
        reads = {x: broadcast(views[x], fused.shape) for x in fused.operands}
        writes: dict[Node, View] = {
            x: as_operand(views[x], fused.shape, x in fused.scalars) for x in fused.live_out
        }
        wide = [x for x, view in reads.items() if view.strides[-1]]
        lanes = lanes_for([dtype_of(x) for x in (*fused.nodes, *wide)], fused.shape[-1])
        last = max(level.values(), default=0)
        return cls(level, last, list(stored), reads, writes, lanes)


def as_operand(view: View, shape: tuple[int, ...], scalar: bool) -> View:
    """A member's view in the index space `shape`; a scalar member may lack the last axis."""
    if scalar and len(view.shape) < len(shape):
        return View(view.base, shape, (*view.strides, 0), view.offset)
    return broadcast(view, shape)


class _Emitter:
    """Emits the code of one row."""

    def __init__(self, kernel: RowKernel, context: KernelContext) -> None:
        self.fused, self.plan = kernel.fused, kernel.plan
        self.context, self.b = context, context.builder
        self.length = self.fused.shape[-1]
        self.prefetches = worth_prefetching(self.fused.shape)
        self.level, self.lanes, self.reads = self.plan.level, self.plan.lanes, self.plan.reads
        self.reductions = [node for node in self.fused.nodes if isinstance(node, Reduce)]
        self.stored = {x: context.stack(dtype_of(x), self.length) for x in self.plan.stored}

    def row(self, indices: list[Any]) -> None:
        """Emits all passes over the row at these indices of the outer axes."""
        b = self.b
        self.places = {
            x: place_of(b, indices, view.strides[:-1], integer(view.offset))
            for x, view in self.reads.items()
        }
        self.ends = {
            x: place_of(b, indices, view.strides[:-1], integer(view.offset))
            for x, view in self.plan.writes.items()
        }
        self.numbers: dict[Node, Value] = {
            x: read(b, self.context.pointer(view.base), dtype_of(x), self.places[x], 1, 0)
            for x, view in self.reads.items()
            if not view.strides[-1]
        }
        for level in range(self.plan.last + 1):
            self._between(level)
            self._pass(level)

    def _between(self, level: int) -> None:
        """Emits the scalars that depend on the previous pass."""
        nodes = [
            node
            for node in self.fused.nodes
            if node in self.fused.scalars
            and self.level[node] == level
            and not isinstance(node, Reduce)
        ]
        compute(self.b, nodes, self.numbers, 1, self.fused.inner)
        for node in self.fused.live_out:
            if node in self.fused.scalars and self.level[node] == level:
                write(self.b, self.context.pointer(node), self.numbers[node], self.ends[node])

    def _pass(self, level: int) -> None:
        """Emits the pass over the row that needs the scalars up to `level`."""
        b, inner = self.b, self.fused.inner
        nodes = [
            node
            for node in self.fused.nodes
            if node not in self.fused.scalars and self.level[node] == level
        ]
        reductions = [node for node in self.reductions if self.level[node] == level + 1]
        if not nodes and not reductions:
            return
        lanes = self.lanes
        many = len(nodes) <= 3 and self.length >= 2 * _STREAMS * lanes
        streams = _STREAMS if many else 1
        totals = {node: [self._total(node) for _ in range(streams)] for node in reductions}
        steps = self.length // (self.lanes * streams)
        compensated = {
            node: CompensatedSum(self.context, dtype_of(node), lanes)
            for node in reductions
            if steps > BLOCK and needs_compensation(node)
        }
        for total in (*(x for group in totals.values() for x in group), *compensated.values()):
            total.begin()

        def body(index: Any, active: int, stream: int) -> None:
            values = _Values(self, index, active, level == 0)
            compute(b, nodes, values, lanes, inner)
            for node in nodes:
                if node in self.stored:
                    write(b, self.stored[node], values[node], index, 1, active)
                if self.fused.is_live_out(node):
                    there = b.add(self.ends[node], b.mul(index, integer(self._step(node))))
                    base = self.context.pointer(self.context.views[node].base)
                    write(b, base, values[node], there, self._step(node), active)
                    if self.prefetches and self._step(node) == 1 and active == lanes > 1:
                        prefetch_ahead(b, base, dtype_of(node), there, writing=True)
            for node, streamed in totals.items():
                x = inner.get(node.inputs[0], node.inputs[0])
                streamed[stream].add(values.wide(x), active)

        def block_ends() -> None:
            for node, compensated_sum in compensated.items():
                compensated_sum.take(totals[node])

        self._along(body, streams, block_ends if compensated else None)
        block_ends()
        for node, streamed in totals.items():
            combine = combine_of(node)
            if node in compensated:
                total = compensated[node].value()
            else:
                total = joined([stream.value() for stream in streamed], combine)
            self.numbers[node] = across(total, combine)

    def _along(self, body: Any, streams: int, block_ends: Callable[[], None] | None) -> None:
        """Emits `body` for every vector of the row, `streams` vectors per iteration."""
        b, lanes = self.b, self.lanes
        bulk = self.length // (lanes * streams) * lanes * streams
        span = integer(0), integer(bulk), lanes * streams

        def together(index: Any) -> None:
            for stream in range(streams):
                body(b.add(index, integer(stream * lanes)), lanes, stream)

        if block_ends is not None:
            blocks(b, span, BLOCK, together, block_ends)
        elif bulk:
            with loop(b, *span) as index:
                together(index)
        main = self.length // lanes * lanes
        for start in range(bulk, main, lanes):
            body(integer(start), lanes, 0)
        if main < self.length:
            body(integer(main), self.length - main, 0)

    def _step(self, node: Node) -> int:
        return self.context.views[node].strides[-1]

    def _total(self, node: Operation) -> Total:
        llvm_type = value_type(dtype_of(node), self.lanes)
        return Total(self.b, node, self.lanes, self.context.slot(llvm_type))


class _Values(dict[Node, Value]):
    """The values at one position of the row, loaded or broadcast on first use."""

    def __init__(self, emitter: _Emitter, index: Any, active: int, first: bool) -> None:
        super().__init__()
        self.emitter, self.index, self.active = emitter, index, active
        self.first = first  # whether this is the first pass, which reads most operands

    def __missing__(self, x: Node) -> Value:
        e = self.emitter
        b, lanes = e.b, e.lanes
        if x in e.numbers:
            value = e.numbers[x] if lanes == 1 else splatted(e.numbers[x], lanes)
        elif x in e.stored:
            value = read(b, e.stored[x], dtype_of(x), self.index, lanes, 1, self.active)
        else:
            step = e.reads[x].strides[-1]
            there = b.add(e.places[x], b.mul(self.index, integer(step)))
            base = e.context.pointer(e.reads[x].base)
            value = read(b, base, dtype_of(x), there, lanes, step, self.active)
            if e.prefetches and step == 1 and self.first and self.active == lanes > 1:
                prefetch_ahead(b, base, dtype_of(x), there)
        self[x] = value
        return value

    def wide(self, x: Node) -> Value:
        """The value of x, which must not be a scalar constant."""
        assert not is_number(x)
        return self[x]


# ---------------------------------------------------------------- the family


class ElementwiseFamily(KernelFamily):
    """Elementwise nodes and reductions over the last axis; with a reduction it is a row kernel."""

    takes_reductions: ClassVar[bool] = True

    def takes_elementwise(self, group: Group, views: Views) -> bool:
        return True

    def writes_any_strides(self, group: Group, node: Node) -> bool:
        return node not in group.scalars

    def updates_in_place(self, group: Group, value: Node, variable: Variable, views: Views) -> bool:
        return not group.scalars


def _kernel(fused: Fused, views: Views) -> Kernel:
    return (RowKernel if fused.scalars else ElementwiseKernel).of(fused, views)


ELEMENTWISE = ElementwiseFamily(_kernel)
