"""Split-k products: products of few rows and many terms, whose terms are summed in parallel parts.

An example is a batch times a weight. An item is some contiguous rows of the weight, as in the
weight's update, so a thread finds in its own cache the rows that it wrote. A second kernel adds the
parts' sums in order. The number of parts depends on sizes alone.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from typing import Any

from llvmlite import ir

from .....dtypes import DType
from .....graph.node import Node
from .....graph.operation import Operation
from .....graph.state.records import dataclass
from ...llvm.caches import LINE
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import (
    either,
    integer,
    loop,
    prefetch,
    read,
    splat,
    unravelled,
    vectors,
    write,
)
from ...llvm.target import host
from ...llvm.values import Value
from ..formula import dtype_of
from ..kernel import Continuation, Fused, Kernel
from ..reducers import read_parts
from .blocking import fits_near, near_sums
from .epilogue import Epilogue
from .microkernel import Tile, by_height, heights, shape_for, tile_rows
from .packing import pack_rows
from .problem import GemmProblem, matrix_indices, vector_axis
from .small import DEPTH, Product

_SHARE = 3  # size of the right operand at least, in multiples of all parts' sums
_THIN = 4  # rows at most of a thin product, whose vectors run along the weight's rows
_DEEP = 512  # terms at least of a split product that isn't thin
_PART = 1 << 16  # bytes at least of a part of the right operand
_SUMS = 1 << 20  # bytes at most of all parts' sums
_MOST = 32  # parts at most
_TERMS = 96  # terms at least of a part; a quarter of it for a thin product
_AHEAD = 512  # bytes by which a thin product prefetches in rows that are too long to stay cached
_BLOCK = 256  # sums of a row in an item of AddProducts


def parts_of(f: GemmProblem, itemsize: int) -> int:
    """The number of parts of the terms; 1 if splitting would gain nothing."""
    if f.swapped or math.prod(f.batch) != 1 or f.y_step[1] != 1 or f.rows * f.columns == 0:
        return 1
    if f.depth * f.columns * itemsize < 2 * _PART or (f.rows > _THIN and f.depth < _DEEP):
        return 1
    most = min(
        _MOST,
        f.depth * f.columns * itemsize // _PART,
        f.depth // (_TERMS // 4 if f.rows <= _THIN else _TERMS),
        _SUMS // (f.rows * f.columns * itemsize),
        f.depth // (_SHARE * f.rows),
    )
    least = -(-f.depth // DEPTH)
    even = most - most % 2
    return even if even >= max(least, 2) else 1


@dataclass(frozen=True, eq=False)
class SplitProduct(Product):
    """The parts' sums of a product. `AddProducts` completes it and computes its epilogue."""

    label, description = "SplitProduct", "matrix product, terms in parts"

    plan: SplitPlan

    @classmethod
    def of(cls, fused: Fused, f: GemmProblem) -> SplitProduct:
        """The kernel of these nodes."""
        return cls(fused, f, SplitPlan.of(fused.first, f))

    @property
    def computed(self) -> tuple[Operation, ...]:
        return self.nodes[:1]

    @property
    def live_out(self) -> tuple[Operation, ...]:
        return ()

    @property
    def items(self) -> int:
        """The panels of all parts."""
        return self.plan.parts * self.plan.panels

    @property
    def workspace(self) -> int:
        """Bytes of the parts' sums."""
        return self.plan.parts * self.plan.count * self.plan.dtype.itemsize

    def continuation(self) -> Kernel:
        return AddProducts(self.fused, self)

    @property
    def cost(self) -> float:
        """The time of the arithmetic, or of reading the right operand."""
        return max(0.008 * self.f.work, 0.04 * self.f.depth * self.f.columns)

    def emit(self, context: KernelContext) -> None:
        _Emitter(self, context).run()


@dataclass(frozen=True, eq=False)
class SplitPlan:
    """The parts of one product, and its tiles."""

    f: GemmProblem
    dtype: DType
    parts: int
    terms: int  # of a part
    lanes: int
    thin: bool  # whether the sums of few rows stay in the first-level cache, not in registers
    packed: bool
    width: int  # columns of a panel
    panels: int
    rest: int  # columns of the last panel
    division: tuple[int, int, int]  # the division of the rows into tiles, see `heights`
    tiles: int
    count: int  # sums of a part

    @classmethod
    def of(cls, node: Operation, f: GemmProblem) -> SplitPlan:
        """The parts of a node."""
        dtype = dtype_of(node)
        terms = -(-f.depth // parts_of(f, dtype.itemsize))
        lanes = min(host().lanes(dtype.itemsize), 1 << (f.columns - 1).bit_length())
        tall, wide = shape_for(f.rows, f.columns, lanes)
        few = f.rows <= _THIN
        # Sums stay in registers if a tile is as wide as the result, else in the first-level cache.
        thin = few and f.columns > wide * lanes
        width = _thin_width(f, dtype.itemsize) if thin else wide * lanes
        panels = -(-f.columns // width)
        division = heights(f.rows, tall)
        return cls(
            f, dtype, -(-f.depth // terms), terms, lanes, thin, not few, width, panels,
            f.columns - (panels - 1) * width, division, sum(division[:2]), f.rows * f.columns,
        )  # fmt: skip


class _Emitter:
    """Emits the loops over parts and panels."""

    def __init__(self, kernel: SplitProduct, context: KernelContext) -> None:
        self.plan, self.context, self.b = kernel.plan, context, context.builder
        plan, f = kernel.plan, kernel.f
        self.x = context.typed(f.x.base, plan.dtype, f.x.offset)
        self.y = context.typed(f.y.base, plan.dtype, f.y.offset)
        self.sums = context.typed(kernel, plan.dtype)
        self.panel = None
        if plan.packed:
            self.panel = context.array(plan.dtype, plan.terms * plan.width)

    def run(self) -> None:
        """Emits the loop over parts and panels."""
        b, plan, f = self.b, self.plan, self.plan.f
        with loop(b, self.context.begin, self.context.end) as item:
            part, panel = unravelled(b, item, (plan.parts, plan.panels))
            first = b.mul(part, integer(plan.terms))
            terms = self.context.smaller(b.sub(integer(f.depth), first), integer(plan.terms))
            column = b.mul(panel, integer(plan.width))
            x = b.gep(self.x, [b.mul(first, integer(f.x_step[1]))])
            y = b.gep(self.y, [b.add(b.mul(first, integer(f.y_step[0])), column)])
            z = b.gep(self.sums, [b.add(b.mul(part, integer(plan.count)), column)])
            emit = self._thin if plan.thin else self._tiles

            def one(width: int) -> None:
                emit(x, y, z, terms, width)

            either(b, panel, plan.panels, plan.rest, plan.width, one)

    def _tiles(self, x: Any, y: Any, z: Any, terms: Any, width: int) -> None:
        """Emits a panel's tiles; the panel is packed if it has several."""
        b, plan, f = self.b, self.plan, self.plan.f
        right, right_step = y, f.y_step[0]
        if plan.packed:
            size = (terms, width)
            pack_rows(b, plan.dtype, y, f.y_step, self.panel, size, plan.lanes, plan.width)
            right, right_step = self.panel, plan.width
        vectors_across = -(-width // plan.lanes)
        pitch = integer(f.columns)
        with loop(b, integer(0), integer(plan.tiles)) as number:
            row, _ = tile_rows(b, number, plan.division)
            left = b.gep(x, [b.mul(row, integer(f.x_step[0]))])
            at_z = b.gep(z, [b.mul(row, pitch)])

            def one(rows: int) -> None:
                tile = Tile(
                    plan.dtype, tuple(each * f.x_step[0] for each in range(rows)), vectors_across,
                    plan.lanes, width - (vectors_across - 1) * plan.lanes,
                    ((None, f.x_step[1], right_step),), plan.packed, False, adds=False,
                ).emitted(b.module)  # fmt: skip
                fresh = ir.Constant(ir.IntType(1), 1)
                b.call(tile, [left, right, at_z, pitch, at_z, pitch, terms, fresh])

            by_height(b, number, plan.division, one)

    def _thin(self, x: Any, y: Any, z: Any, terms: Any, width: int) -> None:
        """Emits a thin product: adds several rows of the right operand at a time to the sums, which
        stay in the first-level cache; each number is read once."""
        b, plan, f = self.b, self.plan, self.plan.f
        together = _together(f.rows)
        spans = _spans(width, _line(plan, width))
        for row, (start, end, lanes) in itertools.product(range(f.rows), spans):
            at = b.gep(z, [integer(row * f.columns + start)])
            zero = Value(b, None, plan.dtype, lanes).number(0)
            vectors(
                b, end - start, lanes,
                lambda index, active, at=at, zero=zero: write(b, at, zero, index, 1, active),
            )  # fmt: skip
        groups = b.sdiv(terms, integer(together))
        with loop(b, integer(0), groups) as group:
            first = b.mul(group, integer(together))
            self._added((x, y, z), first, (together, width), spans)
        with loop(b, b.mul(groups, integer(together)), terms) as term:
            self._added((x, y, z), term, (1, width), spans)

    def _added(
        self, pointers: tuple[Any, Any, Any], first: Any, size: tuple[int, int],
        spans: list[tuple[int, int, int]],
    ) -> None:  # fmt: skip
        """Emits the addition of some rows of the right operand to the sums."""
        b, plan, f = self.b, self.plan, self.plan.f
        (x, y, z), (together, width) = pointers, size
        x = b.gep(x, [b.mul(first, integer(f.x_step[1]))])
        y = b.gep(y, [b.mul(first, integer(f.y_step[0]))])
        # How far to prefetch: the rows that are added next, or the same ones further on.
        near = fits_near(2 * together * width * plan.dtype.itemsize)
        ahead = together * f.y_step[0] if near else _AHEAD // plan.dtype.itemsize
        for start, end, lanes in spans:
            at = [b.gep(pointer, [integer(start)]) for pointer in (y, z)]
            self._span((x, *at), (together, end - start, lanes), ahead)

    def _span(self, pointers: tuple[Any, Any, Any], size: tuple[int, int, int], ahead: int) -> None:
        """Emits the addition of some columns of `_added`, in vectors of the same length."""
        b, plan, f = self.b, self.plan, self.plan.f
        (x, y, z), (together, width, lanes) = pointers, size
        numbers = [
            [
                Value(b, self._spread(b.gep(x, [integer(place)]), lanes), plan.dtype, lanes)
                for place in (row * f.x_step[0] + t * f.x_step[1] for t in range(together))
            ]
            for row in range(f.rows)
        ]

        def body(index: Any, active: int) -> None:
            columns: list[Value] = []
            for term in range(together):
                start = b.gep(y, [integer(term * f.y_step[0])])
                columns.append(read(b, start, plan.dtype, index, lanes, 1, active))
                prefetch(b, b.gep(start, [b.add(index, integer(ahead))]))
            for row, each in enumerate(numbers):
                at = b.gep(z, [integer(row * f.columns)])
                total = read(b, at, plan.dtype, index, lanes, 1, active)
                for one, column in zip(each, columns, strict=True):
                    total = one.fused(column, total)
                write(b, at, total, index, 1, active)

        vectors(b, width, lanes, body)

    def _spread(self, pointer: Any, lanes: int) -> Any:
        one = self.b.load(pointer)
        return splat(self.b, one, lanes) if lanes > 1 else one


def _thin_width(f: GemmProblem, itemsize: int) -> int:
    """The columns of a thin product's panels: all, or parts of whole cache lines as equal as
    possible. A last panel of a few columns would read every row again."""
    line = LINE // itemsize
    most = max(near_sums() // (f.rows * itemsize) // line, 1) * line
    if f.columns <= most:
        return f.columns
    each = -(-f.columns // -(-f.columns // most))
    return -(-each // line) * line


def _spans(width: int, lanes: int) -> list[tuple[int, int, int]]:
    """(first column, end, lanes) of the columns that a thin product adds in vectors of so many
    lanes: whole vectors, and a rest in ever shorter ones, since masks are slow without AVX-512."""
    if host().vector_bytes == 64 and host().family == "x86":
        return [(0, width, lanes)]
    spans: list[tuple[int, int, int]] = []
    start = 0
    while start < width:
        end = start + (width - start) // lanes * lanes
        if end > start:
            spans.append((start, end, lanes))
        start, lanes = end, lanes // 2
    return spans


def _line(plan: SplitPlan, width: int) -> int:
    """The numbers that a thin product adds at a time: where it is at most two vectors, a cache
    line, which is then prefetched once."""
    line = min(LINE // plan.dtype.itemsize, 2 * plan.lanes)
    return line if width >= line else plan.lanes


def _together(rows: int) -> int:
    """The rows of the right operand that a thin product adds to its sums at a time."""
    return max(host().registers // 2 // rows // 2, 2)


@dataclass(frozen=True, eq=False)
class AddProducts(Continuation):
    """Adds the sums of all parts of the terms in order, and computes the product's epilogue."""

    label, description = "AddProducts", "parts of a product added"

    before: SplitProduct

    @property
    def computed(self) -> tuple[Operation, ...]:
        return self.nodes[1:]

    def reads(self) -> tuple[Node, ...]:
        return self.fused.epilogue_operands

    @property
    def items(self) -> int:
        """The blocks of a row's sums."""
        return self.before.f.rows * -(-self.before.f.columns // _BLOCK)

    @property
    def cost(self) -> float:
        return 0.02 * self.before.workspace

    def emit(self, context: KernelContext) -> None:
        b, plan, node = context.builder, self.before.plan, self.fused.first
        f = plan.f
        work = context.pointer(self.before)
        axis = vector_axis(node, f)
        epilogue = Epilogue(self.fused, context, plan.lanes, axis, f.space)
        blocks = -(-f.columns // _BLOCK)
        with loop(b, context.begin, context.end) as item:
            row, block = unravelled(b, item, (f.rows, blocks))
            first = b.mul(block, integer(_BLOCK))
            start = b.add(b.mul(row, integer(f.columns)), first)

            def one(index: Any, active: int) -> None:
                place = b.add(start, index)
                each = plan.parts, plan.count
                parts = read_parts(b, work, plan.dtype, place, each, plan.lanes, active)
                at = matrix_indices(node, f, row, b.add(first, index))
                batch = [integer(0)] * len(f.batch)
                epilogue.elements([*batch, *at], functools.reduce(operator.add, parts), active)

            def some(count: int) -> None:
                vectors(b, count, plan.lanes, one)

            either(b, block, blocks, f.columns - (blocks - 1) * _BLOCK, _BLOCK, some)
