"""Depthwise convolutions: each channel has a window of its own. Vectors run along the channels, and
each tap is one fused multiplication of vectors; there is no matrix product."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

from .....shapes import sizes
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import blocks, either, integer, loop, read, unravelled, vectors, write
from ...llvm.target import host
from ...llvm.values import Value, value_type
from ..gemm.epilogue import Epilogue
from ..gemm.microkernel import heights
from ..kernel import Fused, Kernel
from ..reducers import CompensatedSum, block_of
from .plans import ConvolutionPlan, WeightPlan

_PLACES = 4  # neighbouring positions that are computed at once
_UNROLLED = 25  # taps at most of an unrolled window


class Depthwise:
    """Emits a convolution, or the gradient of its input. An item is a row of the result."""

    def __init__(
        self, fused: Fused, plan: ConvolutionPlan, operands: tuple[Any, Kernel],
        context: KernelContext,
    ) -> None:  # fmt: skip
        self.plan, self.context, self.b = plan, context, context.builder
        self.epilogue = Epilogue(fused, context, plan.lanes, axis=1)
        image, taps = operands
        self.steps = image.steps
        self.x = image.start(context)
        self.taps = context.typed(taps, plan.dtype)
        self.count = plan.size[0] * plan.size[1]
        self.unrolled = self.count <= _UNROLLED
        llvm_type = value_type(plan.dtype, plan.lanes)
        self.buffers = [context.slot(llvm_type) for _ in range(_PLACES)]
        self.flat = len(sizes(fused.first.shape)) == 3

    def run(self) -> None:
        """Emits the loop over rows, and in each row over vectors of channels."""
        b, plan = self.b, self.plan
        to_image, to_row, _ = self.steps
        with loop(b, self.context.begin, self.context.end) as item:
            image, y = unravelled(b, item, (plan.n, plan.places[0]))
            start = b.add(
                b.mul(image, integer(to_image)), b.mul(y, integer(plan.stride[0] * to_row))
            )

            def one(channel: Any, active: int) -> None:
                self._row((image, y), b.gep(self.x, [b.add(start, channel)]), channel, active)

            vectors(b, plan.groups, plan.lanes, one)

    def _row(self, at: tuple[Any, Any], row: Any, channel: Any, active: int) -> None:
        """Emits a row of positions, `_PLACES` at once."""
        b, plan = self.b, self.plan
        # A panel has one vector of channels, so the taps of a panel are contiguous.
        taps = b.gep(self.taps, [b.mul(channel, integer(self.count))])
        known = [self._tap(taps, integer(tap)) for tap in range(self.count) if self.unrolled]
        width = plan.places[1]
        whole = width // _PLACES * _PLACES
        if whole:
            with loop(b, integer(0), integer(whole), _PLACES) as x:
                self._places(at, row, taps, known, x, _PLACES, channel, active)
        if whole < width:
            self._places(at, row, taps, known, integer(whole), width - whole, channel, active)

    def _tap(self, taps: Any, number: Any) -> Value:
        plan = self.plan
        place = self.b.mul(number, integer(plan.lanes))
        return read(self.b, taps, plan.dtype, place, plan.lanes, 1)

    def _places(
        self, at: tuple[Any, Any], row: Any, taps: Any, known: list[Value], x: Any, many: int,
        channel: Any, active: int,
    ) -> None:  # fmt: skip
        b, plan = self.b, self.plan
        _, to_row, to_column = self.steps
        across, stride, dilation = plan.size[1], plan.stride[1], plan.dilation
        row = b.gep(row, [b.mul(x, integer(stride * to_column))])
        zero = Value(b, None, plan.dtype, plan.lanes).number(0)

        def element(place: Any) -> Value:
            return read(b, row, plan.dtype, place, plan.lanes, 1, active)

        if self.unrolled:
            seen: dict[tuple[int, int], Value] = {}
            totals = [zero] * many
            for tap, weight in enumerate(known):
                i, j = divmod(tap, across)
                for number in range(many):
                    where = (i, number * stride + j * dilation[1])
                    if where not in seen:
                        place = i * dilation[0] * to_row + where[1] * to_column
                        seen[where] = element(integer(place))
                    totals[number] = seen[where].fused(weight, totals[number])
        else:
            for slot in self.buffers[:many]:
                b.store(zero.code, slot)
            with (
                loop(b, integer(0), integer(plan.size[0])) as i,
                loop(b, integer(0), integer(across)) as j,
            ):
                weight = self._tap(taps, b.add(b.mul(i, integer(across)), j))
                place = b.add(
                    b.mul(i, integer(dilation[0] * to_row)),
                    b.mul(j, integer(dilation[1] * to_column)),
                )
                for number, slot in enumerate(self.buffers[:many]):
                    one = element(b.add(place, integer(number * stride * to_column)))
                    so_far = Value(b, b.load(slot), plan.dtype, plan.lanes)
                    b.store(one.fused(weight, so_far).code, slot)
            totals = [
                Value(b, b.load(slot), plan.dtype, plan.lanes) for slot in self.buffers[:many]
            ]
        image, y = at
        for number, total in enumerate(totals):
            column = b.add(x, integer(number))
            place = [image, channel, column] if self.flat else [image, channel, y, column]
            self.epilogue.elements(place, total, active)


class DepthwiseWeight:
    """Emits the gradient of the weight. An item is some taps of a row of the window, for a vector
    of channels, each summed over all positions of all images."""

    def __init__(
        self, plan: WeightPlan, images: tuple[Any, Any], target: Any, context: KernelContext
    ) -> None:
        self.plan, self.context, self.b = plan, context, context.builder
        image, cotangent = images
        self.x_steps, self.g_steps = image.steps, cotangent.steps
        self.x, self.g = image.start(context), cotangent.start(context)
        self.z = context.typed(target, plan.dtype)

    @staticmethod
    def items(plan: WeightPlan) -> int:
        """The number of items, which are independent."""
        return -(-plan.groups // plan.lanes) * plan.size[0] * sum(_parts(plan)[:2])

    def run(self) -> None:
        """Emits the loop over vectors of channels, and in each over rows of taps."""
        b, plan = self.b, self.plan
        more, others, short = _parts(plan)
        blocks = -(-plan.groups // plan.lanes)
        rest = plan.groups - (blocks - 1) * plan.lanes
        with loop(b, self.context.begin, self.context.end) as item:
            block, i, part = unravelled(b, item, (blocks, plan.size[0], more + others))
            lengths = (("<", more, short + 1, 0), (">=", others, short, more))
            for sign, number, many, above in lengths:
                if not number:
                    continue
                with b.if_then(b.icmp_signed(sign, part, integer(more))):
                    j = b.add(b.mul(part, integer(many)), integer(above))

                    def taps(active: int, j: Any = j, many: int = many) -> None:
                        self._taps(block, i, j, many, active)

                    either(b, block, blocks, rest, plan.lanes, taps)

    def _taps(self, block: Any, i: Any, j: Any, many: int, active: int) -> None:
        """Emits the sums of `many` taps, from column j on in row i of the window."""
        b, plan = self.b, self.plan
        streams = max(min(_PLACES, 12 // many, plan.places[1]), 1)
        llvm_type = value_type(plan.dtype, plan.lanes)
        slots = [[self.context.slot(llvm_type) for _ in range(streams)] for _ in range(many)]
        width = plan.places[1]
        cut = block_of((plan.n, plan.places[0], -(-width // streams)))
        compensated = [
            CompensatedSum(self.context, plan.dtype, plan.lanes) for _ in range(many if cut else 0)
        ]
        self._clear(slots)
        for compensated_sum in compensated:
            compensated_sum.begin()

        def block_ends() -> None:
            if compensated:
                for compensated_sum, total in zip(compensated, self._totals(slots), strict=True):
                    compensated_sum.add(total)
                self._clear(slots)

        def loops(level: int, count: int, step: int, body: Callable[[Any], None]) -> None:
            span = integer(0), integer(count), step
            if cut is not None and cut[0] == level:
                blocks(b, span, cut[1], body, block_ends)
            else:
                with loop(b, *span) as index:
                    body(index)

        channel = b.mul(block, integer(plan.lanes))
        x_image, x_row, x_column = self.x_steps
        g_image, g_row, g_column = self.g_steps
        stride = plan.stride
        start = b.add(b.mul(i, integer(plan.dilation[0] * x_row)), channel)
        start = b.add(start, b.mul(j, integer(plan.dilation[1] * x_column)))
        whole = width // streams * streams

        def row(image: Any, y: Any) -> None:
            from_x = b.add(start, b.mul(image, integer(x_image)))
            from_g = b.add(channel, b.mul(image, integer(g_image)))
            left = b.gep(self.x, [b.add(from_x, b.mul(y, integer(stride[0] * x_row)))])
            right = b.gep(self.g, [b.add(from_g, b.mul(y, integer(g_row)))])

            def places(x: Any, count: int) -> None:
                at_x = b.gep(left, [b.mul(x, integer(stride[1] * x_column))])
                at_g = b.gep(right, [b.mul(x, integer(g_column))])
                self._add(slots, at_x, at_g, count, active)

            loops(2, whole, streams, lambda x: places(x, streams))
            if whole < width:
                places(integer(whole), width - whole)

        loops(0, plan.n, 1, lambda image: loops(1, plan.places[0], 1, partial(row, image)))
        block_ends()
        tap = b.add(b.mul(i, integer(plan.size[1])), j)
        totals = [compensated_sum.value() for compensated_sum in compensated] or self._totals(slots)
        for number, total in enumerate(totals):
            place = b.mul(b.add(tap, integer(number)), integer(plan.pitch))
            write(b, self.z, total, b.add(place, channel), 1, active)

    def _clear(self, slots: list[list[Any]]) -> None:
        zero = Value(self.b, None, self.plan.dtype, self.plan.lanes).number(0)
        for slot in (one for some in slots for one in some):
            self.b.store(zero.code, slot)

    def _totals(self, slots: list[list[Any]]) -> list[Value]:
        """The sum of each tap's slots."""
        b, plan = self.b, self.plan
        return [
            functools.reduce(
                operator.add, [Value(b, b.load(one), plan.dtype, plan.lanes) for one in some]
            )
            for some in slots
        ]

    def _add(self, slots: list[list[Any]], x: Any, g: Any, count: int, active: int) -> None:
        """Emits the products of `count` neighbouring positions, each added to its own sum."""
        b, plan = self.b, self.plan

        def element(base: Any, place: int) -> Value:
            return read(b, base, plan.dtype, integer(place), plan.lanes, 1, active)

        seen: dict[int, Value] = {}
        for number in range(count):
            cotangent = element(g, number * self.g_steps[2])
            for tap, some in enumerate(slots):
                place = (number * plan.stride[1] + tap * plan.dilation[1]) * self.x_steps[2]
                if place not in seen:
                    seen[place] = element(x, place)
                so_far = Value(b, b.load(some[number]), plan.dtype, plan.lanes)
                b.store(seen[place].fused(cotangent, so_far).code, some[number])


def _parts(plan: WeightPlan) -> tuple[int, int, int]:
    """The division of a row of the window into parts whose sums fit the registers: (a, b, n) for a
    parts of n + 1 taps and b parts of n taps."""
    return heights(plan.size[1], 8 if host().registers == 32 else 5)
