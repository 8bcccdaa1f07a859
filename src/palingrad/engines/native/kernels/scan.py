"""Scans: running totals along one axis, fused with the elementwise nodes that produce the input.

Where other axes lie inside the scanned one in memory, vectors run along them: each lane is a scan
of its own. Otherwise the scan runs along a row. There the running totals within a vector of l lanes
take log₂ l steps (Hillis & Steele, "Data parallel algorithms", 1986), and are combined with the
total before the vector. Products are taken in order where that could overflow or underflow on the
way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from llvmlite import ir

from ....dtypes import DType, is_floating
from ....graph.kinds import Scan
from ....graph.node import Node
from ....graph.operation import Operation
from ....shapes import axis_in, size, sizes
from ..llvm.builder import INT32, shuffled
from ..llvm.kernel_context import KernelContext
from ..llvm.loops import (
    any_lane,
    collapsed,
    either,
    integer,
    loop,
    mask_of,
    place_of,
    read,
    splatted,
    unravelled,
    vectors,
    write,
)
from ..llvm.maths import NativeMaths
from ..llvm.strided_view import View, broadcast, row_major
from ..llvm.values import Value, chosen, supported, value_type
from .elementwise import compute
from .family import KernelFamily
from .formula import dtype_of, instructions, is_number, lanes_for, number
from .kernel import Fused, Kernel, Views, per_element

_STREAMS = 4  # vectors of neighbouring scans at once, which hide the latency of ⊕
_STEP = 1.5  # nanoseconds of one ⊕ that waits for the one before


def fits(node: Operation) -> bool:
    """Whether generated code supports the scan: ⊕ and the rest call functions with native code."""
    if not isinstance(node, Scan) or not supported(node.dtype):
        return False

    def emit(*x: Value) -> None:
        elements = _prepared(node, list(x))
        _finished(node, _combined(node, elements, elements))

    return instructions(node.inputs, emit) is not None


def _wide(node: Any) -> DType:
    """The dtype in which totals are combined."""
    return node.accumulates_in(dtype_of(node))


def _prepared(node: Any, x: list[Value]) -> list[Value]:
    """What elements contribute, in the dtype in which totals are combined."""
    found = node.prepare(NativeMaths(), *x, **node.options)
    elements: tuple[Value, ...] = found if isinstance(found, tuple) else (found,)
    return [one.cast(dtype_of(node)).cast(_wide(node)) for one in elements]


def _combined(
    node: Any, a: list[Value], b: list[Value], options: dict[str, Any] | None = None
) -> list[Value]:
    """a ⊕ b, by default with the node's own options."""
    if options is None:
        options = dict(node.options)
    if len(a) == 1:
        return [node.combine(NativeMaths(), *a, *b, **options).cast(_wide(node))]
    found = node.combine(NativeMaths(), tuple(a), tuple(b), **options)
    return [one.cast(_wide(node)) for one in found]


def _finished(node: Any, totals: list[Value]) -> Value:
    """The results, from totals."""
    given = tuple(totals) if len(totals) > 1 else totals[0]
    return node.finish(NativeMaths(), given, **node.options).cast(dtype_of(node))


def _within(x: Value, exponent: int | None) -> Value:
    """Whether |x| is within 2^−exponent and 2^exponent; if None, whether x is finite and not 0."""
    kind = np.dtype(f"u{x.dtype.itemsize}")
    range_ = np.finfo(x.dtype)
    ends = np.array([2.0**-exponent, 2.0**exponent] if exponent else [0, range_.max], x.dtype)
    low, high = map(int, ends.view(kind))
    low += not exponent
    bits = NativeMaths().absolute(x).bits(kind)  # which are ordered as the numbers are
    return bits - low <= high - low


@dataclass(frozen=True, eq=False)
class ScanKernel(Kernel):
    """One scan, the last of the nodes; the others compute its input."""

    label, description = "Scan", "running totals"

    plan: ScanPlan

    @classmethod
    def of(cls, fused: Fused, views: Views) -> ScanKernel:
        """The kernel of these nodes."""
        return cls(fused, ScanPlan.of(fused, views))

    @property
    def node(self) -> Operation:
        """The scan."""
        return self.nodes[-1]

    @property
    def items(self) -> int:
        """Rows, or blocks of neighbouring scans."""
        return 0 if 0 in sizes(self.node.shape) else math.prod(self.plan.outer)

    @property
    def cost(self) -> float:
        each = per_element(self.nodes, len(self.reads()) + 1)
        return size(sizes(self.node.shape)) * each + _STEP * self.items * self.plan.length

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.plan
        emitter = _Emitter(self, context)
        with loop(b, context.begin, context.end) as item:
            indices = unravelled(b, item, plan.outer)
            places = [
                place_of(b, indices, steps, integer(offset))
                for steps, offset in zip(plan.outer_steps, plan.offsets, strict=True)
            ]
            if plan.is_row:
                emitter.row(places)
            else:
                rest = plan.columns - (plan.outer[-1] - 1) * plan.width
                either(b, indices[-1], plan.outer[-1], rest, plan.width,
                       lambda width: emitter.block(places, width))  # fmt: skip


@dataclass(frozen=True, eq=False)
class ScanPlan:
    """The scanned axis, and the loops around it. The last operand is the result."""

    reads: tuple[Node, ...]
    is_row: bool  # whether no axis of several elements lies inside the scanned one
    length: int  # of the scanned axis
    steps: list[int]  # of each operand along it, in the order of the scan
    offsets: list[int]  # of each operand, of the first element in that order
    outer: list[int]  # the loops around the scan; the last one of blocks of `width` columns
    outer_steps: list[list[int]]
    columns: int  # neighbouring scans
    column_steps: list[int]
    lanes: int
    width: int

    @classmethod
    def of(cls, fused: Fused, views: Views) -> ScanPlan:
        """The plan of the last node."""
        node: Any = fused.nodes[-1]
        shape, reads = sizes(node.shape), fused.operands
        operands = [broadcast(views[x], shape) for x in reads]
        operands.append(View(node, shape, row_major(shape)))
        axis = axis_in(node.axis, len(shape))
        length = shape[axis]
        strides = [view.strides for view in operands]
        steps = [one[axis] for one in strides]
        offsets = [view.offset for view in operands]
        if node.reverse:
            offsets = [at + step * (length - 1) for at, step in zip(offsets, steps)]
            steps = [-step for step in steps]
        before, before_steps = collapsed(shape[:axis], [one[:axis] for one in strides])
        inner, inner_steps = collapsed(shape[axis + 1 :], [one[axis + 1 :] for one in strides])
        is_row = not inner
        columns = inner[-1] if inner else 1
        column_steps = [one[-1] if one else 0 for one in inner_steps]
        dtypes = [_wide(node), *(dtype_of(x) for x in (*fused.nodes, *reads))]
        lanes = lanes_for(dtypes, length if is_row else columns)
        width = min(columns, _STREAMS * lanes)
        blocks = -(-columns // width) if width else 0
        return cls(
            reads, is_row, length, steps, offsets,
            [*before, *inner[:-1], blocks],
            [
                [*one, *within[:-1], width * last]
                for one, within, last in zip(before_steps, inner_steps, column_steps)
            ],
            columns, column_steps, lanes, width,
        )  # fmt: skip


class _Emitter:
    """Emits the code of one scan."""

    def __init__(self, kernel: ScanKernel, context: KernelContext) -> None:
        self.context, self.b = context, context.builder
        self.plan, self.inner = kernel.plan, kernel.fused.inner
        self.node: Any = kernel.node
        self.prologue = kernel.nodes[:-1]
        self.wide = _wide(self.node)
        self.bases = [context.pointer(x) for x in self._bases(kernel)]
        self.out = context.pointer(kernel.node)
        self.slots: dict[tuple[int, int], Any] = {}

    def _bases(self, kernel: ScanKernel) -> list[Node]:
        return [self.context.views[x].base for x in kernel.plan.reads]

    def _slot(self, stream: int, number: int, lanes: int) -> Any:
        """The variable of one number of a running total."""
        key = (stream, number)
        if key not in self.slots:
            self.slots[key] = self.context.slot(value_type(self.wide, lanes))
        return self.slots[key]

    def _elements(
        self, places: list[Any], steps: list[int], lanes: int, active: int
    ) -> list[Value]:
        """Emits what the elements at these positions contribute."""
        b = self.b
        values: dict[Node, Value] = {}
        for x, base, place, step in zip(self.plan.reads, self.bases, places, steps, strict=True):
            value = read(b, base, dtype_of(x), place, lanes, step, active)
            values[x] = splatted(value, lanes) if value.lanes != lanes else value
        compute(b, self.prologue, values, lanes, self.inner)
        inputs = [self.inner.get(x, x) for x in self.node.inputs]
        return _prepared(
            self.node, [number(b, x, lanes) if is_number(x) else values[x] for x in inputs]
        )

    def _moved(self, places: list[Any], index: Any, steps: list[int]) -> list[Any]:
        b = self.b
        return [
            b.add(place, b.mul(index, integer(step)))
            for place, step in zip(places, steps, strict=True)
        ]

    # ---------------------------------------------------------------- a lane for each scan

    def block(self, places: list[Any], width: int) -> None:
        """Emits `width` neighbouring scans, each in a lane of its own."""
        self._walk(places, self.plan.lanes, width)

    def _walk(self, places: list[Any], lanes: int, width: int) -> None:
        """Emits the walk along the axis, of `width` neighbouring scans. The first elements are the
        first totals as they are."""
        b, plan = self.b, self.plan

        def step(index: Any, is_first: bool) -> None:
            there = self._moved(places, index, plan.steps)
            for stream, at in enumerate(range(0, width, lanes)):
                active = min(lanes, width - at)
                mine = self._moved(there, integer(at), plan.column_steps)
                found = self._elements(mine[:-1], plan.column_steps[:-1], lanes, active)
                slots = [self._slot(stream, place, lanes) for place in range(len(found))]
                if not is_first:
                    before = [Value(b, b.load(slot), self.wide, lanes) for slot in slots]
                    found = _combined(self.node, before, found)
                for slot, value in zip(slots, found, strict=True):
                    b.store(value.code, slot)
                write(b, self.out, _finished(self.node, found), mine[-1], 1, active)

        step(integer(0), True)
        with loop(b, integer(1), integer(plan.length)) as index:
            step(index, False)

    # ---------------------------------------------------------------- along a row

    def row(self, places: list[Any]) -> None:
        """Emits one scan along a row."""
        b, plan, lanes = self.b, self.plan, self.plan.lanes
        found = self.node.identity(self.wide, **self.node.options)
        numbers = found if isinstance(found, tuple) else (found,)
        # Several numbers in float64 are combined in order: factors of many elements may overflow.
        if lanes == 1 or (len(numbers) > 1 and self.wide == dtype_of(self.node)):
            self._walk(places, 1, 1)
            return
        neutral = [Value(b, None, self.wide, lanes).number(one) for one in numbers]
        slots = [self._slot(0, place, lanes) for place in range(len(neutral))]
        for slot, identity in zip(slots, neutral, strict=True):
            b.store(identity.code, slot)

        def one(index: Any, active: int) -> None:
            there = self._moved(places, index, plan.steps)
            steps = plan.steps
            if self.node.reverse:  # vectors in the order of indices, of which lanes are reversed
                there = self._moved(there, integer(active - 1), steps)
                steps = [-step for step in steps]
            values = self._elements(there[:-1], steps[:-1], lanes, active)
            if active < lanes:
                mask = values[0].like(mask_of(lanes, active))
                values = [chosen(mask, *pair) for pair in zip(values, neutral, strict=True)]
            before = [Value(b, b.load(slot), self.wide, lanes) for slot in slots]

            def totals(options: dict[str, Any]) -> list[Value]:
                """Emits the totals, and the storing of those after this vector."""
                found = self._within(values, neutral, options)
                end = 0 if self.node.reverse else lanes - 1
                last = [x.like(shuffled(b, x.code, x.code, [end] * lanes)) for x in found]
                after = _combined(self.node, before, last, options)
                for slot, value in zip(slots, after, strict=True):
                    b.store(value.code, slot)
                return _combined(self.node, before, found, options)

            if self.node.multiplies and is_floating(self.wide):
                result = self._product(values[0], before[0], totals, slots[0])
            else:
                result = self._either(totals)
            write(b, self.out, result, there[-1], 1, active)

        vectors(b, plan.length, lanes, one)

    def _either(self, totals: Callable[[dict[str, Any]], list[Value]]) -> Value:
        """Emits the results with the options that suffice where none is NaN, and again with the
        node's own in a vector with a NaN."""
        b, simple = self.b, self.node.without_nan()
        if simple is None:
            return _finished(self.node, totals(self.node.options))
        result = _finished(self.node, totals(simple))
        slot = self.context.slot(result.code.type)
        b.store(result.code, slot)
        with b.if_then(any_lane(b, result != result), likely=False):
            b.store(_finished(self.node, totals(self.node.options)).code, slot)
        return result.like(b.load(slot))

    def _product(
        self,
        x: Value,
        before: Value,
        totals: Callable[[dict[str, Any]], list[Value]],
        total_slot: Any,
    ) -> Value:
        """Emits the running products of a vector: in order where another grouping of the factors
        could leave the range of normal numbers, which the products in order may not leave."""
        b, lanes, reach = self.b, x.lanes, np.finfo(self.wide).maxexp - 1
        (product,) = totals(self.node.options)
        slot = self.context.slot(product.code.type)
        b.store(product.code, slot)
        # Half of the exponents for the factors of a vector, and half for the total before it.
        fits = _within(x, reach // 2 // lanes) & _within(before, reach // 2)
        with b.if_then(any_lane(b, ~fits), likely=False):
            # 0, ∞ and NaN stay what they are, if no product of factors is one of them.
            fits = _within(x, reach // lanes) & (_within(product, reach) | ~_within(before, None))
            with b.if_then(any_lane(b, ~fits)):
                b.store(self._in_order(x, before, total_slot).code, slot)
        return _finished(self.node, [product.like(b.load(slot))])

    def _in_order(self, x: Value, before: Value, total_slot: Any) -> Value:
        """Emits the totals of a vector, one after another, and the storing of the last one."""
        b, code = self.b, before.code
        places = [ir.Constant(INT32, lane) for lane in range(x.lanes)]
        total = Value(b, b.extract_element(code, places[0]), self.wide, 1)
        for place in reversed(places) if self.node.reverse else places:
            element = Value(b, b.extract_element(x.code, place), self.wide, 1)
            (total,) = _combined(self.node, [total], [element])
            code = b.insert_element(code, total.code, place)
        b.store(splatted(total, x.lanes).code, total_slot)
        return x.like(code)

    def _within(
        self, values: list[Value], neutral: list[Value], options: dict[str, Any]
    ) -> list[Value]:
        """The running totals within a vector: of 2 lanes, of 4, of 8 …."""
        lanes, step = values[0].lanes, 1
        while step < lanes:
            outside = [lanes + lane for lane in range(step)]
            if self.node.reverse:
                moved = list(range(step, lanes)) + outside
            else:
                moved = outside + list(range(lanes - step))
            earlier = [
                x.like(shuffled(self.b, x.code, identity.code, moved))
                for x, identity in zip(values, neutral, strict=True)
            ]
            values = _combined(self.node, earlier, values, options)
            step *= 2
        return values


class ScanFamily(KernelFamily):
    """A scan, and the sinkable nodes of its input, which its kernel recomputes."""

    recomputes: ClassVar[bool] = True


SCAN = ScanFamily(ScanKernel.of)
