"""Functions on the panels of a Cholesky factor's slope."""

from __future__ import annotations

from typing import Any

from ...llvm.builder import INT
from ...llvm.loops import integer, loop, write
from .panels import PanelFunction


class SlopeRows(PanelFunction):
    """(panels of h, panel of l, panel of h, inverse, size of a panel, first panel after that of l,
    number of the rows' panel, rows, all rows): h of a block of rows.

    Elements of h that lie in panels before that of the rows are read as they are, others from the
    transpose: of h the lower triangle is there.
    """

    def arguments(self) -> list[Any]:
        return [self.pointer] * 4 + [INT] * 5

    def emit(self, *arguments: Any) -> None:
        whole, low, half, inverse, size, first, number, rows, every = arguments
        b, plan = self.b, self.plan
        width = integer(plan.width)
        start = b.mul(number, width)
        own = b.gep(whole, [b.add(b.mul(number, size), b.mul(start, width))])
        with loop(b, integer(0), rows, plan.height) as place:
            row = b.mul(b.add(start, place), width)
            at = b.gep(half, [row])
            with loop(b, first, number) as panel:
                left = b.gep(whole, [b.add(b.mul(panel, size), row)])
                right = b.gep(low, [b.mul(b.mul(panel, width), width)])
                self.subtract(left, right, at, width, transposed=False)
            right = b.gep(low, [b.mul(start, width)])
            self.subtract(b.gep(own, [place]), right, at, b.sub(every, start))
            self.multiply(at, inverse, at, width, transposed=False)
        b.ret_void()


class SlopeBlock(PanelFunction):
    """(panel of l, panel of h, inverse, two blocks, first row, rows, all rows): h of a block on the
    diagonal."""

    def arguments(self) -> list[Any]:
        return [self.pointer] * 4 + [INT] * 3

    def emit(self, *arguments: Any) -> None:
        low, half, inverse, blocks, start, rows, every = arguments
        b, plan = self.b, self.plan
        width = integer(plan.width)
        end = b.add(start, rows)
        triangle, own = (b.gep(one, [b.mul(start, width)]) for one in (low, half))
        below, after = (b.gep(one, [b.mul(end, width)]) for one in (low, half))
        other = b.gep(blocks, [integer(plan.width**2)])

        def tiles(emit: Any) -> None:
            with loop(b, integer(0), rows, plan.height) as place:
                emit(place, b.mul(place, width))

        def product(left: Any, right: Any, at: Any, *, transposed: bool) -> None:
            def one(place: Any, row: Any) -> None:
                source = b.gep(left, [place if transposed else row])
                self.multiply(source, right, b.gep(at, [row]), rows, transposed=transposed)

            tiles(one)

        def less(place: Any, row: Any) -> None:
            self.subtract(b.gep(after, [place]), below, b.gep(own, [row]), b.sub(every, end))

        tiles(less)
        product(triangle, own, blocks, transposed=True)
        with loop(b, integer(0), rows) as row:  # half of the lower triangle, on both sides
            line = b.gep(blocks, [b.mul(row, width)])
            with loop(b, integer(0), row) as column:
                value = self.number(line, column)
                write(b, b.gep(blocks, [b.mul(column, width)]), value, row)
        product(blocks, inverse, other, transposed=False)
        product(inverse, other, own, transposed=True)
        b.ret_void()
