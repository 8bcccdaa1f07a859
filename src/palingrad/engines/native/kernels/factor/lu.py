"""The LU factors of a large matrix with exchanges of rows, by panels, from the right.

A block is as many panels as have some hundred columns. The stages of block k: the panels after it
take over its exchanges of rows, divide its rows by its lower triangle, and subtract the products
from the rows below. The item of the next block also factors it, while other threads are at the
panels after that one. The panels before it take over the exchanges.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .....dtypes import int32
from .....graph.operation import Item
from .....graph.state.records import dataclass
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import either, integer, loop, read, write
from ..formula import dtype_of
from ..gemm.packing import pack_rows
from ..kernel import Fused, Kernel, Views
from .elimination import Eliminated, Exchanged, Reduced
from .panels import PanelPlan
from .stages import Packed, Stage, Written

LABEL = "LU"  # in explain()
_BLOCK = 96  # columns of a block, about


@dataclass(frozen=True, eq=False)
class Columns(Packed):
    """A matrix in panels, in the workspace of this kernel, where it is factored."""

    label, description = LABEL, "matrix in panels"

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Columns:
        """The first kernel of a node."""
        view = views[fused.first.inputs[0]]
        plan = PanelPlan.of(view_dtype(fused), *view.shape)
        return cls(fused, plan, view)

    def continuation(self) -> Kernel:
        return First(self.fused, self, 0)

    def emit(self, context: KernelContext) -> None:
        b, plan, view = context.builder, self.plan, self.view
        x = context.typed(view.base, plan.dtype, view.offset)
        panels, step = context.typed(self, plan.dtype), (view.strides[0], view.strides[1])
        with loop(b, context.begin, context.end) as item:
            first = b.mul(item, integer(plan.width))
            source = b.gep(x, [b.mul(first, integer(view.strides[1]))])
            to = b.gep(panels, [b.mul(item, integer(plan.size))])

            def one(columns: int) -> None:
                size = (plan.rows, columns)
                pack_rows(b, plan.dtype, source, step, to, size, plan.lanes, plan.width)

            either(b, item, plan.panels, plan.rest, plan.width, one)
            zero = read(b, to, plan.dtype, integer(0), plan.lanes, 1).number(0)
            with loop(b, integer(plan.rows * plan.width), integer(plan.size), plan.lanes) as place:
                write(b, to, zero, place)


def view_dtype(fused: Fused) -> Any:
    """The dtype of the node's matrix."""
    return dtype_of(fused.first.inputs[0])


@dataclass(frozen=True, eq=False)
class LuStage(Stage):
    """A stage of LU factors. Blocks are of several panels."""

    label = LABEL

    @property
    def together(self) -> int:
        """The panels of a block."""
        return max(_BLOCK // self.plan.width, 1)

    @property
    def blocks(self) -> int:
        """The number of blocks."""
        return -(-self.plan.panels // self.together)

    def panels_of(self, block: int) -> tuple[int, int]:
        """The first panel of a block, and the first one after it."""
        start = block * self.together
        return min(start, self.plan.panels), min(start + self.together, self.plan.panels)

    def pivots(self, context: KernelContext) -> Any:
        """A pointer to the exchanges of rows."""
        b = context.builder
        return b.bitcast(self.of_rows(context), context.typed(self.whole, int32).type)

    def across(self, number: int) -> int:
        """The vectors of a panel."""
        plan = self.plan
        return plan.vectors(plan.rest if number == plan.panels - 1 else plan.width)

    def exchange(
        self, context: KernelContext, number: Any, across: int, panels: tuple[int, int]
    ) -> None:
        """Emits the exchanges of rows of these panels in another one."""
        b, plan = context.builder, self.plan
        start, end = (min(place * plan.width, plan.rows) for place in panels)
        function = Exchanged(b.module, "panel.exchanged", plan, across).emitted()
        at = self.panel(context, number)
        b.call(function, [at, self.pivots(context), integer(start), integer(end)])

    def subtract(
        self, context: KernelContext, number: Any, across: int, panels: tuple[int, int]
    ) -> None:
        """Emits the division of these panels' rows of another one, and the products subtracted."""
        b, plan = context.builder, self.plan
        function = Reduced(b.module, "panel.reduced", plan, across).emitted()
        left, at = self.panel(context, integer(panels[0])), self.panel(context, number)
        start = integer(panels[0] * plan.width)
        b.call(function, [
            left, at, integer(plan.size), start, integer(panels[1] - panels[0]),
            integer(plan.padded),
        ])  # fmt: skip

    def factor(self, context: KernelContext, block: int) -> None:
        """Emits the factors of a block's panels, which are complete but for each other."""
        b, plan = context.builder, self.plan
        start, end = self.panels_of(block)
        for place in range(start, end):
            number, across = integer(place), self.across(place)
            if place > start:
                self.subtract(context, number, across, (start, place))
            function = Eliminated(b.module, "panel.lu", plan, across).emitted()
            row = place * plan.width
            columns = min(plan.width, plan.columns - row)
            b.call(function, [
                self.panel(context, number), self.pivots(context), integer(row), integer(columns),
                integer(plan.rows), integer(plan.padded),
            ])  # fmt: skip
            for other in range(start, end):
                if other != place:
                    whole = self.across(other)
                    self.exchange(context, integer(other), whole, (place, place + 1))


@dataclass(frozen=True, eq=False)
class First(LuStage):
    """Factors the first block."""

    description = "first block factored"

    @property
    def items(self) -> int:
        """One."""
        return 1

    @property
    def work(self) -> int:
        return self.plan.rows * self.plan.width * 4

    def continuation(self) -> Kernel:
        return (Removed if self.blocks > 1 else Factors)(self.fused, self.whole, 0)

    def emit(self, context: KernelContext) -> None:
        self.factor(context, 0)


@dataclass(frozen=True, eq=False)
class Removed(LuStage):
    """Subtracts the products of a block from the panels after it, and factors the next block."""

    description = "products of a block subtracted, next one factored"

    @property
    def before(self) -> int:
        """The panels before the block."""
        return self.panels_of(self.block)[0]

    @property
    def after(self) -> int:
        """The first panel after the next block."""
        return self.panels_of(self.block + 1)[1]

    @property
    def items(self) -> int:
        """The next block, the panels after it, and those before this one."""
        return 1 + self.plan.panels - self.after + self.before

    @property
    def work(self) -> int:
        plan = self.plan
        start, end = self.panels_of(self.block)
        rows = plan.rows - start * plan.width
        changed = plan.panels - end
        return rows * (end - start) * plan.width * changed // self.items

    def continuation(self) -> Kernel:
        last = self.block + 2 >= self.blocks
        return (Exchanges if last else Removed)(self.fused, self.whole, self.block + 1)

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.plan
        others = plan.panels - self.after
        with loop(b, context.begin, context.end) as item:
            with b.if_then(b.icmp_signed("==", item, integer(0))):
                for place in range(*self.panels_of(self.block + 1)):
                    self._changed(context, integer(place), self.across(place))
                self.factor(context, self.block + 1)
            if others:
                is_after = b.icmp_signed("<=", item, integer(others))
                with b.if_then(b.and_(b.icmp_signed(">", item, integer(0)), is_after)):
                    number = b.add(item, integer(self.after - 1))

                    def one(columns: int) -> None:
                        self._changed(context, number, plan.vectors(columns))

                    either(b, number, plan.panels, plan.rest, plan.width, one)
            if self.before:
                with b.if_then(b.icmp_signed(">", item, integer(others))):
                    number = b.sub(item, integer(others + 1))
                    whole = plan.vectors(plan.width)
                    self.exchange(context, number, whole, self.panels_of(self.block))

    def _changed(self, context: KernelContext, number: Any, across: int) -> None:
        panels = self.panels_of(self.block)
        self.exchange(context, number, across, panels)
        self.subtract(context, number, across, panels)


@dataclass(frozen=True, eq=False)
class Exchanges(LuStage):
    """The exchanges of the last block in the panels before it."""

    description = "rows exchanged"

    @property
    def is_repetition(self) -> bool:
        return False

    @property
    def items(self) -> int:
        """The panels before the block."""
        return self.panels_of(self.block)[0]

    @property
    def work(self) -> int:
        return self.plan.width

    def continuation(self) -> Kernel:
        return Factors(self.fused, self.whole, self.block)

    def emit(self, context: KernelContext) -> None:
        whole = self.plan.vectors(self.plan.width)
        with loop(context.builder, context.begin, context.end) as number:
            self.exchange(context, number, whole, self.panels_of(self.block))


@dataclass(frozen=True, eq=False)
class Factors(Written, LuStage):
    """Writes both factors, and the exchanges of rows."""

    label, description = LABEL, "factors written"
    is_counted_before: ClassVar[bool] = True

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.plan
        results: dict[int, Any] = {
            node.attributes["index"]: node for node in self.live_out if isinstance(node, Item)
        }
        if 1 in results:
            self._pivots(context, context.typed(results[1], int32))
        if 0 not in results:
            return
        out = context.typed(results[0], plan.dtype)
        with loop(b, context.begin, context.end) as number:
            at = self.panel(context, number)
            to = b.gep(out, [b.mul(number, integer(plan.width))])

            def one(columns: int) -> None:
                with loop(b, integer(0), integer(plan.rows)) as row:
                    source = b.gep(at, [b.mul(row, integer(plan.width))])
                    target = b.gep(to, [b.mul(row, integer(plan.columns))])
                    for place in range(0, columns, plan.lanes):
                        active = min(plan.lanes, columns - place)
                        value = read(b, source, plan.dtype, integer(place), plan.lanes, 1)
                        write(b, target, value, integer(place), 1, active)

            either(b, number, plan.panels, plan.rest, plan.width, one)

    def _pivots(self, context: KernelContext, to: Any) -> None:
        b = context.builder
        pivots = self.pivots(context)
        with b.if_then(b.icmp_signed("==", context.begin, integer(0))):
            with loop(b, integer(0), integer(self.plan.rows)) as row:
                write(b, to, read(b, pivots, int32, row, 1, 1), row)
