"""The gradient of a convolution's weight: for each tap the products of its numbers with the
cotangent's, summed over all places, image after image. The images are cut in parts by size, not by
threads; the parts' sums are added in order."""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass, field
from typing import Any

from .....graph.node import Node
from .....shapes import size, sizes
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import either, integer, loop, read, unravelled, vectors, write
from ...llvm.strided_view import View
from ...llvm.target import host
from ..elementwise import Unit
from ..formula import dtype_of
from ..gemm.microkernel import Tile, shape_for
from .depthwise import DepthwiseWeight
from .forward import Area
from .padded_images import Image, PaddedNHWC, StridedNHWC, framed, planes

_TERMS = 192  # places summed at least before a tile is written back
_MOST = 2048  # and at most, but for wider rows: sums one after another grow inexact
_ITEMS = 8  # at least, if there are so many images or tiles
_SUMS = 1 << 22  # bytes of all parts' sums at most
_LENGTH = 1024  # sums that are added as one item


@dataclass(eq=False)
class ConvolveWeight(Unit):
    """The gradient (o, c, *size), lying as (*size, c, o)."""

    works: list[Any] = field(default_factory=list[Any])

    def reads(self) -> list[Node]:
        return [work.source for work in self.works if isinstance(work, StridedNHWC)]

    def needs(self) -> list[Node]:
        return list(self.nodes[0].inputs)

    def before(self, views: dict[Node, View], shared: dict[Any, Any]) -> list[Any]:
        """The kernels that come before: the framed input, the cotangent with channels last."""
        plan = _Plan(self, views)
        x, g = self.nodes[0].inputs
        self.works = [
            framed(x, plan.extent, plan.offset, (1, 1), views, shared),
            framed(g, plan.places, (0, 0), (1, 1), views, shared),
        ]
        return [work for work in self.works if isinstance(work, PaddedNHWC)]

    def items(self, views: dict[Node, View]) -> int:
        """Neighbouring tiles, over a part of the images; depthwise some taps of a vector of
        channels."""
        plan = _Plan(self, views)
        if plan.depthwise:
            return DepthwiseWeight.items(plan)
        return plan.parts * plan.gangs

    def workspace(self, views: dict[Node, View]) -> int:
        """Bytes of the parts' sums, if there are several."""
        plan = _Plan(self, views)
        return plan.parts * plan.count * plan.dtype.itemsize if plan.parts > 1 else 0

    def finish(self) -> AddParts:
        """The kernel that adds the parts' sums."""
        return AddParts(nodes=self.nodes, live_out=self.live_out, works=[self])

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread."""
        plan = _Plan(self, views)
        places = plan.n * plan.places[0] * plan.places[1]
        each = 0.02 if plan.depthwise else 0.008
        return each * places * plan.size[0] * plan.size[1] * plan.c * plan.groups * plan.o

    def emit(self, context: KernelContext) -> None:
        """The code for items `frame.begin` to `frame.end`."""
        plan = _Plan(self, context.views)
        (DepthwiseWeight if plan.depthwise else _Emitter)(plan, context).run()


class _Plan:
    """Sizes of one gradient; `c` and `o` are the channels of a group."""

    def __init__(self, unit: ConvolveWeight, views: dict[Node, View]) -> None:
        self.unit = unit
        node = unit.nodes[0]
        self.dtype = dtype_of(node)
        x, g = (Image.of(views[one]) for one in node.inputs)
        self.groups: int = node.attributes["groups"]
        self.n, channels, height, width = x.size
        self.c, self.o = channels // self.groups, g.size[1] // self.groups
        self.places = g.size[2:]
        taps = tuple(sizes(node.shape)[2:])
        self.size, self.stride, padding, self.dilation = planes(node.attributes, taps)
        self.extent = (height + sum(padding[0]), width + sum(padding[1]))
        self.offset = (padding[0][0], padding[1][0])
        self.pitch = g.size[1]  # from row to row of the result
        self.depthwise = self.groups > 1 == self.c == self.o
        self.lanes = host().lanes(self.dtype.itemsize)
        if self.groups > 1:
            beside = self.groups if self.depthwise else self.o
            self.lanes = min(self.lanes, 1 << (beside - 1).bit_length())
        tall, wide = shape_for(1 << 20, self.o, self.lanes)
        self.width = wide * self.lanes
        self.panels = -(-self.o // self.width)
        self.rest = self.o - (self.panels - 1) * self.width
        # A row for each tap and channel. Taps next to each other are one run of channels if all
        # of these are summed; else the taps of each row of the window are a plane of their own.
        down, across = self.size
        self.joined = self.dilation[1] == 1 == self.groups
        self.planes = 1 if self.joined else down
        if self.joined:
            self.area = Area.of(down, across * self.c, tall)
        else:
            self.area = Area.of(across, self.c, tall)
        self.tiles = self.groups * self.panels * self.planes * self.area.count
        self.count = size(sizes(node.shape))
        self.block = max(1, min(self.n, _TERMS // max(self.places[0] * self.places[1], 1)))
        self.blocks = -(-self.n // self.block)
        # Images of many places are cut in bands of rows, or of columns if there is one row.
        self.cut = 0 if self.places[0] > 1 else 1
        self.band = self.places[self.cut]
        if self.block == 1 and self.places[0] * self.places[1] > _MOST:
            self.band = max(1, _MOST // self.places[1]) if self.cut == 0 else _MOST
        self.bands = -(-self.places[self.cut] // max(self.band, 1))
        self.blocks *= self.bands
        # Parts of the images if their sums are small, and gangs of tiles that go over one together.
        most = 1 if self.depthwise else _SUMS // (self.count * self.dtype.itemsize)
        self.parts = max(1, min(_ITEMS, self.blocks, most))
        self.together = -(-self.tiles // (_ITEMS // self.parts))
        self.gangs = -(-self.tiles // self.together)


class _Emitter:
    """The loops around the tiles."""

    def __init__(self, plan: _Plan, context: KernelContext) -> None:
        self.plan, self.context, self.b = plan, context, context.builder
        image, cotangent = plan.unit.works
        self.x_steps = image.steps(context.views)
        self.g_steps = cotangent.steps(context.views)
        self.x, self.g = image.start(context), cotangent.start(context)
        self.z = context.typed(plan.unit if plan.parts > 1 else plan.unit.nodes[0], plan.dtype)

    def run(self) -> None:
        """Part after part of the images."""
        b, plan = self.b, self.plan
        gangs, together = integer(plan.gangs), integer(plan.together)
        last = b.sdiv(b.add(self.context.end, integer(plan.gangs - 1)), gangs)
        with loop(b, b.sdiv(self.context.begin, gangs), last) as part:
            start = b.mul(part, gangs)
            low = b.sub(self.context.begin, start)
            low = b.select(b.icmp_signed("<", low, integer(0)), integer(0), low)
            high = self.context.smaller(b.sub(self.context.end, start), gangs)
            end = self.context.smaller(b.mul(high, together), integer(plan.tiles))
            self._part(part, b.mul(low, together), end)

    def _part(self, part: Any, begin: Any, end: Any) -> None:
        """A block of images after the other; of each, the tiles `begin` to `end`."""
        b, plan = self.b, self.plan
        rows, columns = sum(plan.area.rows[:2]), sum(plan.area.columns[:2])
        blocks, parts = integer(plan.blocks), integer(plan.parts)
        low = b.sdiv(b.mul(part, blocks), parts)
        high = b.sdiv(b.mul(b.add(part, integer(1)), blocks), parts)
        self.sums = b.gep(self.z, [b.mul(part, integer(plan.count))])
        with loop(b, low, high) as block:
            self.fresh = b.icmp_signed("==", block, low)
            first, self.start = unravelled(b, block, (plan.blocks // plan.bands, plan.bands))
            first = b.mul(first, integer(plan.block))
            self.start = b.mul(self.start, integer(plan.band))
            left = b.sub(integer(plan.n), first), integer(plan.block)
            if plan.bands > 1:
                left = b.sub(integer(plan.places[plan.cut]), self.start), integer(plan.band)
            count = self.context.smaller(*left)
            with loop(b, begin, end) as item:
                *panel, plane, row, column = unravelled(
                    b, item, (plan.groups, plan.panels, plan.planes, rows, columns)
                )
                for start, many, at, wide_many, tall, wide in plan.area.kinds():
                    mine = b.icmp_signed(">=", row, integer(start))
                    for bound, sign, index in (
                        (start + many, "<", row), (at, ">=", column), (at + wide_many, "<", column),
                    ):  # fmt: skip
                        mine = b.and_(mine, b.icmp_signed(sign, index, integer(bound)))
                    with b.if_then(mine):
                        self._panels((plane, row, column), panel, (tall, wide), first, count)

    def _panels(self, at: Any, panel: Any, size: tuple[int, int], first: Any, count: Any) -> None:
        def across(width: int) -> None:
            self._tile(at, panel, size, width, first, count)

        either(self.b, panel[1], self.plan.panels, self.plan.rest, self.plan.width, across)

    def _tile(
        self, at: Any, panel: Any, size: tuple[int, int], width: int, first: Any, count: Any
    ) -> None:
        b, plan = self.b, self.plan
        (plane, row, column), (group, part), (tall, wide) = at, panel, size
        more, _, short = plan.area.rows
        more_x, _, short_x = plan.area.columns
        y = b.add(b.mul(row, integer(tall)), integer(more if tall == short else 0))
        x = b.add(b.mul(column, integer(wide)), integer(more_x if wide == short_x else 0))
        to_image, to_row, to_column = self.x_steps
        to_plane, down = plan.dilation[0] * to_row, plan.dilation[1] * to_column
        if plan.joined:
            down = to_plane
        start = b.add(b.mul(plane, integer(to_plane)), b.add(b.mul(y, integer(down)), x))
        start = b.add(start, b.mul(group, integer(plan.c)))
        vectors_across = -(-width // plan.lanes)
        g_image, g_row, g_column = self.g_steps
        terms: list[tuple[int | None, int, int]] = [
            (None, to_image, g_image),
            (plan.places[0], plan.stride[0] * to_row, g_row),
            (plan.places[1], plan.stride[1] * to_column, g_column),
        ]
        if plan.bands > 1:
            _, x_step, g_step = terms[1 + plan.cut]
            terms = [(None, x_step, g_step), *terms[2 + plan.cut :]]
        tile = Tile(
            plan.dtype, tuple(i * down + j for i in range(tall) for j in range(wide)),
            vectors_across, plan.lanes, width - (vectors_across - 1) * plan.lanes, tuple(terms),
            False, False, adds=plan.blocks > plan.parts,
        ).emitted(b.module)  # fmt: skip
        left = b.gep(self.x, [b.add(b.mul(first, integer(to_image)), start)])
        if plan.bands > 1:
            left = b.gep(left, [b.mul(self.start, integer(terms[0][1]))])
        channel = b.mul(group, integer(plan.o))
        channel = b.add(channel, b.mul(part, integer(plan.width)))
        right = b.gep(self.g, [b.add(b.mul(first, integer(g_image)), channel)])
        if plan.bands > 1:
            right = b.gep(right, [b.mul(self.start, integer(terms[0][2]))])
        tap = b.add(b.mul(plane, integer(plan.size[1])), y)
        place = b.add(b.mul(tap, integer(plan.area.width)), x)
        z = b.gep(self.sums, [b.add(b.mul(place, integer(plan.pitch)), channel)])
        step = integer(plan.pitch)
        b.call(tile, [left, right, z, step, z, step, count, self.fresh])


@dataclass(eq=False)
class AddParts(Unit):
    """The sums of all parts of the images, added in their order."""

    works: list[Any] = field(default_factory=list[Any])

    def reads(self) -> list[Node]:
        return []

    def items(self, views: dict[Node, View]) -> int:
        """Some sums each."""
        return -(-size(sizes(self.nodes[0].shape)) // _LENGTH)

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread."""
        return 0.1 * self.works[0].workspace(views)

    def emit(self, context: KernelContext) -> None:
        """The code for items `context.begin` to `context.end`."""
        b, plan = context.builder, _Plan(self.works[0], context.views)
        work, to = context.pointer(self.works[0]), context.pointer(self.nodes[0])
        lanes = host().lanes(plan.dtype.itemsize)
        items = -(-plan.count // _LENGTH)
        with loop(b, context.begin, context.end) as item:
            start = b.mul(item, integer(_LENGTH))

            def one(index: Any, active: int) -> None:
                place = b.add(start, index)
                parts = [
                    read(
                        b,
                        work,
                        plan.dtype,
                        b.add(place, integer(part * plan.count)),
                        lanes,
                        1,
                        active,
                    )
                    for part in range(plan.parts)
                ]
                write(b, to, functools.reduce(operator.add, parts), place, 1, active)

            def some(count: int) -> None:
                vectors(b, count, lanes, one)

            either(b, item, items, plan.count - (items - 1) * _LENGTH, _LENGTH, some)


def weight_layout(node: Node) -> View:
    """Where the gradient (o, c, *size) lies: (*size, c, o)."""
    shape = sizes(node.shape)
    o, c, *size = shape
    steps = [c * o]
    for extent in reversed(size[1:]):
        steps.insert(0, steps[0] * extent)
    return View(node, shape, (1, o, *steps))
