"""Solutions of triangular equations by substitution, with the right-hand sides in a panel.

A tile of rows loses the products of all rows solved before it, in one pass over these rows of the
triangle, and is divided by its own small triangle.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .....dtypes import DType
from .....graph.state.records import dataclass
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import integer, loop, read, splatted, write
from ...llvm.target import host
from ...llvm.values import Value, chosen
from ..gemm.microkernel import Tile

_VECTORS = 3  # of a panel at most
_HEIGHT = 8  # rows of a tile at most

# The smallest number with a reciprocal, and a power of 2 that gives smaller ones one too, by size.
_SMALLEST = {4: (2.0**-126, 2.0**30), 8: (2.0**-1022, 2.0**60)}


@dataclass(frozen=True)
class SidesPlan:
    """Panels of right-hand sides."""

    dtype: DType
    rows: int
    columns: int
    lanes: int
    vectors: int  # of a panel
    height: int  # rows of a tile

    @classmethod
    def of(cls, dtype: DType, rows: int, columns: int) -> SidesPlan:
        """The panels for this CPU: vectors of a few columns are short."""
        lanes = min(host().lanes(dtype.itemsize), 1 << (columns - 1).bit_length())
        vectors = min(_VECTORS, -(-columns // lanes))
        height = _HEIGHT if host().registers == 32 else _HEIGHT // 2
        return cls(dtype, rows, columns, lanes, vectors, min(height, rows))

    @property
    def width(self) -> int:
        """The columns of a panel."""
        return self.vectors * self.lanes

    @property
    def panels(self) -> int:
        """Their number."""
        return -(-self.columns // self.width)

    @property
    def rest(self) -> int:
        """The columns of the last panel."""
        return self.columns - (self.panels - 1) * self.width

    @property
    def size(self) -> int:
        """The numbers of a panel."""
        return self.rows * self.width


@dataclass(frozen=True)
class TriangleOf:
    """A triangle of a matrix in memory: element (i, j) is at i·down + j·along."""

    down: int
    along: int
    lower: bool
    unit: bool  # whether its diagonal is 1, and isn't read


class Substitution:
    """Emits substitutions in one panel of right-hand sides."""

    def __init__(self, context: KernelContext, plan: SidesPlan, panel: Any) -> None:
        self.b, self.context, self.plan, self.panel = context.builder, context, plan, panel

    def solve(self, matrix: Any, triangle: TriangleOf) -> None:
        """Emits panel = t⁻¹ panel."""
        b, plan = self.b, self.plan
        tiles, rest = divmod(plan.rows, plan.height)
        whole = tiles * plan.height
        if rest and not triangle.lower:
            self._tile(matrix, triangle, integer(whole), rest)
        with loop(b, integer(0), integer(tiles)) as tile:
            number = tile if triangle.lower else b.sub(integer(tiles - 1), tile)
            self._tile(matrix, triangle, b.mul(number, integer(plan.height)), plan.height)
        if rest and triangle.lower:
            self._tile(matrix, triangle, integer(whole), rest)

    def _tile(self, matrix: Any, triangle: TriangleOf, row: Any, height: int) -> None:
        b, plan = self.b, self.plan
        width, down, along = plan.width, triangle.down, triangle.along
        at = b.gep(self.panel, [b.mul(row, integer(width))])
        first, terms = integer(0), row
        if not triangle.lower:
            first = b.add(row, integer(height))
            terms = b.sub(integer(plan.rows), first)
        left = b.gep(matrix, [b.mul(row, integer(down))])
        own = b.gep(left, [b.mul(row, integer(along))])
        tile = Tile(
            plan.dtype, tuple(down * each for each in range(height)), plan.vectors, plan.lanes,
            plan.lanes, ((None, along, width),), True, True, adds=True, subtracts=True,
        ).emitted(b.module)  # fmt: skip
        b.call(tile, [
            b.gep(left, [b.mul(first, integer(along))]),
            b.gep(self.panel, [b.mul(first, integer(width))]),
            at, integer(width), at, integer(width), terms, ir.Constant(ir.IntType(1), 0),
        ])  # fmt: skip
        rows = [self._row(at, number) for number in range(height)]
        order = range(height) if triangle.lower else range(height)[::-1]
        for place, number in enumerate(order):
            if not triangle.unit:
                pivot = self._number(own, number * (down + along))
                factors = [self._spread(one) for one in self._reciprocal(pivot)]
                rows[number] = [one * factors[0] * factors[1] for one in rows[number]]
            for other in order[place + 1 :]:
                factor = self._spread(-self._number(own, other * down + number * along))
                rows[other] = [
                    factor.fused(one, mine)
                    for one, mine in zip(rows[number], rows[other], strict=True)
                ]
            for vector, value in enumerate(rows[number]):
                write(b, at, value, integer(number * width + vector * plan.lanes))

    def _reciprocal(self, pivot: Value) -> tuple[Value, Value]:
        """Two factors of 1/pivot, of which one is a power of 2, as a rule 1: the reciprocal itself
        may be infinite, or so small that it is flushed to 0."""
        size, one = pivot.called("fabs"), pivot.number(1)
        tiny, power = _SMALLEST[self.plan.dtype.itemsize]
        scale = chosen(size < pivot.number(tiny), pivot.number(power), one)
        scale = chosen(size > pivot.number(1 / tiny), pivot.number(1 / power), scale)
        return one / (pivot * scale), scale

    def has_zero(self, matrix: Any, step: int) -> Any:
        """Emits the search of a 0 on the diagonal, whose elements are `step` apart."""
        b, plan = self.b, self.plan
        found = self.context.slot(ir.IntType(1))
        b.store(ir.Constant(ir.IntType(1), 0), found)
        with loop(b, integer(0), integer(plan.rows)) as row:
            one = read(b, matrix, plan.dtype, b.mul(row, integer(step)), 1, 1)
            b.store(b.or_(b.load(found), (one == 0.0).code), found)
        return b.load(found)

    def exchange(self, row: Any, other: Any) -> None:
        """Emits the exchange of two rows of the panel."""
        b, width = self.b, integer(self.plan.width)
        first, second = (b.gep(self.panel, [b.mul(one, width)]) for one in (row, other))
        mine, its = self._row(first, 0), self._row(second, 0)
        for at, values in ((first, its), (second, mine)):
            for vector, value in enumerate(values):
                write(b, at, value, integer(vector * self.plan.lanes))

    def _row(self, at: Any, number: int) -> list[Value]:
        plan = self.plan
        places = range(number * plan.width, (number + 1) * plan.width, plan.lanes)
        return [read(self.b, at, plan.dtype, integer(one), plan.lanes, 1) for one in places]

    def _number(self, at: Any, place: int) -> Value:
        return read(self.b, at, self.plan.dtype, integer(place), 1, 1)

    def _spread(self, one: Value) -> Value:
        return splatted(one, self.plan.lanes) if self.plan.lanes > 1 else one
