"""The plans of convolutions and of their adjoints: sizes, and blocks of positions for tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .....dtypes import DType
from .....ops.convolution import ConvolutionInput
from .....shapes import size as size_of, sizes
from ...llvm.target import host
from ..formula import dtype_of
from ..gemm.microkernel import heights, shape_for
from ..kernel import Views
from .padded_images import Image, planes

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

    def kinds(self) -> list[tuple[int, int, int, int, int, int]]:
        """(first block row, block rows, first block column, block columns, rows of a block, columns
        of a block), for each size of block."""
        kinds: list[tuple[int, int, int, int, int, int]] = []
        (more, others, short), (more_x, others_x, short_x) = self.rows, self.columns
        for first, many, tall in ((0, more, short + 1), (more, others, short)):
            for at, count, wide in ((0, more_x, short_x + 1), (more_x, others_x, short_x)):
                if many and count:
                    kinds.append((first, many, at, count, tall, wide))
        return kinds


@dataclass(frozen=True, eq=False)
class ConvolutionPlan:
    """The sizes of one convolution, or of its adjoint to the input. `summed` channels and `columns`
    are those of a group."""

    dtype: DType
    n: int  # images
    size: tuple[int, int]  # of the window
    stride: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    summed: int
    columns: int
    places: tuple[int, int]  # rows and columns of the result
    pitch: int  # the stride between positions of the result
    extent: tuple[int, int]  # of the padded input, see `PaddedNHWC`
    offset: tuple[int, int]
    spacing: tuple[int, int]
    depthwise: bool
    lanes: int
    width: int  # columns of a panel
    panels: int  # of a group
    rest: int  # columns of the last panel
    area: Area

    @classmethod
    def of(cls, node: Any, views: Views) -> ConvolutionPlan:
        """The sizes of a node."""
        dtype = dtype_of(node)
        o, c, *taps = sizes(node.inputs[1].shape)
        window, stride, padding, dilation = planes(node.attributes, tuple(taps))
        groups: int = node.attributes["groups"]
        n, channels, height, width = Image.of(views[node.inputs[0]]).size
        summed = channels // groups
        result = sizes(node.shape)
        places = (result[2], result[3]) if len(result) == 4 else (1, result[2])
        if isinstance(node, ConvolutionInput):
            spread = [(k - 1) * d for k, d in zip(window, dilation, strict=True)]
            columns = c
            extent = (places[0] + spread[0], places[1] + spread[1])
            offset = (spread[0] - padding[0][0], spread[1] - padding[1][0])
            spacing, stride = stride, (1, 1)
        else:
            columns = o // groups
            extent = (height + sum(padding[0]), width + sum(padding[1]))
            offset = (padding[0][0], padding[1][0])
            spacing = (1, 1)
        depthwise = groups > 1 == summed == columns
        lanes = lanes_of(dtype, groups, groups if depthwise else columns)
        tall, wide = shape_for(1 << 20, columns, lanes)
        panels = -(-columns // (wide * lanes))
        return cls(
            dtype, n, window, stride, dilation, groups, summed, columns, places, groups * columns,
            extent, offset, spacing, depthwise, lanes, wide * lanes, panels,
            columns - (panels - 1) * wide * lanes, Area.of(*places, tall),
        )  # fmt: skip


def lanes_of(dtype: DType, groups: int, beside: int) -> int:
    """The number of lanes along `beside` contiguous channels."""
    lanes = host().lanes(dtype.itemsize)
    return min(lanes, 1 << (beside - 1).bit_length()) if groups > 1 else lanes


@dataclass(frozen=True, eq=False)
class WeightPlan:
    """The sizes of one gradient of a weight. `c` and `o` are the channels of a group."""

    dtype: DType
    n: int  # images
    size: tuple[int, int]  # of the window
    stride: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    c: int
    o: int
    places: tuple[int, int]  # rows and columns of the cotangent
    pitch: int  # the stride between rows of the result
    extent: tuple[int, int]  # of the padded input, see `PaddedNHWC`
    offset: tuple[int, int]
    depthwise: bool
    lanes: int
    width: int  # columns of a panel
    panels: int  # of a group
    rest: int  # columns of the last panel
    joined: bool  # whether neighbouring taps and their channels are one contiguous run
    planes: int  # planes of tiles
    area: Area  # the blocks of a plane
    tiles: int
    count: int  # elements of the result
    block: int  # images that are summed before a tile is stored
    cut: int  # the axis along which large images are cut into bands
    band: int  # rows, or columns, of a band
    bands: int
    blocks: int
    parts: int  # parts of the images, whose sums AddParts adds
    together: int  # tiles of a gang: the tiles that one item computes for each image
    gangs: int

    @classmethod
    def of(cls, node: Any, views: Views) -> WeightPlan:
        """The sizes of a node."""
        dtype = dtype_of(node)
        x, g = (Image.of(views[operand]) for operand in node.inputs)
        groups: int = node.attributes["groups"]
        n, channels, height, width = x.size
        c, o = channels // groups, g.size[1] // groups
        places = g.size[2:]
        window, stride, padding, dilation = planes(node.attributes, tuple(sizes(node.shape)[2:]))
        depthwise = groups > 1 == c == o
        lanes = lanes_of(dtype, groups, groups if depthwise else o)
        tall, wide = shape_for(1 << 20, o, lanes)
        panels = -(-o // (wide * lanes))
        # The result has a row for each tap and channel. If taps aren't joined, each row of the
        # window is a plane of its own.
        down, across = window
        joined = dilation[1] == 1 == groups
        area = Area.of(down, across * c, tall) if joined else Area.of(across, c, tall)
        tiles = groups * panels * (1 if joined else down) * area.count
        count = size_of(sizes(node.shape))
        block = max(1, min(n, _TERMS // max(places[0] * places[1], 1)))
        # Large images are cut into bands of rows, or of columns if there is one row.
        cut = 0 if places[0] > 1 else 1
        band = places[cut]
        if block == 1 and places[0] * places[1] > _MOST:
            band = max(1, _MOST // places[1]) if cut == 0 else _MOST
        bands = -(-places[cut] // max(band, 1))
        blocks = -(-n // block) * bands
        # Items are parts of the images, if the sums are small, times gangs of tiles.
        most = 1 if depthwise else _SUMS // (count * dtype.itemsize)
        parts = max(1, min(_ITEMS, blocks, most))
        together = -(-tiles // (_ITEMS // parts))
        return cls(
            dtype, n, window, stride, dilation, groups, c, o, places, g.size[1],
            (height + sum(padding[0]), width + sum(padding[1])), (padding[0][0], padding[1][0]),
            depthwise, lanes, wide * lanes, panels, o - (panels - 1) * wide * lanes, joined,
            1 if joined else down, area, tiles, count, block, cut, band, bands, blocks, parts,
            together, -(-tiles // together),
        )  # fmt: skip
