"""Large matrix products: both operands packed in blocks that fit the caches.

A first kernel packs the right operand, all of it, once for all threads. In the second each item is
a group of rows, of which a block of terms at a time is packed and multiplied with every panel (Goto
& van de Geijn 2008).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ...graph.node import Node
from .body import dtype_of
from .frame import Frame
from .loop import Unit
from .loops import integer, loop, place_of, unravelled
from .pack import pack_rows
from .product import Epilogue, Product, factors, vector_axis
from .target import host
from .tile import Tile, by_height, heights, placed
from .values import scalar_type
from .views import View

_DEPTH = 4096  # bytes of terms in a block: a panel of them stays in the second cache,
_ROWS = 56  # beside a block of about so many rows


class _Plan:
    """Sizes of blocks, for the product and for what packs its right operand."""

    def __init__(self, unit: Any, views: dict[Node, View]) -> None:
        self.unit = unit
        self.f = f = factors(unit.node, views)
        self.dtype = dtype_of(unit.node)
        self.lanes = host().lanes(self.dtype.itemsize)
        tall, self.wide = (14, 2) if host().registers == 32 else (6, 2)
        self.width = self.wide * self.lanes
        self.panels = -(-f.columns // self.width)
        self.rest = f.columns - (self.panels - 1) * self.width
        self.cut = heights(f.rows, tall)
        self.tiles = sum(self.cut[:2])
        self.depth = _DEPTH // self.dtype.itemsize
        groups = -(-self.tiles // -(-_ROWS // tall))
        self.groups = groups + (groups % 2 if groups > 1 or self.tiles > 1 else 0)
        self.batch = math.prod(f.batch)
        self.blocks = -(-f.depth // self.depth)


@dataclass(eq=False)
class PackRight(Unit):
    """The right operand of a large product as panels, each of all terms."""

    product: Any = None
    source: Any = None

    def reads(self) -> list[Node]:
        return [self.source]

    def workspace(self, views: dict[Node, View]) -> int:
        """Bytes for the panels."""
        plan = _Plan(self.product, views)
        copies = plan.batch if any(plan.f.y_batch) else 1
        return copies * plan.panels * plan.f.depth * plan.width * plan.dtype.itemsize

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread."""
        return 0.1 * self.workspace(views)

    def items(self, views: dict[Node, View]) -> int:
        """A block of terms of one panel each."""
        plan = _Plan(self.product, views)
        copies = plan.batch if any(plan.f.y_batch) else 1
        return copies * plan.panels * plan.blocks

    def emit(self, frame: Frame) -> None:
        """The code for items `frame.begin` to `frame.end`."""
        b, plan = frame.builder, _Plan(self.product, frame.views)
        f = plan.f
        y = frame.typed(f.y.base, plan.dtype, f.y.offset)
        work = frame.typed(self, plan.dtype)
        batch = f.batch if any(f.y_batch) else ()
        with loop(b, frame.begin, frame.end) as item:
            *where, panel, block = unravelled(b, item, (*batch, plan.panels, plan.blocks))
            first = b.mul(block, integer(plan.depth))
            terms = frame.smaller(b.sub(integer(f.depth), first), integer(plan.depth))
            place = place_of(b, where, f.y_batch if batch else (), integer(0))
            place = b.add(place, b.mul(first, integer(f.y_step[0])))
            place = b.add(place, b.mul(panel, integer(plan.width * f.y_step[1])))
            whole = b.sdiv(item, integer(plan.blocks))
            start = b.mul(whole, integer(f.depth * plan.width))
            to = b.gep(work, [b.add(start, b.mul(first, integer(plan.width)))])
            source = b.gep(y, [place])

            def one(width: int, source: Any = source, to: Any = to, terms: Any = terms) -> None:
                pack_rows(
                    b, plan.dtype, source, f.y_step, to, (terms, width), plan.lanes, plan.width
                )

            if plan.rest == plan.width or plan.panels == 1:
                one(plan.rest)
            else:
                is_last = b.icmp_signed("==", panel, integer(plan.panels - 1))
                with b.if_else(is_last) as (then, otherwise):
                    with then:
                        one(plan.rest)
                    with otherwise:
                        one(plan.width)


@dataclass(eq=False)
class LargeProduct(Product):
    """A product of large matrices, and elementwise nodes of the same shape after it."""

    works: list[Any] = field(default_factory=list[Any])

    def before(self, views: dict[Node, View], shared: dict[Any, Any]) -> list[Any]:
        """The kernel that comes before."""
        f = factors(self.node, views)
        self.works = [PackRight(product=self, source=self.node.inputs[0 if f.swapped else 1])]
        return self.works

    def needs_buffer(self, views: dict[Node, View]) -> bool:
        return _Plan(self, views).blocks > 1

    def items(self, views: dict[Node, View]) -> int:
        """How many groups of rows there are."""
        plan = _Plan(self, views)
        return plan.batch * plan.groups

    def emit(self, frame: Frame) -> None:
        """The code for groups `frame.begin` to `frame.end`."""
        _Emitter(_Plan(self, frame.views), frame).run()


class _Emitter:
    """The loops of one large product."""

    def __init__(self, plan: _Plan, frame: Frame) -> None:
        self.plan, self.frame, self.b = plan, frame, frame.builder
        unit, f = plan.unit, plan.f
        self.epilogue = Epilogue(unit, frame, plan.lanes, vector_axis(unit.node, f))
        self.direct = self.epilogue.trivial
        self.x = frame.typed(f.x.base, plan.dtype, f.x.offset)
        (packed,) = unit.works
        self.panels = frame.typed(packed, plan.dtype)
        keeps = self.direct or unit.keeps(unit.node)
        self.z = frame.typed(unit.node, plan.dtype) if keeps else None
        # One row more than is used: whole vectors are written, each over the end of the last.
        most = -(-plan.tiles // plan.groups) + 1
        depth = min(plan.depth, f.depth)
        tallest = plan.cut[2] + 1
        self.left = self._area(most * tallest * depth + 2 * plan.lanes)
        self.scratch = None if self.direct else self._area(tallest * plan.width)

    def _area(self, count: int) -> Any:
        element = scalar_type(self.plan.dtype)
        return self.b.bitcast(self.frame.stack(self.plan.dtype, count), element.as_pointer())

    def run(self) -> None:
        """Group after group."""
        b, plan, f = self.b, self.plan, self.plan.f
        with loop(b, self.frame.begin, self.frame.end) as item:
            *self.batch, group = unravelled(b, item, (*f.batch, plan.groups))
            x = b.gep(self.x, [place_of(b, self.batch, f.x_batch, integer(0))])
            number = b.sdiv(item, integer(plan.groups))
            copy = number if any(f.y_batch) else integer(0)
            panels = b.gep(self.panels, [b.mul(copy, integer(plan.panels * f.depth * plan.width))])
            z = None
            if self.z is not None:
                z = b.gep(self.z, [b.mul(number, integer(f.rows * f.columns))])
            low = b.sdiv(b.mul(group, integer(plan.tiles)), integer(plan.groups))
            following = b.add(group, integer(1))
            high = b.sdiv(b.mul(following, integer(plan.tiles)), integer(plan.groups))
            if plan.blocks > 1:
                with loop(b, integer(0), integer(plan.blocks - 1)) as block:
                    self._block(x, panels, z, block, plan.depth, (low, high), final=False)
            last = integer(plan.blocks - 1)
            terms = f.depth - (plan.blocks - 1) * plan.depth
            self._block(x, panels, z, last, terms, (low, high), final=True)

    def _block(
        self, x: Any, panels: Any, z: Any, block: Any, terms: int, tiles: Any, *, final: bool
    ) -> None:
        b, plan, f = self.b, self.plan, self.plan.f
        low, high = tiles
        first = b.mul(block, integer(plan.depth))
        source = b.gep(x, [b.mul(first, integer(f.x_step[1]))])
        pitch = (plan.cut[2] + 1) * min(plan.depth, f.depth)
        with loop(b, low, high) as number:
            row, _ = placed(b, number, plan.cut)
            at = b.gep(source, [b.mul(row, integer(f.x_step[0]))])
            to = b.gep(self.left, [b.mul(b.sub(number, low), integer(pitch))])

            def pack(rows: int) -> None:
                step = (f.x_step[1], f.x_step[0])
                pack_rows(b, plan.dtype, at, step, to, (terms, rows), plan.lanes, rows)

            by_height(b, number, plan.cut, pack)
        with loop(b, integer(0), integer(plan.panels)) as panel:
            start = b.add(
                b.mul(panel, integer(f.depth * plan.width)), b.mul(first, integer(plan.width))
            )
            right = b.gep(panels, [start])

            def across(width: int) -> None:
                with loop(b, low, high) as number:
                    left = b.gep(self.left, [b.mul(b.sub(number, low), integer(pitch))])
                    column = b.mul(panel, integer(plan.width))
                    fresh = b.icmp_signed("==", block, integer(0))
                    self._tile(left, right, z, (number, column), (width, terms), fresh, final)

            if plan.rest == plan.width or plan.panels == 1:
                across(plan.rest)
            else:
                is_last = b.icmp_signed("==", panel, integer(plan.panels - 1))
                with b.if_else(is_last) as (then, otherwise):
                    with then:
                        across(plan.rest)
                    with otherwise:
                        across(plan.width)

    def _tile(
        self, left: Any, right: Any, z: Any, at: Any, size: tuple[int, int], fresh: Any,
        final: bool,
    ) -> None:  # fmt: skip
        b, plan, f = self.b, self.plan, self.plan.f
        (number, column), (width, terms) = at, size
        row, tall = placed(b, number, plan.cut)
        to_scratch = final and not self.direct
        vectors_across = -(-width // plan.lanes)
        at_z = self.scratch
        if z is not None:
            at_z = b.gep(z, [b.add(b.mul(row, integer(f.columns)), column)])
        new, new_step = (self.scratch, plan.width) if to_scratch else (at_z, f.columns)

        def one(rows: int) -> None:
            tile = Tile(
                plan.dtype, tuple(range(rows)), vectors_across, plan.lanes,
                width - (vectors_across - 1) * plan.lanes, ((None, rows, plan.width),), True,
                to_scratch, adds=plan.blocks > 1,
            ).emitted(b.module)  # fmt: skip
            b.call(tile, [
                left, right, at_z, integer(f.columns), new, integer(new_step), integer(terms),
                fresh,
            ])  # fmt: skip

        by_height(b, number, plan.cut, one)
        if to_scratch:
            matrix = (plan.f, self.batch)
            self.epilogue.tile(self.scratch, plan.width, matrix, (row, column), (tall, width))
