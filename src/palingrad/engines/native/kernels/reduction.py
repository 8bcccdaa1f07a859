"""Reductions over any axes of any view, fused with the elementwise nodes that feed them.

Vectors run along the axis on which most operands are contiguous. If that axis stays, each lane is
one result; if it goes, lanes and streams are partial results that are combined at the end. A long
reduction with few results is cut into parts of fixed size, whatever the number of threads, and a
second kernel combines them: so its value never depends on who computed what.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

from ....graph.node import Node
from ....graph.operation import Operation
from ....shapes import axes_in, sizes
from ..llvm.kernel_context import KernelContext
from ..llvm.loops import (
    blocks,
    collapsed,
    integer,
    loop,
    place_of,
    read,
    splatted,
    unravelled,
    vectors,
    write,
)
from ..llvm.strided_view import View, broadcast, row_major
from ..llvm.values import Value, value_type
from .elementwise import Unit, compute
from .formula import dtype_of, is_number, lanes_for, number
from .reducers import COMBINE, Carried, Total, across, block_of, carries, joined

_STREAMS = 4
_FEW, _LARGE = 8, 1 << 15  # fewer results than this of more elements than this are cut in parts
_PART = 4096  # elements in a part, about


@dataclass(eq=False)
class Reduction(Unit):
    """One reduction, the last of the nodes; the others are what it sums."""

    @property
    def node(self) -> Operation:
        """The reduction."""
        return self.nodes[-1]

    def plan(self, views: dict[Node, View]) -> ReductionPlan:
        """How the reduction runs."""
        return ReductionPlan(self, views)

    def items(self, views: dict[Node, View]) -> int:
        """How many parts of results can be computed side by side."""
        plan = self.plan(views)
        return plan.results * plan.parts

    def workspace(self, views: dict[Node, View]) -> int:
        """Bytes for partial results."""
        plan = self.plan(views)
        return plan.parts * plan.count * dtype_of(self.node).itemsize if plan.parts > 1 else 0

    def emit(self, context: KernelContext) -> None:
        """The code for items `context.begin` to `context.end`."""
        _Emitter(self, context).run()

    def finish(self) -> Finish:
        """The kernel that combines the parts."""
        return Finish(nodes=[self.node], live_out=[self.node], fold=self)


class ReductionPlan:
    """Axes that stay and axes that go, merged, for operands in the space of the input."""

    def __init__(self, unit: Reduction, views: dict[Node, View]) -> None:
        node = unit.node
        self.shape = shape = sizes(node.inputs[0].shape)
        self.reads = unit.reads()
        self.operands = [broadcast(views[x], shape) for x in self.reads]
        gone = list(axes_in(node.attributes["axis"], len(shape)))
        stay = [axis for axis in range(len(shape)) if axis not in gone]
        live_out = tuple(shape[axis] for axis in stay)
        self.count = math.prod(live_out)
        inner = self._inner([axis for axis in range(len(shape)) if shape[axis] > 1])
        self.beside = inner in stay
        result = dict(zip(stay, row_major(live_out), strict=True))
        strides = [view.strides for view in self.operands]
        if self.beside:
            stay = [*[axis for axis in stay if axis != inner], inner]
        elif inner in gone:
            gone = [*[axis for axis in gone if axis != inner], inner]
        self.outer, steps = collapsed(
            [shape[axis] for axis in stay],
            [
                *[[step[axis] for axis in stay] for step in strides],
                [result[axis] for axis in stay],
            ],
        )
        self.outer_steps, self.result_steps = steps[:-1], steps[-1]
        self.inner, self.inner_steps = collapsed(
            [shape[axis] for axis in gone], [[step[axis] for axis in gone] for step in strides]
        )
        floats = [dtype_of(x) for x in (node, *unit.nodes, *self.reads)]
        self.terms = math.prod(shape[axis] for axis in gone)
        if self.beside and self.count:
            self.lanes = lanes_for(floats, self.outer[-1])
            self.width = min(self.outer[-1], _STREAMS * self.lanes)
            blocks = -(-self.outer[-1] // self.width)
            self.results = math.prod(self.outer[:-1]) * blocks
        else:
            self.beside = False
            self.lanes = lanes_for(floats, self.inner[-1] if self.inner else 1)
            self.results = self.count
        self.parts, self.part = self._cut()
        self.block = self._block() if carries(node) else None

    def _inner(self, axes: list[int]) -> int:
        def worth(axis: int) -> tuple[int, int]:
            return sum(view.strides[axis] == 1 for view in self.operands), axis

        return max(axes, key=worth, default=-1)

    def _cut(self) -> tuple[int, int]:
        """(how many parts, how long a part is on the outermost axis that goes)."""
        length = self.inner[0] if self.inner else 1
        if self.results >= _FEW or self.terms * self.count < _LARGE or length < 2:
            return 1, length
        wanted = min(64, self.terms * self.count // _PART, length)
        part = -(-length // wanted)
        if not self.beside and len(self.inner) == 1:
            step = self.lanes * _STREAMS
            part = -(-part // step) * step
        return -(-length // part), part

    def _block(self) -> tuple[int, int] | None:
        """(the axis of those that go that is cut in blocks, how many steps on it a block takes);
        None where a part has no more terms than a block."""
        lengths = [self.part, *self.inner[1:]] if self.inner else []
        if lengths and not self.beside:
            lengths[-1] = -(-lengths[-1] // (self.lanes * _STREAMS))
        return block_of(lengths)


class _Emitter:
    """The code of one reduction."""

    def __init__(self, unit: Reduction, context: KernelContext) -> None:
        self.unit, self.context, self.b = unit, context, context.builder
        self.plan = unit.plan(context.views)
        self.bases = [context.pointer(view.base) for view in self.plan.operands]
        self.node = unit.node
        self.prologue = unit.nodes[:-1]
        dtype = dtype_of(self.node)
        kind = value_type(dtype, self.plan.lanes)
        self.buffers = [context.slot(kind) for _ in range(_STREAMS)]
        self.carried: list[Carried] = []
        if self.plan.block is not None:
            self.carried = [
                Carried(self.b, dtype, self.plan.lanes, (context.slot(kind), context.slot(kind)))
                for _ in range(_STREAMS if self.plan.beside else 1)
            ]
        self.work = self.plan.parts > 1
        self.base = context.pointer(unit if self.work else self.node)

    def run(self) -> None:
        """Every item: a result or a block of them, and a part of the axes that go."""
        b, plan = self.b, self.plan
        with loop(b, self.context.begin, self.context.end) as item:
            part = b.srem(item, integer(plan.parts))
            which = b.sdiv(item, integer(plan.parts))
            if plan.beside:
                self._beside(which, part)
            else:
                self._single(which, part)

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

    def _beside(self, which: Any, part: Any) -> None:
        """A block of neighbouring results."""
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
        """`width` results side by side, each lane one of them."""
        b, plan, lanes = self.b, self.plan, self.plan.lanes
        counts = [min(lanes, width - at) for at in range(0, width, lanes)]
        totals = [Total(b, self.node, lanes, slot) for slot in self.buffers[: len(counts)]]
        carried = self.carried[: len(counts)]
        for one_of in (*totals, *carried):
            one_of.begin()

        def block_ends() -> None:
            for carry, total in zip(carried, totals):
                carry.take([total])

        def one(places: list[Any]) -> None:
            for place_in, (total, active) in enumerate(zip(totals, counts, strict=True)):
                there = [
                    b.add(place, integer(place_in * lanes * steps[-1]))
                    for place, steps in zip(places, plan.outer_steps, strict=True)
                ]
                last = [steps[-1] for steps in plan.outer_steps]
                total.add(self._summand(there, last, active), lanes)

        self._nest(starts, part, len(plan.inner), one, block_ends)
        for number_, (total, active) in enumerate(zip(carried or totals, counts)):
            place = b.add(target, integer(number_ * lanes * plan.result_steps[-1]))
            write(b, self.base, total.value(), place, plan.result_steps[-1], active)

    def _nest(
        self, starts: list[Any], part: Any, count: int, body: Any, block_ends: Any, axis: int = 0
    ) -> None:
        """Loops over the first `count` axes that go, from `axis` on, the outermost over one part;
        `block_ends` at the end of each block."""
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

    def _single(self, which: Any, part: Any) -> None:
        """One result, vectors along the innermost axis that goes."""
        b, plan, lanes = self.b, self.plan, self.plan.lanes
        indices = unravelled(b, which, plan.outer)
        starts = self._starts(indices)
        totals = [Total(b, self.node, lanes, slot) for slot in self.buffers]
        for one_of in (*totals, *self.carried):
            one_of.begin()
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
        combine = COMBINE[type(self.node)]
        if self.carried:
            total = self.carried[0].value()
        else:
            total = joined([one.value() for one in totals], combine)
        place = place_of(b, indices, plan.result_steps, integer(0))
        write(b, self.base, across(total, combine), self._target(place, part))

    def _block_ends(self, totals: list[Total]) -> None:
        for carry in self.carried:
            carry.take(totals)

    def _row(self, starts: list[Any], last: list[int], totals: list[Total], part: Any) -> None:
        """Along the innermost axis, or along one part of it."""
        b, plan, lanes = self.b, self.plan, self.plan.lanes
        length = plan.inner[-1]

        def at(index: Any) -> list[Any]:
            return [
                b.add(start, b.mul(index, integer(step)))
                for start, step in zip(starts, last, strict=True)
            ]

        bulk = length // (lanes * _STREAMS) * lanes * _STREAMS
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
            span = low, high, lanes * _STREAMS
            blocks(b, span, plan.block[1], streams, lambda: self._block_ends(totals))
        elif bulk:
            with loop(b, low, high, lanes * _STREAMS) as index:
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
        """The value to combine, at these places of the operands."""
        b, lanes = self.b, self.plan.lanes
        values: dict[Node, Value] = {}
        for x, base, place, step in zip(self.plan.reads, self.bases, places, last, strict=True):
            value = read(b, base, dtype_of(x), place, lanes, step, active)
            values[x] = splatted(value, lanes) if value.lanes != lanes else value
        compute(b, self.prologue, values, lanes, self.unit.inner)
        x = self.node.inputs[0]
        x = self.unit.inner.get(x, x)
        return number(b, x, lanes) if is_number(x) else values[x]


@dataclass(eq=False)
class Finish(Unit):
    """Combines the parts of a reduction, in their order."""

    fold: Any = None

    @property
    def works(self) -> list[Any]:
        """The workspaces that it reads."""
        return [self.fold]

    def reads(self) -> list[Node]:
        return []

    def items(self, views: dict[Node, View]) -> int:
        """One: it is little work."""
        return 1

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread, about."""
        return 500.0

    def emit(self, context: KernelContext) -> None:
        """The code for all results."""
        b = context.builder
        plan = self.fold.plan(context.views)
        node = self.fold.node
        dtype = dtype_of(node)
        lanes = lanes_for([dtype], plan.count)
        work, target = context.pointer(self.fold), context.pointer(node)
        kind = value_type(dtype, lanes)
        total: Any = Total(b, node, lanes, context.slot(kind))
        add: Any = partial(total.add, active=lanes)
        if plan.block is not None:
            total = Carried(b, dtype, lanes, (context.slot(kind), context.slot(kind)))
            add = total.add

        def body(index: Any, active: int) -> None:
            total.begin()
            with loop(b, integer(0), integer(plan.parts)) as part:
                place = b.add(index, b.mul(part, integer(plan.count)))
                add(read(b, work, dtype, place, lanes, 1, active))
            write(b, target, total.value(), index, 1, active)

        vectors(b, plan.count, lanes, body)
