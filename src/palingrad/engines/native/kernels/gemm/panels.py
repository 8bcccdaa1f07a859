"""Operands of large products packed as a whole: the right one in panels, the left one in tiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .....graph.node import Node
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import either, integer, loop, place_of, unravelled
from ...llvm.strided_view import View
from ...llvm.target import host
from ..elementwise import Unit
from ..formula import dtype_of
from .epilogue import is_far, row_after_row
from .microkernel import by_height, heights, shape_for, tile_rows
from .packing import pack_rows
from .problem import gemm_problem

_DEPTH = 4096  # bytes of terms in a block: a panel of them stays in the second cache,
_ROWS = 56  # beside a block of about so many rows
_PAGE = 4096
_STRIP = 1 << 18  # bytes of a strip of the result that what follows is computed for at once
_RIGHT = 1 << 21  # bytes of a right operand that is walked for each such strip
_SHARED = 1 << 21  # bytes of a left operand that each thread can walk for each panel


class Plan:
    """Sizes of blocks, for a large product and for what packs its operand."""

    def __init__(self, unit: Any, views: dict[Node, View]) -> None:
        self.unit = unit
        self.f = f = gemm_problem(unit.node, views)
        self.dtype = dtype_of(unit.node)
        self.lanes = host().lanes(self.dtype.itemsize)
        tall, self.wide = shape_for(f.rows, f.columns, self.lanes)
        self.width = self.wide * self.lanes
        self.panels = -(-f.columns // self.width)
        self.rest = f.columns - (self.panels - 1) * self.width
        self.cut = heights(f.rows, tall)
        self.tiles = sum(self.cut[:2])
        self.depth = _DEPTH // self.dtype.itemsize
        self.blocks = -(-f.depth // self.depth)
        self.batch = math.prod(f.batch)
        small = f.rows * f.depth * self.dtype.itemsize <= _SHARED
        # What follows is computed for whole strips of rows if it reads and writes so much that it
        # comes from beyond the second cache: from there, long runs come faster than short ones.
        tile = (tall + 1) * f.columns * self.dtype.itemsize
        walked = f.depth * f.columns * self.dtype.itemsize
        self.streams = (
            len(unit.nodes) > 1 and tile <= _STRIP and self.blocks == 1 and walked <= _RIGHT
            and row_after_row(unit, views, f) and is_far(unit, views)
        )  # fmt: skip
        self.by_panel = small and f.rows <= f.columns and not self.streams
        # Whether the left operand is read unpacked. Rows a page apart share a set of the cache.
        pages = f.x_step[0] * self.dtype.itemsize % _PAGE == 0
        self.as_it_lies = self.by_panel and f.x_step[1] == 1 and not pages
        together = -(-_ROWS // tall)
        if self.streams:
            together = max(min(together, _STRIP // tile), 1)
        groups = -(-self.tiles // together)
        groups += groups % 2 if groups > 1 or self.tiles > 1 else 0
        self.strips = self.panels if self.by_panel else groups
        # Of the operand that is packed as a whole: copies, and elements of each.
        self.copies = self.batch if any(f.x_batch if self.by_panel else f.y_batch) else 1
        left = f.rows * f.depth + self.tiles * self.lanes
        self.packed_size = left if self.by_panel else self.panels * f.depth * self.width

    def packed_tile(self, b: Any, number: Any, row: Any, depth: int) -> Any:
        """Where tile `number`, its first row `row`, lies in the left operand with `depth` terms
        packed. Whole vectors are written, the last one over the end."""
        return b.add(b.mul(row, integer(depth)), b.mul(number, integer(self.lanes)))


@dataclass(eq=False)
class _Pack(Unit):
    """One operand of a large product, packed."""

    product: Any = None
    source: Any = None

    def reads(self) -> list[Node]:
        return [self.source]

    def workspace(self, views: dict[Node, View]) -> int:
        """Bytes for what is packed."""
        plan = Plan(self.product, views)
        return plan.copies * plan.packed_size * plan.dtype.itemsize

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread."""
        return 0.1 * self.workspace(views)


class PackRight(_Pack):
    """The right operand as panels, each of all terms. An item is a block of terms of one panel."""

    def items(self, views: dict[Node, View]) -> int:
        """How many blocks."""
        plan = Plan(self.product, views)
        return plan.copies * plan.panels * plan.blocks

    def emit(self, context: KernelContext) -> None:
        """The code for items `frame.begin` to `frame.end`."""
        b, plan = context.builder, Plan(self.product, context.views)
        f = plan.f
        y = context.typed(f.y.base, plan.dtype, f.y.offset)
        work = context.typed(self, plan.dtype)
        batch = f.batch if plan.copies > 1 else ()
        with loop(b, context.begin, context.end) as item:
            *where, panel, block = unravelled(b, item, (*batch, plan.panels, plan.blocks))
            first = b.mul(block, integer(plan.depth))
            terms = context.smaller(b.sub(integer(f.depth), first), integer(plan.depth))
            place = place_of(b, where, f.y_batch if batch else (), integer(0))
            place = b.add(place, b.mul(first, integer(f.y_step[0])))
            place = b.add(place, b.mul(panel, integer(plan.width * f.y_step[1])))
            whole = b.sdiv(item, integer(plan.blocks))
            start = b.mul(whole, integer(f.depth * plan.width))
            to = b.gep(work, [b.add(start, b.mul(first, integer(plan.width)))])
            source = b.gep(y, [place])

            def one(width: int) -> None:
                pack_rows(
                    b, plan.dtype, source, f.y_step, to, (terms, width), plan.lanes, plan.width
                )

            either(b, panel, plan.panels, plan.rest, plan.width, one)


class PackLeft(_Pack):
    """The left operand as tiles, each of all terms. An item is a tile."""

    def items(self, views: dict[Node, View]) -> int:
        """How many tiles."""
        plan = Plan(self.product, views)
        return plan.copies * plan.tiles

    def emit(self, context: KernelContext) -> None:
        """The code for items `frame.begin` to `frame.end`."""
        b, plan = context.builder, Plan(self.product, context.views)
        f = plan.f
        x = context.typed(f.x.base, plan.dtype, f.x.offset)
        work = context.typed(self, plan.dtype)
        batch = f.batch if plan.copies > 1 else ()
        step = (f.x_step[1], f.x_step[0])
        with loop(b, context.begin, context.end) as item:
            *where, number = unravelled(b, item, (*batch, plan.tiles))
            place = place_of(b, where, f.x_batch if batch else (), integer(0))
            row, _ = tile_rows(b, number, plan.cut)
            copy = b.mul(b.sdiv(item, integer(plan.tiles)), integer(plan.packed_size))
            to = b.gep(work, [b.add(copy, plan.packed_tile(b, number, row, f.depth))])
            at = b.gep(x, [b.add(place, b.mul(row, integer(f.x_step[0])))])

            def pack(rows: int) -> None:
                pack_rows(b, plan.dtype, at, step, to, (f.depth, rows), plan.lanes, rows)

            by_height(b, number, plan.cut, pack)
