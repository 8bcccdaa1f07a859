"""Elementwise loops over rows of a few elements, several rows at a time."""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir

from .....graph.node import Node
from .....graph.state.records import dataclass
from ...llvm.builder import INT32, shuffled
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import integer, loop, place_of, read, unravelled, write
from ...llvm.values import Value
from ..formula import compute, dtype_of, lanes_for, weight
from ..kernel import Fused
from .gathered import Gathered, Operands, in_runs
from .loop_nest import LoopNest

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
    def of(cls, fused: Fused, operands: Operands, nest: LoopNest) -> ShortRows | None:
        """The short rows of a nest; None if they are long, or operands lie in another way."""
        if len(nest.extents) < 2 or 0 in fused.shape:
            return None
        *outer, rows, length = nest.extents
        dtypes = [dtype_of(x) for x in (*fused.nodes, *operands.direct)]
        lanes = lanes_for(dtypes, rows)
        reads = nest.steps[: len(operands.direct)]
        writes = nest.steps[len(operands.all) :]
        fits = all(step[-2:] in ([length, 1], [1, 0], [0, 0]) for step in reads)
        for _, steps in operands.of_gathers(nest.steps):  # a row of the source for each row
            fits = fits and steps[0][-2:] == [0, 1] and all(step[-1] == 0 for step in steps[1:])
        work = length * sum(weight(node) or 1 for node in operands.formulas)
        work += length * lanes * len(operands.gathers)
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
        self, fused: Fused, operands: Operands, nest: LoopNest, plan: ShortRows,
        context: KernelContext,
    ) -> None:  # fmt: skip
        self.fused, self.operands, self.nest = fused, operands, nest
        self.plan, self.context = plan, context
        self.b: Any = context.builder
        outs = [context.views[x].base for x in fused.live_out]
        self.bases = [context.pointer(x) for x in (*(one.base for one in operands.all), *outs)]

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
        rows = self._gathered_rows(places, row, count)
        for part in range(-(-count * plan.length // plan.lanes)):
            active = min(count * plan.length - part * plan.lanes, plan.lanes)
            start = b.add(b.mul(row, integer(plan.length)), integer(part * plan.lanes))
            values: dict[Node, Value] = {}
            for one, base, starts in rows:
                values[one.node] = self._gathered(one, base, starts, part, active)
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
            compute(b, self.operands.formulas, values, plan.lanes, fused.inner)
            for x, base, place in self._writes(places):
                write(b, base, values[x], b.add(place, start), 1, active)

    def _gathered_rows(
        self, places: list[Any], row: Any, count: int
    ) -> list[tuple[Gathered, Any, list[Any]]]:
        """(gather, the source's buffer, where each of `count` rows begins) of all gathers."""
        b, found = self.b, list[tuple[Gathered, Any, list[Any]]]()
        lanes = self.plan.lanes
        parts = (self.operands.of_gathers(own) for own in (self.bases, places, self.nest.steps))
        for (one, bases), (_, starts), (_, steps) in zip(*parts, strict=True):
            numbers = [
                read(b, base, dtype_of(view.base), b.add(start, b.mul(row, integer(step[-2]))),
                     lanes, step[-2], count)
                for view, base, start, step in
                zip(one.indices, bases[1:], starts[1:], steps[1:], strict=True)
            ]  # fmt: skip
            own = one.place(numbers)
            begins: list[Any] = []
            for lane in range(count):
                place = own if lanes == 1 else b.extract_element(own, ir.Constant(INT32, lane))
                begins.append(b.add(starts[0], b.mul(place, integer(one.unit))))
            found.append((one, bases[0], begins))
        return found

    def _gathered(
        self, one: Gathered, base: Any, starts: list[Any], part: int, active: int
    ) -> Value:
        """Vector `part` of a block of gathered rows."""
        plan, first = self.plan, part * self.plan.lanes
        pattern = plan.pattern(part)

        def place(lane: int) -> Any:
            column = integer((first + lane) % plan.length)
            return self.b.add(starts[pattern[lane]], column)

        return in_runs(self.b, base, one.node, plan.lanes, active, pattern, place)

    def _reads(self, places: list[Any]) -> list[tuple[Node, Any, Any, list[int]]]:
        """(operand, its buffer, where it begins, its steps) of all that is read."""
        direct = self.operands.direct
        return list(zip(direct, self.bases, places, self.nest.steps, strict=False))

    def _writes(self, places: list[Any]) -> list[tuple[Node, Any, Any]]:
        count = len(self.operands.all)
        return list(zip(self.fused.live_out, self.bases[count:], places[count:], strict=True))
