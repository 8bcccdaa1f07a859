"""Functions on the panels of a Cholesky factor: products subtracted, and triangles divided by."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from ...llvm.builder import INT
from ...llvm.loops import integer, loop, write
from .panels import PanelFunction


class Subtracted(PanelFunction):
    """(left, panel, first row, tiles): subtracts from the panel's rows the products of all rows
    above."""

    def arguments(self) -> list[Any]:
        return [self.pointer, self.pointer, INT, INT]

    def emit(self, *arguments: Any) -> None:
        left, panel, start, tiles = arguments
        b, plan = self.b, self.plan
        with loop(b, integer(0), tiles) as tile:
            place = b.mul(tile, integer(plan.height))
            at = b.gep(panel, [b.mul(b.add(start, place), integer(plan.width))])
            self.subtract(b.gep(left, [place]), panel, at, start)
        b.ret_void()


class Divide(PanelFunction):
    """(left, panel, reciprocals, first row, tiles): divides the panel's rows by the transpose of
    the triangle that begins there in `left`."""

    def arguments(self) -> list[Any]:
        return [self.pointer, self.pointer, self.pointer, INT, INT]

    def emit(self, *arguments: Any) -> None:
        left, panel, reciprocals, start, tiles = arguments
        b, plan = self.b, self.plan
        above = b.gep(panel, [b.mul(start, integer(plan.width))])
        triangle = b.gep(left, [b.mul(start, integer(plan.width))])
        with loop(b, integer(0), tiles) as tile:
            place = b.mul(tile, integer(plan.height))
            down = b.mul(place, integer(plan.width))
            at = b.gep(above, [down])
            self.subtract(b.gep(triangle, [place]), above, at, place)
            own = b.gep(triangle, [b.add(down, place)])
            inverse = b.gep(reciprocals, [b.add(start, place)])
            rows = [self.row(at, number) for number in range(plan.height)]
            for number in range(plan.height):
                factor = self.spread(self.number(inverse, integer(number)))
                rows[number] = [one * factor for one in rows[number]]
                self.put(at, number, rows[number])
                for other in range(number + 1, plan.height):
                    one = self.number(own, integer(number * plan.width + other))
                    rows[other] = self.less(rows[other], one, rows[number])
        b.ret_void()


class Factored(PanelFunction):
    """(panel, reciprocals, first row, tiles): factors the triangle that begins there; returns
    whether it isn't positive definite."""

    def returns(self) -> Any:
        return ir.IntType(1)

    def arguments(self) -> list[Any]:
        return [self.pointer, self.pointer, INT, INT]

    def emit(self, *arguments: Any) -> None:
        panel, reciprocals, start, tiles = arguments
        b, plan = self.b, self.plan
        above = b.gep(panel, [b.mul(start, integer(plan.width))])
        bad = b.alloca(ir.IntType(1))
        b.store(ir.Constant(ir.IntType(1), 0), bad)
        with loop(b, integer(0), tiles) as tile:
            place = b.mul(tile, integer(plan.height))
            down = b.mul(place, integer(plan.width))
            at = b.gep(above, [down])
            self.subtract(b.gep(above, [place]), above, at, place)
            own = b.gep(at, [place])
            inverse = b.gep(reciprocals, [b.add(start, place)])
            rows = [self.row(at, number) for number in range(plan.height)]
            for number in range(plan.height):
                diagonal = integer(number * (plan.width + 1))
                if number:
                    self.put(at, number, rows[number])
                pivot = self.number(own, diagonal)
                b.store(b.or_(b.load(bad), (pivot <= 0.0).code), bad)  # NaN gives NaN, as in LAPACK
                root = pivot.called("sqrt")
                one = root.number(1) / root
                write(b, inverse, one, integer(number))
                factor = self.spread(one)
                rows[number] = [each * factor for each in rows[number]]
                self.put(at, number, rows[number])
                write(b, own, root, diagonal)
                for other in range(number + 1, plan.height):
                    one = self.number(own, integer(number * plan.width + other))
                    rows[other] = self.less(rows[other], one, rows[number])
        b.ret(b.load(bad))
