"""The code of a stencil."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llvmlite import ir

from .....dtypes import bool_
from .....graph.kinds import Elementwise
from .....graph.node import Node
from .....graph.operation import Operation
from .....graph.state.records import dataclass
from ...llvm.builder import INT, shuffled
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import (
    address,
    integer,
    loop,
    masked_read,
    masked_write,
    prefetch_ahead,
    read,
    splat,
    splatted,
    worth_prefetching,
    write,
)
from ...llvm.values import Value, chosen, value_type
from ..formula import dtype_of, formula, is_number, number
from ..kernel import Fused
from .alignment import Alignment, Placed, Read


@dataclass(frozen=True, eq=False)
class Plan:
    """When the loop computes what, in vectors of `lanes` elements."""

    placed: Mapping[Node, Placed]
    lanes: int
    block: int  # elements of an item
    span: tuple[int, int]  # the times of the first element, and after the last one
    middle: tuple[int, int]  # between which every element of a vector is one of its node
    short: frozenset[Node]  # nodes that are computed outside of the middle only
    warm_up: int  # elements before an item on which its own depend
    vectors: Mapping[Node, int]  # how many of a node's vectors before the last one are read again

    @classmethod
    def of(cls, alignment: Alignment, lanes: int, block: int) -> Plan:
        """The plan of nodes that have been placed."""
        placed = alignment.placed
        vectors: dict[Node, int] = {}
        for one in placed.values():
            for at in one.reads:
                if at.base in placed:
                    before = -(-alignment.lag(one, at) // lanes)
                    vectors[at.base] = max(vectors.get(at.base, 0), before)
        warm_up = -(-alignment.depth() // lanes) * lanes
        short = frozenset(node for node, one in placed.items() if alignment.is_short(one))
        return cls(
            dict(placed), lanes, block, alignment.span(), alignment.middle(), short, warm_up,
            {node: count for node, count in vectors.items() if count},
        )  # fmt: skip

    def lag(self, node: Placed, at: Read) -> int:
        """How much later a node reads an element than it is computed."""
        return node.offset - at.shift - self.placed[at.base].offset


_BLOCKS = ("head", "body", "after")


class Emitter:
    """Emits the loop. `before` are slots with each node's last vectors, the latest first."""

    def __init__(self, fused: Fused, plan: Plan, context: KernelContext) -> None:
        self.fused, self.plan, self.context = fused, plan, context
        self.b: Any = context.builder
        self.before: dict[Node, list[Any]] = {}
        for node, count in plan.vectors.items():
            kind = value_type(dtype_of(node), plan.lanes)
            self.before[node] = [context.slot(kind) for _ in range(count)]
        self.numbers: dict[tuple[Node, int], Value] = {}  # elements that all lanes read
        self.prefetches = worth_prefetching(fused.shape)

    def run(self) -> None:
        """Emits all of it. A vector near an end, or before the item, has masks; from the first one
        in the middle on, the inner loop computes those without."""
        b, plan, context = self.b, self.plan, self.context
        first, last = plan.span
        low, high = plan.middle
        begin = b.add(integer(first), b.mul(context.begin, integer(plan.block)))
        end = b.add(integer(first), b.mul(context.end, integer(plan.block)))
        end = context.smaller(end, integer(last))
        self._clear()
        self._read_numbers()
        time = context.slot(INT)
        is_first = b.icmp_signed("==", context.begin, integer(0))
        early = b.sub(begin, integer(plan.warm_up))
        b.store(b.select(is_first, begin, early), time)
        inside = context.larger(integer(low), begin)
        until = b.sub(context.smaller(integer(high), end), integer(plan.lanes - 1))
        head, body, after = (b.function.append_basic_block(name) for name in _BLOCKS)
        b.branch(head)
        b.position_at_end(head)
        now = b.load(time)
        b.cbranch(b.icmp_signed("<", now, end), body, after)
        b.position_at_end(body)
        _Vector(self, now, begin).emit()
        now = b.add(now, integer(plan.lanes))
        b.store(now, time)
        if high - low >= plan.lanes:
            with b.if_then(b.icmp_signed(">=", now, inside)):
                with loop(b, now, until, plan.lanes) as index:
                    _Vector(self, index, None).emit()
                b.store(index, time)
        b.branch(head)
        b.position_at_end(after)

    def _clear(self) -> None:
        """Emits zeros for the vectors before the first: no code computes with undefined ones."""
        for node, slots in self.before.items():
            for slot in slots:
                nothing = ir.Constant(value_type(dtype_of(node), self.plan.lanes), None)
                self.b.store(nothing, slot)

    def _read_numbers(self) -> None:
        """Emits the loads of elements that all lanes read."""
        for one in self.plan.placed.values():
            for at in one.reads:
                if at.is_fixed and (at.base, at.shift) not in self.numbers:
                    pointer, dtype = self.context.pointer(at.base), dtype_of(at.base)
                    found = read(self.b, pointer, dtype, integer(at.shift), 1, 0)
                    self.numbers[at.base, at.shift] = splatted(found, self.plan.lanes)


class _Vector:
    """Emits the values of all nodes at the times from `time` on, a vector each. `begin`: the time
    of the item's first element, if masks are needed."""

    def __init__(self, loop: Emitter, time: Any, begin: Any) -> None:
        self.loop, self.time, self.begin = loop, time, begin
        self.b, self.plan, self.lanes = loop.b, loop.plan, loop.plan.lanes
        self.values: dict[Node, Value] = {}
        self.earlier: dict[tuple[Node, int], Value] = {}
        self.loaded: dict[tuple[Node, int], Value] = {}
        self.prefetched: set[Node] = set()
        self.masks: dict[tuple[int, int], Value] = {}

    def emit(self) -> None:
        """Emits the vector."""
        plan = self.plan
        for node in self.loop.fused.nodes:
            if self.begin is None and node in plan.short:
                continue
            one = plan.placed[node]
            joined = self._elementwise if isinstance(node, Elementwise) else self._joined
            self.values[node] = joined(node, one)
            if self.loop.fused.is_live_out(node):
                self._store(node, one)
        for node, slots in self.loop.before.items():
            if node not in self.values:
                continue
            shifted = [self.values[node].code, *(self.b.load(slot) for slot in slots[:-1])]
            for slot, code in zip(slots, shifted, strict=True):
                self.b.store(code, slot)

    def _elementwise(self, node: Operation, one: Placed) -> Value:
        found = {at.x: self._read(one, at) for at in one.reads}
        arguments = [
            number(self.b, x, self.lanes) if is_number(x) else found[x] for x in node.inputs
        ]
        return formula(node, arguments)

    def _joined(self, node: Operation, one: Placed) -> Value:
        """A layout: each piece where it is, and zeros elsewhere."""
        if self.begin is None:
            return self._read(one, one.main or one.reads[0])
        result = Value(self.b, None, dtype_of(node), self.lanes).number(0)
        for at in one.reads:
            mask = self._mask(one.offset + at.low, one.offset + at.high)
            result = chosen(mask, self._read(one, at), result)
        return result

    # ---------------------------------------------------------------- reads and writes

    def _read(self, one: Placed, at: Read) -> Value:
        if at.base in self.plan.placed:
            return self._earlier(at.base, self.plan.lag(one, at))
        if at.is_fixed:
            return self.loop.numbers[at.base, at.shift]
        return self._load(one, at)

    def _earlier(self, base: Node, lag: int) -> Value:
        """The elements that a node has `lag` before."""
        if not lag:
            return self.values[base]
        if (base, lag) not in self.earlier:
            vectors, rest = divmod(lag, self.lanes)
            slots, b = self.loop.before[base], self.b
            code = b.load(slots[vectors - 1]) if vectors else self.values[base].code
            if rest:
                lanes = range(self.lanes - rest, 2 * self.lanes - rest)
                code = shuffled(b, b.load(slots[vectors]), code, lanes)
            self.earlier[base, lag] = Value(b, code, dtype_of(base), self.lanes)
        return self.earlier[base, lag]

    def _load(self, one: Placed, at: Read) -> Value:
        """Elements in memory; with masks 0 where the node doesn't read any."""
        b, dtype, lanes = self.b, dtype_of(at.base), self.lanes
        start = at.shift - one.offset
        if self.begin is None:
            if (at.base, start) not in self.loaded:
                base, place = self.loop.context.pointer(at.base), b.add(self.time, integer(start))
                self.loaded[at.base, start] = read(b, base, dtype, place, lanes, 1)
                if self.loop.prefetches and at.base not in self.prefetched:
                    self.prefetched.add(at.base)
                    prefetch_ahead(b, base, dtype, place)
            return self.loaded[at.base, start]
        mask = self._mask(one.offset + at.low, one.offset + at.high)
        place = b.add(self.time, integer(start))
        pointer = address(b, self.loop.context.pointer(at.base), dtype, place)
        return masked_read(b, pointer, dtype, lanes, mask.code)

    def _store(self, node: Operation, one: Placed) -> None:
        """Writes a node's elements; with masks those that the item has."""
        b, value = self.b, self.values[node]
        base = self.loop.context.pointer(node)
        place = b.sub(self.time, integer(one.offset))
        if self.begin is None:
            write(b, base, value, place)
            if self.loop.prefetches:
                prefetch_ahead(b, base, value.dtype, place, writing=True)
            return
        own = b.icmp_signed(">=", self._times(), splat(b, self.begin, self.lanes))
        mask = b.and_(self._mask(one.offset, one.end).code, own)
        masked_write(b, value, address(b, base, value.dtype, place), mask)

    def _mask(self, low: int, high: int) -> Value:
        """True in the lanes whose times are in [low, high)."""
        if (low, high) not in self.masks:
            b, times = self.b, self._times()
            inside = b.and_(
                b.icmp_signed(">=", times, splat(b, integer(low), self.lanes)),
                b.icmp_signed("<", times, splat(b, integer(high), self.lanes)),
            )
            self.masks[low, high] = Value(b, inside, bool_, self.lanes)
        return self.masks[low, high]

    def _times(self) -> Any:
        numbers = ir.Constant(
            ir.VectorType(INT, self.lanes), [integer(lane) for lane in range(self.lanes)]
        )
        return self.b.add(splat(self.b, self.time, self.lanes), numbers)
