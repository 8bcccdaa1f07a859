"""The plans of convolutions and of their adjoints: sizes, and blocks of positions for tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

from .....dtypes import DType
from .....graph.node import Node
from .....graph.state.lazy import lazy
from .....graph.state.records import dataclass
from .....ops.window.convolution import ConvolutionInput
from .....shapes import sizes
from ...llvm.target import host
from ..formula import dtype_of
from ..gemm.microkernel import heights, shape_for
from ..kernel import Views
from .padded_images import Image, PaddedNHWC, StridedNHWC, padded, planes

_TERMS = 192  # positions at least that are summed before a tile is stored
_MOST = 2048  # positions at most, except for wider rows: the rounding error grows with their number
_ITEMS = 8  # items at least, if there are enough images or tiles
_SUMS = 1 << 22  # bytes at most of all parts' sums


@dataclass(frozen=True)
class Area:
    """A plane of positions, cut into blocks, each of which is the rows of one tile. `rows` and
    `columns` are divisions as by `heights`."""

    rows: tuple[int, int, int]
    columns: tuple[int, int, int]
    width: int  # columns of the plane

    @staticmethod
    def of(height: int, width: int, most: int) -> Area:
        """Blocks of at most `most` positions."""
        if width >= most:
            return Area((0, height, 1), heights(width, most), width)
        down = max(most // width, 1)
        count = -(-height // down)
        short, more = divmod(height, count)
        return Area((more, count - more, short), (0, 1, width), width)

    @property
    def count(self) -> int:
        """The number of blocks."""
        return sum(self.rows[:2]) * sum(self.columns[:2])

    def block_sizes(self) -> list[tuple[int, int, int, int, int, int]]:
        """(first block row, block rows, first block column, block columns, rows of a block, columns
        of a block), for each size of block."""
        found: list[tuple[int, int, int, int, int, int]] = []
        (more, others, short), (more_x, others_x, short_x) = self.rows, self.columns
        for first, many, tall in ((0, more, short + 1), (more, others, short)):
            for at, count, wide in ((0, more_x, short_x + 1), (more_x, others_x, short_x)):
                if many and count:
                    found.append((first, many, at, count, tall, wide))
        return found


@dataclass(frozen=True, eq=False)
class WindowPlan:
    """The sizes that a convolution and its adjoints have in common. Each of them is a matrix
    product for each group of channels, whose columns are cut into panels of whole vectors."""

    dtype: DType
    n: int  # images
    size: tuple[int, int]  # of the window
    stride: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    channels: int  # of the image, in a group
    columns: int  # of the product, in a group
    places: tuple[int, int]  # rows and columns of the positions of the window
    extent: tuple[int, int]  # of the padded image, see `PaddedNHWC`
    offset: tuple[int, int]
    spacing: tuple[int, int] = (1, 1)

    @classmethod
    def between(cls, node: Any, weight: Sequence[int], places: Sequence[int], views: Views) -> Self:
        """The sizes for windows over the node's first input, with these shapes of the weight
        (o, c, *size) and of the positions."""
        window, stride, padding, dilation = planes(node.attributes, tuple(weight[2:]))
        groups: int = node.attributes["groups"]
        n, channels, height, width = Image.of(views[node.inputs[0]]).size
        down, across = (1, *places)[-2:]
        return cls(
            dtype_of(node), n, window, stride, dilation, groups, channels // groups,
            weight[0] // groups, (down, across),
            (height + sum(padding[0]), width + sum(padding[1])), (padding[0][0], padding[1][0]),
        )  # fmt: skip

    def padded(self, source: Node, views: Views) -> StridedNHWC | PaddedNHWC:
        """The image over which the windows slide."""
        return padded(source, self.extent, self.offset, self.spacing, views)

    @property
    def pitch(self) -> int:
        """The stride between rows of the product: all groups' columns."""
        return self.groups * self.columns

    @property
    def depthwise(self) -> bool:
        """Whether each channel is a group of its own."""
        return self.groups > 1 == self.channels == self.columns

    @lazy
    def lanes(self) -> int:
        """The number of lanes along contiguous channels."""
        lanes = host().lanes(self.dtype.itemsize)
        channels = self.groups if self.depthwise else self.columns
        return min(lanes, 1 << (channels - 1).bit_length()) if self.groups > 1 else lanes

    @lazy
    def tile(self) -> tuple[int, int]:
        """(rows, vectors of columns) of a tile."""
        return shape_for(1 << 20, self.columns, self.lanes)

    @property
    def width(self) -> int:
        """The columns of a panel."""
        return self.tile[1] * self.lanes

    @property
    def panels(self) -> int:
        """The panels of a group."""
        return -(-self.columns // self.width)

    @property
    def rest(self) -> int:
        """The columns of the last panel."""
        return self.columns - (self.panels - 1) * self.width


@dataclass(frozen=True, eq=False)
class ConvolutionPlan(WindowPlan):
    """The sizes of a convolution, or of the gradient of its input: a row of the product for each
    position, and a term for each tap and channel."""

    @classmethod
    def of(cls, node: Any, views: Views) -> ConvolutionPlan:
        """The sizes of a node."""
        weight, places = sizes(node.inputs[1].shape), sizes(node.shape)[2:]
        plan = cls.between(node, weight, places, views)
        if not isinstance(node, ConvolutionInput):
            return plan
        # The adjoint is a convolution of the cotangent, whose elements are `stride` apart, by the
        # reversed taps. Its padding is what the taps span beyond the convolution's padding.
        spread = [(k - 1) * d for k, d in zip(plan.size, plan.dilation, strict=True)]
        extent = (plan.places[0] + spread[0], plan.places[1] + spread[1])
        offset = (spread[0] - plan.offset[0], spread[1] - plan.offset[1])
        return replace(
            plan, columns=weight[1], stride=(1, 1), spacing=plan.stride,
            extent=extent, offset=offset,
        )  # fmt: skip

    @lazy
    def area(self) -> Area:
        """The blocks of the result's positions."""
        return Area.of(*self.places, self.tile[0])


@dataclass(frozen=True, eq=False)
class WeightPlan(WindowPlan):
    """The sizes of the gradient of a weight: a row of the product for each tap and channel, and a
    term for each position of each image."""

    @classmethod
    def of(cls, node: Any, views: Views) -> WeightPlan:
        """The sizes of a node."""
        return cls.between(node, sizes(node.shape), sizes(node.inputs[1].shape)[2:], views)

    @property
    def joined(self) -> bool:
        """Whether neighbouring taps and their channels are one contiguous run."""
        return self.dilation[1] == 1 == self.groups

    @property
    def planes(self) -> int:
        """The planes of tiles: one, or one for each row of the window if taps aren't joined."""
        return 1 if self.joined else self.size[0]

    @lazy
    def area(self) -> Area:
        """The blocks of a plane: its positions are taps and their channels."""
        (down, across), c = self.size, self.channels
        rows, columns = (down, across * c) if self.joined else (across, c)
        return Area.of(rows, columns, self.tile[0])

    @property
    def tiles(self) -> int:
        """The number of tiles."""
        return self.groups * self.panels * self.planes * self.area.count

    @property
    def count(self) -> int:
        """The elements of the result."""
        return self.pitch * self.channels * self.size[0] * self.size[1]

    @property
    def block(self) -> int:
        """The images that are summed before a tile is stored."""
        return max(1, min(self.n, _TERMS // max(self.places[0] * self.places[1], 1)))

    @property
    def cut(self) -> int:
        """The axis along which large images are cut into bands: the columns if there is one row."""
        return 0 if self.places[0] > 1 else 1

    @lazy
    def band(self) -> int:
        """The rows, or columns, of a band."""
        height, width = self.places
        if self.block > 1 or height * width <= _MOST:
            return self.places[self.cut]
        return max(1, _MOST // width) if self.cut == 0 else _MOST

    @property
    def bands(self) -> int:
        """The bands of an image."""
        return -(-self.places[self.cut] // max(self.band, 1))

    @property
    def blocks(self) -> int:
        """The blocks of images, or the bands of all images."""
        return -(-self.n // self.block) * self.bands

    @lazy
    def parts(self) -> int:
        """The parts of the images, whose sums AddParts adds; several if the sums are small."""
        most = 1 if self.depthwise else _SUMS // (self.count * self.dtype.itemsize)
        return max(1, min(_ITEMS, self.blocks, most))

    @property
    def together(self) -> int:
        """The tiles of a gang, which one item computes for each image."""
        return -(-self.tiles // (_ITEMS // self.parts))

    @property
    def gangs(self) -> int:
        """The gangs of tiles of one part."""
        return -(-self.tiles // self.together)
