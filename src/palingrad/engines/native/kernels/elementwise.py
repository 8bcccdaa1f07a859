"""Elementwise kernels: one loop over fused operations, with intermediate values in registers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ....graph.node import Node
from ....graph.operation import Operation
from ....graph.state.records import dataclass
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
from .formula import dtype_of, formula, is_number, lanes_for, number, overlapped
from .kernel import Fused, Kernel, Views, per_element

BLOCK = 2048  # elements of a contiguous loop that are one item


@dataclass(frozen=True, eq=False)
class ElementwiseKernel(Kernel):
    """Elementwise nodes of one shape."""

    label, description = "Elementwise", "elementwise"

    nest: LoopNest

    @classmethod
    def of(cls, fused: Fused, views: Views) -> ElementwiseKernel:
        """The kernel of these nodes."""
        reads = [broadcast(views[x], fused.shape) for x in fused.operands]
        return cls(fused, LoopNest.of(fused.shape, reads, [views[x] for x in fused.live_out]))

    @property
    def items(self) -> int:
        return 0 if 0 in self.fused.shape else self.nest.items

    @property
    def cost(self) -> float:
        operands = len(self.fused.operands) + len(self.live_out)
        return math.prod(self.fused.shape) * per_element(self.nodes, operands)

    def emit(self, context: KernelContext) -> None:
        """Emits the code for items `context.begin` to `context.end`."""
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
