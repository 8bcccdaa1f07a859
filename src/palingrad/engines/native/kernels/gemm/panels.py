"""The plan of a large product, and the kernels that pack a whole operand of it: the right operand
in panels, the left operand in tiles."""

from __future__ import annotations

import math
from typing import Any

from .....dtypes import DType
from .....graph.state.records import dataclass
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import either, integer, loop, place_of, unravelled
from ...llvm.target import host
from ..formula import dtype_of
from ..kernel import Fused, Preparation, Views
from .blocking import result_strip, shared_operand, strip_rows
from .epilogue import exceeds_cache, row_after_row
from .microkernel import by_height, heights, shape_for, tile_rows
from .packing import pack_rows
from .problem import GemmProblem

_DEPTH = 4096  # bytes of a block of terms; not derived, because it orders the summation
_PAGE = 4096
_RIGHT = 1 << 21  # bytes at most of the right operand that each strip of a long epilogue reads


@dataclass(frozen=True, eq=False)
class BlockedPlan:
    """The sizes of blocks, for a large product and for the kernel that packs its operand."""

    fused: Fused
    f: GemmProblem
    dtype: DType
    lanes: int
    wide: int  # vectors of a panel
    width: int  # columns of a panel
    panels: int
    rest: int  # columns of the last panel
    division: tuple[int, int, int]  # the division of the rows into tiles, see `heights`
    tiles: int
    depth: int  # terms of a block
    blocks: int
    streams: bool  # whether the epilogue is computed for whole strips of rows
    by_panel: bool  # whether an item is a panel and the left operand is packed as a whole
    unpacked: bool  # whether the left operand is read without packing
    strips: int
    copies: int  # of the wholly packed operand: one for each matrix of a batch, or 1
    packed_size: int  # elements of each copy

    @classmethod
    def of(cls, fused: Fused, f: GemmProblem, views: Views) -> BlockedPlan:
        """The blocks of the first node."""
        dtype = dtype_of(fused.first)
        itemsize = dtype.itemsize
        lanes = host().lanes(itemsize)
        tall, wide = shape_for(f.rows, f.columns, lanes)
        width = wide * lanes
        panels = -(-f.columns // width)
        division = heights(f.rows, tall)
        tiles = sum(division[:2])
        blocks = blocks_of(f, dtype)
        small = f.rows * f.depth * itemsize <= shared_operand()
        # The epilogue is computed for whole strips of rows if its operands exceed the second-level
        # cache: long runs stream faster from memory than short ones.
        tile = (tall + 1) * f.columns * itemsize
        walked = f.depth * f.columns * itemsize
        streams = (
            len(fused.nodes) > 1 and tile <= result_strip() and blocks == 1 and walked <= _RIGHT
            and row_after_row(fused, views, f) and exceeds_cache(fused, views)
        )  # fmt: skip
        by_panel = small and f.rows <= f.columns and not streams
        # Rows whose distance is a multiple of a page share a set of the cache.
        pages = f.x_step[0] * itemsize % _PAGE == 0
        together = -(-strip_rows(min(f.depth * itemsize, _DEPTH)) // tall)
        if streams:
            together = max(min(together, result_strip() // tile), 1)
        groups = -(-tiles // together)
        groups += groups % 2 if groups > 1 or tiles > 1 else 0
        return cls(
            fused, f, dtype, lanes, wide, width, panels, f.columns - (panels - 1) * width, division,
            tiles, _DEPTH // itemsize, blocks, streams, by_panel,
            unpacked=by_panel and f.x_step[1] == 1 and not pages,
            strips=panels if by_panel else groups,
            copies=math.prod(f.batch) if any(f.x_batch if by_panel else f.y_batch) else 1,
            packed_size=f.rows * f.depth + tiles * lanes if by_panel else panels * f.depth * width,
        )  # fmt: skip

    def packed_tile(self, b: Any, number: Any, row: Any, depth: int) -> Any:
        """The offset of tile `number`, whose first row is `row`, in the packed left operand with
        `depth` terms. Packing writes whole vectors, the last of which passes the tile's end."""
        return b.add(b.mul(row, integer(depth)), b.mul(number, integer(self.lanes)))


def blocks_of(f: GemmProblem, dtype: DType) -> int:
    """The number of blocks of terms of a large product."""
    return -(-f.depth // (_DEPTH // dtype.itemsize))


@dataclass(frozen=True, eq=False)
class Pack(Preparation):
    """A kernel that packs one operand of a large product."""

    plan: BlockedPlan

    @property
    def workspace(self) -> int:
        """Bytes of the packed operand."""
        return self.plan.copies * self.plan.packed_size * self.plan.dtype.itemsize


@dataclass(frozen=True, eq=False)
class PackRight(Pack):
    """The right operand as panels, each of all terms. An item is a block of terms of one panel."""

    label, description = "PackRight", "right operand packed"

    @property
    def items(self) -> int:
        """The number of blocks."""
        return self.plan.copies * self.plan.panels * self.plan.blocks

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.plan
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


@dataclass(frozen=True, eq=False)
class PackLeft(Pack):
    """The left operand as tiles, each of all terms. An item is a tile."""

    label, description = "PackLeft", "left operand packed"

    @property
    def items(self) -> int:
        """The number of tiles."""
        return self.plan.copies * self.plan.tiles

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.plan
        f = plan.f
        x = context.typed(f.x.base, plan.dtype, f.x.offset)
        work = context.typed(self, plan.dtype)
        batch = f.batch if plan.copies > 1 else ()
        step = (f.x_step[1], f.x_step[0])
        with loop(b, context.begin, context.end) as item:
            *where, number = unravelled(b, item, (*batch, plan.tiles))
            place = place_of(b, where, f.x_batch if batch else (), integer(0))
            row, _ = tile_rows(b, number, plan.division)
            copy = b.mul(b.sdiv(item, integer(plan.tiles)), integer(plan.packed_size))
            to = b.gep(work, [b.add(copy, plan.packed_tile(b, number, row, f.depth))])
            at = b.gep(x, [b.add(place, b.mul(row, integer(f.x_step[0])))])

            def pack(rows: int) -> None:
                pack_rows(b, plan.dtype, at, step, to, (f.depth, rows), plan.lanes, rows)

            by_height(b, number, plan.division, pack)
