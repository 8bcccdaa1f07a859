"""The innermost part of a product: a tile of the result held in registers while terms are added.

A tile is as many rows and vectors of columns as the CPU has registers for (Goto & van de Geijn,
"Anatomy of high-performance matrix multiplication", 2008). For each term a few vectors of the right
operand are read, and for each row one number of the left one is spread over a vector: so the tile
does not care how the left operand lies in memory, and a convolution is a product whose rows are
windows of an image. Every element is summed in the same order whatever its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from ...dtypes import DType
from .loops import declared, integer, kind_of, loop, mask_of, splat
from .target import host
from .values import Value, constant, scalar_type

BIT = ir.IntType(1)


@dataclass(frozen=True)
class Tile:
    """What a tile function is generated from: all that is fixed."""

    dtype: DType
    rows: tuple[int, ...]  # where each row of the left operand begins
    vectors: int  # across
    lanes: int
    active: int  # columns in the last vector that there are
    terms: tuple[tuple[int | None, int, int], ...]  # loops, the outermost first:
    # (how many, step of the left operand, step of the right one); None: given at run time
    padded: bool  # whether whole vectors of the right operand can be read
    old_step: int  # from row to row of the sums so far
    new_step: int  # from row to row of the result
    new_padded: bool  # whether whole vectors of the result can be written

    def emitted(self, module: ir.Module) -> ir.Function:
        """The module's function (left, right, old sums, new sums, outermost count, whether the sums
        start from 0)."""
        made: dict[Tile, ir.Function] = module.__dict__.setdefault("tiles", {})
        if self not in made:
            made[self] = _Emitter(self, module).function
        return made[self]


class _Emitter:
    """Generates one tile function."""

    def __init__(self, tile: Tile, module: ir.Module) -> None:
        self.tile = tile
        element = scalar_type(tile.dtype)
        pointer = element.as_pointer()
        kinds = [pointer, pointer, pointer, pointer, ir.IntType(64), BIT]
        function = ir.Function(
            module, ir.FunctionType(ir.VoidType(), kinds), module.get_unique_name("tile")
        )
        function.linkage = "internal"
        function.attributes.add("noinline")
        self.function = function
        self.element = element
        self.vector = ir.VectorType(element, tile.lanes) if tile.lanes > 1 else element
        self.builder: Any = ir.IRBuilder(function.append_basic_block("entry"))
        self._emit()

    def _emit(self) -> None:
        b, tile = self.builder, self.tile
        left, right, old, new, count, fresh = self.function.args
        slots = [
            [b.alloca(self.vector) for _ in range(tile.vectors)] for _ in range(len(tile.rows))
        ]
        zero = constant(tile.dtype, 0, tile.lanes)
        with b.if_else(fresh) as (then, otherwise):
            with then:
                for slot in (one for row in slots for one in row):
                    b.store(zero, slot)
            with otherwise:
                for row, some in enumerate(slots):
                    at = b.gep(old, [integer(row * tile.old_step)])
                    whole = tile.new_padded and tile.old_step == tile.new_step
                    for number, slot in enumerate(some):
                        b.store(self._read(at, number, whole), slot)
        self._loops(tile.terms, left, right, count, slots)
        for row, some in enumerate(slots):
            at = b.gep(new, [integer(row * tile.new_step)])
            for number, slot in enumerate(some):
                self._write(b.load(slot), at, number)
        b.ret_void()

    def _loops(self, terms: Any, left: Any, right: Any, count: Any, slots: Any) -> None:
        b = self.builder
        if not terms:
            self._term(left, right, slots)
            return
        many, left_step, right_step = terms[0]
        stop = count if many is None else integer(many)
        with loop(b, integer(0), stop) as index:
            at_left = b.gep(left, [b.mul(index, integer(left_step))])
            at_right = b.gep(right, [b.mul(index, integer(right_step))])
            self._loops(terms[1:], at_left, at_right, count, slots)

    def _term(self, left: Any, right: Any, slots: Any) -> None:
        b, tile = self.builder, self.tile
        columns = [self._read(right, number, tile.padded) for number in range(tile.vectors)]
        for offset, some in zip(tile.rows, slots, strict=True):
            one = b.load(b.gep(left, [integer(offset)]))
            many = splat(b, one, tile.lanes) if tile.lanes > 1 else one
            for column, slot in zip(columns, some, strict=True):
                one = Value(b, many, tile.dtype, tile.lanes)
                b.store(one.fused(one.like(column), one.like(b.load(slot))).code, slot)

    def _place(self, row: Any, number: int) -> Any:
        b = self.builder
        at = b.gep(row, [integer(number * self.tile.lanes)])
        return at if self.tile.lanes == 1 else b.bitcast(at, self.vector.as_pointer())

    def _partial(self, number: int) -> bool:
        return number == self.tile.vectors - 1 and self.tile.active < self.tile.lanes

    def _read(self, row: Any, number: int, whole: bool) -> Any:
        b, size = self.builder, self.tile.dtype.itemsize
        place = self._place(row, number)
        if whole or not self._partial(number):
            return b.load(place, align=size)
        mask = mask_of(self.tile.lanes, self.tile.active)
        load = declared(
            b.module, f"llvm.masked.load.{kind_of(self.vector)}.p0", self.vector,
            [place.type, ir.IntType(32), mask.type, self.vector],
        )  # fmt: skip
        align = ir.Constant(ir.IntType(32), size)
        return b.call(load, [place, align, mask, ir.Constant(self.vector, None)])

    def _write(self, value: Any, row: Any, number: int) -> None:
        b, size = self.builder, self.tile.dtype.itemsize
        place = self._place(row, number)
        if self.tile.new_padded or not self._partial(number):
            b.store(value, place, align=size)
            return
        mask = mask_of(self.tile.lanes, self.tile.active)
        store = declared(
            b.module, f"llvm.masked.store.{kind_of(self.vector)}.p0", ir.VoidType(),
            [self.vector, place.type, ir.IntType(32), mask.type],
        )  # fmt: skip
        b.call(store, [value, place, ir.Constant(ir.IntType(32), size), mask])


def shape_for(rows: int, columns: int, lanes: int) -> tuple[int, int]:
    """(rows, vectors of columns) of a tile for a result of this size: as many sums as there are
    registers, less those for the right operand's vectors and for what is spread. x86 with 32
    spreads a number as it reads it for a sum; others hold some of these in registers too."""
    across = -(-columns // lanes)
    if host().registers == 32:
        table = ((2, 8), (4, 6), (6, 4))
        tall, alone = 14 if host().family == "x86" else 12, 24
    else:
        table = ((1, 8), (2, 5), (3, 4), (4, 3))
        tall, alone = 6, 12
    for most, wide in table:
        if rows <= most:
            return most if rows == most else rows, min(wide, across)
    return (alone, 1) if across == 1 else (tall, 2)


def heights(rows: int, tall: int) -> tuple[int, int, int]:
    """Rows cut into tiles as equal as can be: (how many have one row more, how many haven't, the
    rows of those)."""
    count = -(-rows // tall)
    if count > 1 and count % 2:
        count += 1  # so that two threads have the same to do
    short, more = divmod(rows, count)
    return more, count - more, short
