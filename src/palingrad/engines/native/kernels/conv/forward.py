"""Convolutions as products: a row of the left operand is a window of an image, read where it lies.

No patch is ever written out. The result, and the gradient of the input, have a row for each place
and a column for each channel; the gradient of the weight has a row for each tap, summed over all
places, image after image.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from llvmlite import ir

from .....graph.node import Node
from .....ops.convolution import ConvolutionInput
from .....shapes import sizes
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import either, integer, loop, read, unravelled, vectors
from ...llvm.strided_view import View
from ...llvm.target import host
from ...llvm.values import scalar_type
from ..elementwise import Unit
from ..formula import dtype_of
from ..gemm.epilogue import Epilogue, after
from ..gemm.microkernel import Tile, heights, shape_for
from ..gemm.packing import pack_rows
from .depthwise import Depthwise
from .padded_images import Image, StridedNHWC, framed, planes


@dataclass(frozen=True)
class Area:
    """A plane of tile rows, cut in blocks of some rows of some columns each."""

    rows: tuple[int, int, int]  # how many blocks have one more, how many haven't, of how many
    columns: tuple[int, int, int]
    width: int  # columns of the plane

    @staticmethod
    def of(height: int, width: int, most: int) -> Area:
        """Blocks of at most `most` places."""
        if width >= most:
            return Area((0, height, 1), heights(width, most), width)
        down = max(most // width, 1)
        count = -(-height // down)
        short, more = divmod(height, count)
        return Area((more, count - more, short), (0, 1, width), width)

    @property
    def count(self) -> int:
        """How many blocks."""
        return sum(self.rows[:2]) * sum(self.columns[:2])

    def kinds(self) -> list[tuple[int, int, int, int, int, int]]:
        """(first block row, how many, first block column, how many, rows, columns of a block)."""
        found: list[tuple[int, int, int, int, int, int]] = []
        (more, others, short), (more_x, others_x, short_x) = self.rows, self.columns
        for first, many, tall in ((0, more, short + 1), (more, others, short)):
            for at, count, wide in ((0, more_x, short_x + 1), (more_x, others_x, short_x)):
                if many and count:
                    found.append((first, many, at, count, tall, wide))
        return found


@dataclass(eq=False)
class PackedTaps(Unit):
    """A weight (o, c, *size) as panels of columns: a row for each tap and channel behind it.

    `turned`: taps in reverse order and o in place of c, as the gradient of the input reads it.
    `groups`: o is cut in so many parts, each with panels of its own. `each`: a group is one
    channel, and all groups are the columns of the same panels.
    """

    source: Any = None
    turned: bool = False
    width: int = 0
    groups: int = 1
    each: bool = False

    def reads(self) -> list[Node]:
        return [self.source]

    def _sizes(self, views: dict[Node, View]) -> tuple[int, int, int, int]:
        """(taps down, taps across, summed channels, columns)."""
        o, c, *size = views[self.source].shape
        down, across = size if len(size) == 2 else (1, *size)
        if self.each:
            return down, across, 1, o
        each = o // self.groups
        return (down, across, each, c) if self.turned else (down, across, c, each)

    def _panels(self, views: dict[Node, View]) -> int:
        """Panels of a group."""
        return -(-self._sizes(views)[-1] // self.width)

    def workspace(self, views: dict[Node, View]) -> int:
        """Bytes of all panels."""
        down, across, summed, _ = self._sizes(views)
        panels = (1 if self.each else self.groups) * self._panels(views)
        return panels * down * across * summed * self.width * dtype_of(self.source).itemsize

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread."""
        return 0.1 * self.workspace(views)

    def items(self, views: dict[Node, View]) -> int:
        """A tap of a panel each."""
        down, across, *_ = self._sizes(views)
        return (1 if self.each else self.groups) * self._panels(views) * down * across

    def emit(self, context: KernelContext) -> None:
        """The code for items `frame.begin` to `frame.end`."""
        b = context.builder
        view = context.views[self.source]
        dtype = dtype_of(self.source)
        down, across, summed, columns = self._sizes(context.views)
        to_o, to_c, *to_tap = view.strides
        to_y, to_x = to_tap if len(to_tap) == 2 else (0, *to_tap)
        start = view.offset
        if self.turned:
            start += (down - 1) * to_y + (across - 1) * to_x
            to_y, to_x = -to_y, -to_x
        step = (to_o, to_c) if self.turned and not self.each else (to_c, to_o)
        source, work = context.typed(view.base, dtype, start), context.typed(self, dtype)
        lanes = min(host().lanes(dtype.itemsize), self.width)
        panels = self._panels(context.views)
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


@dataclass(eq=False)
class Convolve(Unit):
    """A convolution, or the gradient of its input, and elementwise nodes of the same shape."""

    works: list[Any] = field(default_factory=list[Any])

    def reads(self) -> list[Node]:
        lying = [work.source for work in self.works if isinstance(work, StridedNHWC)]
        return [*dict.fromkeys((*lying, *after(self)))]

    def needs(self) -> list[Node]:
        return [*self.nodes[0].inputs, *after(self)]

    def before(self, views: dict[Node, View], shared: dict[Any, Any]) -> list[Any]:
        """The kernels that come before: the framed input and the packed weight."""
        node = self.nodes[0]
        plan = _Plan(self, views)
        source, weight = node.inputs
        image = framed(source, plan.extent, plan.offset, plan.spacing, views, shared)
        turned = isinstance(node, ConvolutionInput)
        taps = PackedTaps(
            source=weight, turned=turned, width=plan.width, groups=plan.groups,
            each=plan.depthwise,
        )  # fmt: skip
        self.works = [image, taps]
        return [work for work in self.works if isinstance(work, Unit)]

    def items(self, views: dict[Node, View]) -> int:
        """Blocks of rows of blocks, of every image; depthwise rows."""
        plan = _Plan(self, views)
        return plan.n * (plan.places[0] if plan.depthwise else sum(plan.area.rows[:2]))

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread."""
        plan = _Plan(self, views)
        down, across = plan.size
        places = plan.n * plan.places[0] * plan.places[1] * plan.pitch
        each = 0.02 if plan.depthwise else 0.008
        return places * (each * down * across * plan.summed + 0.2 * len(self.nodes))

    def emit(self, context: KernelContext) -> None:
        """The code for items `frame.begin` to `frame.end`."""
        plan = _Plan(self, context.views)
        (Depthwise if plan.depthwise else _Emitter)(plan, context).run()


class _Plan:
    """Sizes of one convolution, forwards or to its input; `summed` channels and `columns` are
    those of a group."""

    def __init__(self, unit: Convolve, views: dict[Node, View]) -> None:
        self.unit = unit
        node = unit.nodes[0]
        self.dtype = dtype_of(node)
        source = Image.of(views[node.inputs[0]])
        o, c, *taps = sizes(node.inputs[1].shape)
        self.size, stride, padding, self.dilation = planes(node.attributes, tuple(taps))
        self.groups: int = node.attributes["groups"]
        self.n, channels, height, width = source.size
        self.summed = channels // self.groups
        result = sizes(node.shape)
        self.places = result[2:] if len(result) == 4 else (1, result[2])
        spread = [(k - 1) * d for k, d in zip(self.size, self.dilation)]
        if isinstance(node, ConvolutionInput):
            self.columns = c
            self.stride = (1, 1)
            self.extent = tuple(a + b for a, b in zip(self.places, spread))
            self.offset = tuple(a - p[0] for a, p in zip(spread, padding))
            self.spacing = stride
        else:
            self.columns = o // self.groups
            self.stride = stride
            self.extent = (height + sum(padding[0]), width + sum(padding[1]))
            self.offset = (padding[0][0], padding[1][0])
            self.spacing = (1, 1)
        self.pitch = self.groups * self.columns  # from place to place of the result
        self.depthwise = self.groups > 1 == self.summed == self.columns
        self.lanes = host().lanes(self.dtype.itemsize)
        if self.groups > 1:
            beside = self.groups if self.depthwise else self.columns
            self.lanes = min(self.lanes, 1 << (beside - 1).bit_length())
        tall, wide = shape_for(1 << 20, self.columns, self.lanes)
        self.width = wide * self.lanes
        self.panels = -(-self.columns // self.width)
        self.rest = self.columns - (self.panels - 1) * self.width
        self.area = Area.of(*self.places, tall)


class _Emitter:
    """The loops around the tiles of one convolution."""

    def __init__(self, plan: _Plan, context: KernelContext) -> None:
        self.plan, self.context, self.b = plan, context, context.builder
        self.epilogue = Epilogue(plan.unit, context, plan.lanes, axis=1)
        image, taps = plan.unit.works
        self.steps = image.steps(context.views)
        self.x = image.start(context)
        self.taps = context.typed(taps, plan.dtype)
        self.depth = plan.size[0] * plan.size[1] * plan.summed
        self.direct = self.epilogue.trivial
        element = scalar_type(plan.dtype)
        most = max(tall * wide for *_, tall, wide in plan.area.kinds())
        area = context.stack(plan.dtype, most * plan.width)
        self.scratch = self.b.bitcast(area, element.as_pointer())
        if self.direct:
            self.z = context.typed(plan.unit.nodes[0], plan.dtype)

    def run(self) -> None:
        """Panel after panel of every group; in each, block row after block row."""
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
        for first, many, at, count, tall, wide in area.kinds():
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
        across, summed = plan.size[1], plan.summed
        _, to_row, to_column = self.steps
        rows = (None, plan.dilation[0] * to_row, across * summed * panel_step)
        if plan.dilation[1] == 1 == plan.groups:
            return rows, (across * summed, 1, panel_step)
        columns = (across, plan.dilation[1] * to_column, summed * panel_step)
        return rows, columns, (summed, 1, panel_step)

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
        start = b.add(start, b.mul(group, integer(plan.summed)))
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
        """The epilogue of a tile that lies in the scratch."""
        b, plan = self.b, self.plan
        tall, wide, width = size
        flat = len(sizes(plan.unit.nodes[0].shape)) == 3
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
