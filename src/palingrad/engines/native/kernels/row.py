"""Row kernels: elementwise nodes and reductions along the last axis, in as few passes as possible.

A softmax takes three passes over a row that stays in the first-level cache: the largest element;
the exponentials and their sum; the quotients. A node's pass follows from the reductions that it
depends on. Nodes with one number per row (the results of reductions, and values computed from
them) are computed between the passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ....graph.kinds import Gather, Reduce
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
from .elementwise.kernel import ElementwiseKernel
from .family import Group, KernelFamily
from .formula import compute, dtype_of, is_number, lanes_for
from .kernel import Fused, Kernel, Views, per_element
from .reducers import BLOCK, CompensatedSum, Total, across, combine_of, joined, needs_compensation

_ROW = 8.0  # nanoseconds of overhead of a pass over a row
_SHORT = 8  # vectors at most of a row that is computed together with others
_FEW = 64  # rows at least of a kernel that computes several at a time
_MANY = 256  # rows at least of one that computes four: their code takes long to compile
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
        """The number of rows, or of groups of rows that are computed together."""
        return math.prod(self.fused.shape[:-1]) // self.plan.together

    @property
    def cost(self) -> float:
        operands = len(self.fused.operands) + len(self.live_out)
        ends = _ROW * math.prod(self.fused.shape[:-1]) * (1 + self.plan.last)
        return ends + math.prod(self.fused.shape) * per_element(self.nodes, operands)

    def emit(self, context: KernelContext) -> None:
        b, together = context.builder, self.plan.together
        emitter = RowEmitter(self, context, together)
        with loop(b, context.begin, context.end) as item:
            first = b.mul(item, integer(together))
            rows = [b.add(first, integer(number)) for number in range(together)]
            emitter.rows(*(unravelled(b, row, self.fused.shape[:-1]) for row in rows))


@dataclass(frozen=True, eq=False)
class RowPlan:
    """The passes over a row."""

    level: dict[Node, int]  # the pass that computes each node; for a scalar, the pass after it
    last: int  # the last pass
    stored: list[Node]  # values along the row that a later pass reads again
    reads: dict[Node, View]  # operands in the space of the rows
    writes: dict[Node, View]
    lanes: int
    together: int  # rows whose instructions alternate

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
        together = _together(math.prod(fused.shape[:-1]), fused.shape[-1], lanes)
        return cls(level, last, list(stored), reads, writes, lanes, together)


def _together(rows: int, length: int, lanes: int) -> int:
    """The number of rows to compute at a time. Between passes over a short row, a CPU waits for its
    reductions longer than it computes."""
    if lanes == 1 or length > _SHORT * lanes or rows < _FEW:
        return 1
    numbers = (4, 2, 1) if 2 * length <= _SHORT * lanes and rows >= _MANY else (2, 1)
    return next(number for number in numbers if rows % number == 0)


def as_operand(view: View, shape: tuple[int, ...], scalar: bool) -> View:
    """A member's view in the index space `shape`; a scalar member may lack the last axis."""
    if scalar and len(view.shape) < len(shape):
        return View(view.base, shape, (*view.strides, 0), view.offset)
    return broadcast(view, shape)


class RowEmitter:
    """Emits the code of a row, or of `together` rows at a time, whose instructions alternate, so
    that one row's waits are another's work."""

    def __init__(self, kernel: RowKernel, context: Any, together: int = 1) -> None:
        """`context`: a KernelContext, or one whose pointers and views are others (attention)."""
        self.fused, self.plan = kernel.fused, kernel.plan
        self.context, self.b = context, context.builder
        self.length = self.fused.shape[-1]
        # The number of elements, a multiple of the lanes, if it isn't the row's length.
        self.extent: Any = None
        self.prefetches = worth_prefetching(self.fused.shape)
        self.level, self.lanes, self.reads = self.plan.level, self.plan.lanes, self.plan.reads
        self.reductions = [node for node in self.fused.nodes if isinstance(node, Reduce)]
        self.stored = [
            {x: context.stack(dtype_of(x), self.length) for x in self.plan.stored}
            for _ in range(together)
        ]

    def rows(self, *indices: list[Any]) -> None:
        """Emits all passes over the rows at these indices of the outer axes."""
        listed = [self._row(one, stored) for one, stored in zip(indices, self.stored)]
        for level in range(self.plan.last + 1):
            for row in listed:
                self._between(row, level)
            self._pass(listed, level)

    def _row(self, indices: list[Any], stored: dict[Node, Any]) -> _Row:
        b = self.b
        places, ends = (
            {
                x: place_of(b, indices, view.strides[:-1], integer(view.offset))
                for x, view in views.items()
            }
            for views in (self.reads, self.plan.writes)
        )
        numbers: dict[Node, Value] = {
            x: read(b, self.context.pointer(view.base), dtype_of(x), places[x], 1, 0)
            for x, view in self.reads.items()
            if not view.strides[-1]
        }
        return _Row(places, ends, numbers, stored)

    def _between(self, row: _Row, level: int) -> None:
        """Emits the scalars that depend on the previous pass."""
        nodes = [
            node
            for node in self.fused.nodes
            if node in self.fused.scalars
            and self.level[node] == level
            and not isinstance(node, Reduce)
        ]
        compute(self.b, nodes, row.numbers, 1, self.fused.inner)
        for node in self.fused.live_out:
            if node in self.fused.scalars and self.level[node] == level:
                write(self.b, self.context.pointer(node), row.numbers[node], row.ends[node])

    def _pass(self, rows: list[_Row], level: int) -> None:
        """Emits the pass over the rows that needs the scalars up to `level`."""
        b, inner = self.b, self.fused.inner
        nodes = [
            node
            for node in self.fused.nodes
            if node not in self.fused.scalars and self.level[node] == level
        ]
        reductions = [node for node in self.reductions if self.level[node] == level + 1]
        if not nodes and not reductions:
            return
        many = len(nodes) <= 3 and self.length >= 2 * _STREAMS * self.lanes
        streams = _STREAMS if many and self.extent is None else 1
        totals = [_Totals(self, reductions, streams) for _ in rows]

        def body(index: Any, active: int, stream: int) -> None:
            for row, total in zip(rows, totals, strict=True):
                values = _Values(self, row, index, active, level == 0)
                compute(b, nodes, values, self.lanes, inner)
                self._written(row, nodes, values, index, active)
                for node, streamed in total.streamed.items():
                    x = inner.get(node.inputs[0], node.inputs[0])
                    streamed[stream].add(values.wide(x), active)

        def block_ends() -> None:
            for total in totals:
                total.end_block()

        self._along(body, streams, block_ends if totals[0].compensated else None)
        block_ends()
        for row, total in zip(rows, totals, strict=True):
            row.numbers |= total.results()

    def _written(
        self, row: _Row, nodes: list[Operation], values: _Values, index: Any, active: int
    ) -> None:
        """Emits the stores of a vector's values."""
        b, lanes = self.b, self.lanes
        for node in nodes:
            if node in row.stored:
                write(b, row.stored[node], values[node], index, 1, active)
            if self.fused.is_live_out(node):
                step = self.context.views[node].strides[-1]
                there = b.add(row.ends[node], b.mul(index, integer(step)))
                base = self.context.pointer(self.context.views[node].base)
                write(b, base, values[node], there, step, active)
                if self.prefetches and step == 1 and active == lanes > 1:
                    prefetch_ahead(b, base, dtype_of(node), there, writing=True)

    def _along(self, body: Any, streams: int, block_ends: Callable[[], None] | None) -> None:
        """Emits `body` for every vector of the row, `streams` vectors per iteration."""
        b, lanes = self.b, self.lanes
        bulk = self.length // (lanes * streams) * lanes * streams
        span = integer(0), self.extent or integer(bulk), lanes * streams

        def together(index: Any) -> None:
            for stream in range(streams):
                body(b.add(index, integer(stream * lanes)), lanes, stream)

        if block_ends is not None:
            blocks(b, span, BLOCK, together, block_ends)
        elif bulk:
            with loop(b, *span) as index:
                together(index)
        if self.extent is not None:
            return
        main = self.length // lanes * lanes
        for start in range(bulk, main, lanes):
            body(integer(start), lanes, 0)
        if main < self.length:
            body(integer(main), self.length - main, 0)


@dataclass()
class _Row:
    """One row, while its code is emitted."""

    places: dict[Node, Any]  # where the operands' rows begin
    ends: dict[Node, Any]  # where the results' rows begin
    numbers: dict[Node, Value]  # the values of which a row has one
    stored: dict[Node, Any]  # the buffers of values that a later pass reads


class _Totals:
    """The running totals of a pass over one row."""

    def __init__(self, emitter: RowEmitter, nodes: Sequence[Operation], streams: int) -> None:
        context, lanes = emitter.context, emitter.lanes

        def total(node: Operation) -> Total:
            llvm_type = value_type(dtype_of(node), lanes)
            return Total(emitter.b, node, lanes, context.slot(llvm_type))

        self.streamed = {node: [total(node) for _ in range(streams)] for node in nodes}
        steps = emitter.length // (lanes * streams)
        self.compensated = {
            node: CompensatedSum(context, dtype_of(node), lanes)
            for node in nodes
            if steps > BLOCK and needs_compensation(node)
        }
        for one in (*(x for group in self.streamed.values() for x in group),
                    *self.compensated.values()):  # fmt: skip
            one.begin()

    def end_block(self) -> None:
        """Emits the additions of a block's sums to the compensated sums."""
        for node, compensated_sum in self.compensated.items():
            compensated_sum.take(self.streamed[node])

    def results(self) -> dict[Node, Value]:
        """Emits the combination of all lanes."""
        found: dict[Node, Value] = {}
        for node, streamed in self.streamed.items():
            combine = combine_of(node)
            if node in self.compensated:
                total = self.compensated[node].value()
            else:
                total = joined([stream.value() for stream in streamed], combine)
            found[node] = across(total, combine)
        return found


class _Values(dict[Node, Value]):
    """The values at one position of the row, loaded or broadcast on first use."""

    def __init__(
        self, emitter: RowEmitter, row: _Row, index: Any, active: int, first: bool
    ) -> None:
        super().__init__()
        self.emitter, self.row, self.index, self.active = emitter, row, index, active
        self.first = first  # whether this is the first pass, which reads most operands

    def __missing__(self, x: Node) -> Value:
        e, row = self.emitter, self.row
        b, lanes = e.b, e.lanes
        if x in row.numbers:
            value = row.numbers[x] if lanes == 1 else splatted(row.numbers[x], lanes)
        elif x in row.stored:
            value = read(b, row.stored[x], dtype_of(x), self.index, lanes, 1, self.active)
        else:
            step = e.reads[x].strides[-1]
            there = b.add(row.places[x], b.mul(self.index, integer(step)))
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
        # A gather reads the Variable at other positions.
        gathers = (node for node in group.nodes if isinstance(node, Gather))
        return not group.scalars and all(
            views[x].base is not variable for node in gathers for x in node.inputs
        )


def _kernel(fused: Fused, views: Views) -> Kernel:
    return (RowKernel if fused.scalars else ElementwiseKernel).of(fused, views)


ELEMENTWISE = ElementwiseFamily(_kernel)
