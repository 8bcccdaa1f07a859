"""Row kernels: whatever happens along the last axis, row by row, in as few passes as it takes.

A softmax is three passes over a row that stays in the first cache: the largest element; the
exponentials and their sum; the quotients. Which pass a node belongs to follows from the reductions
behind it. Nodes of one number a row (the results of reductions, and what is made of them) are
computed between the passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ....graph.kinds import Reduce
from ....graph.node import Node
from ....graph.operation import Operation
from ..llvm.kernel_context import KernelContext
from ..llvm.loops import (
    blocks,
    fetch_ahead,
    goes_far,
    integer,
    loop,
    place_of,
    read,
    splatted,
    unravelled,
    write,
)
from ..llvm.strided_view import View, broadcast
from ..llvm.values import Value, value_type
from .elementwise import Unit, compute
from .formula import dtype_of, is_number, lanes_for
from .reducers import BLOCK, COMBINE, Carried, Total, across, carries, joined

_STREAMS = 4  # totals that run side by side, so that one needn't wait for the other


@dataclass(eq=False)
class Rows(Unit):
    """Elementwise nodes and reductions over the last axis of `shape`."""

    shape: tuple[int, ...] = ()
    scalars: set[Node] = field(default_factory=set[Node])  # nodes of one number a row

    def items(self, views: dict[Node, View]) -> int:
        """How many rows there are."""
        return math.prod(self.shape[:-1])

    def emit(self, context: KernelContext) -> None:
        """The code for rows `context.begin` to `context.end`."""
        b = context.builder
        emitter = _Emitter(self, context)
        with loop(b, context.begin, context.end) as item:
            emitter.row(unravelled(b, item, self.shape[:-1]))

    def passes(self) -> dict[Node, int]:
        """In which pass each node is computed; a row's number: before which."""
        found: dict[Node, int] = {}
        for node in self.nodes:
            level = max((found.get(self.inner.get(x, x), 0) for x in node.inputs), default=0)
            found[node] = level + 1 if isinstance(node, Reduce) else level
        return found


def as_operand(view: View, shape: tuple[int, ...], scalar: bool) -> View:
    """A member's own view in the space `shape`; a number for each row may lack the last axis."""
    if scalar and len(view.shape) < len(shape):
        return View(view.base, shape, (*view.strides, 0), view.offset)
    return broadcast(view, shape)


class _Emitter:
    """The code of one row."""

    def __init__(self, unit: Rows, context: KernelContext) -> None:
        self.unit, self.context, self.b = unit, context, context.builder
        self.length = unit.shape[-1]
        self.far = goes_far(unit.shape)
        self.level = unit.passes()
        self.reads = {x: broadcast(context.views[x], unit.shape) for x in unit.reads()}
        wide = [x for x, view in self.reads.items() if view.strides[-1]]
        dtypes = [dtype_of(x) for x in (*unit.nodes, *wide)]
        self.lanes = lanes_for(dtypes, self.length)
        self.last = max(self.level.values(), default=0)
        self.folds = [node for node in unit.nodes if isinstance(node, Reduce)]
        self.stored = self._stored()

    def _stored(self) -> dict[Node, Any]:
        """Room for the values along the row that a later pass needs again."""
        found: dict[Node, Any] = {}
        for node in self.unit.nodes:
            for x in (self.unit.inner.get(one, one) for one in node.inputs):
                if x in self.level and x not in self.unit.scalars and x not in found:
                    pass_of = self.level[node] - isinstance(node, Reduce)
                    if pass_of > self.level[x]:
                        found[x] = self.context.stack(dtype_of(x), self.length)
        return found

    def row(self, indices: list[Any]) -> None:
        """All passes over the row at these indices of the outer axes."""
        b, unit = self.b, self.unit
        self.places = {
            x: place_of(b, indices, view.strides[:-1], integer(view.offset))
            for x, view in self.reads.items()
        }
        self.ends = {
            x: place_of(b, indices, self._own(x).strides[:-1], integer(self._own(x).offset))
            for x in unit.live_out
        }  # fmt: skip
        self.numbers: dict[Node, Value] = {
            x: read(b, self.context.pointer(view.base), dtype_of(x), self.places[x], 1, 0)
            for x, view in self.reads.items()
            if not view.strides[-1]
        }
        for level in range(self.last + 1):
            self._between(level)
            self._pass(level)

    def _between(self, level: int) -> None:
        """The row's numbers that the pass before made known."""
        nodes = [
            node
            for node in self.unit.nodes
            if node in self.unit.scalars
            and self.level[node] == level
            and not isinstance(node, Reduce)
        ]
        compute(self.b, nodes, self.numbers, 1, self.unit.inner)
        for node in self.unit.live_out:
            if node in self.unit.scalars and self.level[node] == level:
                write(self.b, self.context.pointer(node), self.numbers[node], self.ends[node])

    def _pass(self, level: int) -> None:
        """What is computed along the row once the numbers up to `level` are known."""
        b, unit_inner = self.b, self.unit.inner
        nodes = [
            node
            for node in self.unit.nodes
            if node not in self.unit.scalars and self.level[node] == level
        ]
        folds = [node for node in self.folds if self.level[node] == level + 1]
        if not nodes and not folds:
            return
        lanes = self.lanes
        many = len(nodes) <= 3 and self.length >= 2 * _STREAMS * lanes
        streams = _STREAMS if many else 1
        totals = {node: [self._total(node) for _ in range(streams)] for node in folds}
        steps = self.length // (self.lanes * streams)
        carried = {node: self._carried(node) for node in folds if steps > BLOCK and carries(node)}
        for total in (*(one for some in totals.values() for one in some), *carried.values()):
            total.begin()

        def body(index: Any, active: int, stream: int) -> None:
            values = _Values(self, index, active, level == 0)
            compute(b, nodes, values, lanes, unit_inner)
            for node in nodes:
                if node in self.stored:
                    write(b, self.stored[node], values[node], index, 1, active)
                if self.unit.is_live_out(node):
                    there = b.add(self.ends[node], b.mul(index, integer(self._step(node))))
                    base = self.context.pointer(self.context.views[node].base)
                    write(b, base, values[node], there, self._step(node), active)
                    if self.far and self._step(node) == 1 and active == lanes > 1:
                        fetch_ahead(b, base, dtype_of(node), there, writing=True)
            for node, some in totals.items():
                some[stream].add(
                    values.wide(unit_inner.get(node.inputs[0], node.inputs[0])), active
                )

        def block_ends() -> None:
            for node, carry in carried.items():
                carry.take(totals[node])

        self._along(body, streams, block_ends if carried else None)
        block_ends()
        for node, some in totals.items():
            combine = COMBINE[type(node)]
            if node in carried:
                total = carried[node].value()
            else:
                total = joined([one.value() for one in some], combine)
            self.numbers[node] = across(total, combine)

    def _along(self, body: Any, streams: int, block_ends: Callable[[], None] | None) -> None:
        """`body` for every vector of the row, `streams` of them side by side."""
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

    def _own(self, node: Node) -> View:
        """Where a kept value lies, as an operand of the row space."""
        return as_operand(self.context.views[node], self.unit.shape, node in self.unit.scalars)

    def _step(self, node: Node) -> int:
        return self.context.views[node].strides[-1]

    def _total(self, node: Operation) -> Total:
        kind = value_type(dtype_of(node), self.lanes)
        return Total(self.b, node, self.lanes, self.context.slot(kind))

    def _carried(self, node: Operation) -> Carried:
        kind = value_type(dtype_of(node), self.lanes)
        pair = self.context.slot(kind), self.context.slot(kind)
        return Carried(self.b, dtype_of(node), self.lanes, pair)


class _Values(dict[Node, Value]):
    """The values at one place of the row, read or spread out when they are asked for."""

    def __init__(self, emitter: _Emitter, index: Any, active: int, first: bool) -> None:
        super().__init__()
        self.emitter, self.index, self.active = emitter, index, active
        self.first = first  # whether this is the first pass, in which most is read first

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
            if e.far and step == 1 and self.first and self.active == lanes > 1:
                fetch_ahead(b, base, dtype_of(x), there)
        self[x] = value
        return value

    def wide(self, x: Node) -> Value:
        """The value of x, which may be a number in the code itself."""
        assert not is_number(x)
        return self[x]
