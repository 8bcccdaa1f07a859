"""Large matrix products: both operands are packed in blocks that fit the caches.

A prerequisite packs the smaller operand once for all threads; a left operand of up to 2 MB with
contiguous terms is read unpacked. Each item of the product is a strip of the larger operand: a
group of rows of the left one, or a panel of the right one. A block of terms of the strip at a time
is packed and multiplied by the whole other operand (Goto & van de Geijn 2008). So each number of
either operand is packed at most once.
"""

from __future__ import annotations

import math
from typing import Any

from .....graph.state.records import dataclass
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import either, integer, loop, place_of, unravelled
from ..formula import dtype_of
from ..kernel import NO_NODES, Fused, Kernel, Views
from .blocking import near_strip
from .epilogue import Epilogue
from .microkernel import Tile, by_height, tile_rows
from .packing import pack_rows
from .panels import BlockedPlan, Pack, PackLeft, PackRight, blocks_of
from .problem import GemmProblem, vector_axis
from .small import Product


@dataclass(frozen=True, eq=False)
class LargeProduct(Product):
    """A product of large matrices, and elementwise nodes of the same shape as epilogue. An item is
    a strip of the result."""

    label, description = "LargeProduct", "large matrix product"

    plan: BlockedPlan
    packed: Pack | None  # the prerequisite that packs an operand

    @classmethod
    def of(cls, fused: Fused, f: GemmProblem, views: Views) -> LargeProduct:
        """The kernel of these nodes."""
        if blocks_of(f, dtype_of(fused.first)) > 1:  # partial sums are stored in the result
            fused = fused.with_first_live_out()
        plan = BlockedPlan.of(fused, f, views)
        if plan.unpacked:
            return cls(fused, f, plan, None)
        inputs = fused.first.inputs
        left, right = reversed(inputs) if f.swapped else inputs
        pack, source = (PackLeft, left) if plan.by_panel else (PackRight, right)
        return cls(fused, f, plan, pack(NO_NODES, source, views[source], plan))

    @property
    def prerequisites(self) -> tuple[Kernel, ...]:
        return () if self.packed is None else (self.packed,)

    @property
    def items(self) -> int:
        """The number of strips."""
        return math.prod(self.f.batch) * self.plan.strips

    def emit(self, context: KernelContext) -> None:
        """Emits the code for strips `context.begin` to `context.end`."""
        _Emitter(self, context).run()


class _Emitter:
    """Emits the loops of one large product."""

    def __init__(self, kernel: LargeProduct, context: KernelContext) -> None:
        self.context, self.b = context, context.builder
        self.plan = plan = kernel.plan
        f, node = kernel.f, kernel.node
        self.epilogue = Epilogue(kernel.fused, context, plan.lanes, vector_axis(node, f), f.space)
        self.direct = self.epilogue.trivial
        self.uncached = self.direct and self.epilogue.uncached
        self.x = context.typed(f.x.base, plan.dtype, f.x.offset)
        self.y = context.typed(f.y.base, plan.dtype, f.y.offset)
        self.packed = context.typed(kernel.packed, plan.dtype) if kernel.packed else None
        is_live_out = self.direct or kernel.fused.is_live_out(node)
        self.z = context.typed(node, plan.dtype) if is_live_out else None
        depth = min(plan.depth, f.depth)
        if plan.by_panel:
            strip = depth * plan.width
        else:
            most = -(-plan.tiles // plan.strips) + 1
            strip = most * ((plan.division[2] + 1) * depth + plan.lanes)
        self.strip = context.array(plan.dtype, strip)
        most = (-(-plan.tiles // plan.strips) + 1) * (plan.division[2] + 1) * f.columns
        small = (
            most * plan.dtype.itemsize <= near_strip() and plan.blocks == 1 and not plan.by_panel
        )
        # Whether the epilogue of a whole strip is computed at once.
        whole = plan.streams or (small and self.epilogue.flat(f))
        self.whole = whole and not self.direct
        self.scratch = None
        if not self.direct:
            count = most if self.whole else (plan.division[2] + 1) * plan.width
            self.scratch = context.array(plan.dtype, count)

    def run(self) -> None:
        """Emits the loop over strips."""
        b, plan, f = self.b, self.plan, self.plan.f
        with loop(b, self.context.begin, self.context.end) as item:
            *self.batch, strip = unravelled(b, item, (*f.batch, plan.strips))
            number = b.sdiv(item, integer(plan.strips))
            self.at_x = b.gep(self.x, [place_of(b, self.batch, f.x_batch, integer(0))])
            self.at_y = b.gep(self.y, [place_of(b, self.batch, f.y_batch, integer(0))])
            if self.packed is not None:
                copy = b.mul(number, integer(plan.packed_size)) if plan.copies > 1 else integer(0)
                self.shared = b.gep(self.packed, [copy])
            self.at_z = None
            if self.z is not None:
                self.at_z = b.gep(self.z, [b.mul(number, integer(f.rows * f.columns))])
            if plan.by_panel:
                self.tiles = integer(0), integer(plan.tiles)
                self.panels = strip, b.add(strip, integer(1))
            else:
                tiles, strips = integer(plan.tiles), integer(plan.strips)
                low = b.sdiv(b.mul(strip, tiles), strips)
                self.tiles = low, b.sdiv(b.mul(b.add(strip, integer(1)), tiles), strips)
                self.panels = integer(0), integer(plan.panels)
            if plan.blocks > 1:
                with loop(b, integer(0), integer(plan.blocks - 1)) as block:
                    self._block(block, plan.depth, final=False)
            last = integer(plan.blocks - 1)
            self._block(last, f.depth - (plan.blocks - 1) * plan.depth, final=True)

    def _block(self, block: Any, terms: int, *, final: bool) -> None:
        """Emits a block of terms: packs the strip's part, then runs the tiles, panel by panel."""
        b, plan, f = self.b, self.plan, self.plan.f
        first = b.mul(block, integer(plan.depth))
        fresh = b.icmp_signed("==", block, integer(0))
        if not plan.by_panel:
            self._pack_left(first, terms)
        with loop(b, *self.panels) as panel:
            start = b.mul(first, integer(plan.width))
            before = b.mul(panel, integer(f.depth * plan.width))
            right = self.strip if plan.by_panel else b.gep(self.shared, [b.add(before, start)])

            def across(width: int) -> None:
                if plan.by_panel:
                    self._pack_right(panel, first, (terms, width))
                with loop(b, *self.tiles) as number:
                    self._tile(right, (number, panel), first, (terms, width), fresh, final)

            either(b, panel, plan.panels, plan.rest, plan.width, across)
        if final and self.whole:
            low, high = (tile_rows(b, number, plan.division)[0] for number in self.tiles)
            self.epilogue.rows(self.scratch, (f, self.batch), low, b.sub(high, low))

    def _left(self, number: Any, first: Any, tall: Any) -> Any:
        """A pointer to tile `number` of the left operand, which has `tall` rows."""
        b, plan = self.b, self.plan
        row, _ = tile_rows(b, number, plan.division)
        if plan.unpacked:
            return b.gep(self.at_x, [b.add(b.mul(row, integer(plan.f.x_step[0])), first)])
        if plan.by_panel:
            start = plan.packed_tile(b, number, row, plan.f.depth)
            return b.gep(self.shared, [b.add(start, b.mul(first, tall))])
        depth = min(plan.depth, plan.f.depth)
        low, _ = tile_rows(b, self.tiles[0], plan.division)
        inside = b.sub(number, self.tiles[0]), b.sub(row, low)
        return b.gep(self.strip, [plan.packed_tile(b, *inside, depth)])

    def _following(
        self, right: Any, at: tuple[Any, Any], first: Any, terms: int
    ) -> tuple[Any, Any]:
        """(pointer to the next panel that is read here, its stride between terms): the first tiles
        of this panel prefetch it, one cache line per term and tile."""
        b, plan, f = self.b, self.plan, self.plan.f
        number, panel = at
        turn = b.sub(number, self.tiles[0])
        if not plan.by_panel:
            start, step = b.gep(right, [integer(f.depth * plan.width)]), plan.lanes
            each = terms * plan.lanes
        elif f.y_step[1] == 1:
            below = b.mul(first, integer(f.y_step[0]))
            place = b.add(below, b.mul(b.add(panel, integer(1)), integer(plan.width)))
            start, step, each = b.gep(self.at_y, [place]), f.y_step[0], plan.lanes
        elif f.y_step == (1, terms):
            place = b.mul(b.add(panel, integer(1)), integer(plan.width * terms))
            start, step, each = b.gep(self.at_y, [place]), plan.lanes, terms * plan.lanes
        else:
            return right, integer(0)
        more = b.icmp_signed("<", b.add(panel, integer(1)), integer(plan.panels))
        useful = b.and_(more, b.icmp_signed("<", turn, integer(plan.wide)))
        start = b.gep(start, [b.mul(turn, integer(each))])
        return b.select(useful, start, right), b.select(useful, integer(step), integer(0))

    def _pack_left(self, first: Any, terms: int) -> None:
        b, plan, f = self.b, self.plan, self.plan.f
        source = b.gep(self.at_x, [b.mul(first, integer(f.x_step[1]))])
        step = (f.x_step[1], f.x_step[0])
        with loop(b, *self.tiles) as number:
            row, tall = tile_rows(b, number, plan.division)
            at = b.gep(source, [b.mul(row, integer(f.x_step[0]))])
            to = self._left(number, first, tall)

            def pack(rows: int) -> None:
                pack_rows(b, plan.dtype, at, step, to, (terms, rows), plan.lanes, rows)

            by_height(b, number, plan.division, pack)

    def _pack_right(self, panel: Any, first: Any, size: tuple[int, int]) -> None:
        b, plan, f = self.b, self.plan, self.plan.f
        column = b.mul(panel, integer(plan.width * f.y_step[1]))
        source = b.gep(self.at_y, [b.add(b.mul(first, integer(f.y_step[0])), column)])
        pack_rows(b, plan.dtype, source, f.y_step, self.strip, size, plan.lanes, plan.width)

    def _tile(
        self, right: Any, at: Any, first: Any, size: tuple[int, int], fresh: Any, final: bool
    ) -> None:
        b, plan, f = self.b, self.plan, self.plan.f
        (number, panel), (terms, width) = at, size
        column = b.mul(panel, integer(plan.width))
        row, tall = tile_rows(b, number, plan.division)
        left = self._left(number, first, tall)
        following = self._following(right, (number, panel), first, terms)
        to_scratch = final and not self.direct
        vectors_across = -(-width // plan.lanes)
        at_z = self.scratch
        if self.at_z is not None:
            at_z = b.gep(self.at_z, [b.add(b.mul(row, integer(f.columns)), column)])
        new, new_step = (self.scratch, plan.width) if to_scratch else (at_z, f.columns)
        if self.whole:
            low, _ = tile_rows(b, self.tiles[0], plan.division)
            place = b.add(b.mul(b.sub(row, low), integer(f.columns)), column)
            new, new_step, to_scratch = b.gep(self.scratch, [place]), f.columns, False

        def one(rows: int) -> None:
            down, along = f.x_step if plan.unpacked else (1, rows)
            tile = Tile(
                plan.dtype, tuple(down * row for row in range(rows)), vectors_across, plan.lanes,
                width - (vectors_across - 1) * plan.lanes, ((None, along, plan.width),), True,
                to_scratch, adds=plan.blocks > 1, uncached=self.uncached, prefetches=True,
            ).emitted(b.module)  # fmt: skip
            b.call(tile, [
                left, right, at_z, integer(f.columns), new, integer(new_step), integer(terms),
                fresh, *following,
            ])  # fmt: skip

        matrix = (plan.f, self.batch)
        if to_scratch:
            self.epilogue.prefetch(matrix, (row, column), (tall, width))
        by_height(b, number, plan.division, one)
        if to_scratch:
            self.epilogue.tile(self.scratch, plan.width, matrix, (row, column), (tall, width))
