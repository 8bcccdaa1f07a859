"""The plan of an attention kernel: blocks of rows, tiles, packed operands, and its memory."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .....dtypes import DType
from .....graph.operation import Operation
from .....graph.state.records import dataclass
from .....shapes import sizes
from ...llvm.strided_view import View, broadcast
from ...llvm.target import host
from ..gemm.microkernel import shape_for
from ..kernel import Views
from .recipe import Recipe

_BLOCK = 1 << 15  # bytes at most of a block of rows of one matrix, or one tile of rows
_TOGETHER = 2  # rows
_LINE = 16  # numbers in a cache line, of the smallest floats
_STACK = 1 << 19  # bytes of working memory up to which it is on the stack


@dataclass(frozen=True)
class Panels:
    """An operand that is packed: its columns in panels, each with all terms."""

    view: View  # (…, terms, columns)
    columns: int
    width: int  # columns of a panel
    factor: float = 1.0  # by which it is multiplied

    @property
    def terms(self) -> int:
        """The number of terms."""
        return self.view.shape[-2]

    @property
    def pitch(self) -> int:
        """The columns of all panels."""
        return self.count * self.width

    @property
    def count(self) -> int:
        """The number of panels."""
        return -(-self.columns // self.width)

    @property
    def rest(self) -> int:
        """The columns of the last panel."""
        return self.columns - (self.count - 1) * self.width

    @property
    def size(self) -> int:
        """The numbers of all panels."""
        return self.pitch * self.terms


@dataclass(frozen=True)
class Tiles:
    """Rows of a matrix in tiles of equal height; the last one may have fewer."""

    rows: int
    tall: int

    @classmethod
    def of(cls, rows: int, most: int, multiple: int = 1) -> Tiles:
        """Tiles of at most `most` rows, as equal as possible, each of a multiple of rows."""
        equal = -(-rows // -(-rows // most))
        return cls(rows, -(-equal // multiple) * multiple)

    @property
    def count(self) -> int:
        """The number of tiles."""
        return -(-self.rows // self.tall)

    @property
    def rest(self) -> int:
        """The rows of the last tile."""
        return self.rows - (self.count - 1) * self.tall


@dataclass(frozen=True)
class Areas:
    """The parts of working memory, by the number of their first element."""

    blocks: tuple[int, ...]  # a block of rows of each product, then of each of the chain's results
    rights: tuple[int, ...]
    others: tuple[int, ...]
    sums: tuple[int, ...]  # of each result that has the columns as rows
    tile: int
    total: int

    @classmethod
    def of(cls, *sizes: list[int]) -> Areas:
        """Areas of these sizes, each of which begins a cache line."""
        starts: list[tuple[int, ...]] = []
        end = 0
        for group in sizes:
            places: list[int] = []
            for size in group:
                places.append(end)
                end += -(-size // _LINE) * _LINE
            starts.append(tuple(places))
        blocks, rights, others, sums, (tile,) = starts
        return cls(blocks, rights, others, sums, tile, end)


@dataclass(frozen=True, eq=False)
class AttentionPlan:
    """Sizes, and the places of everything in working memory."""

    dtype: DType
    batch: tuple[int, ...]
    rows: int
    columns: int
    lanes: int
    together: int  # rows of a tile that the chain computes at a time
    tiles: Tiles  # of rows
    column_tiles: Tiles  # of columns
    block: int  # tiles of rows in a block
    pitch: int  # numbers from row to row of a block
    lefts: tuple[View, ...]  # of each product: (…, t, depth)
    rights: tuple[Panels, ...]  # of each product: (…, depth, u)
    others: tuple[Panels, ...]  # of each result
    seen: int | None
    areas: Areas
    on_stack: bool

    @classmethod
    def of(cls, recipe: Recipe, dtype: DType, views: Views) -> AttentionPlan:
        """The plan of a recipe."""
        *batch, rows, columns = recipe.chain.shape
        lanes = host().lanes(dtype.itemsize)
        tall, wide = shape_for(rows, columns, lanes)
        width = wide * lanes
        together = 1 if rows % _TOGETHER else _TOGETHER
        tiles = Tiles.of(rows, tall - tall % together, together)
        pitch = -(-columns // width) * width + lanes  # rows don't share sets of the cache
        block = max(_BLOCK // (pitch * dtype.itemsize) // tiles.tall, 1)
        block = min(block, tiles.count)
        pairs = [[_matrices(views[x], batch) for x in node.inputs] for node in recipe.products]
        rights = [
            Panels(y, columns, width, factor)
            for (_, y), factor in zip(pairs, recipe.factors, strict=True)
        ]
        others: list[Panels] = []
        for one in recipe.results:
            y = _matrices(views[one.other], batch)
            y = turned(y) if one.turned else y
            least = min(wide, -(-y.shape[-1] // lanes)) * lanes
            others.append(Panels(y, y.shape[-1], least, one.factor))
        matrices = len(recipe.products) + len(recipe.chain.live_out)
        areas = Areas.of(
            [block * tiles.tall * pitch] * matrices,
            [one.size for one in rights],
            [other.pitch * block * tiles.tall if one.of_columns else other.size
             for one, other in zip(recipe.results, others, strict=True)],
            [columns * other.pitch if one.of_columns else 0
             for one, other in zip(recipe.results, others, strict=True)],
            [tall * width],
        )  # fmt: skip
        return cls(
            dtype, tuple(batch), rows, columns, lanes, together, tiles, Tiles.of(columns, tall),
            block, pitch,
            tuple(x for x, _ in pairs), tuple(rights), tuple(others),
            recipe.seen if columns % lanes == 0 else None,
            areas, areas.total * dtype.itemsize <= _STACK,
        )  # fmt: skip

    @property
    def block_rows(self) -> int:
        """The rows of a block."""
        return self.block * self.tiles.tall

    @property
    def work(self) -> float:
        """The number of multiplications, about."""
        depth = sum(one.terms for one in self.rights) + sum(one.columns for one in self.others)
        part = 1.0 if self.seen is None else 0.6
        return part * math.prod(self.batch) * self.rows * self.columns * depth


def _matrices(view: View, batch: Sequence[int]) -> View:
    """The view, broadcast to the batch."""
    return broadcast(view, (*batch, *view.shape[-2:]))


def turned(view: View) -> View:
    """The transposed matrices."""
    shape, strides = view.shape, view.strides
    return View(
        view.base,
        (*shape[:-2], shape[-1], shape[-2]),
        (*strides[:-2], strides[-1], strides[-2]),
        view.offset,
    )


def layout_of(recipe: Recipe, part: int, node: Operation, views: Views) -> View:
    """The view of a result: contiguous along its columns, with the other axes in the order of those
    of the first product's right operand, such as (batch, tokens, heads) of keys."""
    shape = sizes(node.shape)
    lengths = [*shape]
    if recipe.results[part].turned:
        lengths[-2:] = reversed(lengths[-2:])
    steps = turned(_matrices(views[recipe.products[0].inputs[1]], lengths[:-2])).strides[:-1]
    axes = [*range(len(steps))]
    if all(step or lengths[axis] == 1 for axis, step in enumerate(steps)):
        axes.sort(key=lambda axis: (-steps[axis], axis))
    strides, step = [1] * len(shape), lengths[-1]
    for axis in reversed(axes):
        strides[axis] = step
        step *= lengths[axis]
    view = View(node, tuple(lengths), tuple(strides))
    return turned(view) if recipe.results[part].turned else view
