"""The Cholesky factor of a large matrix, by panels, from the left.

With u = lᵀ, x = uᵀ u. A block of rows of u, as many as a panel has columns, is what is left of x
after the products of the rows above, divided by the triangle on its diagonal. So each panel is
read once for a block, and written once. The stages of block k: all panels from k on subtract the
products of the rows above, and the triangle of panel k is factored; the panels after k are divided
by it.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from .....graph.state.records import dataclass
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import either, integer, loop, read, vectors, write
from ...llvm.values import Value
from ..formula import dtype_of
from ..gemm.packing import pack_rows
from ..kernel import Fused, Kernel, Views
from ..library.call import NOT_POSITIVE, fails
from .panels import PanelPlan, from_lane
from .stages import Packed, Stage, Written
from .triangle import Divide, Factored, Subtracted

LABEL = "Cholesky"  # in explain()


@dataclass(frozen=True, eq=False)
class Symmetrized(Packed):
    """(x + xᵀ)/2 in panels, in its workspace, where it is factored. An item is a panel."""

    label, description = LABEL, "symmetric part in panels"

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Symmetrized:
        """The first kernel of a node."""
        view = views[fused.first.inputs[0]]
        n = view.shape[0]
        return cls(fused, PanelPlan.of(dtype_of(fused.first), n, n), view)

    def continuation(self) -> Kernel:
        return Triangle(self.fused, self, 0)

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.plan
        panels = context.typed(self, plan.dtype)
        with loop(b, context.begin, context.end) as item:
            first = b.mul(item, integer(plan.width))
            end = b.add(first, integer(plan.width))
            to = b.gep(panels, [b.mul(item, integer(plan.size))])

            def one(columns: int) -> None:
                self._panel(context, to, (first, context.smaller(end, integer(plan.rows))), columns)

            either(b, item, plan.panels, plan.rest, plan.width, one)
            self._identity(context, to, first, end)

    def _panel(self, context: KernelContext, to: Any, span: tuple[Any, Any], columns: int) -> None:
        """Emits the panel's columns `span`, of the rows above their end."""
        b, plan, (first, end) = context.builder, self.plan, span
        x = context.typed(self.view.base, plan.dtype, self.view.offset)
        down, across = self.view.strides
        at = b.gep(x, [b.mul(first, integer(down))])
        pack_rows(b, plan.dtype, at, (across, down), to, (end, columns), plan.lanes, plan.width)
        at = b.gep(x, [b.mul(first, integer(across))])
        with loop(b, integer(0), end) as row:
            beside = b.gep(at, [b.mul(row, integer(down))])
            mine = b.gep(to, [b.mul(row, integer(plan.width))])

            def both(place: Any, active: int) -> None:
                there = b.mul(place, integer(across))
                other = read(b, beside, plan.dtype, there, plan.lanes, across, active)
                whole = read(b, mine, plan.dtype, place, plan.lanes, 1, active)
                write(b, mine, whole * 0.5 + other * 0.5, place, 1, active)

            vectors(b, columns, plan.lanes, both)

    def _identity(self, context: KernelContext, to: Any, first: Any, end: Any) -> None:
        """Emits rows of the identity where rows pad the matrix."""
        b, plan = context.builder, self.plan
        none = Value(b, None, plan.dtype, plan.lanes).number(0)
        with loop(b, integer(plan.rows), context.smaller(end, integer(plan.padded))) as row:
            mine = b.gep(to, [b.mul(row, integer(plan.width))])
            for place in range(0, plan.width, plan.lanes):
                write(b, mine, none, integer(place))
            write(b, mine, Value(b, None, plan.dtype, 1).number(1), b.sub(row, first))


@dataclass(frozen=True, eq=False)
class EachPanel(Stage):
    """A stage that does the same to each panel."""

    label = LABEL

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.plan
        with loop(b, context.begin, context.end) as item:
            number = b.add(item, integer(self.first))

            def one(columns: int) -> None:
                self.emit_panel(context, number, columns)

            either(b, number, plan.panels, plan.rest, plan.width, one)

    @abstractmethod
    def emit_panel(self, context: KernelContext, number: Any, columns: int) -> None:
        """Emits what is done to a panel with so many columns."""


@dataclass(frozen=True, eq=False)
class Triangle(EachPanel):
    """Subtracts the products of the rows above a block, and factors its triangle."""

    description = "rows above subtracted, triangle factored"
    may_fail: ClassVar[bool] = True

    @property
    def items(self) -> int:
        """The panels from the first on; at the start there is nothing to subtract."""
        return self.plan.panels - self.block if self.block else 1

    @property
    def work(self) -> int:
        width = self.plan.width
        return width * self.block * width + width * width // self.items

    def continuation(self) -> Kernel:
        last = self.block + 1 == self.plan.panels
        return (Lower if last else Divided)(self.fused, self.whole, self.block)

    def emit_panel(self, context: KernelContext, number: Any, columns: int) -> None:
        b, plan = context.builder, self.plan
        across, rows = plan.vectors(columns), plan.block(self.block)
        at, left = self.panel(context, number), self.panel(context, integer(self.block))
        if self.block:
            function = Subtracted(b.module, "panel.subtracted", plan, across).emitted()
            b.call(function, [left, at, *rows])
        is_last = self.block + 1 == plan.panels
        if across != plan.vectors(plan.rest if is_last else plan.width):
            return  # the panels with so many vectors come after the triangle's
        with b.if_then(b.icmp_signed("==", number, integer(self.block))):
            function = Factored(b.module, "panel.cholesky", plan, across).emitted()
            bad = b.call(function, [at, self.of_rows(context), *rows])
            fails(context, bad, NOT_POSITIVE)


@dataclass(frozen=True, eq=False)
class Divided(EachPanel):
    """Divides a block's rows in the panels after it by its triangle."""

    description = "rows divided by the triangle"

    @property
    def first(self) -> int:
        return self.block + 1

    @property
    def work(self) -> int:
        return self.plan.width**2 // 2

    def continuation(self) -> Kernel:
        return Triangle(self.fused, self.whole, self.block + 1)

    def emit_panel(self, context: KernelContext, number: Any, columns: int) -> None:
        b, plan = context.builder, self.plan
        at, left = self.panel(context, number), self.panel(context, integer(self.block))
        function = Divide(b.module, "panel.divided", plan, plan.vectors(columns)).emitted()
        b.call(function, [left, at, self.of_rows(context), *plan.block(self.block)])


@dataclass(frozen=True, eq=False)
class Lower(Written):
    """Writes the transpose of the upper triangle: the factor. An item is a panel."""

    label, description = LABEL, "lower triangle written"

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.plan
        n = plan.rows
        out = context.typed(self.fused.first, plan.dtype)
        with loop(b, context.begin, context.end) as number:
            at = self.panel(context, number)
            first = b.mul(number, integer(plan.width))
            to = b.gep(out, [b.mul(first, integer(n))])
            is_last = b.icmp_signed("==", number, integer(plan.panels - 1))
            count = b.select(is_last, integer(plan.rest), integer(plan.width))

            with loop(b, integer(0), number) as block:  # of rows above the triangle
                start = b.mul(block, integer(plan.width))
                source = b.gep(at, [b.mul(start, integer(plan.width))])
                self._turned(context, source, b.gep(to, [start]), count)
            triangle = b.gep(at, [b.mul(first, integer(plan.width))])
            target = b.gep(to, [first])
            with b.if_else(is_last) as (then, otherwise):
                with then:
                    self._last(context, triangle, target)
                with otherwise:
                    self._without_lower(context, triangle)
                    self._turned(context, triangle, target, count)
            end = b.add(first, count)
            self._zeros(context, b.gep(to, [end]), count, b.sub(integer(n), end))

    def _turned(self, context: KernelContext, source: Any, to: Any, rows: Any) -> None:
        """Emits the transpose of a square block of a panel, of the first rows of the result."""
        plan = self.plan
        pack_rows(
            context.builder, plan.dtype, source, (1, plan.width), to, (rows, plan.width),
            plan.lanes, plan.rows,
        )  # fmt: skip

    def _without_lower(self, context: KernelContext, triangle: Any) -> None:
        """Emits zeros below the diagonal of a panel's triangle."""
        b, plan = context.builder, self.plan
        with loop(b, integer(0), integer(plan.width)) as row:
            at = b.gep(triangle, [b.mul(row, integer(plan.width))])
            for place in range(0, plan.width, plan.lanes):
                value = read(b, at, plan.dtype, integer(place), plan.lanes, 1)
                write(b, at, from_lane(b, value, place, row), integer(place))

    def _last(self, context: KernelContext, triangle: Any, to: Any) -> None:
        """Emits the transpose of the last triangle, which may be narrower."""
        b, plan = context.builder, self.plan
        with loop(b, integer(0), integer(plan.rest)) as row:
            with loop(b, integer(0), integer(plan.rest)) as column:
                place = b.add(b.mul(column, integer(plan.width)), row)
                value = read(b, triangle, plan.dtype, place, 1, 1)
                inside = b.icmp_signed("<=", column, row)
                value = value.like(b.select(inside, value.code, value.number(0).code))
                write(b, to, value, b.add(b.mul(row, integer(plan.rows)), column))

    def _zeros(self, context: KernelContext, to: Any, rows: Any, count: Any) -> None:
        b, plan = context.builder, self.plan
        none = Value(b, None, plan.dtype, plan.lanes).number(0)
        whole = b.mul(b.sdiv(count, integer(plan.lanes)), integer(plan.lanes))
        with loop(b, integer(0), rows) as row:
            at = b.gep(to, [b.mul(row, integer(plan.rows))])
            with loop(b, integer(0), whole, plan.lanes) as place:
                write(b, at, none, place)
            with loop(b, whole, count) as place:
                write(b, at, Value(b, None, plan.dtype, 1).number(0), place)
