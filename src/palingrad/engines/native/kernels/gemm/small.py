"""Matrix products, with what happens to each tile of the result while it is in the first cache."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from .....graph.node import Node
from .....graph.operation import Operation
from .....shapes import sizes
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import either, integer, loop, place_of, unravelled
from ...llvm.strided_view import View, row_major
from ...llvm.target import host
from ...llvm.values import Value, scalar_type
from ..elementwise import Unit
from ..formula import dtype_of
from .epilogue import Epilogue, after, is_far
from .microkernel import Tile, by_height, heights, shape_for, tile_rows
from .packing import pack_rows
from .problem import GemmProblem, gemm_problem, vector_axis

DEPTH = 1024  # terms summed in one go: the panel of the right operand stays in the second cache
_LARGE = 1 << 21  # products of more terms than this get both operands packed in blocks


def is_large(f: GemmProblem) -> bool:
    """Whether packing both operands pays."""
    return min(f.rows, f.columns) >= 48 and f.depth >= 8 and f.work >= _LARGE


def is_dot(f: GemmProblem) -> bool:
    """Whether the result is best computed by summing along both operands' contiguous axis."""
    contiguous = f.x_step[1] == 1 and f.y_step[0] == 1
    turned = f.y_step[1] != 1 or f.columns == 1
    return contiguous and turned and f.depth > 1 and min(f.rows, f.columns) <= 2


def takes_epilogue(node: Operation, views: dict[Node, View]) -> bool:
    """Whether elementwise nodes can be computed tile by tile after the product."""
    return not is_dot(gemm_problem(node, views))


@dataclass(eq=False)
class Product(Unit):
    """A matrix product, the first node, and elementwise nodes of the same shape after it."""

    @property
    def node(self) -> Operation:
        """The product."""
        return self.nodes[0]

    def reads(self) -> list[Node]:
        return [*dict.fromkeys((*self.node.inputs, *after(self)))]

    def needs_buffer(self, views: dict[Node, View]) -> bool:
        """Whether the sums themselves need memory, between blocks of terms."""
        return gemm_problem(self.node, views).depth > DEPTH

    def items(self, views: dict[Node, View]) -> int:
        """How many tiles there are."""
        return _Plan(self, views).items

    def emit(self, context: KernelContext) -> None:
        """The code for tiles `frame.begin` to `frame.end`, panel after panel."""
        plan = _Plan(self, context.views)
        if plan.f.depth == 0:
            Clear(plan, context).run()
        else:
            _Emitter(plan, context).run()


class _Plan:
    """The tiles of one product."""

    def __init__(self, unit: Product, views: dict[Node, View]) -> None:
        self.unit = unit
        self.f = f = gemm_problem(unit.node, views)
        self.dtype = dtype_of(unit.node)
        self.lanes = min(host().lanes(self.dtype.itemsize), 1 << max(f.columns - 1, 0).bit_length())
        tall, self.wide = shape_for(max(f.rows, 1), max(f.columns, 1), self.lanes)
        self.cut = heights(max(f.rows, 1), tall)
        self.tiles = sum(self.cut[:2])
        self.width = self.wide * self.lanes
        self.panels = -(-f.columns // self.width)
        # A short left operand reads the right one once: packing it would cost as much again.
        self.packed = f.y_step[1] != 1 or self.tiles > 4
        empty = 0 in (*f.batch, f.rows, f.columns)
        self.items = 0 if empty else math.prod(f.batch) * self.panels * self.tiles
        self.shape = sizes(unit.node.shape)
        # Where an element of the result is, in the space of the product's shape:
        batch = math.prod(f.batch)
        self.z_batch = row_major((*f.batch, f.rows * f.columns))[:-1] if batch else ()


class Clear:
    """An empty sum is 0, and what follows is computed from that."""

    def __init__(self, plan: _Plan, context: KernelContext) -> None:
        self.plan, self.context = plan, context

    def run(self) -> None:
        """All elements the items hold, one at a time: nobody needs this fast."""
        plan, b = self.plan, self.context.builder
        after = Epilogue(plan.unit, self.context, 1)
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

    def __init__(self, plan: _Plan, context: KernelContext) -> None:
        self.plan, self.context, self.b = plan, context, context.builder
        self.epilogue = Epilogue(
            plan.unit, context, plan.lanes, vector_axis(plan.unit.node, plan.f)
        )
        f = plan.f
        self.x = context.typed(f.x.base, plan.dtype, f.x.offset)
        self.y = context.typed(f.y.base, plan.dtype, f.y.offset)
        self.direct = self.epilogue.trivial
        is_live_out = self.direct or plan.unit.is_live_out(plan.unit.node)
        self.z = context.typed(plan.unit.node, plan.dtype) if is_live_out else None
        padded = plan.width
        self.panel = self._area(min(f.depth, DEPTH) * padded) if plan.packed else None
        self.scratch = None
        if not self.direct:
            self.scratch = self._area((plan.cut[2] + 1) * padded + plan.lanes)
        self.far = self.direct and is_far(plan.unit, context.views)
        self.flat = plan.panels == 1 and self.epilogue.flat(f)
        self.pitch = f.columns if self.flat else plan.width  # of the scratch

    def _area(self, count: int) -> Any:
        element = scalar_type(self.plan.dtype)
        return self.b.bitcast(self.context.stack(self.plan.dtype, count), element.as_pointer())

    def run(self) -> None:
        """Panel after panel, of each the tiles that are asked for."""
        b, plan = self.b, self.plan
        tiles = integer(plan.tiles)
        last = b.sdiv(b.add(self.context.end, integer(plan.tiles - 1)), tiles)
        with loop(b, b.sdiv(self.context.begin, tiles), last) as group:
            start = b.mul(group, tiles)
            low = b.sub(self.context.begin, start)
            low = b.select(b.icmp_signed("<", low, integer(0)), integer(0), low)
            high = self.context.smaller(b.sub(self.context.end, start), tiles)
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
        """`DEPTH` terms of the tiles low to high in the panel of `width` columns."""
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
            row, tall = tile_rows(b, number, plan.cut)
            at_left = b.gep(left, [b.mul(row, integer(f.x_step[0]))])
            at_z = self.scratch
            if z is not None:
                at_z = b.gep(z, [b.add(b.mul(row, integer(f.columns)), column)])
            new, new_step = (self.scratch, self.pitch) if to_scratch else (at_z, f.columns)

            def one(rows: int) -> None:
                tile = Tile(
                    plan.dtype, tuple(each * f.x_step[0] for each in range(rows)), vectors_across,
                    plan.lanes, width - (vectors_across - 1) * plan.lanes,
                    ((None, f.x_step[1], vectors_across * plan.lanes if plan.packed else down),),
                    plan.packed, to_scratch, adds=start > 0, far=self.far,
                ).emitted(b.module)  # fmt: skip
                b.call(tile, [
                    at_left, right, at_z, integer(f.columns), new, integer(new_step),
                    integer(terms), ir.Constant(ir.IntType(1), int(start == 0)),
                ])  # fmt: skip

            matrix = (f, self.batch)
            if to_scratch:
                self.epilogue.fetch(matrix, (row, column), (tall, width))
            by_height(b, number, plan.cut, one)
            if to_scratch and self.flat:
                self.epilogue.rows(self.scratch, matrix, row, tall)
            elif to_scratch:
                self.epilogue.tile(self.scratch, plan.width, matrix, (row, column), (tall, width))
