"""The gradient of a convolution's weight: for each tap, the image's elements times the cotangent's,
summed over all positions, image after image. The images are cut into parts by size, not by the
number of threads; the parts' sums are added in order."""

from __future__ import annotations

import functools
import operator
from typing import Any, ClassVar

from .....graph.node import Node
from .....graph.state.records import dataclass
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import either, integer, loop, unravelled, vectors, write
from ...llvm.target import host
from ..gemm.microkernel import Tile
from ..kernel import Continuation, Fused, Kernel, Views
from ..reducers import read_parts
from .depthwise import DepthwiseWeight
from .padded_images import PaddedNHWC, StridedNHWC, padded
from .plans import WeightPlan

_LENGTH = 1024  # sums of an item of AddParts


@dataclass(frozen=True, eq=False)
class ConvolveWeight(Kernel):
    """The gradient (o, c, *size), stored as (*size, c, o)."""

    label, description = "ConvolveWeight", "convolution, gradient of the weight"

    plan: WeightPlan
    image: StridedNHWC | PaddedNHWC
    cotangent: StridedNHWC | PaddedNHWC

    @classmethod
    def of(cls, fused: Fused, views: Views) -> ConvolveWeight:
        """The kernel of a node, with the padded input and the cotangent with channels last."""
        plan = WeightPlan.of(fused.first, views)
        x, g = fused.first.inputs
        image = plan.padded(x, views)
        return cls(fused, plan, image, padded(g, plan.places, (0, 0), (1, 1), views))

    def reads(self) -> tuple[Node, ...]:
        both = (self.image, self.cotangent)
        return tuple(one.source for one in both if isinstance(one, StridedNHWC))

    @property
    def prerequisites(self) -> tuple[Kernel, ...]:
        return tuple(one for one in (self.image, self.cotangent) if isinstance(one, PaddedNHWC))

    @property
    def items(self) -> int:
        """The gangs of tiles for each part of the images; if depthwise, the parts of a row of taps
        for each vector of channels."""
        plan = self.plan
        return DepthwiseWeight.items(plan) if plan.depthwise else plan.parts * plan.gangs

    @property
    def workspace(self) -> int:
        """Bytes of the parts' sums, if there are several."""
        plan = self.plan
        return plan.parts * plan.count * plan.dtype.itemsize if plan.parts > 1 else 0

    def continuation(self) -> Kernel | None:
        return AddParts(self.fused, self) if self.workspace else None

    @property
    def cost(self) -> float:
        plan = self.plan
        places = plan.n * plan.places[0] * plan.places[1]
        each = 0.02 if plan.depthwise else 0.008
        down, across = plan.size
        return each * places * down * across * plan.channels * plan.groups * plan.columns

    def emit(self, context: KernelContext) -> None:
        target = self if self.workspace else self.fused.first
        emitter = DepthwiseWeight if self.plan.depthwise else _Emitter
        emitter(self.plan, (self.image, self.cotangent), target, context).run()


class _Emitter:
    """Emits the loops around the tiles."""

    def __init__(
        self, plan: WeightPlan, images: tuple[Any, Any], target: Any, context: KernelContext
    ) -> None:
        self.plan, self.context, self.b = plan, context, context.builder
        image, cotangent = images
        self.x_steps, self.g_steps = image.steps, cotangent.steps
        self.x, self.g = image.start(context), cotangent.start(context)
        self.z = context.typed(target, plan.dtype)

    def run(self) -> None:
        """Emits the loop over the parts of the images."""
        b, plan = self.b, self.plan
        together = integer(plan.together)
        with self.context.groups(plan.gangs) as (part, low, high):
            end = self.context.smaller(b.mul(high, together), integer(plan.tiles))
            self._part(part, b.mul(low, together), end)

    def _part(self, part: Any, begin: Any, end: Any) -> None:
        """Emits the loop over blocks of images, and in each over the tiles `begin` to `end`."""
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
                for start, many, at, wide_many, tall, wide in plan.area.block_sizes():
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
        start = b.add(start, b.mul(group, integer(plan.channels)))
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
        channel = b.mul(group, integer(plan.columns))
        channel = b.add(channel, b.mul(part, integer(plan.width)))
        right = b.gep(self.g, [b.add(b.mul(first, integer(g_image)), channel)])
        if plan.bands > 1:
            right = b.gep(right, [b.mul(self.start, integer(terms[0][2]))])
        tap = b.add(b.mul(plane, integer(plan.size[1])), y)
        place = b.add(b.mul(tap, integer(plan.area.width)), x)
        z = b.gep(self.sums, [b.add(b.mul(place, integer(plan.pitch)), channel)])
        step = integer(plan.pitch)
        b.call(tile, [left, right, z, step, z, step, count, self.fresh])


@dataclass(frozen=True, eq=False)
class AddParts(Continuation):
    """Adds the sums of all parts of the images in order."""

    label, description = "AddParts", "parts of a gradient added"
    is_counted_before: ClassVar[bool] = True

    before: ConvolveWeight

    @property
    def items(self) -> int:
        """The blocks of sums."""
        return -(-self.before.plan.count // _LENGTH)

    @property
    def cost(self) -> float:
        return 0.1 * self.before.workspace

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.before.plan
        work, to = context.pointer(self.before), context.pointer(self.fused.first)
        lanes = host().lanes(plan.dtype.itemsize)
        items = -(-plan.count // _LENGTH)
        with loop(b, context.begin, context.end) as item:
            start = b.mul(item, integer(_LENGTH))

            def one(index: Any, active: int) -> None:
                place = b.add(start, index)
                each = plan.parts, plan.count
                parts = read_parts(b, work, plan.dtype, place, each, lanes, active)
                write(b, to, functools.reduce(operator.add, parts), place, 1, active)

            def some(count: int) -> None:
                vectors(b, count, lanes, one)

            either(b, item, items, plan.count - (items - 1) * _LENGTH, _LENGTH, some)
