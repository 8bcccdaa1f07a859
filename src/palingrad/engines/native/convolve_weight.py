"""The gradient of a convolution's weight: for each tap the products of its numbers with the
cotangent's, summed over all places, image after image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...graph.node import Node
from ...shapes import sizes
from .body import dtype_of
from .convolve import Area
from .frame import Frame
from .images import Framed, Image, planes
from .loop import Unit
from .loops import integer, loop
from .target import host
from .tile import Tile, shape_for
from .views import View

_TERMS = 192  # places summed at least before a tile is written back


@dataclass(eq=False)
class ConvolveWeight(Unit):
    """The gradient (o, c, *size), lying as (*size, c, o)."""

    works: list[Any] = field(default_factory=list[Any])

    def reads(self) -> list[Node]:
        return []

    def needs(self) -> list[Node]:
        return list(self.nodes[0].inputs)

    def before(self, views: dict[Node, View], shared: dict[Any, Any]) -> list[Any]:
        """The kernels that come before: the framed input, the cotangent with channels last."""
        plan = _Plan(self, views)
        x, g = self.nodes[0].inputs
        found: list[Any] = []
        for source, extent, offset in ((x, plan.extent, plan.offset), (g, plan.places, (0, 0))):
            key = ("framed", views[source].base, views[source], extent, offset, (1, 1))
            made = Framed(source=source, extent=extent, offset=offset)
            found.append(shared.setdefault(key, made))
        self.works = found
        return found

    def items(self, views: dict[Node, View]) -> int:
        """Tiles of the result."""
        plan = _Plan(self, views)
        return plan.area.count * plan.panels

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread."""
        plan = _Plan(self, views)
        places = plan.n * plan.places[0] * plan.places[1]
        return 0.008 * places * plan.size[0] * plan.size[1] * plan.c * plan.o

    def emit(self, frame: Frame) -> None:
        """The code for tiles `frame.begin` to `frame.end`."""
        _Emitter(_Plan(self, frame.views), frame).run()


class _Plan:
    """Sizes of one gradient."""

    def __init__(self, unit: ConvolveWeight, views: dict[Node, View]) -> None:
        self.unit = unit
        node = unit.nodes[0]
        self.dtype = dtype_of(node)
        x, g = (Image.of(views[one]) for one in node.inputs)
        self.n, self.c, height, width = x.size
        self.o = g.size[1]
        self.places = g.size[2:]
        taps = tuple(sizes(node.shape)[2:])
        self.size, self.stride, padding, self.dilation = planes(node.attributes, taps)
        self.extent = (height + sum(padding[0]), width + sum(padding[1]))
        self.offset = (padding[0][0], padding[1][0])
        self.lanes = host().lanes(self.dtype.itemsize)
        tall, wide = shape_for(1 << 20, self.o, self.lanes)
        self.width = wide * self.lanes
        self.panels = -(-self.o // self.width)
        self.rest = self.o - (self.panels - 1) * self.width
        # A row for each tap and channel: taps next to each other are one run of channels.
        down, across = self.size
        self.joined = self.dilation[1] == 1
        if self.joined:
            self.area = Area.of(down, across * self.c, tall)
        else:
            self.area = Area((0, down * across, 1), Area.of(1, self.c, tall).columns, self.c)
        self.block = max(1, min(self.n, _TERMS // max(self.places[0] * self.places[1], 1)))
        self.blocks = -(-self.n // self.block)


class _Emitter:
    """The loops around the tiles."""

    def __init__(self, plan: _Plan, frame: Frame) -> None:
        self.plan, self.frame, self.b = plan, frame, frame.builder
        framed, cotangent = plan.unit.works
        self.x_steps = framed.steps(frame.views)
        self.g_steps = cotangent.steps(frame.views)
        self.x = frame.typed(framed, plan.dtype)
        self.g = frame.typed(cotangent, plan.dtype)
        self.z = frame.typed(plan.unit.nodes[0], plan.dtype)

    def run(self) -> None:
        """A block of images after the other; of each, all tiles."""
        b, plan = self.b, self.plan
        tiles = plan.area.count
        across = sum(plan.area.columns[:2])
        with loop(b, integer(0), integer(plan.blocks)) as block:
            first = b.mul(block, integer(plan.block))
            count = self.frame.smaller(b.sub(integer(plan.n), first), integer(plan.block))
            with loop(b, self.frame.begin, self.frame.end) as item:
                panel, tile = b.sdiv(item, integer(tiles)), b.srem(item, integer(tiles))
                row, column = b.sdiv(tile, integer(across)), b.srem(tile, integer(across))
                for start, many, at, wide_many, tall, wide in plan.area.kinds():
                    mine = b.icmp_signed(">=", row, integer(start))
                    for bound, sign, index in (
                        (start + many, "<", row), (at, ">=", column), (at + wide_many, "<", column),
                    ):  # fmt: skip
                        mine = b.and_(mine, b.icmp_signed(sign, index, integer(bound)))
                    with b.if_then(mine):
                        self._panels((row, column), panel, (tall, wide), first, count)

    def _panels(self, at: Any, panel: Any, size: tuple[int, int], first: Any, count: Any) -> None:
        b, plan = self.b, self.plan
        if plan.panels == 1 or plan.rest == plan.width:
            self._tile(at, panel, size, plan.rest, first, count)
            return
        with b.if_else(b.icmp_signed("==", panel, integer(plan.panels - 1))) as (then, otherwise):
            with then:
                self._tile(at, panel, size, plan.rest, first, count)
            with otherwise:
                self._tile(at, panel, size, plan.width, first, count)

    def _tile(
        self, at: Any, panel: Any, size: tuple[int, int], width: int, first: Any, count: Any
    ) -> None:
        b, plan = self.b, self.plan
        (row, column), (tall, wide) = at, size
        more, _, short = plan.area.rows
        more_x, _, short_x = plan.area.columns
        y = b.add(b.mul(row, integer(tall)), integer(more if tall == short else 0))
        x = b.add(b.mul(column, integer(wide)), integer(more_x if wide == short_x else 0))
        to_image, to_row, to_column = self.x_steps
        down = plan.dilation[0] * to_row
        if plan.joined:
            start = b.add(b.mul(y, integer(down)), x)
        else:
            taps = integer(plan.size[1])
            start = b.add(
                b.mul(b.sdiv(y, taps), integer(down)),
                b.add(b.mul(b.srem(y, taps), integer(plan.dilation[1] * to_column)), x),
            )
        vectors_across = -(-width // plan.lanes)
        g_image, g_row, g_column = self.g_steps
        tile = Tile(
            plan.dtype, tuple(i * down + j for i in range(tall) for j in range(wide)),
            vectors_across, plan.lanes, width - (vectors_across - 1) * plan.lanes,
            (
                (None, to_image, g_image),
                (plan.places[0], plan.stride[0] * to_row, g_row),
                (plan.places[1], plan.stride[1] * to_column, g_column),
            ),
            False, False, adds=plan.blocks > 1,
        ).emitted(b.module)  # fmt: skip
        left = b.gep(self.x, [b.add(b.mul(first, integer(to_image)), start)])
        channel = b.mul(panel, integer(plan.width))
        right = b.gep(self.g, [b.add(b.mul(first, integer(g_image)), channel)])
        place = b.add(b.mul(b.add(b.mul(y, integer(plan.area.width)), x), integer(plan.o)), channel)
        z = b.gep(self.z, [place])
        fresh = b.icmp_signed("==", first, integer(0))
        step = integer(plan.o)
        b.call(tile, [left, right, z, step, z, step, count, fresh])


def weight_layout(node: Node) -> View:
    """Where the gradient (o, c, *size) lies: (*size, c, o)."""
    shape = sizes(node.shape)
    o, c, *size = shape
    steps = [c * o]
    for extent in reversed(size[1:]):
        steps.insert(0, steps[0] * extent)
    return View(node, shape, (1, o, *steps))
