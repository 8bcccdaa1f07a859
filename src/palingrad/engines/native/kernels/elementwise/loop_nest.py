"""The loops of elementwise kernels: axes in the order of memory, merged where possible."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .....graph.state.records import dataclass
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import collapsed, integer, loop, place_of, unravelled, vectors
from ...llvm.strided_view import View, row_major

BLOCK = 2048  # elements of a contiguous loop that are one item


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
