"""Convolutions, and the gradients of their inputs, as matrix products without im2col.

A row of the left operand is a window, which is read in place, so no patch is written to memory. The
right operand is the weight, packed in panels. The result has a row for each position and a column
for each channel. `weight_gradient.py` has the other adjoint.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .....graph.node import Node
from .....graph.state.records import dataclass
from .....ops.window.convolution import ConvolutionInput
from .....shapes import sizes, text
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import either, integer, loop, read, unravelled, vectors
from ...llvm.target import host
from ..formula import dtype_of
from ..gemm.epilogue import Epilogue
from ..gemm.microkernel import Tile
from ..gemm.packing import pack_rows
from ..kernel import NO_NODES, Fused, Kernel, Preparation, Views
from .depthwise import Depthwise
from .padded_images import PaddedNHWC, StridedNHWC
from .plans import ConvolutionPlan


@dataclass(frozen=True, eq=False)
class PackedTaps(Preparation):
    """A weight (o, c, *size) packed in panels of columns, with a row for each tap and channel.

    `transposed`: the taps are reversed, and o and c exchanged, for the gradient of the input.
    `groups`: the number of groups of o, each with panels of its own. `each`: a group is one
    channel, and all groups are columns of the same panels.
    """

    label, description = "PackedTaps", "weight of a convolution packed"

    transposed: bool
    width: int
    groups: int
    each: bool

    @property
    def _sizes(self) -> tuple[int, int, int, int]:
        """(taps down, taps across, summed channels, columns)."""
        o, c, *size = self.view.shape
        down, across = size if len(size) == 2 else (1, *size)
        if self.each:
            return down, across, 1, o
        each = o // self.groups
        return (down, across, each, c) if self.transposed else (down, across, c, each)

    @property
    def _panels(self) -> int:
        """The number of panels of a group."""
        return -(-self._sizes[-1] // self.width)

    @property
    def items(self) -> int:
        """The taps of all panels."""
        down, across, *_ = self._sizes
        return (1 if self.each else self.groups) * self._panels * down * across

    @property
    def workspace(self) -> int:
        """Bytes of all panels."""
        return self.items * self._sizes[2] * self.width * dtype_of(self.source).itemsize

    def emit(self, context: KernelContext) -> None:
        b, view = context.builder, self.view
        dtype = dtype_of(self.source)
        down, across, summed, columns = self._sizes
        to_o, to_c, *to_tap = view.strides
        to_y, to_x = to_tap if len(to_tap) == 2 else (0, *to_tap)
        start = view.offset
        if self.transposed:
            start += (down - 1) * to_y + (across - 1) * to_x
            to_y, to_x = -to_y, -to_x
        step = (to_o, to_c) if self.transposed and not self.each else (to_c, to_o)
        source, work = context.typed(view.base, dtype, start), context.typed(self, dtype)
        lanes = min(host().lanes(dtype.itemsize), self.width)
        panels = self._panels
        rest = columns - (panels - 1) * self.width
        to_group = view.shape[0] // self.groups * to_o
        with loop(b, context.begin, context.end) as item:
            group, panel, tap = unravelled(b, item, (self.groups, panels, down * across))
            y, x = b.sdiv(tap, integer(across)), b.srem(tap, integer(across))
            place = b.add(b.mul(y, integer(to_y)), b.mul(x, integer(to_x)))
            place = b.add(place, b.mul(panel, integer(self.width * step[1])))
            place = b.add(place, b.mul(group, integer(to_group)))
            to = b.gep(work, [b.mul(item, integer(summed * self.width))])
            at = b.gep(source, [place])

            def one(width: int) -> None:
                pack_rows(b, dtype, at, step, to, (summed, width), lanes, self.width)

            either(b, panel, panels, rest, self.width, one)


@dataclass(frozen=True, eq=False)
class Convolve(Kernel):
    """A convolution, or the gradient of its input, and elementwise nodes of the same shape."""

    label, description = "Convolve", "convolution"

    plan: ConvolutionPlan
    image: StridedNHWC | PaddedNHWC
    taps: PackedTaps

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Convolve:
        """The kernel of these nodes, with the padded input and the packed weight."""
        node = fused.first
        plan = ConvolutionPlan.of(node, views)
        source, weight = node.inputs
        image = plan.padded(source, views)
        transposed = isinstance(node, ConvolutionInput)
        taps = PackedTaps(
            NO_NODES, weight, views[weight], transposed, plan.width, plan.groups, plan.depthwise
        )
        return cls(fused, plan, image, taps)

    def reads(self) -> tuple[Node, ...]:
        unpadded = [self.image.source] if isinstance(self.image, StridedNHWC) else []
        return tuple(dict.fromkeys((*unpadded, *self.fused.epilogue_operands)))

    @property
    def prerequisites(self) -> tuple[Kernel, ...]:
        return (self.taps,) if isinstance(self.image, StridedNHWC) else (self.image, self.taps)

    @property
    def items(self) -> int:
        """The rows of blocks of every image; if depthwise, the rows of every image."""
        plan = self.plan
        return plan.n * (plan.places[0] if plan.depthwise else sum(plan.area.rows[:2]))

    @property
    def cost(self) -> float:
        plan = self.plan
        down, across = plan.size
        places = plan.n * plan.places[0] * plan.places[1] * plan.pitch
        each = 0.02 if plan.depthwise else 0.008
        return places * (each * down * across * plan.channels + 0.2 * len(self.nodes))

    def space(self) -> str:
        return f"{text(sizes(self.fused.first.shape))} {self.plan.dtype}"

    def emit(self, context: KernelContext) -> None:
        if self.plan.depthwise:
            Depthwise(self.fused, self.plan, (self.image, self.taps), context).run()
        else:
            _Emitter(self, context).run()


class _Emitter:
    """Emits the loops around the tiles of one convolution."""

    def __init__(self, kernel: Convolve, context: KernelContext) -> None:
        self.plan, self.context, self.b = kernel.plan, context, context.builder
        plan, self.node = kernel.plan, kernel.fused.first
        self.epilogue = Epilogue(kernel.fused, context, plan.lanes, axis=1)
        self.steps = kernel.image.steps
        self.x = kernel.image.start(context)
        self.taps = context.typed(kernel.taps, plan.dtype)
        self.depth = plan.size[0] * plan.size[1] * plan.channels
        self.direct = self.epilogue.trivial
        most = max(tall * wide for *_, tall, wide in plan.area.block_sizes())
        self.scratch = context.array(plan.dtype, most * plan.width)
        if self.direct:
            self.z = context.typed(self.node, plan.dtype)

    def run(self) -> None:
        """Emits the loop over the panels of every group, and in each over rows of blocks."""
        b, plan = self.b, self.plan
        blocks = sum(plan.area.rows[:2])
        with loop(b, integer(0), integer(plan.groups * plan.panels)) as number:
            group, panel = unravelled(b, number, (plan.groups, plan.panels))
            with loop(b, self.context.begin, self.context.end) as item:
                image, block = b.sdiv(item, integer(blocks)), b.srem(item, integer(blocks))
                taps = b.gep(self.taps, [b.mul(number, integer(self.depth * plan.width))])

                def across(width: int) -> None:
                    self._block(image, block, (group, panel), taps, width)

                either(b, panel, plan.panels, plan.rest, plan.width, across)

    def _block(self, image: Any, block: Any, panel: Any, taps: Any, width: int) -> None:
        b, area = self.b, self.plan.area
        for first, many, at, count, tall, wide in area.block_sizes():
            mine = b.and_(
                b.icmp_signed(">=", block, integer(first)),
                b.icmp_signed("<", block, integer(first + many)),
            )
            with b.if_then(mine):
                more, _, short = area.rows
                y = b.add(b.mul(block, integer(tall)), integer(more if tall == short else 0))
                with loop(b, integer(at), integer(at + count)) as column:
                    more_x, _, short_x = area.columns
                    x = b.add(
                        b.mul(column, integer(wide)), integer(more_x if wide == short_x else 0)
                    )
                    self._tile(image, (y, x), panel, taps, (tall, wide, width))

    def _terms(self, panel_step: int) -> tuple[tuple[int | None, int, int], ...]:
        """The loops over taps and channels."""
        plan = self.plan
        across, channels = plan.size[1], plan.channels
        _, to_row, to_column = self.steps
        rows = (None, plan.dilation[0] * to_row, across * channels * panel_step)
        if plan.dilation[1] == 1 == plan.groups:
            return rows, (across * channels, 1, panel_step)
        columns = (across, plan.dilation[1] * to_column, channels * panel_step)
        return rows, columns, (channels, 1, panel_step)

    def _tile(
        self, image: Any, at: tuple[Any, Any], panel: Any, taps: Any, size: tuple[int, int, int]
    ) -> None:
        b, plan = self.b, self.plan
        tall, wide, width = size
        to_image, to_row, to_column = self.steps
        down, across = plan.stride[0] * to_row, plan.stride[1] * to_column
        vectors_across = -(-width // plan.lanes)
        tile = Tile(
            plan.dtype,
            tuple(y * down + x * across for y in range(tall) for x in range(wide)),
            vectors_across, plan.lanes, width - (vectors_across - 1) * plan.lanes,
            self._terms(plan.width), True, not self.direct, adds=False,
        ).emitted(b.module)  # fmt: skip
        y, x = at
        start = b.add(b.mul(y, integer(down)), b.mul(x, integer(across)))
        group, part = panel
        start = b.add(start, b.mul(group, integer(plan.channels)))
        left = b.gep(self.x, [b.add(b.mul(image, integer(to_image)), start)])
        new = self.scratch
        column = b.mul(group, integer(plan.columns))
        column = b.add(column, b.mul(part, integer(plan.width)))
        if self.direct:
            place = b.add(b.mul(image, integer(plan.places[0])), y)
            place = b.add(b.mul(place, integer(plan.places[1])), x)
            new = b.gep(self.z, [b.add(b.mul(place, integer(plan.pitch)), column)])
        step = integer(plan.pitch if self.direct else plan.width)
        fresh = ir.Constant(ir.IntType(1), 1)
        b.call(tile, [left, taps, new, step, new, step, integer(plan.size[0]), fresh])
        if not self.direct:
            self._finish(image, at, column, size)

    def _finish(
        self, image: Any, at: tuple[Any, Any], column: Any, size: tuple[int, int, int]
    ) -> None:
        """Emits the epilogue of a tile in the scratch buffer."""
        b, plan = self.b, self.plan
        tall, wide, width = size
        flat = len(sizes(self.node.shape)) == 3
        with loop(b, integer(0), integer(tall)) as down, loop(b, integer(0), integer(wide)) as over:
            number = b.add(b.mul(down, integer(wide)), over)
            start = b.mul(number, integer(plan.width))
            y, x = b.add(at[0], down), b.add(at[1], over)

            def body(index: Any, active: int) -> None:
                value = read(b, self.scratch, plan.dtype, b.add(start, index), plan.lanes, 1)
                channel = b.add(column, index)
                place = [image, channel, x] if flat else [image, channel, y, x]
                self.epilogue.elements(place, value, active)

            vectors(b, width, plan.lanes, body)
