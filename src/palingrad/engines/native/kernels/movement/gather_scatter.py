"""Gather and scatter: rows read at integer indices, and rows added at integer indices.

A kernel with computed indices runs after their bounds check (`bounds_check.py`), and is skipped if
an index is out of range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from .....dtypes import int64, is_integer
from .....graph.kinds import Gather as GatherKind, ScatterAdd
from .....graph.operation import Operation
from .....shapes import axis_in, sizes
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
from ...llvm.strided_view import View, row_major
from ...llvm.values import Value
from ..family import KernelFamily
from ..formula import dtype_of, lanes_for
from ..kernel import Fused, Kernel, Views


def family_of(node: Operation) -> KernelFamily | None:
    """The family of a gather or scatter with integer indices; None for any other node."""
    if not isinstance(node, (GatherKind, ScatterAdd)) or not is_integer(dtype_of(node.inputs[1])):
        return None
    if isinstance(node, ScatterAdd):
        return SCATTER if node.attributes["size"] else None
    return None if 0 in sizes(node.inputs[0].shape) else GATHER


def rows_of(node: Operation) -> int:
    """The number of rows that an index may name."""
    if isinstance(node, ScatterAdd):
        return node.attributes["size"]
    shape = sizes(node.inputs[0].shape)
    return shape[axis_in(node.attributes["axis"], len(shape))]


@dataclass(frozen=True, eq=False)
class Indexed(Kernel):
    """A kernel that accesses rows at integer indices."""

    is_guarded: ClassVar[bool] = True

    indices: View

    def index(self, context: KernelContext, number: Any) -> Any:
        """The row that index `number` names; a negative index counts from the end."""
        b, node, view = context.builder, self.fused.first, self.indices
        extents, (steps,) = collapsed(view.shape, [view.strides])
        place = place_of(b, unravelled(b, number, extents), steps, integer(view.offset))
        dtype = dtype_of(node.inputs[1])
        index = read(b, context.pointer(view.base), dtype, place, 1, 1).cast(int64).code
        below = b.icmp_signed("<", index, integer(0))
        return b.select(below, b.add(index, integer(rows_of(node))), index)


@dataclass(frozen=True, eq=False)
class Gather(Indexed):
    """The elements of x at integer indices along an axis."""

    label, description = "Gather", "gather of rows"

    source: View
    axis: int

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Gather:
        """The kernel of a node."""
        node: Any = fused.first
        x, indices = node.inputs
        return cls(fused, views[indices], views[x], axis_in(node.axis, len(sizes(x.shape))))

    @property
    def items(self) -> int:
        """The indices, for each position on the axes before the indexed one."""
        return math.prod(self.source.shape[: self.axis]) * math.prod(self.indices.shape)

    @property
    def cost(self) -> float:
        return 0.2 * math.prod(sizes(self.fused.first.shape)) + 2.0 * self.items

    def emit(self, context: KernelContext) -> None:
        b, node = context.builder, self.fused.first
        x, axis = self.source, self.axis
        dtype = dtype_of(node)
        count = math.prod(self.indices.shape)
        inner = x.shape[axis + 1 :]
        each = math.prod(inner)
        source, out = context.pointer(x.base), context.pointer(node)
        extents, (steps, order) = collapsed(inner, [x.strides[axis + 1 :], row_major(inner)])
        extents, steps, order = extents or [1], steps or [1], order or [1]
        lanes = lanes_for([dtype], extents[-1])
        with loop(b, context.begin, context.end) as item:
            outer = unravelled(b, b.sdiv(item, integer(count)), x.shape[:axis])
            index = self.index(context, b.srem(item, integer(count)))
            start = place_of(b, outer, x.strides[:axis], integer(x.offset))
            start = b.add(start, b.mul(index, integer(x.strides[axis])))
            end = b.mul(item, integer(each))

            def row(places: list[object]) -> None:
                def one(at: object, active: int) -> None:
                    place = b.add(places[0], b.mul(at, integer(steps[-1])))
                    value = read(b, source, dtype, place, lanes, steps[-1], active)
                    write(b, out, value, b.add(places[1], at), 1, active)

                vectors(b, extents[-1], lanes, one)

            nest(b, extents[:-1], [steps[:-1], order[:-1]], [start, end], row)


@dataclass(frozen=True, eq=False)
class Scatter(Indexed):
    """Zeros with each row of g added at its index, in the order of the indices.

    An item is a few neighbouring columns of all rows, so no two items write to the same place.
    """

    label, description = "Scatter", "scatter-add of rows"

    columns: ScatterColumns

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Scatter:
        """The kernel of a node."""
        node = fused.first
        return cls(fused, views[node.inputs[1]], ScatterColumns.of(node, views))

    @property
    def items(self) -> int:
        """The blocks of columns, for each position on the axes before the indexed one."""
        return math.prod(self.columns.extents)

    @property
    def cost(self) -> float:
        g, indices = self.fused.first.inputs
        written, added = math.prod(sizes(self.fused.first.shape)), math.prod(sizes(g.shape))
        return 0.1 * written + 0.3 * added + self.items * math.prod(sizes(indices.shape))

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.columns
        with loop(b, context.begin, context.end) as item:
            indices = unravelled(b, item, plan.extents)
            source = place_of(b, indices, plan.steps, integer(plan.g.offset))
            target = place_of(b, indices, plan.ends, integer(0))
            blocks = plan.extents[-1]
            rest = plan.length - (blocks - 1) * plan.width

            def columns(width: int) -> None:
                self._columns(context, source, target, width)

            either(b, indices[-1], blocks, rest, plan.width, columns)

    def _columns(self, context: KernelContext, source: Any, target: Any, width: int) -> None:
        """Emits `width` columns from these positions on."""
        b, node, plan = context.builder, self.fused.first, self.columns
        dtype, lanes = dtype_of(node), plan.lanes
        g, out = context.pointer(plan.g.base), context.pointer(node)
        zero = Value(b, None, dtype, lanes).number(0)
        with loop(b, integer(0), integer(rows_of(node))) as row:
            start = b.add(target, b.mul(row, integer(plan.row)))

            def clear(at: Any, active: int) -> None:
                write(b, out, zero, b.add(start, at), 1, active)

            vectors(b, width, lanes, clear)
        with loop(b, integer(0), integer(math.prod(plan.chosen))) as number:
            outer = unravelled(b, number, plan.chosen)
            there = place_of(b, outer, plan.chosen_steps, source)
            end = b.add(target, b.mul(self.index(context, number), integer(plan.row)))

            def add(at: Any, active: int) -> None:
                from_ = b.add(there, b.mul(at, integer(plan.step)))
                value = read(b, g, dtype, from_, lanes, plan.step, active)
                total = read(b, out, dtype, b.add(end, at), lanes, 1, active)
                write(b, out, total + value, b.add(end, at), 1, active)

            vectors(b, width, lanes, add)


@dataclass(frozen=True, eq=False)
class ScatterColumns:
    """The columns of a scatter in blocks: the `extents` of the loops over them (the last counts the
    blocks), with the strides of g (`steps`) and of the result (`ends`) along each loop."""

    g: View
    chosen: tuple[int, ...]  # sizes of the axes of g that the indices run over
    chosen_steps: tuple[int, ...]
    row: int  # the stride between rows of the result
    length: int  # contiguous columns of the result
    step: int  # the stride between columns of g
    lanes: int
    width: int  # columns of a block
    extents: list[int]
    steps: list[int]
    ends: list[int]

    @classmethod
    def of(cls, node: Any, views: Views) -> ScatterColumns:
        """The blocks of a node's columns."""
        g = views[node.inputs[0]]
        axis, after = node.axis, node.axis + len(sizes(node.inputs[1].shape))
        shape, ends = sizes(node.shape), row_major(sizes(node.shape))
        inner, (steps, order) = collapsed(g.shape[after:], [g.strides[after:], ends[axis + 1 :]])
        inner, steps, order = inner or [1], steps or [1], order or [1]
        length, step = inner[-1], steps[-1]
        lanes = lanes_for([dtype_of(node)], length)
        width = min(lanes * max(1, min(4, length // (8 * lanes))), max(length, 1))
        return cls(
            g, g.shape[axis:after], g.strides[axis:after], ends[axis], length, step, lanes, width,
            [*shape[:axis], *inner[:-1], -(-length // width)],
            [*g.strides[:axis], *steps[:-1], width * step],
            [*ends[:axis], *order[:-1], width],
        )  # fmt: skip


GATHER = KernelFamily(Gather.of)
SCATTER = KernelFamily(Scatter.of)
