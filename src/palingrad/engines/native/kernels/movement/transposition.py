"""Copies between arrays that are contiguous along different axes, a square of vectors at a time.

Element by element such a copy loads or stores single numbers. A square is loaded along the axis on
which the source is contiguous, transposed in registers, and stored along the other one. Squares
are taken in tiles that fit the first-level cache, so that whole cache lines are read and written.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from .....dtypes import DType, bool_
from .....graph.state.records import dataclass
from ...llvm.builder import INT32, shuffled
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import integer, loop, place_of, read, unravelled, vectors, write
from ...llvm.values import Value, transposed
from ..formula import lanes_for

_ROWS = 64  # of a tile
_COLUMNS = 32
_LANES = 16  # of a square at most


@dataclass(frozen=True, eq=False)
class Transposition:
    """A copy along `rows`, on which the source is contiguous, and `columns`, on which the target
    is, for each position on the other axes."""

    dtype: DType
    lanes: int
    outer: list[int]
    source_steps: list[int]  # along the outer axes
    target_steps: list[int]
    offsets: tuple[int, int]  # of the source and of the target
    rows: int
    row_step: int  # of the target
    columns: int
    column_step: int  # of the source

    @classmethod
    def of(
        cls, dtype: DType, extents: Sequence[int], steps: Sequence[Sequence[int]],
        offsets: tuple[int, int],
    ) -> Transposition | None:  # fmt: skip
        """The copy between arrays with these strides over `extents`; None if they aren't turned
        against each other, or are too small for a square."""
        source, target = steps
        if len(extents) < 2 or 0 in extents or dtype == bool_:
            return None
        if target[-1] != 1 or source[-1] in (0, 1) or 1 not in source[:-1]:
            return None
        axis = source.index(1)
        lanes = min(lanes_for([dtype], 1 << 10), _LANES)
        if min(extents[axis], extents[-1]) < lanes:
            return None
        outer = [place for place in range(len(extents) - 1) if place != axis]
        return cls(
            dtype, lanes, [extents[place] for place in outer],
            [source[place] for place in outer], [target[place] for place in outer], offsets,
            extents[axis], target[axis], extents[-1], source[-1],
        )  # fmt: skip

    @property
    def items(self) -> int:
        """Blocks of rows."""
        return math.prod(self.outer) * -(-self.rows // _ROWS)

    def run(self, context: KernelContext, begin: Any, end: Any, source: Any, target: Any) -> None:
        """Emits the items from `begin` to `end`, between the buffers at `source` and `target`."""
        b, count = context.builder, -(-self.rows // _ROWS)
        with loop(b, begin, end) as item:
            indices = unravelled(b, item, [*self.outer, count])
            first = b.mul(indices[-1], integer(_ROWS))
            stop = context.smaller(b.add(first, integer(_ROWS)), integer(self.rows))
            whole = context.smaller(stop, integer(self.rows // self.lanes * self.lanes))
            places = (
                (source, place_of(b, indices[:-1], self.source_steps, integer(self.offsets[0]))),
                (target, place_of(b, indices[:-1], self.target_steps, integer(self.offsets[1]))),
            )
            main, rest = self.columns // self.lanes * self.lanes, self.columns % self.lanes
            with loop(b, integer(0), integer(main), _COLUMNS) as left:
                right = context.smaller(b.add(left, integer(_COLUMNS)), integer(main))
                with loop(b, first, whole, self.lanes) as row:
                    with loop(b, left, right, self.lanes) as column:
                        self._square(b, places, row, column, self.lanes)
            if rest:
                with loop(b, first, whole, self.lanes) as row:
                    self._square(b, places, row, integer(main), rest)
            if self.rows % self.lanes:
                with loop(b, whole, stop) as row:
                    self._row(b, places, row)

    def _square(self, b: Any, places: Any, row: Any, column: Any, columns: int) -> None:
        """Emits the copy of `lanes` rows of `columns` columns, which are at most as many."""
        (source, start), (target, end) = places
        lanes, dtype = self.lanes, self.dtype
        found: list[Value] = []
        for number in range(columns):
            far = b.mul(b.add(column, integer(number)), integer(self.column_step))
            found.append(read(b, source, dtype, b.add(b.add(start, row), far), lanes, 1))
        nothing = Value(b, None, dtype, lanes).number(0)
        for number, value in enumerate(transposed([*found, *[nothing] * (lanes - columns)])):
            far = b.mul(b.add(row, integer(number)), integer(self.row_step))
            place, done = b.add(b.add(end, far), column), 0
            while done < columns:  # in whole vectors, the last ones smaller
                width = min(lanes, 1 << (columns - done).bit_length() - 1)
                part = _part(b, value, done, width)
                write(b, target, part, b.add(place, integer(done)))
                done += width

    def _row(self, b: Any, places: Any, row: Any) -> None:
        (source, start), (target, end) = places
        start, end = b.add(start, row), b.add(end, b.mul(row, integer(self.row_step)))

        def some(column: Any, active: int) -> None:
            place = b.add(start, b.mul(column, integer(self.column_step)))
            value = read(b, source, self.dtype, place, self.lanes, self.column_step, active)
            write(b, target, value, b.add(end, column), 1, active)

        vectors(b, self.columns, self.lanes, some)


def _part(b: Any, value: Value, first: int, width: int) -> Value:
    """`width` lanes of a value, from lane `first` on."""
    if width == value.lanes:
        return value
    if width == 1:
        code = b.extract_element(value.code, ir.Constant(INT32, first))
    else:
        code = shuffled(b, value.code, value.code, range(first, first + width))
    return Value(b, code, value.dtype, width)
