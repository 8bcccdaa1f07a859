"""Matrix products: tiles of the result held in registers, the right operand packed in panels.

A tile is as many rows and vectors of columns as the CPU has registers for (Goto & van de Geijn,
"Anatomy of high-performance matrix multiplication", 2008). Sizes and strides are constants in the
generated code; every element of the result is summed in the same order whatever its neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from ...dtypes import DType
from ...graph.node import Node
from ...graph.operation import Operation
from ...shapes import sizes
from .loops import address, integer, loop, nest, splat
from .target import host
from .values import scalar_type
from .views import View, broadcast, row_major

DEPTH = 256  # terms of a sum that one panel holds: with its columns it stays in the first cache


@dataclass(frozen=True)
class Product:
    """One matrix product, of any strides, with batch axes."""

    node: Operation

    def emit(self, builder: Any, pointer: Any, views: dict[Node, View]) -> None:
        """The product's code. `pointer(node)` gives the start of a node's buffer."""
        x, y = (views[one] for one in self.node.inputs)
        x = View(x.base, (1, *x.shape), (0, *x.strides), x.offset) if len(x.shape) == 1 else x
        y = View(y.base, (*y.shape, 1), (*y.strides, 0), y.offset) if len(y.shape) == 1 else y
        rows, depth, columns = x.shape[-2], x.shape[-1], y.shape[-1]
        shape = sizes(self.node.shape)
        if 0 in shape:
            return
        batch = _batch(x.shape[:-2], y.shape[:-2])
        strides = [
            broadcast(View(x.base, x.shape[:-2], x.strides[:-2]), batch).strides,
            broadcast(View(y.base, y.shape[:-2], y.strides[:-2]), batch).strides,
            tuple(step * rows * columns for step in row_major(batch)),
        ]
        dtype: Any = self.node.dtype
        bases = [pointer(x.base), pointer(y.base), pointer(self.node)]
        plan = _Plan(builder, dtype, rows, depth, columns, x.strides[-2:], y.strides[-2:])
        starts = [integer(x.offset), integer(y.offset), integer(0)]

        def one(places: list[Any]) -> None:
            there = [
                address(builder, base, dtype, place)
                for base, place in zip(bases, places, strict=True)
            ]
            plan.emit(*there)

        nest(builder, batch, strides, starts, one)


def _batch(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    long, short = (a, b) if len(a) >= len(b) else (b, a)
    padded = (1,) * (len(long) - len(short)) + short
    return tuple(max(one, other) if 0 not in (one, other) else 0
                 for one, other in zip(long, padded, strict=True))  # fmt: skip


class _Plan:
    """The loops around the tiles of one product."""

    def __init__(
        self, builder: Any, dtype: DType, rows: int, depth: int, columns: int,
        x_strides: tuple[int, ...], y_strides: tuple[int, ...],
    ) -> None:  # fmt: skip
        self.builder, self.dtype = builder, dtype
        self.rows, self.depth, self.columns = rows, depth, columns
        self.x_strides, self.y_strides = x_strides, y_strides
        self.lanes = host().lanes(dtype.itemsize)
        self.tall, self.wide = (14, 2) if host().registers == 32 else (6, 2)
        if columns <= self.lanes:
            self.tall, self.wide = (2 * self.tall - 2, 1) if host().registers == 32 else (12, 1)
        self.width = self.wide * self.lanes
        # A short left operand reads the right one once: packing it would cost as much again.
        self.packed = y_strides[1] != 1 or rows > 2 * self.tall
        self._tiles: dict[tuple[int, int], Any] = {}
        self.panel: Any = None

    def emit(self, x: Any, y: Any, z: Any) -> None:
        """All tiles of z = x y, panel by panel."""
        b = self.builder
        if self.packed:
            element = scalar_type(self.dtype)
            with b.goto_entry_block():
                area = b.alloca(ir.ArrayType(element, min(self.depth, DEPTH) * self.width))
                area.align = 64
            self.panel = b.bitcast(area, element.as_pointer())
        if self.depth == 0:
            self._clear(z)
            return
        whole = self.columns // self.width
        if whole:
            with loop(b, integer(0), integer(whole)) as number:
                self._panels(x, y, z, b.mul(number, integer(self.width)), self.width)
        rest = self.columns - whole * self.width
        if rest:
            self._panels(x, y, z, integer(whole * self.width), rest)

    def _clear(self, z: Any) -> None:
        zero = ir.Constant(scalar_type(self.dtype), 0.0)
        with loop(self.builder, integer(0), integer(self.rows * self.columns)) as place:
            self.builder.store(zero, self.builder.gep(z, [place]))

    def _panels(self, x: Any, y: Any, z: Any, column: Any, width: int) -> None:
        """The columns from `column` on, in blocks of `DEPTH` terms."""
        for start in range(0, self.depth, DEPTH):
            terms = min(DEPTH, self.depth - start)
            self._block(x, y, z, column, width, start, terms)

    def _block(
        self, x: Any, y: Any, z: Any, column: Any, width: int, start: int, terms: int
    ) -> None:
        b = self.builder
        down, across = self.y_strides
        corner = b.add(b.mul(column, integer(across)), integer(start * down))
        right = b.gep(y, [corner])
        if self.packed:
            self._pack(right, width, terms)
            right = self.panel
        left = b.gep(x, [integer(start * self.x_strides[1])])
        count = math.ceil(self.rows / self.tall)
        short, more = divmod(self.rows, count)  # `more` tiles have one row more
        first = 0
        for tiles, tall in ((more, short + 1), (count - more, short)):
            if not tiles:
                continue
            tile = self._tile(tall, width)
            with loop(b, integer(0), integer(tiles)) as number:
                row = b.add(b.mul(number, integer(tall)), integer(first))
                at_left = b.gep(left, [b.mul(row, integer(self.x_strides[0]))])
                at_z = b.gep(z, [b.add(b.mul(row, integer(self.columns)), column)])
                fresh = ir.Constant(ir.IntType(1), start == 0)
                b.call(tile, [at_left, right, at_z, integer(terms), fresh])
            first += tiles * tall

    def _pack(self, right: Any, width: int, terms: int) -> None:
        """`terms` rows of the panel, each padded with zeros to whole vectors."""
        b = self.builder
        down, across = self.y_strides
        padded = math.ceil(width / self.lanes) * self.lanes
        zero = ir.Constant(scalar_type(self.dtype), 0.0)
        with loop(b, integer(0), integer(terms)) as term:
            source = b.gep(right, [b.mul(term, integer(down))])
            to = b.gep(self.panel, [b.mul(term, integer(padded))])
            whole = width // self.lanes if across == 1 else 0
            vector = ir.VectorType(scalar_type(self.dtype), self.lanes).as_pointer()
            for number in range(whole):
                at = [integer(number * self.lanes)]
                value = b.load(b.bitcast(b.gep(source, at), vector), align=self.dtype.itemsize)
                b.store(value, b.bitcast(b.gep(to, at), vector), align=self.dtype.itemsize)
            with loop(b, integer(whole * self.lanes), integer(width)) as lane:
                value = b.load(b.gep(source, [b.mul(lane, integer(across))]))
                b.store(value, b.gep(to, [lane]))
            for lane in range(width, padded):
                b.store(zero, b.gep(to, [integer(lane)]))

    def _tile(self, tall: int, width: int) -> Any:
        """The function that adds `terms` products to a tile of `tall` rows and `width` columns."""
        if (tall, width) not in self._tiles:
            self._tiles[tall, width] = self._made_tile(tall, width)
        return self._tiles[tall, width]

    def _made_tile(self, tall: int, width: int) -> Any:
        element = scalar_type(self.dtype)
        pointer = element.as_pointer()
        signature = ir.FunctionType(
            ir.VoidType(), [pointer, pointer, pointer, ir.IntType(64), ir.IntType(1)]
        )
        module = self.builder.module
        tile = ir.Function(module, signature, module.get_unique_name("tile"))
        tile.linkage = "internal"
        tile.attributes.add("noinline")
        left, right, z, terms, fresh = tile.args
        for argument in (left, right, z):
            argument.add_attribute("noalias")
        b = ir.IRBuilder(tile.append_basic_block("entry"))
        vectors = math.ceil(width / self.lanes)
        corner = _Corner(b, self.dtype, self.lanes, width, vectors)
        step = vectors * self.lanes if self.packed else self.y_strides[0]
        zero = ir.Constant(ir.VectorType(element, self.lanes), None)
        start, onward = b.append_basic_block("load"), b.append_basic_block("sum")
        entry = b.block
        b.cbranch(fresh, onward, start)
        b.position_at_end(start)
        before = [
            corner.read(b.gep(z, [integer(row * self.columns)]), number)
            for row in range(tall)
            for number in range(vectors)
        ]
        b.branch(onward)
        b.position_at_end(onward)
        totals = [b.phi(corner.vector) for _ in before]
        for total, old in zip(totals, before, strict=True):
            total.add_incoming(zero, entry)
            total.add_incoming(old, start)
        body, done = b.append_basic_block("body"), b.append_basic_block("done")
        b.branch(body)
        b.position_at_end(body)
        index = b.phi(ir.IntType(64))
        index.add_incoming(integer(0), onward)
        sums = [b.phi(corner.vector) for _ in totals]
        for running, total in zip(sums, totals, strict=True):
            running.add_incoming(total, onward)
        source = b.gep(right, [b.mul(index, integer(step))])
        columns = [corner.read(source, number, whole=self.packed) for number in range(vectors)]
        at = b.gep(left, [b.mul(index, integer(self.x_strides[1]))])
        new: list[Any] = []
        for row in range(tall):
            one = b.load(b.gep(at, [integer(row * self.x_strides[0])]))
            many = splat(b, one, self.lanes)
            for number in range(vectors):
                old = sums[row * vectors + number]
                new.append(b.call(corner.fma, [many, columns[number], old]))
        following = b.add(index, integer(1))
        index.add_incoming(following, b.block)
        for running, one in zip(sums, new, strict=True):
            running.add_incoming(one, b.block)
        b.cbranch(b.icmp_signed("<", following, terms), body, done)
        b.position_at_end(done)
        for row in range(tall):
            at_z = b.gep(z, [integer(row * self.columns)])
            for number in range(vectors):
                corner.write(new[row * vectors + number], at_z, number)
        b.ret_void()
        return tile


class _Corner:
    """Vectors of a row of `width` columns; the last may be partly outside and is masked."""

    def __init__(self, builder: Any, dtype: DType, lanes: int, width: int, vectors: int) -> None:
        self.builder, self.dtype, self.lanes, self.width = builder, dtype, lanes, width
        self.vector = ir.VectorType(scalar_type(dtype), lanes)
        self.last = vectors - 1
        self.partial = width % lanes
        kind = f"v{lanes}f{8 * dtype.itemsize}"
        ternary = ir.FunctionType(self.vector, [self.vector] * 3)
        self.fma = _declared(builder.module, f"llvm.fma.{kind}", ternary)
        self.kind = kind

    def read(self, row: Any, number: int, *, whole: bool = False) -> Any:
        """Vector `number` of a row; `whole` where memory reaches to its end."""
        b = self.builder
        place = b.bitcast(b.gep(row, [integer(number * self.lanes)]), self.vector.as_pointer())
        if whole or not self.partial or number < self.last:
            return b.load(place, align=self.dtype.itemsize)
        mask = self._mask()
        signature = ir.FunctionType(
            self.vector, [place.type, ir.IntType(32), mask.type, self.vector]
        )
        load = _declared(b.module, f"llvm.masked.load.{self.kind}.p0", signature)
        align = ir.Constant(ir.IntType(32), self.dtype.itemsize)
        return b.call(load, [place, align, mask, ir.Constant(self.vector, None)])

    def write(self, value: Any, row: Any, number: int) -> None:
        """`value` to vector `number` of a row."""
        b = self.builder
        place = b.bitcast(b.gep(row, [integer(number * self.lanes)]), self.vector.as_pointer())
        if not self.partial or number < self.last:
            b.store(value, place, align=self.dtype.itemsize)
            return
        mask = self._mask()
        signature = ir.FunctionType(
            ir.VoidType(), [self.vector, place.type, ir.IntType(32), mask.type]
        )
        store = _declared(b.module, f"llvm.masked.store.{self.kind}.p0", signature)
        b.call(store, [value, place, ir.Constant(ir.IntType(32), self.dtype.itemsize), mask])

    def _mask(self) -> Any:
        bit = ir.IntType(1)
        inside = [ir.Constant(bit, lane < self.partial) for lane in range(self.lanes)]
        return ir.Constant(ir.VectorType(bit, self.lanes), inside)


def _declared(module: Any, name: str, signature: Any) -> Any:
    found = module.globals.get(name)
    return ir.Function(module, signature, name) if found is None else found
