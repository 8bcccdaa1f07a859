"""Padded NHWC images: copies with channels last and the padding around them, for any input layout.
A window is then a few contiguous runs, and vectors run along the channels."""

from __future__ import annotations

from typing import Any

from .....dtypes import DType
from .....graph.node import Node
from .....graph.state.records import dataclass, field
from .....shapes import sizes, text
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import address, integer, loop, read, vectors, write
from ...llvm.strided_view import View
from ...llvm.target import host
from ..formula import dtype_of
from ..gemm.packing import pack_rows
from ..kernel import NO_NODES, Kernel, Views
from ..movement.copy import clear


@dataclass(frozen=True)
class Image:
    """A view with axes (n, c, y, x); a signal over one spatial axis is an image of one row."""

    view: View
    size: tuple[int, int, int, int]
    steps: tuple[int, int, int, int]

    @staticmethod
    def of(view: View) -> Image:
        """The image of a view (n, c, *space) with one or two spatial axes."""
        if len(view.shape) == 3:
            n, c, x = view.shape
            a, b, step = view.strides
            return Image(view, (n, c, 1, x), (a, b, 0, step))
        n, c, y, x = view.shape
        a, b, down, across = view.strides
        return Image(view, (n, c, y, x), (a, b, down, across))


def planes(options: Any, size: tuple[int, ...]) -> Any:
    """(kernel size, stride, padding, dilation) for two spatial axes, from an operation's."""
    stride = options["stride"]
    padding = options["padding"]
    dilation = options.get("dilation", (1,) * len(stride))
    if len(stride) == 1:
        return (1, *size), (1, *stride), ((0, 0), *padding), (1, *dilation)
    return size, stride, padding, dilation


def channels_last(node: Node, shape: tuple[int, ...]) -> View:
    """The view of a result (n, c, *space) whose channels are contiguous in memory."""
    n_, c, *space = shape
    del n_
    steps = [c]
    for extent in reversed(space[1:]):
        steps.insert(0, steps[0] * extent)
    whole = steps[0] * space[0]
    return View(node, shape, (whole, 1, *steps))


def weight_layout(node: Node) -> View:
    """The view of the gradient (o, c, *size), stored as (*size, c, o)."""
    shape = sizes(node.shape)
    o, c, *size = shape
    steps = [c * o]
    for extent in reversed(size[1:]):
        steps.insert(0, steps[0] * extent)
    return View(node, shape, (1, o, *steps))


@dataclass(frozen=True, eq=False)
class StridedNHWC:
    """An image that has channels last already and needs no padding: read without a copy."""

    source: Node
    image: Image
    steps: tuple[int, int, int]  # from image to image, row to row, column to column

    @staticmethod
    def of(source: Node, view: View) -> StridedNHWC:
        """The image, without a copy."""
        image = Image.of(view)
        _, c, height, width = image.size
        return StridedNHWC(source, image, (height * width * c, width * c, c))

    def start(self, context: KernelContext) -> Any:
        """Where the first element is."""
        view = self.image.view
        return context.typed(view.base, dtype_of(self.source), view.offset)


@dataclass(frozen=True)  # equal kernels are the same copy and share its workspace
class PaddedNHWC(Kernel):
    """A copy of x with channels last in an image of zeros of `extent` rows and columns. x begins at
    `offset`, and its rows and columns are `spacing` apart. A negative offset crops x.
    """

    label, description = "PaddedNHWC", "padded image, channels last"

    source: Node = field(compare=False)  # any node of this view
    image: Image
    extent: tuple[int, int]
    offset: tuple[int, int]
    spacing: tuple[int, int]

    def reads(self) -> tuple[Node, ...]:
        return (self.source,)

    @property
    def steps(self) -> tuple[int, int, int]:
        """From image to image, row to row, column to column."""
        c = self.image.size[1]
        return self.extent[0] * self.extent[1] * c, self.extent[1] * c, c

    def start(self, context: KernelContext) -> Any:
        """Where the first element is."""
        return context.typed(self, dtype_of(self.source))

    @property
    def workspace(self) -> int:
        """Bytes of the copy."""
        return self.image.size[0] * self.steps[0] * dtype_of(self.source).itemsize

    @property
    def cost(self) -> float:
        return 0.05 * self.workspace

    @property
    def items(self) -> int:
        """The rows of the copy."""
        return self.image.size[0] * self.extent[0]

    def space(self) -> str:
        return f"{text(self.image.view.shape)} {dtype_of(self.source)}"

    def emit(self, context: KernelContext) -> None:
        b, image = context.builder, self.image
        dtype = dtype_of(self.source)
        _, _, height, width = image.size
        row_step = self.steps[1]
        source = context.typed(image.view.base, dtype, image.view.offset)
        work = context.typed(self, dtype)
        with loop(b, context.begin, context.end) as item:
            number = b.sdiv(item, integer(self.extent[0]))
            y = b.srem(item, integer(self.extent[0]))
            from_start = b.sub(y, integer(self.offset[0]))
            row = b.sdiv(from_start, integer(self.spacing[0]))
            inside = b.and_(
                b.icmp_signed(">=", from_start, integer(0)),
                b.icmp_signed("<", row, integer(height)),
            )
            if self.spacing[0] > 1:
                even = b.srem(from_start, integer(self.spacing[0]))
                inside = b.and_(inside, b.icmp_signed("==", even, integer(0)))
            to = b.gep(work, [b.mul(item, integer(row_step))])
            with b.if_else(inside) as (then, otherwise):
                with then:
                    start = b.add(
                        b.mul(number, integer(image.steps[0])), b.mul(row, integer(image.steps[2]))
                    )
                    self._row(b, dtype, image, b.gep(source, [start]), to, width)
                with otherwise:
                    clear(b, dtype, to, row_step)

    def _row(self, b: Any, dtype: DType, image: Image, source: Any, to: Any, width: int) -> None:
        """Emits one row that contains elements of x: zeros, the elements, zeros."""
        c = image.size[1]
        offset, spacing, extent = self.offset[1], self.spacing[1], self.extent[1]
        columns = [x for x in range(width) if 0 <= x * spacing + offset < extent]
        if spacing > 1 or not columns:
            clear(b, dtype, to, extent * c)
        if not columns:
            return
        first, many = columns[0], len(columns)
        at = first * spacing + offset
        if spacing == 1:
            clear(b, dtype, to, at * c)
            end = at + many
            clear(b, dtype, address(b, to, dtype, integer(end * c)), (extent - end) * c)
        inner = address(b, to, dtype, integer(at * c))
        begin = address(b, source, dtype, integer(first * image.steps[3]))
        across, down = image.steps[1], image.steps[3]
        if c == 1 or (across == 1 and down == c and spacing == 1):
            if spacing == 1 and (down == c or (c == 1 and down == 1)):
                lanes = host().lanes(dtype.itemsize)
                vectors(
                    b, many * c, lanes,
                    lambda index, active: write(
                        b, inner, read(b, begin, dtype, index, lanes, 1, active), index, 1, active
                    ),
                )  # fmt: skip
                return
        if spacing == 1 and across != 1 and down == 1 and c >= 8:
            self._transposed(b, dtype, (begin, inner), many, c, across)
            return
        with loop(b, integer(0), integer(many)) as x:
            lanes = min(host().lanes(dtype.itemsize), 1 << max(c - 1, 0).bit_length())
            here, there = b.mul(x, integer(down)), b.mul(x, integer(spacing * c))

            def one(index: Any, active: int, here: Any = here, there: Any = there) -> None:
                place = b.add(here, b.mul(index, integer(across)))
                value = read(b, begin, dtype, place, lanes, across, active)
                write(b, inner, value, b.add(there, index), 1, active)

            vectors(b, c, lanes, one)

    def _transposed(
        self, b: Any, dtype: DType, ends: tuple[Any, Any], many: int, c: int, across: int
    ) -> None:
        """Emits a row whose source has strided channels, by transposing squares in registers."""
        begin, inner = ends
        lanes = host().lanes(dtype.itemsize)
        whole = c // lanes * lanes
        for at in range(0, whole, lanes):
            pack_rows(
                b, dtype, address(b, begin, dtype, integer(at * across)), (1, across),
                address(b, inner, dtype, integer(at)), (many, lanes), lanes, c,
            )  # fmt: skip
        if whole < c:
            with loop(b, integer(0), integer(many)) as x:
                place = b.add(x, integer(whole * across))
                value = read(b, begin, dtype, place, lanes, across, c - whole)
                end = b.add(b.mul(x, integer(c)), integer(whole))
                write(b, inner, value, end, 1, c - whole)


def padded(
    source: Node, extent: tuple[int, int], offset: tuple[int, int], spacing: tuple[int, int],
    views: Views,
) -> StridedNHWC | PaddedNHWC:  # fmt: skip
    """The image with this padding: a copy, or the image itself if it has that layout already."""
    unpadded = StridedNHWC.of(source, views[source])
    image = unpadded.image
    each, down, across = unpadded.steps
    strides = (each, 1, down, across)
    same = all(n == 1 or a == b for n, a, b in zip(image.size, image.steps, strides))
    if same and (extent, offset, spacing) == (image.size[2:], (0, 0), (1, 1)):
        return unpadded
    return PaddedNHWC(NO_NODES, source, image, extent, offset, spacing)
