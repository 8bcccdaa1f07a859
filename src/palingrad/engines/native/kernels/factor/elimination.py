"""Functions on the panels of LU factors: elimination with exchanges of rows, and its products."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from ...llvm.builder import INT, INT32
from ...llvm.loops import integer, loop, read, write
from ...llvm.values import Value, constant
from .panels import PanelFunction, lane_numbers, spread

_TINY = {4: 2.0**-126, 8: 2.0**-1022}  # the smallest number with a reciprocal, by size


class Exchanged(PanelFunction):
    """(panel, pivots, first row, end): exchanges each row with that of its pivot, in order."""

    def arguments(self) -> list[Any]:
        return [self.pointer, INT32.as_pointer(), INT, INT]

    def emit(self, *arguments: Any) -> None:
        panel, pivots, start, end = arguments
        b = self.b
        with loop(b, start, end) as row:
            pivot = b.sext(b.load(b.gep(pivots, [row])), INT)
            with b.if_then(b.icmp_signed("!=", pivot, row)):
                self.exchange(panel, row, pivot)
        b.ret_void()


class Reduced(PanelFunction):
    """(left, panel, size of a panel, first row, panels, rows): eliminates the columns of so many
    panels, of which `left` is the first, from another panel."""

    def arguments(self) -> list[Any]:
        return [self.pointer, self.pointer, INT, INT, INT, INT]

    def emit(self, *arguments: Any) -> None:
        left, panel, size, start, panels, rows = arguments
        b, plan = self.b, self.plan
        width, height = integer(plan.width), integer(plan.height)
        end = b.add(start, b.mul(panels, width))
        above = b.gep(panel, [b.mul(start, width)])

        def products(row: Any, at: Any, count: Any) -> None:
            with loop(b, integer(0), count) as number:
                source = b.gep(left, [b.add(b.mul(number, size), b.mul(row, width))])
                right = b.gep(above, [b.mul(b.mul(number, width), width)])
                self.subtract(source, right, at, width, transposed=False)

        with loop(b, integer(0), panels) as block:
            first = b.add(start, b.mul(block, width))
            triangle = b.gep(left, [b.mul(block, size)])
            tiles = b.sdiv(b.sub(_smaller(b, b.add(first, width), rows), first), height)
            with loop(b, integer(0), tiles) as tile:
                place = b.mul(tile, height)
                row = b.add(first, place)
                at = b.gep(panel, [b.mul(row, width)])
                products(row, at, block)
                source = b.gep(triangle, [b.mul(row, width)])
                self.divided(source, b.gep(panel, [b.mul(first, width)]), at, place)
        with loop(b, end, rows, plan.height) as row:
            products(row, b.gep(panel, [b.mul(row, width)]), panels)
        b.ret_void()


class Eliminated(PanelFunction):
    """(panel, pivots, first row, columns, rows, padded rows): factors a panel from its first row
    on, and writes the row with which each was exchanged.

    The panel is factored a vector of columns at a time, so that the products of a column change one
    vector of each row.
    """

    def arguments(self) -> list[Any]:
        return [self.pointer, INT32.as_pointer(), INT, INT, INT, INT]

    def emit(self, *arguments: Any) -> None:
        panel, self.pivots, start, columns, self.rows, padded = arguments
        b, plan = self.b, self.plan
        self.panel, width = panel, integer(plan.width)
        part = PartOfPanel(self.module, "panel.part", plan, 1)
        self.size, self.found = b.alloca(self.pointer.pointee), b.alloca(INT)
        for vector in range(self.vectors):
            first = integer(vector * plan.lanes)
            end = _smaller(b, b.add(first, integer(plan.lanes)), columns)
            if vector:
                at = b.gep(panel, [b.mul(start, width)])
                b.call(part.emitted(), [at, first, b.sub(padded, start)])
            with loop(b, first, end) as column:
                self._column(b.add(start, column), column, vector)
        b.ret_void()

    def _column(self, row: Any, column: Any, vector: int) -> None:
        """Emits the elimination of a column by the row of its diagonal."""
        b, plan = self.b, self.plan
        pivot = self._pivot(row, column)
        b.store(b.trunc(pivot, INT32), b.gep(self.pivots, [row]))
        with b.if_then(b.icmp_signed("!=", pivot, row)):
            self.exchange(self.panel, row, pivot)
        at = self._at(row)
        value = self.number(at, column)
        size = value.called("fabs")
        tiny = value.number(_TINY[plan.dtype.itemsize])
        huge = value.number(1 / _TINY[plan.dtype.itemsize])
        # A number whose reciprocal may be infinite or flushed to 0 divides, and 0 doesn't.
        special = b.or_(b.and_((size < tiny).code, (size > 0.0).code), (size > huge).code)
        with b.if_then(special, likely=False):
            with loop(b, b.add(row, integer(1)), self.rows) as other:
                below = self._at(other)
                write(b, below, self.number(below, column) / value, column)
        one = value.number(1)
        usual = b.and_((size >= tiny).code, (size <= huge).code)
        isnt_zero = b.or_(usual, (size != size).code)
        inverse = value.like(b.select(isnt_zero, (one / value).code, one.code))
        lane = spread(b, b.sub(column, integer(vector * plan.lanes)), plan.lanes)
        numbers = lane_numbers(plan.lanes)
        place = integer(vector * plan.lanes)
        above = read(b, at, plan.dtype, place, plan.lanes, 1)
        after = b.icmp_signed(">", numbers, lane)
        above = above.like(b.select(after, above.code, above.number(0).code))
        here = b.icmp_signed("==", numbers, lane)
        with loop(b, b.add(row, integer(1)), self.rows) as other:
            below = self._at(other)
            factor = self.spread(self.number(below, column) * inverse)
            mine = read(b, below, plan.dtype, place, plan.lanes, 1)
            left = (-factor).fused(above, mine)
            write(b, below, left.like(b.select(here, factor.code, left.code)), place)

    def _at(self, row: Any) -> Any:
        return self.b.gep(self.panel, [self.b.mul(row, integer(self.plan.width))])

    def _pivot(self, row: Any, column: Any) -> Any:
        """Emits the search of the largest number of a column, from a row on: the first of them.
        NaN isn't larger."""
        b, plan = self.b, self.plan
        lanes, width = plan.lanes, plan.width
        count = b.sub(self.rows, row)
        whole = b.sub(count, b.srem(count, integer(lanes)))
        start = b.add(b.mul(row, integer(width)), column)
        before = b.block
        with loop(b, integer(0), whole, lanes) as first:
            phis = first.parent
            with b.goto_block(phis):
                b.position_after(first)
                best = b.phi(self._vector(plan.dtype, lanes))
                where = b.phi(ir.VectorType(INT, lanes) if lanes > 1 else INT)
            place = b.add(start, b.mul(first, integer(width)))
            sizes = read(b, self.panel, plan.dtype, place, lanes, width).called("fabs")
            larger = (sizes > Value(b, best, plan.dtype, lanes)).code
            numbers = b.add(spread(b, first, lanes), lane_numbers(lanes))
            best.add_incoming(constant(plan.dtype, -1, lanes), before)
            where.add_incoming(ir.Constant(where.type, None if lanes > 1 else 0), before)
            best.add_incoming(b.select(larger, sizes.code, best), b.block)
            where.add_incoming(b.select(larger, numbers, where), b.block)
        size, found = self.size, self.found
        b.store(constant(plan.dtype, -1, 1), size)
        b.store(integer(0), found)
        for lane in range(lanes):
            one, number = best, where
            if lanes > 1:
                one, number = (
                    b.extract_element(x, ir.Constant(INT32, lane)) for x in (one, number)
                )
            self._better(Value(b, one, plan.dtype, 1), number)
        with loop(b, whole, count) as number:
            place = b.add(start, b.mul(number, integer(width)))
            self._better(self.number(self.panel, place).called("fabs"), number)
        return b.add(row, b.load(found))

    def _better(self, value: Value, number: Any) -> None:
        """Emits that a number is kept if it is larger, or the same and earlier."""
        b = self.b
        best, where = Value(b, b.load(self.size), self.plan.dtype, 1), b.load(self.found)
        same = b.and_((value == best).code, b.icmp_signed("<", number, where))
        better = b.or_((value > best).code, same)
        b.store(b.select(better, value.code, best.code), self.size)
        b.store(b.select(better, number, where), self.found)

    def _vector(self, dtype: Any, lanes: int) -> Any:
        return constant(dtype, 0, lanes).type


class PartOfPanel(PanelFunction):
    """(triangle, columns, rows): eliminates the first columns of a panel from the vector after
    them, from the triangle's row on."""

    def arguments(self) -> list[Any]:
        return [self.pointer, INT, INT]

    def emit(self, *arguments: Any) -> None:
        triangle, columns, rows = arguments
        b, plan = self.b, self.plan
        width = integer(plan.width)
        panel = b.gep(triangle, [columns])
        with loop(b, integer(0), columns, plan.height) as row:
            at, source = (b.gep(one, [b.mul(row, width)]) for one in (panel, triangle))
            self.divided(source, panel, at, row)
        with loop(b, columns, rows, plan.height) as row:
            at, source = (b.gep(one, [b.mul(row, width)]) for one in (panel, triangle))
            self.subtract(source, panel, at, columns, transposed=False)
        b.ret_void()


def _smaller(b: Any, x: Any, y: Any) -> Any:
    return b.select(b.icmp_signed("<", x, y), x, y)
