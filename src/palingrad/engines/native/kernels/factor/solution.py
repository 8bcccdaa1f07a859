"""Solutions of linear equations from factors: of LU factors, and of one triangle. An item is a
panel of right-hand sides."""

from __future__ import annotations

from typing import Any, ClassVar

from .....dtypes import int32
from .....graph.state.records import dataclass
from ...llvm.builder import INT
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import either, integer, loop, read, write
from ...llvm.strided_view import View
from ..formula import dtype_of
from ..gemm.packing import pack_rows
from ..kernel import Fused, Kernel, Views
from ..library.call import SINGULAR_MATRIX, ZERO_DIAGONAL_OF_TRIANGLE, fails
from .stages import NS
from .substitution import SidesPlan, Substitution, TriangleOf


@dataclass(frozen=True, eq=False)
class Solution(Kernel):
    """t⁻¹ b for the triangle of a matrix."""

    label, description = "Solution", "triangular equations"
    may_fail: ClassVar[bool] = True
    lacks: ClassVar[int] = ZERO_DIAGONAL_OF_TRIANGLE

    plan: SidesPlan
    views: tuple[View, ...]  # of the matrix, the exchanges of rows if there are any, and b

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Solution:
        """The kernel of a node."""
        inputs = tuple(views[x] for x in fused.first.inputs)
        shape = inputs[-1].shape
        columns = shape[1] if len(shape) == 2 else 1
        return cls(fused, SidesPlan.of(dtype_of(fused.first), shape[0], columns), inputs)

    @property
    def items(self) -> int:
        """The panels."""
        return self.plan.panels

    @property
    def cost(self) -> float:
        return NS * self.plan.panels * self.plan.width * self.plan.rows**2

    @property
    def workspace(self) -> int:
        """The panels."""
        return self.plan.panels * self.plan.size * self.plan.dtype.itemsize

    @property
    def workspaces(self) -> tuple[Kernel, ...]:
        """None: it alone reads its own."""
        return ()

    @property
    def flags(self) -> dict[str, Any]:
        """The attributes of the node."""
        return dict(self.fused.first.attributes)

    def emit(self, context: KernelContext) -> None:
        b, plan = context.builder, self.plan
        matrix = self.views[0]
        at = context.typed(matrix.base, plan.dtype, matrix.offset)
        with loop(b, context.begin, context.end) as item:
            place = b.mul(item, integer(plan.size))
            panel = b.gep(context.typed(self, plan.dtype), [place])
            first = b.mul(item, integer(plan.width))
            self._copied(context, panel, first, item)
            sides = Substitution(context, plan, panel)
            if self.reads_diagonal:
                zero = sides.has_zero(at, sum(matrix.strides))
                fails(context, zero, self.lacks)
            self.substitute(context, sides, at)
            self._written(context, panel, first, item)

    @property
    def reads_diagonal(self) -> bool:
        """Whether a 0 on the diagonal makes the matrix singular."""
        return not self.flags["unit_diagonal"]

    def substitute(self, context: KernelContext, sides: Substitution, at: Any) -> None:
        """Emits what is computed of a panel."""
        down, along = self.views[0].strides
        flags = self.flags
        sides.solve(at, TriangleOf(down, along, flags["lower"], flags["unit_diagonal"]))

    def _copied(self, context: KernelContext, panel: Any, first: Any, item: Any) -> None:
        """Emits the copy of a panel's columns of b."""
        b, plan, view = context.builder, self.plan, self.views[-1]
        down, across = (*view.strides, 1)[:2]
        given = context.typed(view.base, plan.dtype, view.offset)
        source = b.gep(given, [b.mul(first, integer(across))])

        def one(columns: int) -> None:
            size = (plan.rows, columns)
            pack_rows(b, plan.dtype, source, (down, across), panel, size, plan.lanes, plan.width)

        either(b, item, plan.panels, plan.rest, plan.width, one)

    def _written(self, context: KernelContext, panel: Any, first: Any, item: Any) -> None:
        """Emits the copy of a panel to the result."""
        b, plan = context.builder, self.plan
        to = b.gep(context.typed(self.fused.first, plan.dtype), [first])

        def one(columns: int) -> None:
            with loop(b, integer(0), integer(plan.rows)) as row:
                source = b.gep(panel, [b.mul(row, integer(plan.width))])
                target = b.gep(to, [b.mul(row, integer(plan.columns))])
                for place in range(0, columns, plan.lanes):
                    value = read(b, source, plan.dtype, integer(place), plan.lanes, 1)
                    write(b, target, value, integer(place), 1, min(plan.lanes, columns - place))

        either(b, item, plan.panels, plan.rest, plan.width, one)


@dataclass(frozen=True, eq=False)
class LuSolution(Solution):
    """a⁻¹ b, or a⁻ᵀ b, from the LU factors of a = p l u."""

    description = "linear equations from LU factors"
    lacks: ClassVar[int] = SINGULAR_MATRIX

    @property
    def reads_diagonal(self) -> bool:
        return True

    def substitute(self, context: KernelContext, sides: Substitution, at: Any) -> None:
        down, along = self.views[0].strides
        if self.flags["transposed"]:  # a⁻ᵀ = p l⁻ᵀ u⁻ᵀ
            sides.solve(at, TriangleOf(along, down, lower=True, unit=False))
            sides.solve(at, TriangleOf(along, down, lower=False, unit=True))
            self._exchanged(context, sides, backwards=True)
        else:  # a⁻¹ = u⁻¹ l⁻¹ pᵀ
            self._exchanged(context, sides, backwards=False)
            sides.solve(at, TriangleOf(down, along, lower=True, unit=True))
            sides.solve(at, TriangleOf(down, along, lower=False, unit=False))

    def _exchanged(self, context: KernelContext, sides: Substitution, *, backwards: bool) -> None:
        b, view, rows = context.builder, self.views[1], self.plan.rows
        pivots = context.typed(view.base, int32, view.offset)
        with loop(b, integer(0), integer(rows)) as turn:
            row = b.sub(integer(rows - 1), turn) if backwards else turn
            place = b.mul(row, integer(view.strides[0]))
            sides.exchange(row, b.sext(b.load(b.gep(pivots, [place])), INT))
