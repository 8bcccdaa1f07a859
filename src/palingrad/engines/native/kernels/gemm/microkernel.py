"""The microkernel: the innermost loops of a product, with a tile of the result in registers.

A tile has as many rows and vectors of columns as the CPU has registers for (Goto & van de Geijn,
"Anatomy of high-performance matrix multiplication", 2008). For each term it loads a few vectors of
the right operand, and broadcasts one number of the left operand per row. So the left operand may
have any strides, and a convolution is a product whose rows are windows of an image. Every element
is summed in the same order, whatever its neighbours.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from llvmlite import ir

from .....dtypes import DType
from .....graph.state.records import dataclass
from ...llvm.builder import INT, Builder
from ...llvm.loops import integer, loop, prefetch, read, splat, write
from ...llvm.target import host
from ...llvm.values import Value, constant, scalar_type

BIT = ir.IntType(1)

_AHEAD = 16  # prefetch distance in the left operand, in terms
_NEXT = 8  # prefetch distance in an unpacked right operand, in terms


@dataclass(frozen=True)
class Tile:
    """The constants of a tile function."""

    dtype: DType
    rows: tuple[int, ...]  # the offset of each row of the left operand
    vectors: int  # vectors of columns
    lanes: int
    active: int  # active columns of the last vector
    # Loops over the terms, the outermost first: (count, stride of the left operand, stride of the
    # right one); a count of None is given at run time.
    terms: tuple[tuple[int | None, int, int], ...]
    padded: bool  # whether whole vectors of the right operand can be read
    new_padded: bool  # whether whole vectors of the result can be written
    adds: bool  # whether there can be earlier partial sums; otherwise the sums start from 0
    uncached: bool = False  # whether the result is in no cache and should be prefetched
    prefetches: bool = False  # whether each term prefetches a cache line for later tiles
    subtracts: bool = False  # whether the products are subtracted from earlier sums
    pitched: bool = False  # whether `rows` are multiples of a stride that is given at run time

    def emitted(self, module: ir.Module) -> ir.Function:
        """The module's function (left, right, old sums, their row stride, new sums, their row
        stride, outermost count, whether the sums start from 0; the first line to prefetch and the
        stride to the next, if it prefetches; the stride of the left operand's rows, if they are
        pitched)."""
        functions: dict[Tile, ir.Function] = module.__dict__.setdefault("tiles", {})
        full = self.active == self.lanes
        tile = replace(self, padded=self.padded or full, new_padded=self.new_padded or full)
        if tile.padded and tile.new_padded and not tile.adds:
            tile = replace(tile, active=tile.lanes)  # nothing else depends on it
        if tile not in functions:
            functions[tile] = _Emitter(tile, module).function
        return functions[tile]


class _Emitter:
    """Emits one tile function."""

    def __init__(self, tile: Tile, module: ir.Module) -> None:
        self.tile = tile
        element = scalar_type(tile.dtype)
        pointer = element.as_pointer()
        llvm_types = [pointer, pointer, pointer, INT, pointer, INT, INT, BIT]
        llvm_types += [pointer, INT] if tile.prefetches else []
        llvm_types += [INT] if tile.pitched else []
        function = ir.Function(
            module, ir.FunctionType(ir.VoidType(), llvm_types), module.get_unique_name("tile")
        )
        function.attributes.add("noinline")
        self.function = function
        self.vector = ir.VectorType(element, tile.lanes) if tile.lanes > 1 else element
        self.builder: Any = Builder(function.append_basic_block("entry"))
        self._emit()

    def _emit(self) -> None:
        b, tile = self.builder, self.tile
        left, right, old, old_step, new, new_step, count, fresh, *more = self.function.args
        self.line = more[:2] if tile.prefetches else []
        self.rows = [integer(offset) for offset in tile.rows]
        if tile.pitched:
            self.rows = [b.mul(more[-1], offset) for offset in self.rows]
        zero = constant(tile.dtype, 0, tile.lanes)
        if tile.adds:
            self._prefetch_rows(old, old_step)
        elif tile.uncached:
            self._prefetch_rows(new, new_step)
        sums = self._loops(tile.terms, left, right, count, [zero] * (len(tile.rows) * tile.vectors))
        if tile.adds:
            sums = self._added(old, old_step, sums, fresh)
        for number, total in enumerate(sums):
            row, vector = divmod(number, tile.vectors)
            if row and not vector:
                new = b.gep(new, [new_step])
            value = Value(b, total, tile.dtype, tile.lanes)
            active = self._active(vector, tile.new_padded)
            write(b, new, value, integer(vector * tile.lanes), 1, active)
        b.ret_void()

    def _prefetch_rows(self, sums: Any, step: Any) -> None:
        """Emits prefetches of the sums' memory, which arrives while terms are added."""
        b = self.builder
        for row in range(len(self.tile.rows)):
            sums = b.gep(sums, [step]) if row else sums
            for place in self._lines():
                prefetch(b, b.gep(sums, [integer(place)]), writing=True)

    def _lines(self) -> list[int]:
        """Columns that touch every cache line of a row, whatever its alignment: the first of each
        vector, and the last."""
        width = self.tile.vectors * self.tile.lanes
        return [*range(0, width, self.tile.lanes), width - 1]

    def _added(self, old: Any, step: Any, sums: list[Any], fresh: Any) -> list[Any]:
        """The sums, added to the old ones, or subtracted from them, unless they are `fresh`."""
        b, tile = self.builder, self.tile
        first = b.block
        reading, after = (b.function.append_basic_block(name) for name in ("reading", "sums"))
        b.cbranch(fresh, after, reading)
        b.position_at_end(reading)
        found: list[Any] = []
        for row in range(len(tile.rows)):
            old = b.gep(old, [step]) if row else old
            found += self._row(old, padded=False)
        combined = operator.sub if tile.subtracts else operator.add
        pairs = [
            combined(*(Value(b, part, tile.dtype, tile.lanes) for part in pair)).code
            for pair in zip(found, sums, strict=True)
        ]
        b.branch(after)
        b.position_at_end(after)
        both: list[Any] = []
        for one, pair in zip(sums, pairs, strict=True):
            both.append(b.phi(self.vector))
            both[-1].add_incoming(one, first)
            both[-1].add_incoming(pair, reading)
        return both

    def _loops(self, terms: Any, left: Any, right: Any, count: Any, sums: list[Any]) -> list[Any]:
        """Emits these loops; returns the sums after all their terms."""
        if not terms:
            return self._term(left, right, sums)
        b = self.builder
        many, left_step, right_step = terms[0]
        stop = count if many is None else integer(many)
        before = b.block
        with loop(b, integer(0), stop) as index:
            here = index.parent  # the block of the loop's phi nodes
            with b.goto_block(here):
                b.position_after(index)
                sums = [_loop_carried(b, self.vector, one, before) for one in sums]
            at_left = b.gep(left, [b.mul(index, integer(left_step))])
            at_right = b.gep(right, [b.mul(index, integer(right_step))])
            if self.line:
                first, step = self.line
                prefetch(b, b.gep(first, [b.mul(index, step)]), near=False)
            following = self._loops(terms[1:], at_left, at_right, count, sums)
            for one, new in zip(sums, following, strict=True):
                one.add_incoming(new, b.block)
        return sums

    def _term(self, left: Any, right: Any, sums: list[Any]) -> list[Any]:
        b, tile = self.builder, self.tile
        columns = self._row(right, tile.padded)
        adjacent = not tile.pitched and tile.rows == tuple(range(len(tile.rows)))
        if len(tile.terms) == 1 and adjacent:
            prefetch(b, b.gep(left, [integer(_AHEAD * tile.terms[0][1])]))
        step = tile.terms[-1][2]
        if len(tile.terms) == 1 and step > tile.vectors * tile.lanes:  # an unpacked right operand
            for place in self._lines():
                prefetch(b, b.gep(right, [integer(_NEXT * step + place)]))
        found: list[Any] = []
        for row, offset in enumerate(self.rows):
            one = b.load(b.gep(left, [offset]))
            many = splat(b, one, tile.lanes) if tile.lanes > 1 else one
            factor = Value(b, many, tile.dtype, tile.lanes)
            for column, so_far in zip(columns, sums[row * tile.vectors :]):
                found.append(factor.fused(factor.like(column), factor.like(so_far)).code)
        return found

    def _row(self, start: Any, padded: bool) -> list[Any]:
        """The vectors of a row of the right operand or of the result."""
        b, tile = self.builder, self.tile
        return [
            read(
                b, start, tile.dtype, integer(number * tile.lanes), tile.lanes, 1,
                self._active(number, padded),
            ).code
            for number in range(tile.vectors)
        ]  # fmt: skip

    def _active(self, number: int, padded: bool) -> int:
        """The number of active elements of a row's vector."""
        last = number == self.tile.vectors - 1
        return self.tile.active if last and not padded else self.tile.lanes


def _loop_carried(b: Any, llvm_type: Any, start: Any, before: Any) -> Any:
    """A phi node: a value that each iteration of a loop passes to the next."""
    value = b.phi(llvm_type)
    value.add_incoming(start, before)
    return value


def shape_for(rows: int, columns: int, lanes: int) -> tuple[int, int]:
    """(rows, vectors of columns) of a tile for a result of this size: as many sums as there are
    registers, less those for the right operand's vectors and for broadcast numbers. x86 with 32
    registers broadcasts from memory within the multiplication; other CPUs need registers for it."""
    across = -(-columns // lanes)
    if host().registers == 32:
        table = ((2, 8), (4, 6), (6, 4))
        tall, alone = 12, 24
        if host().family == "x86":
            table, tall = (*table, (9, 3)), 14
    else:
        table = ((1, 8), (2, 5), (3, 4), (4, 3))
        tall, alone = 6, 12
    for most, wide in table:
        if rows <= most:
            return rows, min(wide, across)
    return (alone, 1) if across == 1 else (tall, 2)


def heights(rows: int, tall: int) -> tuple[int, int, int]:
    """The division of rows into tiles as equal as possible: (a, b, h) for a tiles of h + 1 rows and
    b tiles of h rows."""
    count = -(-rows // tall)
    if count > 1 and count % 2:
        count += 1  # an even number, for two threads
    short, more = divmod(rows, count)
    return more, count - more, short


def tile_rows(b: Any, number: Any, division: tuple[int, int, int]) -> tuple[Any, Any]:
    """(the first row, the number of rows) of a tile; the tiles with one row more come first."""
    more, _, short = division
    above = b.select(b.icmp_signed("<", number, integer(more)), number, integer(more))
    row = b.add(b.mul(number, integer(short)), above)
    taller = b.icmp_signed("<", number, integer(more))
    return row, b.select(taller, integer(short + 1), integer(short))


def by_height(
    b: Any, number: Any, division: tuple[int, int, int], emit: Callable[[int], Any]
) -> None:
    """Emits `emit(rows)` for both heights of tiles, and a branch to the height of tile `number`."""
    more, others, short = division
    if not (more and others):
        emit(short + 1 if more else short)
        return
    with b.if_else(b.icmp_signed("<", number, integer(more))) as (then, otherwise):
        with then:
            emit(short + 1)
        with otherwise:
            emit(short)
