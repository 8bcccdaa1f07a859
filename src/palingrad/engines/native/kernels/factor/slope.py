"""The slope of a Cholesky factor, by panels: the cotangent h of l lᵀ from the cotangent g of l.

For the blocks l = [[a, 0], [b, c]] of columns, from the last block to the first (Murray 2016,
"Differentiation of the Cholesky decomposition"): h₂₂ is known; h₂₁ = (g₂₁/2 − h₂₂ b) a⁻¹, and h₁₁
is the slope of a for g₁₁ − 2 h₂₁ᵀ b, which is a⁻ᵀ s a⁻¹, where s is the symmetric part of the lower
triangle of aᵀ times that, with half of its diagonal. Only blocks as wide as a panel are inverted.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .....graph.node import Node
from .....graph.state.records import dataclass
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import either, integer, loop, read, write
from ...llvm.strided_view import View
from ...llvm.values import Value
from ..formula import dtype_of
from ..gemm.packing import pack_rows
from ..kernel import Fused, Kernel, Views
from ..library.call import ZERO_DIAGONAL, fails
from .panels import PanelPlan, up_to_lane
from .slope_blocks import SlopeBlock, SlopeRows
from .stages import Packed, Stage, Written
from .substitution import SidesPlan, Substitution, TriangleOf

LABEL = "Slope"  # in explain()


@dataclass(frozen=True, eq=False)
class Halves(Packed):
    """The lower triangles of l and g/2 in panels, and the inverses of the blocks on the diagonal of
    l, in its workspace. An item is a panel."""

    label, description = LABEL, "factor and cotangent in panels"
    may_fail: ClassVar[bool] = True

    cotangent: View

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Halves:
        """The first kernel of a node."""
        c, g = (views[x] for x in fused.first.inputs)
        n = c.shape[0]
        return cls(fused, PanelPlan.of(dtype_of(fused.first), n, n), c, g)

    @property
    def square(self) -> int:
        """The numbers of a block on the diagonal."""
        return self.plan.width**2

    @property
    def workspace(self) -> int:
        """The panels of both, the inverses, and two blocks more."""
        plan = self.plan
        numbers = 2 * plan.panels * plan.size + (plan.panels + 2) * self.square
        return numbers * plan.dtype.itemsize

    def place(self, part: int, number: Any, b: Any) -> Any:
        """Where a panel begins: of l, of h, or of the inverses and the two blocks after them."""
        plan = self.plan
        size = plan.size if part < 2 else self.square
        return b.add(integer(part * plan.panels * plan.size), b.mul(number, integer(size)))

    def continuation(self) -> Kernel:
        return Block(self.fused, self, self.plan.panels - 1)

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.plan
        work = context.typed(self, plan.dtype)
        with loop(b, context.begin, context.end) as item:
            row = b.mul(item, integer(plan.width))
            low, half, inverse = (b.gep(work, [self.place(part, item, b)]) for part in range(3))
            start = b.mul(row, integer(plan.width))

            def one(columns: int) -> None:
                size = -(-columns // plan.height) * plan.height
                for view, to in ((self.view, low), (self.cotangent, half)):
                    self._packed(context, view, b.gep(to, [start]), row, (size, columns))
                triangle = b.gep(low, [start])
                one = Value(b, None, plan.dtype, 1).number(1)
                for pad in range(columns, size):
                    write(b, triangle, one, integer(pad * (plan.width + 1)))
                self._halved(context, b.gep(half, [start]), b.sub(integer(plan.padded), row))
                self._inverted(context, triangle, inverse, size)

            either(b, item, plan.panels, plan.rest, plan.width, one)

    def _packed(
        self, context: KernelContext, view: View, to: Any, row: Any, block: tuple[int, int]
    ) -> None:
        """Emits a panel's rows from the diagonal on, without what is above it."""
        b, plan, (size, columns) = context.builder, self.plan, block
        source = context.typed(view.base, plan.dtype, view.offset)
        at = b.gep(source, [b.mul(row, integer(sum(view.strides)))])
        shape, step = (b.sub(integer(plan.rows), row), columns), (view.strides[0], view.strides[1])
        pack_rows(b, plan.dtype, at, step, to, shape, plan.lanes, plan.width)
        none = Value(b, None, plan.dtype, plan.lanes).number(0)
        with loop(b, b.sub(integer(plan.rows), row), b.sub(integer(plan.padded), row)) as pad:
            for place in range(0, plan.width, plan.lanes):
                write(b, to, none, b.add(b.mul(pad, integer(plan.width)), integer(place)))
        with loop(b, integer(0), integer(size)) as line:
            mine = b.gep(to, [b.mul(line, integer(plan.width))])
            for place in range(0, plan.vectors(columns) * plan.lanes, plan.lanes):
                value = read(b, mine, plan.dtype, integer(place), plan.lanes, 1)
                write(b, mine, up_to_lane(b, value, place, line), integer(place))

    def _halved(self, context: KernelContext, at: Any, rows: Any) -> None:
        b, plan = context.builder, self.plan
        with loop(b, integer(0), b.mul(rows, integer(plan.width)), plan.lanes) as place:
            write(b, at, read(b, at, plan.dtype, place, plan.lanes, 1) * 0.5, place)

    def _inverted(self, context: KernelContext, triangle: Any, to: Any, size: int) -> None:
        b, plan = context.builder, self.plan
        zero = Value(b, None, plan.dtype, plan.lanes).number(0)
        with loop(b, integer(0), integer(size * plan.width), plan.lanes) as place:
            write(b, to, zero, place)
        one = Value(b, None, plan.dtype, 1).number(1)
        with loop(b, integer(0), integer(size)) as row:
            write(b, to, one, b.mul(row, integer(plan.width + 1)))
        vectors = plan.width // plan.lanes
        sides = SidesPlan(plan.dtype, size, plan.width, plan.lanes, vectors, plan.height)
        substitution = Substitution(context, sides, to)
        fails(context, substitution.has_zero(triangle, plan.width + 1), ZERO_DIAGONAL)
        substitution.solve(triangle, TriangleOf(plan.width, 1, lower=True, unit=False))


@dataclass(frozen=True, eq=False)
class SlopeStage(Stage):
    """A stage of a slope."""

    label = LABEL

    whole: Halves

    @property
    def is_repetition(self) -> bool:
        return self.block < self.plan.panels - 2

    def part(self, context: KernelContext, part: int, number: Any) -> Any:
        """A pointer to a panel of l, of h, or to an inverse; see `Halves.place`."""
        b = context.builder
        return b.gep(
            context.typed(self.whole, self.plan.dtype), [self.whole.place(part, number, b)]
        )


@dataclass(frozen=True, eq=False)
class Block(SlopeStage):
    """h of a block on the diagonal."""

    description = "block on the diagonal"

    @property
    def items(self) -> int:
        """One."""
        return 1

    @property
    def work(self) -> int:
        width = self.plan.width
        return (self.plan.panels - self.block + 4) * width * width

    def continuation(self) -> Kernel:
        if self.block:
            return Rows(self.fused, self.whole, self.block - 1)
        return Symmetric(self.fused, self.whole, 0)

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.plan
        is_last = self.block == plan.panels - 1
        across = plan.vectors(plan.rest if is_last else plan.width)
        number = integer(self.block)
        low, half, inverse = (self.part(context, part, number) for part in range(3))
        blocks = self.part(context, 2, integer(plan.panels))
        row = self.block * plan.width
        size = min(plan.width, plan.padded - row)
        function = SlopeBlock(b.module, "panel.slope", plan, across).emitted()
        b.call(function, [
            low, half, inverse, blocks, integer(row), integer(size), integer(plan.padded)
        ])  # fmt: skip


@dataclass(frozen=True, eq=False)
class Rows(SlopeStage):
    """h of the rows below a block. An item is a block of rows."""

    description = "rows below a block"

    @property
    def first(self) -> int:
        return self.block + 1

    @property
    def work(self) -> int:
        return self.plan.width * self.plan.width * self.items

    def continuation(self) -> Kernel:
        return Block(self.fused, self.whole, self.block)

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.plan
        number = integer(self.block)
        low, half, inverse = (self.part(context, part, number) for part in range(3))
        function = SlopeRows(b.module, "panel.slope_rows", plan, plan.vectors(plan.width)).emitted()
        with loop(b, context.begin, context.end) as item:
            below = b.add(item, integer(self.first))
            row = b.mul(below, integer(plan.width))
            size = context.smaller(integer(plan.width), b.sub(integer(plan.padded), row))
            b.call(function, [
                self.part(context, 1, integer(0)), low, half, inverse, integer(plan.size),
                integer(self.first), below, size, integer(plan.padded),
            ])  # fmt: skip


@dataclass(frozen=True, eq=False)
class Symmetric(Written, SlopeStage):
    """Writes both triangles of h. An item is a panel."""

    label, description = LABEL, "both triangles written"

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.plan
        node: Node = self.fused.first
        out, n = context.typed(node, plan.dtype), plan.rows
        with loop(b, context.begin, context.end) as number:
            at = self.part(context, 1, number)
            start = b.mul(number, integer(plan.width))
            beside = b.gep(out, [start])  # the panel's columns
            across = b.gep(out, [b.mul(start, integer(n))])  # and its rows

            def one(columns: int) -> None:
                with loop(b, start, integer(n)) as row:
                    source = b.gep(at, [b.mul(row, integer(plan.width))])
                    target = b.gep(beside, [b.mul(row, integer(n))])
                    for place in range(0, columns, plan.lanes):
                        value = read(b, source, plan.dtype, integer(place), plan.lanes, 1)
                        write(b, target, value, integer(place), 1, min(plan.lanes, columns - place))

            either(b, number, plan.panels, plan.rest, plan.width, one)
            following = b.add(number, integer(1))
            with loop(b, following, integer(plan.panels - 1)) as block:
                self._turned(context, at, across, block, plan.width)
            with b.if_then(b.icmp_signed("<", following, integer(plan.panels))):
                self._turned(context, at, across, integer(plan.panels - 1), plan.rest)

    def _turned(self, context: KernelContext, at: Any, across: Any, block: Any, many: int) -> None:
        """Emits the transpose of `many` rows of a panel, from a block's first row on."""
        b, plan = context.builder, self.plan
        row = b.mul(block, integer(plan.width))
        source, to = b.gep(at, [b.mul(row, integer(plan.width))]), b.gep(across, [row])
        whole = many - many % plan.lanes
        if whole:
            shape, width = (plan.width, whole), plan.width
            pack_rows(b, plan.dtype, source, (1, width), to, shape, plan.lanes, plan.rows)
        if whole < many:
            with loop(b, integer(0), integer(plan.width)) as line:
                with loop(b, integer(whole), integer(many)) as column:
                    place = b.add(b.mul(column, integer(plan.width)), line)
                    value = read(b, source, plan.dtype, place, 1, 1)
                    write(b, to, value, b.add(b.mul(line, integer(plan.rows)), column))
