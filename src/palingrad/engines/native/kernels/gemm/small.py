"""Matrix products with an unpacked left operand, and the base class of all matrix products."""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir

from .....dtypes import DType
from .....graph.operation import Operation
from .....graph.state.records import dataclass
from .....shapes import sizes, text
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import either, integer, loop, place_of, unravelled
from ...llvm.strided_view import row_major
from ...llvm.target import host
from ...llvm.values import Value
from ..formula import dtype_of
from ..kernel import Fused, Kernel, per_element
from .epilogue import Epilogue
from .microkernel import Tile, by_height, heights, shape_for, tile_rows
from .packing import pack_rows
from .problem import GemmProblem, vector_axis

DEPTH = 1024  # terms of a block: its panel of the right operand fits the second-level cache
_LITTLE = 1 << 18  # multiplications of a product that shares its tile functions with others


@dataclass(frozen=True, eq=False)
class Product(Kernel):
    """A matrix product, the first node, and elementwise nodes of the same shape as epilogue."""

    label, description = "Product", "matrix product"

    f: GemmProblem

    @property
    def node(self) -> Operation:
        """The product."""
        return self.fused.first

    @property
    def cost(self) -> float:
        elements = self.f.work // max(self.f.depth, 1)
        after = per_element(self.nodes[1:], len(self.reads()))
        return 0.008 * self.f.work + elements * after

    def space(self) -> str:
        f = self.f
        batch = f"{text(f.batch)} of " if f.batch else ""
        return f"{batch}({f.rows}, {f.depth}) × ({f.depth}, {f.columns}) {dtype_of(self.node)}"


@dataclass(frozen=True, eq=False)
class SmallProduct(Product):
    """A product whose left operand is read without packing. An item is a tile of the result."""

    plan: SmallPlan

    @classmethod
    def of(cls, fused: Fused, f: GemmProblem) -> SmallProduct:
        """The kernel of these nodes."""
        if f.depth > DEPTH:  # partial sums are stored in the result between blocks of terms
            fused = fused.with_first_live_out()
        return cls(fused, f, SmallPlan.of(fused, f))

    @property
    def items(self) -> int:
        """The number of tiles."""
        return self.plan.items

    def emit(self, context: KernelContext) -> None:
        """Emits the code for tiles `context.begin` to `context.end`, panel after panel."""
        if self.f.depth == 0:
            NoTerms(self.plan, context).run()
        else:
            _Emitter(self.plan, context).run()


@dataclass(frozen=True, eq=False)
class SmallPlan:
    """The tiles of one product."""

    fused: Fused
    f: GemmProblem
    dtype: DType
    lanes: int
    width: int  # columns of a panel
    panels: int
    division: tuple[int, int, int]  # the division of the rows into tiles, see `heights`
    tiles: int  # tiles of a panel
    packed: bool  # whether panels of the right operand are packed
    items: int
    shape: tuple[int, ...]  # of the result
    z_batch: tuple[int, ...]  # the result's strides along the batch axes

    @property
    def pitched(self) -> bool:
        """Whether tile functions are given the stride of the left operand's rows, and so serve
        several products, of little work: in larger ones they take a few percent longer. With 32
        registers they have more rows than there are registers for addresses."""
        f = self.f
        work = math.prod(f.batch) * f.rows * f.columns * f.depth
        return host().registers == 16 and f.x_step[0] != 1 and work <= _LITTLE

    @classmethod
    def of(cls, fused: Fused, f: GemmProblem) -> SmallPlan:
        """The tiles of the first node."""
        dtype = dtype_of(fused.first)
        lanes = min(host().lanes(dtype.itemsize), 1 << max(f.columns - 1, 0).bit_length())
        tall, wide = shape_for(max(f.rows, 1), max(f.columns, 1), lanes)
        division = heights(max(f.rows, 1), tall)
        tiles = sum(division[:2])
        width = wide * lanes
        panels = -(-f.columns // width)
        # With few tiles per panel, packing would cost more than the strided reads that it saves.
        packed = f.y_step[1] != 1 or tiles > 4
        batch = math.prod(f.batch)
        empty = 0 in (batch, f.rows, f.columns)
        return cls(
            fused, f, dtype, lanes, width, panels, division, tiles, packed,
            0 if empty else batch * panels * tiles,
            sizes(fused.first.shape),
            row_major((*f.batch, f.rows * f.columns))[:-1] if batch else (),
        )  # fmt: skip


class NoTerms:
    """A product without terms: its sums are 0, and the epilogue is computed from them."""

    def __init__(self, plan: SmallPlan, context: KernelContext) -> None:
        self.plan, self.context = plan, context

    def run(self) -> None:
        """Emits the loop over all elements of the items, one at a time."""
        plan, b = self.plan, self.context.builder
        after = Epilogue(plan.fused, self.context, 1)
        each = math.prod(plan.shape) // plan.items if plan.items else 0
        total = math.prod(plan.shape)
        stop = b.select(
            b.icmp_signed("==", self.context.end, integer(plan.items)),
            integer(total),
            b.mul(self.context.end, integer(each)),
        )
        with loop(b, b.mul(self.context.begin, integer(each)), stop) as index:
            zero = Value(b, None, plan.dtype, 1).number(0)
            after.elements(unravelled(b, index, plan.shape), zero, 1)


class _Emitter:
    """The loops around the tiles of one product."""

    def __init__(self, plan: SmallPlan, context: KernelContext) -> None:
        self.plan, self.context, self.b = plan, context, context.builder
        f, node = plan.f, plan.fused.first
        self.epilogue = Epilogue(plan.fused, context, plan.lanes, vector_axis(node, f), f.space)
        self.x = context.typed(f.x.base, plan.dtype, f.x.offset)
        self.y = context.typed(f.y.base, plan.dtype, f.y.offset)
        self.direct = self.epilogue.trivial
        is_live_out = self.direct or plan.fused.is_live_out(node)
        self.z = context.typed(node, plan.dtype) if is_live_out else None
        padded = plan.width
        terms = min(f.depth, DEPTH)
        self.panel = context.array(plan.dtype, terms * padded) if plan.packed else None
        self.scratch = None
        if not self.direct:
            self.scratch = context.array(plan.dtype, (plan.division[2] + 1) * padded + plan.lanes)
        self.uncached = self.direct and self.epilogue.uncached
        self.flat = plan.panels == 1 and self.epilogue.flat(f)
        self.pitch = f.columns if self.flat else plan.width  # of the scratch buffer

    def run(self) -> None:
        """Emits the loop over panels, and in each the tiles of the requested items."""
        b, plan = self.b, self.plan
        with self.context.groups(plan.tiles) as (group, low, high):
            *batch, panel = unravelled(b, group, (*plan.f.batch, plan.panels))
            self._panel(batch, panel, low, high)

    def _panel(self, batch: list[Any], panel: Any, low: Any, high: Any) -> None:
        b, plan, f = self.b, self.plan, self.plan.f
        self.batch = batch
        x = b.gep(self.x, [place_of(b, batch, f.x_batch, integer(0))])
        y = b.gep(self.y, [place_of(b, batch, f.y_batch, integer(0))])
        z = None
        if self.z is not None:
            z = b.gep(self.z, [place_of(b, batch, plan.z_batch, integer(0))])
        column = b.mul(panel, integer(plan.width))
        rest = f.columns - (plan.panels - 1) * plan.width

        def blocks(width: int) -> None:
            for start in range(0, f.depth, DEPTH):
                self._block(x, y, z, column, width, start, low, high)

        either(b, panel, plan.panels, rest, plan.width, blocks)

    def _block(
        self, x: Any, y: Any, z: Any, column: Any, width: int, start: int, low: Any, high: Any
    ) -> None:
        """Emits `DEPTH` terms of the tiles low to high in the panel of `width` columns."""
        b, plan, f = self.b, self.plan, self.plan.f
        terms = min(DEPTH, f.depth - start)
        down, across = f.y_step
        right = b.gep(y, [b.add(b.mul(column, integer(across)), integer(start * down))])
        vectors_across = -(-width // plan.lanes)
        if plan.packed:
            pack_rows(b, plan.dtype, right, f.y_step, self.panel, (terms, width), plan.lanes)
            right = self.panel
        left = b.gep(x, [integer(start * f.x_step[1])])
        final = start + terms == f.depth
        to_scratch = final and not self.direct
        with loop(b, low, high) as number:
            row, tall = tile_rows(b, number, plan.division)
            at_left = b.gep(left, [b.mul(row, integer(f.x_step[0]))])
            at_z = self.scratch
            if z is not None:
                at_z = b.gep(z, [b.add(b.mul(row, integer(f.columns)), column)])
            new, new_step = (self.scratch, self.pitch) if to_scratch else (at_z, f.columns)

            pitched = plan.pitched

            def one(rows: int) -> None:
                step = 1 if pitched else f.x_step[0]
                tile = Tile(
                    plan.dtype, tuple(each * step for each in range(rows)), vectors_across,
                    plan.lanes, width - (vectors_across - 1) * plan.lanes,
                    ((None, f.x_step[1], vectors_across * plan.lanes if plan.packed else down),),
                    plan.packed, to_scratch, adds=start > 0, uncached=self.uncached,
                    pitched=pitched,
                ).emitted(b.module)  # fmt: skip
                b.call(tile, [
                    at_left, right, at_z, integer(f.columns), new, integer(new_step),
                    integer(terms), ir.Constant(ir.IntType(1), int(start == 0)),
                    *([integer(f.x_step[0])] if pitched else []),
                ])  # fmt: skip

            matrix = (f, self.batch)
            if to_scratch:
                self.epilogue.prefetch(matrix, (row, column), (tall, width))
            by_height(b, number, plan.division, one)
            if to_scratch and self.flat:
                self.epilogue.rows(self.scratch, matrix, row, tall)
            elif to_scratch:
                self.epilogue.tile(self.scratch, plan.width, matrix, (row, column), (tall, width))
