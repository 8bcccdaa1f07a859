"""Gather and scatter: rows read at integer indices, and rows combined with others there.

A kernel with computed indices runs after their bounds check (`bounds_check.py`), and is skipped if
an index is out of range.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from .....dtypes import int64, is_integer
from .....graph.kinds import Gather as GatherKind, ScatterAdd, ScatterUpdate
from .....graph.leaves import Variable
from .....graph.node import Node
from .....graph.operation import Operation
from .....graph.state.records import dataclass
from .....shapes import axis_in, broadcast as broadcast_shape, size, sizes
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import (
    collapsed,
    either,
    integer,
    loop,
    nest,
    place_of,
    read,
    unravelled,
    vectors,
    write,
)
from ...llvm.maths import NativeMaths
from ...llvm.strided_view import View, broadcast, row_major
from ...llvm.values import Value, chosen
from ..family import Group, KernelFamily
from ..formula import dtype_of, lanes_for
from ..kernel import Fused, Kernel, Views

_BLOCKS = 8  # of the columns of a scatter at most
_UNROLLED = 4  # vectors of a row that are read or combined without a loop


def family_of(node: Operation) -> KernelFamily | None:
    """The family of a gather or scatter with integer indices; None for any other node."""
    if not isinstance(node, (GatherKind, ScatterAdd, ScatterUpdate)):
        return None
    if not all(is_integer(dtype_of(one)) for one in indices_of(node)):
        return None
    if isinstance(node, GatherKind):
        return None if 0 in sizes(node.inputs[0].shape) else GATHER
    return SCATTER if 0 not in axes_of(node)[1] else None


def indices_of(node: Operation) -> tuple[Node, ...]:
    """The indices, one for each axis."""
    return node.inputs[2:] if isinstance(node, ScatterUpdate) else node.inputs[1:]


def axes_of(node: Operation) -> tuple[int, tuple[int, ...]]:
    """The first axis of the rows that indices name, and the sizes of these axes."""
    whole = node.shape if isinstance(node, (ScatterAdd, ScatterUpdate)) else node.inputs[0].shape
    shape = sizes(whole)
    axis = axis_in(node.attributes["axis"], len(shape))
    return axis, shape[axis : axis + len(indices_of(node))]


def indices_in(node: Operation, views: Views) -> tuple[View, ...]:
    """The views of the indices, broadcast together."""
    found = [views[one] for one in indices_of(node)]
    shape = sizes(broadcast_shape(*(one.shape for one in found)))
    return tuple(broadcast(one, shape) for one in found)


def from_start(index: Value, length: int) -> Value:
    """Indices of an axis as int64; negative ones count from its end."""
    index = index.cast(int64)
    return chosen(index < 0, index + length, index)


def _row(b: Any, size: int, lanes: int, body: Callable[[Any, int, int], None]) -> None:
    """Emits `body(index, active lanes, lanes)` for `size` elements. A short row, of which there are
    many, is one whole vector after another, the last ones smaller: to write and soon read a part of
    a vector takes some CPUs three times as long."""
    if size > _UNROLLED * lanes:
        vectors(b, size, lanes, lambda index, active: body(index, active, lanes))
        return
    first = 0
    while first < size:
        lanes = min(lanes, 1 << (size - first).bit_length() - 1)
        body(integer(first), lanes, lanes)
        first += lanes


@dataclass(frozen=True, eq=False)
class Indexed(Kernel):
    """A kernel that accesses rows at integer indices."""

    indices: tuple[View, ...]  # one for each axis, of one shape

    @property
    def is_guarded(self) -> bool:
        return True

    @property
    def count(self) -> int:
        """How many rows the indices name."""
        return math.prod(self.indices[0].shape)

    def place(self, context: KernelContext, number: Any, strides: Sequence[int]) -> Any:
        """Where the row of indices `number` begins, given the strides of the indexed axes; a
        negative index counts from the end."""
        b, found = context.builder, []
        views, (_, rows) = self.indices, axes_of(self.fused.first)
        extents, steps = collapsed(views[0].shape, [view.strides for view in views])
        numbers = unravelled(b, number, extents)
        for view, own, length in zip(views, steps, rows, strict=True):
            place = place_of(b, numbers, own, integer(view.offset))
            pointer, dtype = context.pointer(view.base), dtype_of(view.base)
            found.append(from_start(read(b, pointer, dtype, place, 1, 1), length).code)
        return place_of(b, found, strides, integer(0))


@dataclass(frozen=True, eq=False)
class Gather(Indexed):
    """The elements of x at integer indices along an axis."""

    label, description = "Gather", "gather of rows"

    source: View
    axis: int

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Gather:
        """The kernel of a node."""
        node = fused.first
        return cls(fused, indices_in(node, views), views[node.inputs[0]], axes_of(node)[0])

    @property
    def items(self) -> int:
        """The indices, for each position on the axes before the indexed one."""
        return math.prod(self.source.shape[: self.axis]) * self.count

    @property
    def cost(self) -> float:
        return 0.2 * math.prod(sizes(self.fused.first.shape)) + 2.0 * self.items

    def emit(self, context: KernelContext) -> None:
        b, node = context.builder, self.fused.first
        x, axis, count = self.source, self.axis, self.count
        dtype = dtype_of(node)
        end = axis + len(self.indices)
        inner = x.shape[end:]
        each = math.prod(inner)
        source, out = context.pointer(x.base), context.pointer(node)
        extents, (steps, order) = collapsed(inner, [x.strides[end:], row_major(inner)])
        extents, steps, order = extents or [1], steps or [1], order or [1]
        lanes = lanes_for([dtype], extents[-1])
        with loop(b, context.begin, context.end) as item:
            outer = unravelled(b, b.sdiv(item, integer(count)), x.shape[:axis])
            start = place_of(b, outer, x.strides[:axis], integer(x.offset))
            number = b.srem(item, integer(count)) if axis else item
            start = b.add(start, self.place(context, number, x.strides[axis:end]))
            into = b.mul(item, integer(each))

            def row(places: list[object]) -> None:
                def one(at: object, active: int, lanes: int) -> None:
                    place = b.add(places[0], b.mul(at, integer(steps[-1])))
                    value = read(b, source, dtype, place, lanes, steps[-1], active)
                    write(b, out, value, b.add(places[1], at), 1, active)

                _row(b, extents[-1], lanes, one)

            nest(b, extents[:-1], [steps[:-1], order[:-1]], [start, into], row)


@dataclass(frozen=True, eq=False)
class Scatter(Indexed):
    """Zeros, or another array's rows, with each row of g combined with that at its index, in the
    order of the indices.

    An item is a few neighbouring columns of all rows, so no two items write to the same place.
    """

    label, description = "Scatter", "scatter of rows"

    columns: ScatterColumns

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Scatter:
        """The kernel of a node."""
        node = fused.first
        return cls(fused, indices_in(node, views), ScatterColumns.of(node, views))

    @property
    def items(self) -> int:
        """The blocks of columns, for each position on the axes before the indexed one."""
        return math.prod(self.columns.extents)

    @property
    def cost(self) -> float:
        written, added = size(self.fused.first.shape), math.prod(self.columns.g.shape)
        return 0.1 * written + 0.3 * added + self.items * self.count

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.columns
        with loop(b, context.begin, context.end) as item:
            indices = unravelled(b, item, plan.extents)
            source = place_of(b, indices, plan.steps, integer(plan.g.offset))
            target = place_of(b, indices, plan.ends, integer(0))
            origin = place_of(b, indices, plan.starts, integer(plan.x.offset if plan.x else 0))
            blocks = plan.extents[-1]
            rest = plan.length - (blocks - 1) * plan.width

            def columns(width: int) -> None:
                self._begin(context, target, origin, width)
                self._combine(context, source, target, width)

            either(b, indices[-1], blocks, rest, plan.width, columns)

    def _begin(self, context: KernelContext, target: Any, origin: Any, width: int) -> None:
        """Emits the copy of `width` columns of x from `origin` on, or zeros. Where the result is
        written over x, which a loop does with its carry, they are there already."""
        b, node, plan = context.builder, self.fused.first, self.columns
        out = context.pointer(node)
        x = None if plan.x is None else context.pointer(plan.x.base)
        if x is None or not plan.x_is_whole:
            self._copy_columns(context, x, target, origin, width)
            return
        with b.if_then(b.icmp_unsigned("!=", x, out)):
            self._copy_columns(context, x, target, origin, width)

    def _copy_columns(
        self, context: KernelContext, x: Any, target: Any, origin: Any, width: int
    ) -> None:
        b, node, plan = context.builder, self.fused.first, self.columns
        dtype, out = dtype_of(node), context.pointer(node)
        # Whole rows, and a single column, are one loop with the loop over rows.
        strides = [*plan.row_ends, 1], [*plan.row_starts, plan.start]
        loops, (ends, starts) = collapsed([*plan.rows, width], strides)
        (*outer, length), (*ends, end), (*starts, start) = loops or [1], ends or [1], starts or [1]
        lanes = lanes_for([dtype], length)
        zero = Value(b, None, dtype, lanes).number(0)

        def row(places: list[Any]) -> None:
            def one(at: Any, active: int) -> None:
                value = zero
                if x is not None:
                    place = b.add(places[1], b.mul(at, integer(start)))
                    value = read(b, x, dtype, place, lanes, start, active)
                write(b, out, value, b.add(places[0], b.mul(at, integer(end))), end, active)

            vectors(b, length, lanes, one)

        nest(b, outer, [ends, starts], [target, origin], row)

    def _combine(self, context: KernelContext, source: Any, target: Any, width: int) -> None:
        """Emits the combination of `width` columns of all rows of g with the result's."""
        b, node, plan = context.builder, self.fused.first, self.columns
        dtype, lanes, how = dtype_of(node), plan.lanes, node.attributes.get("how", "add")
        g, out = context.pointer(plan.g.base), context.pointer(node)
        with loop(b, integer(0), integer(self.count)) as number:
            outer = unravelled(b, number, plan.chosen)
            there = place_of(b, outer, plan.chosen_steps, source)
            end = b.add(target, self.place(context, number, plan.row))

            def one(at: Any, active: int, lanes: int) -> None:
                from_ = b.add(there, b.mul(at, integer(plan.step)))
                value = read(b, g, dtype, from_, lanes, plan.step, active)
                if how != "set":
                    total = read(b, out, dtype, b.add(end, at), lanes, 1, active)
                    value = getattr(NativeMaths(), how)(total, value)
                write(b, out, value, b.add(end, at), 1, active)

            _row(b, width, lanes, one)


@dataclass(frozen=True, eq=False)
class ScatterColumns:
    """The columns of a scatter in blocks: the `extents` of the loops over them (the last counts the
    blocks), with the strides along each loop of g (`steps`), of the result (`ends`) and of x, from
    which the result begins (`starts`)."""

    g: View
    x: View | None  # None: zeros
    chosen: list[int]  # the sizes of the axes of g that the indices run over
    chosen_steps: list[int]
    row: tuple[int, ...]  # the strides of the result along the indexed axes
    rows: list[int]  # the loops over all rows, with the strides of the result and of x
    row_ends: list[int]
    row_starts: list[int]
    length: int  # contiguous columns of the result
    step: int  # the stride between columns of g
    start: int  # the stride between columns of x
    lanes: int
    width: int  # columns of a block
    extents: list[int]
    steps: list[int]
    ends: list[int]
    starts: list[int]

    @property
    def x_is_whole(self) -> bool:
        """Whether x is all of its buffer in row-major order, as the result is of its own."""
        return self.x is not None and self.x.plain

    @classmethod
    def of(cls, node: Operation, views: Views) -> ScatterColumns:
        """The blocks of a node's columns."""
        updates = isinstance(node, ScatterUpdate)
        g = views[node.inputs[1 if updates else 0]]
        x = views[node.inputs[0]] if updates else None
        shape, ends = sizes(node.shape), row_major(sizes(node.shape))
        starts = x.strides if x else ends
        axis, lengths = axes_of(node)
        last = axis + len(lengths)
        after = len(g.shape) - len(shape[last:])
        inner, (steps, order, begun) = collapsed(
            shape[last:], [g.strides[after:], ends[last:], starts[last:]]
        )
        inner, steps, order, begun = inner or [1], steps or [1], order or [1], begun or [1]
        length = inner[-1]
        lanes = lanes_for([dtype_of(node)], length)
        registers = -(-length // lanes)
        width = lanes * max(-(-registers // _BLOCKS), min(_UNROLLED, -(-registers // 2)))
        width = max(min(width, length), 1)
        chosen, (chosen_steps,) = collapsed(g.shape[axis:after], [g.strides[axis:after]])
        rows, (row_ends, row_starts) = collapsed(lengths, [ends[axis:last], starts[axis:last]])
        return cls(
            g, x, chosen, chosen_steps, ends[axis:last], rows, row_ends, row_starts,
            length, steps[-1], begun[-1], lanes, width,
            [*shape[:axis], *inner[:-1], -(-length // width)],
            [*g.strides[:axis], *steps[:-1], width * steps[-1]],
            [*ends[:axis], *order[:-1], width],
            [*starts[:axis], *begun[:-1], width * begun[-1]],
        )  # fmt: skip


class ScatterFamily(KernelFamily):
    """A scatter, which may replace rows of a Variable where they are."""

    def updates_in_place(self, group: Group, value: Node, variable: Variable, views: Views) -> bool:
        if not isinstance(group.first, ScatterUpdate):
            return False
        x, *others = group.first.inputs
        return views[x].plain and all(views[one].base is not variable for one in others)


GATHER = KernelFamily(Gather.of)
SCATTER = ScatterFamily(Scatter.of)
