"""Elementwise kernels: one loop over fused operations, with intermediate values in registers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ....graph.node import Node
from ....graph.operation import Operation
from ....graph.state.records import dataclass
from ..llvm.builder import shuffled
from ..llvm.kernel_context import KernelContext
from ..llvm.loops import (
    collapsed,
    integer,
    interleaved,
    loop,
    place_of,
    prefetch_ahead,
    read,
    splatted,
    unravelled,
    vectors,
    worth_prefetching,
    write,
)
from ..llvm.strided_view import View, broadcast, row_major
from ..llvm.values import Value
from .formula import dtype_of, formula, is_number, lanes_for, number, overlapped, weight
from .kernel import Fused, Kernel, Views, per_element

BLOCK = 2048  # elements of a contiguous loop that are one item


@dataclass(frozen=True, eq=False)
class ElementwiseKernel(Kernel):
    """Elementwise nodes of one shape."""

    label, description = "Elementwise", "elementwise"

    nest: LoopNest
    short: ShortRows | None

    @classmethod
    def of(cls, fused: Fused, views: Views) -> ElementwiseKernel:
        """The kernel of these nodes."""
        reads = [broadcast(views[x], fused.shape) for x in fused.operands]
        nest = LoopNest.of(fused.shape, reads, [views[x] for x in fused.live_out])
        return cls(fused, nest, ShortRows.of(fused, nest))

    @property
    def items(self) -> int:
        if 0 in self.fused.shape:
            return 0
        return self.nest.items if self.short is None else self.short.items

    @property
    def cost(self) -> float:
        operands = len(self.fused.operands) + len(self.live_out)
        return math.prod(self.fused.shape) * per_element(self.nodes, operands)

    def emit(self, context: KernelContext) -> None:
        """Emits the code for items `context.begin` to `context.end`."""
        if self.short is not None:
            ShortRowsEmitter(self.fused, self.nest, self.short, context).run()
            return
        nest, b = self.nest, context.builder
        reads, inner = self.fused.operands, self.fused.inner
        bases = [context.pointer(context.views[x].base) for x in reads]
        outs = [context.pointer(context.views[x].base) for x in self.live_out]
        dtypes = [dtype_of(x) for x in (*self.nodes, *reads)]
        length = nest.extents[-1]
        lanes = overlapped(lanes_for(dtypes, length), self.nodes, length)
        last = [step[-1] for step in nest.steps]
        written_together = nest.interleaved_writes(len(reads))
        read_too = {context.views[x].base for x in reads}
        fresh = [context.views[x].base not in read_too for x in self.live_out]
        prefetches = worth_prefetching(self.fused.shape)

        def row(places: list[Any]) -> Any:
            # Loads that are invariant along the row are hoisted.
            fixed = {
                x: read(b, base, dtype_of(x), place, 1, 0)
                for x, base, place, step in zip(reads, bases, places, last, strict=False)
                if step == 0
            }

            def body(index: Any, active: int) -> None:
                values: dict[Node, Value] = {}
                for x, base, place, step in zip(reads, bases, places, last, strict=False):
                    if x in fixed:
                        values[x] = fixed[x] if lanes == 1 else splatted(fixed[x], lanes)
                        continue
                    there = b.add(place, b.mul(index, integer(step)))
                    values[x] = read(b, base, dtype_of(x), there, lanes, step, active)
                    if prefetches and step == 1 and active == lanes > 1:
                        prefetch_ahead(b, base, dtype_of(x), there)
                compute(b, self.nodes, values, lanes, inner)
                for numbers in written_together:
                    first = numbers[0]
                    step, each = last[len(reads) + first], len(numbers)
                    there = b.add(places[len(reads) + first], b.mul(index, integer(step)))
                    value = interleaved([values[self.live_out[number]] for number in numbers])
                    write(b, outs[first], value, there, step // each, active * each)
                    if prefetches and step == 1 and fresh[first] and active == lanes > 1:
                        prefetch_ahead(b, outs[first], value.dtype, there, writing=True)

            return body

        nest.run(context, context.begin, context.end, lanes, row)


@dataclass(frozen=True, eq=False)
class LoopNest:
    """A loop nest over operands. Axes are in the memory order of most operands, and merged where
    possible."""

    operands: tuple[View, ...]  # those that are read, then those that are written
    extents: list[int]
    steps: list[list[int]]  # of each operand, for each axis
    items: int

    @classmethod
    def of(cls, shape: tuple[int, ...], reads: list[View], writes: list[View]) -> LoopNest:
        """The nest over `shape` for operands that all have this shape."""
        operands = (*reads, *writes)
        order = _order(shape, reads, writes)
        extents, steps = collapsed(
            [shape[axis] for axis in order],
            [[view.strides[axis] for axis in order] for view in operands],
        )
        if not extents:
            extents, steps = [1], [[1] for _ in steps]
        items = -(-extents[0] // BLOCK) if len(extents) == 1 else math.prod(extents[:-1])
        return cls(operands, extents, steps, items)

    def interleaved_writes(self, reads: int) -> list[list[int]]:
        """The written operands after the first `reads`, numbered from 0, in groups: the operands of
        a group, a power of two of them, alternate element by element in one buffer."""
        writes = self.operands[reads:]
        groups: list[list[int]] = []
        rest = list(range(len(writes)))
        while rest:
            first = writes[rest[0]]
            step = self.steps[reads + rest[0]][-1]
            by_offset = {
                writes[number].offset - first.offset: number
                for number in rest
                if writes[number].base is first.base
                and self.steps[reads + number] == self.steps[reads + rest[0]]
            }
            whole = step > 1 and step & (step - 1) == 0 and set(range(step)) <= by_offset.keys()
            groups.append([by_offset[offset] for offset in range(step)] if whole else rest[:1])
            rest = [number for number in rest if number not in groups[-1]]
        return groups

    def run(
        self, context: KernelContext, begin: Any, end: Any, lanes: int,
        row: Callable[[list[Any]], Callable[[Any, int], None]],
    ) -> None:  # fmt: skip
        """Emits the items from `begin` to `end`. `row(places)` receives the position of a row in
        each operand, and returns `body(index, active)`, which emits one vector of the row."""
        b = context.builder
        starts = [integer(view.offset) for view in self.operands]
        length = self.extents[-1]
        if len(self.extents) > 1:
            outer = [step[:-1] for step in self.steps]
            with loop(b, begin, end) as item:
                indices = unravelled(b, item, self.extents[:-1])
                places = [
                    place_of(b, indices, step, start)
                    for step, start in zip(outer, starts, strict=True)
                ]
                vectors(b, length, lanes, row(places))
            return
        # One contiguous run: the items are blocks of it; the last item also does the remainder.
        body = row(starts)
        main = length // lanes * lanes
        block = integer(BLOCK)
        if main:
            stop = context.smaller(b.mul(end, block), integer(main))
            with loop(b, b.mul(begin, block), stop, lanes) as index:
                body(index, lanes)
        if main < length:
            with b.if_then(b.icmp_signed("==", end, integer(self.items))):
                body(integer(main), length - main)


_SHORT = 8  # elements of a short row at most
_WORK = 400  # instructions of all vectors of a block of short rows, about
_ROWS = 512  # of an item


@dataclass(frozen=True, eq=False)
class ShortRows:
    """Rows of fewer elements than would fill vectors, such as (n, 3) points with a factor each.

    As many rows as a vector has lanes are as many vectors as a row has elements, if the rows of an
    operand lie one after another. The numbers of an operand with one for each row are one vector,
    of which each of those repeats some lanes.
    """

    rows: int  # on the last but one axis
    length: int  # of a row
    lanes: int
    items: int

    @classmethod
    def of(cls, fused: Fused, nest: LoopNest) -> ShortRows | None:
        """The short rows of a nest; None if they are long, or operands lie in another way."""
        if len(nest.extents) < 2 or 0 in fused.shape:
            return None
        *outer, rows, length = nest.extents
        dtypes = [dtype_of(x) for x in (*fused.nodes, *fused.operands)]
        lanes = lanes_for(dtypes, rows)
        reads = nest.steps[: len(fused.operands)]
        writes = nest.steps[len(fused.operands) :]
        fits = all(step[-2:] in ([length, 1], [1, 0], [0, 0]) for step in reads)
        work = length * sum(weight(node) or 1 for node in fused.nodes)
        if (
            not fits
            or any(step[-2:] != [length, 1] for step in writes)
            or not 2 <= length <= _SHORT
            or length % lanes == 0
            or rows < lanes
            or work > _WORK
        ):
            return None
        return cls(rows, length, lanes, math.prod(outer) * -(-rows // _ROWS))

    def pattern(self, part: int) -> list[int]:
        """The row of each lane of vector `part` of a block."""
        first = part * self.lanes
        return [place // self.length for place in range(first, first + self.lanes)]


class ShortRowsEmitter:
    """Emits a loop over blocks of short rows; the last block of an axis may have fewer."""

    def __init__(
        self, fused: Fused, nest: LoopNest, plan: ShortRows, context: KernelContext
    ) -> None:
        self.fused, self.nest, self.plan, self.context = fused, nest, plan, context
        self.b: Any = context.builder
        views = context.views
        self.bases = [context.pointer(views[x].base) for x in (*fused.operands, *fused.live_out)]

    def run(self) -> None:
        """Emits all items from `context.begin` to `context.end`."""
        b, plan, nest = self.b, self.plan, self.nest
        blocks = -(-plan.rows // _ROWS)
        steps = [step[:-2] for step in nest.steps]
        with loop(b, self.context.begin, self.context.end) as item:
            indices = unravelled(b, b.sdiv(item, integer(blocks)), nest.extents[:-2])
            places = [
                place_of(b, indices, step, integer(view.offset))
                for step, view in zip(steps, nest.operands, strict=True)
            ]
            first = b.mul(b.srem(item, integer(blocks)), integer(_ROWS))
            end = self.context.smaller(b.add(first, integer(_ROWS)), integer(plan.rows))
            whole = self.context.smaller(end, integer(plan.rows // plan.lanes * plan.lanes))
            with loop(b, first, whole, plan.lanes) as row:
                self._block(places, row, plan.lanes)
            if plan.rows % plan.lanes:
                with b.if_then(b.icmp_signed("<", whole, end)):
                    self._block(places, whole, plan.rows % plan.lanes)

    def _block(self, places: list[Any], row: Any, count: int) -> None:
        """Emits `count` rows, as many as there are lanes or fewer."""
        b, plan, fused = self.b, self.plan, self.fused
        numbers: dict[Node, Value] = {}
        for x, base, place, step in self._reads(places):
            if step[-1] == 0:
                there = b.add(place, b.mul(row, integer(step[-2])))
                numbers[x] = read(b, base, dtype_of(x), there, plan.lanes, step[-2], count)
        for part in range(-(-count * plan.length // plan.lanes)):
            active = min(count * plan.length - part * plan.lanes, plan.lanes)
            start = b.add(b.mul(row, integer(plan.length)), integer(part * plan.lanes))
            values: dict[Node, Value] = {}
            for x, base, place, step in self._reads(places):
                if x in numbers:
                    one = numbers[x]
                    code = one.code if step[-2] == 0 else shuffled(
                        b, one.code, one.code, plan.pattern(part)
                    )  # fmt: skip
                    values[x] = one.like(code)
                else:
                    there = b.add(place, start)
                    values[x] = read(b, base, dtype_of(x), there, plan.lanes, 1, active)
            compute(b, fused.nodes, values, plan.lanes, fused.inner)
            for x, base, place in self._writes(places):
                write(b, base, values[x], b.add(place, start), 1, active)

    def _reads(self, places: list[Any]) -> list[tuple[Node, Any, Any, list[int]]]:
        """(operand, its buffer, where it begins, its steps) of all that is read."""
        count = len(self.fused.operands)
        return list(
            zip(self.fused.operands, self.bases, places[:count], self.nest.steps, strict=False)
        )

    def _writes(self, places: list[Any]) -> list[tuple[Node, Any, Any]]:
        count = len(self.fused.operands)
        return list(zip(self.fused.live_out, self.bases[count:], places[count:], strict=True))


def _order(shape: tuple[int, ...], reads: list[View], writes: list[View]) -> list[int]:
    """The axes from the outermost loop to the innermost: innermost the axis on which most operands
    are contiguous, the others by decreasing stride of the first written operand."""
    views = [*writes, *writes, *reads]
    lead = (writes or reads or [None])[0]
    steps = lead.strides if lead is not None else row_major(shape)
    axes = [axis for axis, size in enumerate(shape) if size > 1]
    if not axes:
        return list(range(len(shape)))

    def worth(axis: int) -> tuple[int, int]:
        smooth = sum(view.strides[axis] in (0, 1) for view in views)
        return smooth, axis

    inner = max(axes, key=worth)
    outer = [axis for axis in axes if axis != inner]
    return [*sorted(outer, key=lambda axis: (-steps[axis], axis)), inner]


def compute(
    builder: Any, nodes: Iterable[Operation], values: dict[Node, Value], lanes: int,
    inner: Mapping[Node, Node],
) -> None:  # fmt: skip
    """Emits the formulas of the nodes, and adds each node's value to `values`."""
    for node in nodes:
        arguments = [
            number(builder, x, lanes) if is_number(x) else _as_wide(values[inner.get(x, x)], lanes)
            for x in node.inputs
        ]
        values[node] = formula(node, arguments)


def _as_wide(value: Value, lanes: int) -> Value:
    return value if value.lanes == lanes else splatted(value, lanes)
