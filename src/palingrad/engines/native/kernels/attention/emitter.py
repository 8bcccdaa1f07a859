"""The code of an attention kernel."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .....graph.node import Node
from .....graph.state.records import dataclass, field
from ...llvm.kernel_context import POINTER, KernelContext
from ...llvm.loops import either, integer, loop, place_of, read, vectors, write
from ...llvm.strided_view import View
from ...llvm.values import Value
from ..gemm.microkernel import Tile
from ..gemm.packing import pack_rows
from ..gemm.small import DEPTH
from ..row import RowEmitter, RowKernel
from .plan import AttentionPlan, Panels, Tiles, turned
from .recipe import Recipe

_BIT = ir.IntType(1)


@dataclass()
class _BlockContext:
    """A kernel's context for the chain: the matrices of a block are in working memory."""

    context: KernelContext
    views: dict[Node, View]
    pointers: dict[Node, Any] = field(default_factory=dict[Node, Any])  # as if to row 0

    def __post_init__(self) -> None:
        self.builder = self.context.builder
        self.slot, self.stack = self.context.slot, self.context.stack

    def pointer(self, node: Node) -> Any:
        """The start of a node's buffer."""
        return self.pointers.get(node) or self.context.pointer(node)


@dataclass()
class _Block:
    """A block of rows of one matrix of the batch."""

    batch: list[Any]
    number: Any
    tiles: tuple[Any, Any]  # the first tile, and the end
    rows: tuple[Any, Any]


class Emitter:
    """Emits the code of one matrix of the batch."""

    def __init__(
        self, recipe: Recipe, plan: AttentionPlan, ends: list[View], context: KernelContext
    ) -> None:
        """`ends`: the views of the results."""
        self.recipe, self.plan, self.context, self.b = recipe, plan, context, context.builder
        self.ends = [
            turned(view) if one.turned else view
            for one, view in zip(recipe.results, ends, strict=True)
        ]
        self.written = (*recipe.products, *recipe.chain.live_out)
        self.areas = dict(zip(self.written, plan.areas.blocks, strict=True))
        steps = (*[0] * len(plan.batch), plan.pitch, 1)
        blocks = {node: View(node, recipe.chain.shape, steps) for node in self.written}
        views = {**context.views, **blocks}
        self.row_context = _BlockContext(context, views)
        self.chain = RowEmitter(RowKernel.of(recipe.chain, views), self.row_context, plan.together)
        self.chain.prefetches = False
        self.memory = context.array(plan.dtype, plan.areas.total) if plan.on_stack else None

    def matrix(self, batch: list[Any], item: Any, owner: Any) -> None:
        """Emits the code of the matrix at these indices of the batch. `owner`: of the workspace, if
        working memory isn't on the stack."""
        b, plan = self.b, self.plan
        self.base = self.memory
        if self.base is None:
            start = b.mul(item, integer(plan.areas.total))
            self.base = b.gep(self.context.typed(owner, plan.dtype), [start])
        whole = [*zip(plan.areas.rights, plan.rights, strict=True)]
        whole += [
            (area, panels)
            for area, panels, one in zip(
                plan.areas.others, plan.others, self.recipe.results, strict=True
            )
            if not one.of_columns
        ]
        for area, panels in whole:
            self._pack(batch, panels, self._at(area))
        tiles, block = plan.tiles, integer(plan.block)
        with loop(b, integer(0), integer(-(-tiles.count // plan.block))) as number:
            first = b.mul(number, block)
            last = self.context.smaller(b.add(first, block), integer(tiles.count))
            tall = integer(tiles.tall)
            end = self.context.smaller(b.mul(last, tall), integer(plan.rows))
            self._block(_Block(batch, number, (first, last), (b.mul(first, tall), end)))
        for part, result in enumerate(self.recipe.results):
            if result.of_columns:
                self._copy_sums(batch, part)

    def _at(self, area: int, place: Any = None) -> Any:
        """A pointer into working memory."""
        start = self.b.gep(self.base, [integer(area)])
        return start if place is None else self.b.gep(start, [place])

    def _of_matrix(self, batch: list[Any], view: View) -> Any:
        """A pointer to the first element of a matrix of the batch."""
        typed = self.context.typed(view.base, self.plan.dtype)
        place = place_of(self.b, batch, view.strides[:-2], integer(view.offset))
        return self.b.gep(typed, [place])

    def _pack(self, batch: list[Any], panels: Panels, to: Any, block: _Block | None = None) -> None:
        """Emits the packing of an operand, or of the terms that are the rows of a block."""
        b, plan = self.b, self.plan
        source, step = self._of_matrix(batch, panels.view), panels.view.strides[-2:]
        terms: Any = panels.terms
        most = panels.terms
        if block is not None:
            terms, most = b.sub(block.rows[1], block.rows[0]), plan.block_rows
            source = b.gep(source, [b.mul(block.rows[0], integer(step[0]))])
        with loop(b, integer(0), integer(panels.count)) as panel:
            at = b.gep(source, [b.mul(panel, integer(panels.width * step[1]))])
            end = b.gep(to, [b.mul(panel, integer(panels.width * most))])

            def one(width: int) -> None:
                pack_rows(
                    b, plan.dtype, at, (step[0], step[1]), end, (terms, width), plan.lanes,
                    panels.width,
                )  # fmt: skip

            either(b, panel, panels.count, panels.rest, panels.width, one)
        if panels.factor != 1.0:
            self._multiply(to, panels, most)

    def _multiply(self, packed: Any, panels: Panels, terms: int) -> None:
        """Emits the multiplication of a packed operand by its factor."""
        b, plan = self.b, self.plan
        with loop(b, integer(0), integer(panels.pitch * terms), plan.lanes) as index:
            value = read(b, packed, plan.dtype, index, plan.lanes, 1)
            write(b, packed, value * panels.factor, index)

    # ---------------------------------------------------------------- a block of rows

    def _block(self, block: _Block) -> None:
        b, plan = self.b, self.plan
        for number in range(len(self.recipe.products)):
            self._product(block, number)
        size = plan.dtype.itemsize
        for node, area in self.areas.items():
            before = b.mul(block.rows[0], integer(-plan.pitch * size))
            start = b.bitcast(self._at(area), POINTER)
            self.row_context.pointers[node] = b.gep(start, [before])
        with loop(b, *block.rows, plan.together) as row:
            extent = self._extent(b.sdiv(row, integer(plan.tiles.tall)))
            self.chain.extent = extent if plan.seen is not None else None
            rows = [b.add(row, integer(number)) for number in range(plan.together)]
            self.chain.rows(*([*block.batch, one] for one in rows))
            if plan.seen is not None:
                for one in rows:
                    self._clear(block, one, extent)
        for part, result in enumerate(self.recipe.results):
            (self._of_columns if result.of_columns else self._of_rows)(block, part)

    def _extent(self, tile: Any) -> Any:
        """The columns up to which a tile of rows is computed: those that its last row sees, rounded
        up to whole vectors."""
        b, plan = self.b, self.plan
        if plan.seen is None:
            return integer(plan.columns)
        end = b.mul(b.add(tile, integer(1)), integer(plan.tiles.tall))
        end = self.context.smaller(end, integer(plan.rows))
        sees = b.add(end, integer(plan.seen + plan.lanes - 1))  # the last row sees `seen` more
        sees = b.mul(b.sdiv(sees, integer(plan.lanes)), integer(plan.lanes))
        return self.context.smaller(sees, integer(plan.columns))

    def _clear(self, block: _Block, row: Any, extent: Any) -> None:
        """Emits zeros after the extent of a row of the chain's results."""
        b, plan = self.b, self.plan
        zero = Value(b, None, plan.dtype, plan.lanes).number(0)
        inside = b.mul(b.sub(row, block.rows[0]), integer(plan.pitch))
        with loop(b, extent, integer(plan.columns), plan.lanes) as index:
            for node in self.recipe.chain.live_out:
                write(b, self._at(self.areas[node]), zero, b.add(inside, index))

    def _product(self, block: _Block, number: int) -> None:
        """Emits a block of rows of a product."""
        b, plan = self.b, self.plan
        left, panels = plan.lefts[number], plan.rights[number]
        x, right = self._of_matrix(block.batch, left), self._at(plan.areas.rights[number])
        down, along = left.strides[-2:]
        with loop(b, *block.tiles) as tile:
            row = b.mul(tile, integer(plan.tiles.tall))
            at_left = b.gep(x, [b.mul(row, integer(down))])
            inside = b.mul(b.sub(row, block.rows[0]), integer(plan.pitch))
            to = self._at(self.areas[self.recipe.products[number]], inside)
            width = integer(panels.width)
            count = b.sdiv(b.add(self._extent(tile), integer(panels.width - 1)), width)

            def one(rows: int) -> None:
                function = Tile(
                    plan.dtype, tuple(each * down for each in range(rows)),
                    panels.width // plan.lanes, plan.lanes, plan.lanes,
                    ((None, along, panels.width),), True, True, adds=False,
                ).emitted(b.module)  # fmt: skip
                with loop(b, integer(0), count) as panel:
                    at = b.gep(right, [b.mul(panel, integer(panels.width * panels.terms))])
                    new = b.gep(to, [b.mul(panel, width)])
                    self._call(function, at_left, at, (new, plan.pitch), integer(panels.terms))

            self._by_height(tile, plan.tiles, one)

    def _of_rows(self, block: _Block, part: int) -> None:
        """Emits a block of rows of a result w·other."""
        b, plan = self.b, self.plan
        panels, end = plan.others[part], self.ends[part]
        right, to = self._at(plan.areas.others[part]), self._of_matrix(block.batch, end)
        down, across = end.strides[-2:]
        weights = self._weights(part)
        with loop(b, integer(0), integer(panels.count)) as panel, loop(b, *block.tiles) as tile:
            row = b.mul(tile, integer(plan.tiles.tall))
            inside = b.mul(b.sub(row, block.rows[0]), integer(plan.pitch))
            at_left = b.gep(weights, [inside])
            at_right = b.gep(right, [b.mul(panel, integer(panels.width * panels.terms))])
            place = b.add(b.mul(row, integer(down)), b.mul(panel, integer(panels.width * across)))
            at_end = b.gep(to, [place])

            def one(rows: int) -> None:
                offsets = tuple(each * plan.pitch for each in range(rows))

                def some(width: int) -> None:
                    whole = plan.columns <= DEPTH and across == 1
                    new = (at_end, down) if whole else (self._at(plan.areas.tile), width)
                    self._summed(
                        offsets, (width, panels.width), (at_left, at_right), new,
                        self._extent(tile),
                    )  # fmt: skip
                    if not whole:
                        self._scattered(at_end, (down, across), (rows, width))

                either(b, panel, panels.count, panels.rest, panels.width, some)

            self._by_height(tile, plan.tiles, one)

    def _summed(
        self, rows: tuple[int, ...], widths: tuple[int, int], operands: tuple[Any, Any],
        end: tuple[Any, int], count: Any,
    ) -> None:  # fmt: skip
        """Emits a tile of a result w·other, with terms in blocks if there are many. `widths`: of
        the tile, and of the panel."""
        b, plan = self.b, self.plan
        (left, right), (width, step) = operands, widths
        several = plan.columns > DEPTH
        function = self._tile(rows, width, (1, step), several)
        if not several:
            self._call(function, left, right, end, count)
            return
        with loop(b, integer(0), count, DEPTH) as start:
            terms = self.context.smaller(b.sub(count, start), integer(DEPTH))
            at_right = b.gep(right, [b.mul(start, integer(step))])
            fresh = b.icmp_signed("==", start, integer(0))
            self._call(function, b.gep(left, [start]), at_right, end, terms, fresh)

    def _of_columns(self, block: _Block, part: int) -> None:
        """Emits what a block of rows adds to a result wᵀ·other."""
        b, plan = self.b, self.plan
        panels, weights = plan.others[part], self._weights(part)
        sums, right = self._at(plan.areas.sums[part]), self._at(plan.areas.others[part])
        self._pack(block.batch, panels, right, block)
        fresh = b.icmp_signed("==", block.number, integer(0))
        several = plan.tiles.count > plan.block
        tiles = plan.column_tiles
        with (
            loop(b, integer(0), integer(panels.count)) as panel,
            loop(b, integer(0), integer(tiles.count)) as tile,
        ):
            column = b.mul(tile, integer(tiles.tall))
            first = block.rows[0]
            if plan.seen is not None:  # rows before see none of these columns
                first = self.context.larger(first, b.sub(column, integer(plan.seen)))
            inside = b.sub(first, block.rows[0])
            at_left = b.gep(weights, [b.add(b.mul(inside, integer(plan.pitch)), column)])
            terms = b.add(b.mul(panel, integer(plan.block_rows)), inside)
            at_right = b.gep(right, [b.mul(terms, integer(panels.width))])
            place = b.add(b.mul(column, integer(panels.pitch)), b.mul(panel, integer(panels.width)))
            at_sums = b.gep(sums, [place])
            count = b.sub(block.rows[1], first)

            def one(rows: int) -> None:
                function = self._tile(
                    tuple(range(rows)), panels.width, (plan.pitch, panels.width), several
                )
                end = at_sums, panels.pitch
                self._call(function, at_left, at_right, end, count, fresh)

            any_terms = b.or_(fresh, b.icmp_signed(">", count, integer(0)))
            with b.if_then(any_terms):
                self._by_height(tile, tiles, one)

    def _copy_sums(self, batch: list[Any], part: int) -> None:
        """Emits the copy of a result's sums to its buffer."""
        b, plan = self.b, self.plan
        panels, end = plan.others[part], self.ends[part]
        down, across = end.strides[-2:]
        to, sums = self._of_matrix(batch, end), self._at(plan.areas.sums[part])
        with loop(b, integer(0), integer(plan.columns)) as row:
            source = b.gep(sums, [b.mul(row, integer(panels.pitch))])
            self._copied(source, b.gep(to, [b.mul(row, integer(down))]), panels.columns, across)

    # ---------------------------------------------------------------- tiles

    def _weights(self, part: int) -> Any:
        """The block of the chain's result that a result multiplies."""
        return self._at(self.areas[self.recipe.results[part].weights])

    def _tile(
        self, rows: tuple[int, ...], width: int, steps: tuple[int, int], adds: bool = False
    ) -> ir.Function:
        """The tile function with these offsets of rows, columns and strides between terms."""
        plan = self.plan
        across = -(-width // plan.lanes)
        return Tile(
            plan.dtype, rows, across, plan.lanes, width - (across - 1) * plan.lanes,
            ((None, *steps),), True, False, adds=adds,
        ).emitted(self.b.module)  # fmt: skip

    def _call(
        self, function: Any, left: Any, right: Any, end: tuple[Any, int], count: Any,
        fresh: Any = None,
    ) -> None:  # fmt: skip
        to, step = end
        fresh = ir.Constant(_BIT, 1) if fresh is None else fresh
        self.b.call(function, [left, right, to, integer(step), to, integer(step), count, fresh])

    def _by_height(self, tile: Any, tiles: Tiles, emit: Any) -> None:
        either(self.b, tile, tiles.count, tiles.rest, tiles.tall, emit)

    def _scattered(self, to: Any, steps: tuple[int, int], size: tuple[int, int]) -> None:
        """Emits the copy of the tile in working memory to a buffer."""
        b, (rows, width) = self.b, size
        with loop(b, integer(0), integer(rows)) as row:
            source = b.gep(self._at(self.plan.areas.tile), [b.mul(row, integer(width))])
            self._copied(source, b.gep(to, [b.mul(row, integer(steps[0]))]), width, steps[1])

    def _copied(self, source: Any, to: Any, count: int, step: int) -> None:
        b, plan = self.b, self.plan

        def one(index: Any, active: int) -> None:
            value = read(b, source, plan.dtype, index, plan.lanes, 1, active)
            write(b, to, value, b.mul(index, integer(step)), step, active)

        vectors(b, count, plan.lanes, one)
