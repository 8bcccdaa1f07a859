"""What the stages of a factorisation share: the panels that they work on, one after another."""

from __future__ import annotations

from typing import Any, ClassVar

from .....graph.node import Node
from .....graph.operation import Operation
from .....graph.state.records import dataclass
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import integer
from ...llvm.strided_view import View
from ..kernel import Kernel
from .panels import PanelPlan

NS = 0.02  # nanoseconds of a multiplication, about


@dataclass(frozen=True, eq=False)
class Packed(Kernel):
    """A matrix in panels, in the workspace of this kernel, where it is factored. An item is a
    panel."""

    plan: PanelPlan
    view: View  # of the matrix

    @property
    def live_out(self) -> tuple[Operation, ...]:
        return ()

    @property
    def items(self) -> int:
        """The panels."""
        return self.plan.panels

    @property
    def cost(self) -> float:
        return 0.4 * self.plan.rows**2

    @property
    def workspace(self) -> int:
        """The panels, and a number for each row."""
        plan = self.plan
        return (plan.panels * plan.size + plan.padded) * plan.dtype.itemsize

    @property
    def workspaces(self) -> tuple[Kernel, ...]:
        """None: it reads its input."""
        return ()

    def space(self) -> str:
        return self.plan.space


@dataclass(frozen=True, eq=False)
class Stage(Kernel):
    """A stage of a factorisation, in the panels of the first kernel. An item is a panel."""

    is_counted_before: ClassVar[bool] = True

    whole: Packed
    block: int  # of rows

    @property
    def plan(self) -> PanelPlan:
        """The panels."""
        return self.whole.plan

    @property
    def live_out(self) -> tuple[Operation, ...]:
        return ()

    @property
    def computed(self) -> tuple[Operation, ...]:
        return ()

    def reads(self) -> tuple[Node, ...]:
        return ()

    @property
    def workspaces(self) -> tuple[Kernel, ...]:
        return (self.whole,)

    @property
    def is_repetition(self) -> bool:
        return self.block > 1

    @property
    def first(self) -> int:
        """The panel of the first item."""
        return self.block

    @property
    def items(self) -> int:
        """The panels from the first on."""
        return self.plan.panels - self.first

    @property
    def work(self) -> int:
        """The multiplications for a column of a panel."""
        return 0

    @property
    def cost(self) -> float:
        return NS * self.items * self.plan.width * self.work

    def space(self) -> str:
        return self.plan.space

    def panel(self, context: KernelContext, number: Any) -> Any:
        """A pointer to a panel."""
        b = context.builder
        panels = context.typed(self.whole, self.plan.dtype)
        return b.gep(panels, [b.mul(number, integer(self.plan.size))])

    def of_rows(self, context: KernelContext) -> Any:
        """A pointer to the numbers of the rows."""
        plan = self.plan
        return context.typed(self.whole, plan.dtype, plan.panels * plan.size)


@dataclass(frozen=True, eq=False)
class Written(Stage):
    """The last stage, which writes the node's value."""

    @property
    def is_repetition(self) -> bool:
        return False

    @property
    def live_out(self) -> tuple[Operation, ...]:
        return self.fused.live_out

    @property
    def computed(self) -> tuple[Operation, ...]:
        return self.nodes

    @property
    def first(self) -> int:
        return 0

    @property
    def cost(self) -> float:
        return 0.3 * self.plan.rows**2
