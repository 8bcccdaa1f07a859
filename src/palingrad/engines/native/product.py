"""Matrix products, with what happens to each tile of the result while it is in the first cache."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from ...graph.node import Node
from ...graph.operation import Operation
from ...shapes import sizes
from .body import dtype_of, outside
from .frame import Frame
from .loop import Unit, compute
from .loops import (
    address,
    fetch,
    either,
    integer,
    loop,
    place_of,
    read,
    splatted,
    unravelled,
    vectors,
    write,
)
from .pack import pack_rows
from .target import host
from .tile import Tile, by_height, heights, shape_for, tile_rows
from .values import Value, scalar_type
from .views import View, broadcast, row_major

DEPTH = 1024  # terms summed in one go: the panel of the right operand stays in the second cache
_LARGE = 1 << 21  # products of more terms than this get both operands packed in blocks


@dataclass(frozen=True)
class Factors:
    """A product as matrices: batch axes, sizes, and where the operands' elements lie."""

    batch: tuple[int, ...]
    rows: int
    depth: int
    columns: int
    x: View
    y: View
    x_batch: tuple[int, ...]
    y_batch: tuple[int, ...]
    x_step: tuple[int, int]  # from row to row, from term to term
    y_step: tuple[int, int]  # from term to term, from column to column
    swapped: bool  # whether this is the transposed product, whose columns are the rows

    @property
    def work(self) -> int:
        """How many products are summed."""
        return math.prod(self.batch) * self.rows * self.depth * self.columns


def factors(node: Operation, views: dict[Node, View]) -> Factors:
    """The product's operands as matrices. A vector on the left is a row, on the right a column."""
    x, y = (views[one] for one in node.inputs)
    x = View(x.base, (1, *x.shape), (0, *x.strides), x.offset) if len(x.shape) == 1 else x
    y = View(y.base, (*y.shape, 1), (*y.strides, 0), y.offset) if len(y.shape) == 1 else y
    rows, depth, columns = x.shape[-2], x.shape[-1], y.shape[-1]
    batch = _batch(x.shape[:-2], y.shape[:-2])
    x_batch = broadcast(View(x.base, x.shape[:-2], x.strides[:-2]), batch).strides
    y_batch = broadcast(View(y.base, y.shape[:-2], y.strides[:-2]), batch).strides
    x_step, y_step = (x.strides[-2], x.strides[-1]), (y.strides[-2], y.strides[-1])
    swapped = columns == 1 and rows > 1 and x_step[0] == 1
    if swapped:  # (xy)ᵀ = yᵀxᵀ reads x along its rows
        x, y, x_batch, y_batch = y, x, y_batch, x_batch
        x_step, y_step = (0, y_step[0]), (x_step[1], x_step[0])
        rows, columns = 1, rows
    return Factors(batch, rows, depth, columns, x, y, x_batch, y_batch, x_step, y_step, swapped)


def _batch(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    long, short = (a, b) if len(a) >= len(b) else (b, a)
    padded = (1,) * (len(long) - len(short)) + short
    return tuple(max(one, other) if 0 not in (one, other) else 0
                 for one, other in zip(long, padded, strict=True))  # fmt: skip


def is_large(f: Factors) -> bool:
    """Whether packing both operands pays."""
    return min(f.rows, f.columns, f.depth) >= 48 and f.work >= _LARGE


def is_dot(f: Factors) -> bool:
    """Whether the result is best computed by summing along both operands' contiguous axis."""
    contiguous = f.x_step[1] == 1 and f.y_step[0] == 1
    turned = f.y_step[1] != 1 or f.columns == 1
    return contiguous and turned and f.depth > 1 and min(f.rows, f.columns) <= 2


def takes_epilogue(node: Operation, views: dict[Node, View]) -> bool:
    """Whether elementwise nodes can be computed tile by tile after the product."""
    return not is_dot(factors(node, views))


def vector_axis(node: Operation, f: Factors) -> int:
    """The axis of the node's shape that the matrix's columns are."""
    return -2 if f.swapped and node.inputs[1].ndim != 1 else -1


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
        return factors(self.node, views).depth > DEPTH

    def items(self, views: dict[Node, View]) -> int:
        """How many tiles there are."""
        return _Plan(self, views).items

    def emit(self, frame: Frame) -> None:
        """The code for tiles `frame.begin` to `frame.end`, panel after panel."""
        plan = _Plan(self, frame.views)
        if plan.f.depth == 0:
            Clear(plan, frame).run()
        else:
            _Emitter(plan, frame).run()


class _Plan:
    """The tiles of one product."""

    def __init__(self, unit: Product, views: dict[Node, View]) -> None:
        self.unit = unit
        self.f = f = factors(unit.node, views)
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

    def __init__(self, plan: _Plan, frame: Frame) -> None:
        self.plan, self.frame = plan, frame

    def run(self) -> None:
        """All elements the items hold, one at a time: nobody needs this fast."""
        plan, b = self.plan, self.frame.builder
        after = Epilogue(plan.unit, self.frame, 1)
        each = math.prod(plan.shape) // plan.items if plan.items else 0
        total = math.prod(plan.shape)
        stop = b.select(
            b.icmp_signed("==", self.frame.end, integer(plan.items)),
            integer(total),
            b.mul(self.frame.end, integer(each)),
        )
        with loop(b, b.mul(self.frame.begin, integer(each)), stop) as index:
            zero = Value(b, None, plan.dtype, 1).number(0)
            after.elements(unravelled(b, index, plan.shape), zero, 1)


def after(unit: Unit) -> list[Node]:
    """What the nodes after the first read from memory."""
    first = unit.nodes[0]
    return [x for x in outside(unit.nodes[1:], unit.inner) if x is not first]


class Epilogue:
    """What is computed from elements of a result, and where the kept values go."""

    def __init__(self, unit: Unit, frame: Frame, lanes: int, axis: int = -1) -> None:
        self.unit, self.frame, self.lanes = unit, frame, lanes
        self.axis = axis  # along which the vectors run
        self.first = unit.nodes[0]
        shape = sizes(self.first.shape)
        self.reads = {x: broadcast(frame.views[x], shape) for x in after(unit)}
        self.bases = {x: frame.pointer(view.base) for x, view in self.reads.items()}
        self.outs = {x: frame.pointer(frame.views[x].base) for x in unit.kept}

    @property
    def trivial(self) -> bool:
        """Whether the result alone is kept, as it is."""
        return len(self.unit.nodes) == 1

    def elements(self, indices: list[Any], value: Value, active: int) -> None:
        """The elements at `indices` and `lanes` neighbours on the axis."""
        b = self.frame.builder
        values: dict[Node, Value] = {self.first: value}
        for x, view in self.reads.items():
            place = place_of(b, indices, view.strides, integer(view.offset))
            step = view.strides[self.axis] if view.strides else 0
            one = read(b, self.bases[x], dtype_of(x), place, self.lanes, step, active)
            values[x] = one if one.lanes == self.lanes else splatted(one, self.lanes)
        compute(b, self.unit.nodes[1:], values, self.lanes, self.unit.inner)
        for x, base in self.outs.items():
            view = self.frame.views[x]
            place = place_of(b, indices, view.strides, integer(view.offset))
            step = view.strides[self.axis] if view.strides else 1
            write(b, base, values[x], place, step, active)

    def fetch(
        self, matrix: tuple[Factors, list[Any]], at: tuple[Any, Any], size: tuple[Any, int]
    ) -> None:
        """Have what the elements of a tile are computed with come to the first cache, meanwhile."""
        b = self.frame.builder
        f, batch = matrix
        found = {view.base: (self.bases[x], view) for x, view in self.reads.items()}
        for x, base in self.outs.items():
            found.setdefault(self.frame.views[x].base, (base, self.frame.views[x]))
        beside = [
            (base, view) for base, view in found.values()
            if view.strides and view.strides[self.axis] == 1
            and sum(step != 0 for step in view.strides) > 1
        ]  # fmt: skip
        if not beside:
            return
        with loop(b, integer(0), size[0]) as one:
            indices = [*batch, *matrix_indices(self.first, f, b.add(at[0], one), at[1])]
            for base, view in beside:
                place = place_of(b, indices, view.strides, integer(view.offset))
                dtype = dtype_of(view.base)
                for number in range(0, size[1], max(64 // dtype.itemsize, 1)):
                    fetch(b, address(b, base, dtype, b.add(place, integer(number))))

    def tile(
        self, scratch: Any, pitch: int, matrix: tuple[Factors, list[Any]], at: tuple[Any, Any],
        size: tuple[Any, int],
    ) -> None:  # fmt: skip
        """The elements of a tile that lies in the scratch, `pitch` from row to row: rows and
        columns of a matrix of a batch."""
        b = self.frame.builder
        f, batch = matrix
        tall, width = size
        with loop(b, integer(0), tall) as one:
            start = b.mul(one, integer(pitch))

            def body(index: Any, active: int) -> None:
                value = read(b, scratch, dtype_of(self.first), b.add(start, index), self.lanes, 1)
                row, column = b.add(at[0], one), b.add(at[1], index)
                place = matrix_indices(self.first, f, row, column)
                self.elements([*batch, *place], value, active)

            vectors(b, width, self.lanes, body)


class _Emitter:
    """The loops around the tiles of one product."""

    def __init__(self, plan: _Plan, frame: Frame) -> None:
        self.plan, self.frame, self.b = plan, frame, frame.builder
        self.epilogue = Epilogue(plan.unit, frame, plan.lanes, vector_axis(plan.unit.node, plan.f))
        f = plan.f
        self.x = frame.typed(f.x.base, plan.dtype, f.x.offset)
        self.y = frame.typed(f.y.base, plan.dtype, f.y.offset)
        self.direct = self.epilogue.trivial
        keeps = self.direct or plan.unit.keeps(plan.unit.node)
        self.z = frame.typed(plan.unit.node, plan.dtype) if keeps else None
        padded = plan.width
        self.panel = self._area(min(f.depth, DEPTH) * padded) if plan.packed else None
        self.scratch = None if self.direct else self._area((plan.cut[2] + 1) * padded)

    def _area(self, count: int) -> Any:
        element = scalar_type(self.plan.dtype)
        return self.b.bitcast(self.frame.stack(self.plan.dtype, count), element.as_pointer())

    def run(self) -> None:
        """Panel after panel, of each the tiles that are asked for."""
        b, plan = self.b, self.plan
        tiles = integer(plan.tiles)
        last = b.sdiv(b.add(self.frame.end, integer(plan.tiles - 1)), tiles)
        with loop(b, b.sdiv(self.frame.begin, tiles), last) as group:
            start = b.mul(group, tiles)
            low = b.sub(self.frame.begin, start)
            low = b.select(b.icmp_signed("<", low, integer(0)), integer(0), low)
            high = self.frame.smaller(b.sub(self.frame.end, start), tiles)
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
            new, new_step = (self.scratch, plan.width) if to_scratch else (at_z, f.columns)

            def one(rows: int) -> None:
                tile = Tile(
                    plan.dtype, tuple(each * f.x_step[0] for each in range(rows)), vectors_across,
                    plan.lanes, width - (vectors_across - 1) * plan.lanes,
                    ((None, f.x_step[1], vectors_across * plan.lanes if plan.packed else down),),
                    plan.packed, to_scratch, adds=start > 0,
                ).emitted(b.module)  # fmt: skip
                b.call(tile, [
                    at_left, right, at_z, integer(f.columns), new, integer(new_step),
                    integer(terms), ir.Constant(ir.IntType(1), int(start == 0)),
                ])  # fmt: skip

            matrix = (f, self.batch)
            if to_scratch:
                self.epilogue.fetch(matrix, (row, column), (tall, width))
            by_height(b, number, plan.cut, one)
            if to_scratch:
                self.epilogue.tile(self.scratch, plan.width, matrix, (row, column), (tall, width))


def matrix_indices(node: Operation, f: Factors, row: Any, column: Any) -> list[Any]:
    """Row and column of the matrix as indices of the node's last axes."""
    if f.swapped:
        row, column = column, row
    x, y = node.inputs
    return [*([] if x.ndim == 1 else [row]), *([] if y.ndim == 1 else [column])]
