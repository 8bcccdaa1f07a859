"""Control flow in registers: all steps of a small loop, or a choice, in one function."""

from __future__ import annotations

from typing import Any

from .....graph.operation import Item, Operation
from .....graph.regions.regional import Regional
from .....graph.state.records import dataclass
from ...llvm.flush_denormals import flush_denormals
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import integer
from ...llvm.strided_view import View
from ..control import Control, LoopFamily as EndlessFamily, planned
from ..family import KernelFamily
from ..kernel import Fused, Kernel, Views
from .code import Emitter, Look, Memory
from .plan import Lowering, RegistersPlan, plan_of

_LONG = 2000  # instructions: longer code isn't all in a CPU's cache of decoded instructions


def family_of(node: Regional, lower: Lowering) -> KernelFamily | None:
    """The family of control flow whose regions, lowered, fit into registers; None for any other,
    and if short loops over elements take less time."""
    plan = plan_of(node, lower)
    if plan is None or _is_slower(node, plan):
        return None

    def kernel(fused: Fused, views: Views) -> Kernel:
        inputs = tuple(views[x] for x in node.inputs)
        if plan.flow.is_endless:
            return EndlessInRegisters(fused, (), inputs, {}, plan.bytes, plan)
        return (BranchInRegisters if node.chooses else InRegisters)(fused, plan, inputs)

    return EndlessFamily(kernel) if plan.flow.is_endless else LoopFamily(kernel)


def _is_slower(node: Regional, plan: RegistersPlan) -> bool:
    """Whether the steps of a loop take longer as straight-line code than as kernels."""
    steps = node.steps()
    if steps is None or plan.instructions < _LONG:
        return False
    regions = planned(node, inside=False)
    return not isinstance(regions, str) and steps.length * regions[0].cost < 1e9 * plan.seconds


class LoopFamily(KernelFamily):
    """A loop or branch, and the items of its results."""


@dataclass(frozen=True, eq=False)
class InRegisters(Kernel):
    """A loop or branch, the first node; the others are its results."""

    label, description = "Loop", "loop"

    plan: RegistersPlan
    inputs: tuple[View, ...]

    @property
    def computed(self) -> tuple[Operation, ...]:
        return (self.fused.first,)

    @property
    def items(self) -> int:
        """One: a step waits for the one before."""
        return 1

    @property
    def cost(self) -> float:
        return 1e9 * self.plan.seconds

    @property
    def workspace(self) -> int:
        return self.plan.bytes

    @property
    def workspaces(self) -> tuple[Kernel, ...]:
        """None: it alone reads its own."""
        return ()

    def space(self) -> str:
        return f"{in_words(self.plan)} within one native call"

    def emit(self, context: KernelContext) -> None:
        emit_in_registers(self, context, None)


@dataclass(frozen=True, eq=False)
class BranchInRegisters(InRegisters):
    """A branch, the first node."""

    label, description = "Branch", "branch"

    def space(self) -> str:
        return f"{in_words(self.plan)} within the native call"


@dataclass(frozen=True, eq=False)
class EndlessInRegisters(Control):
    """A loop or branch that nothing bounds the time of, so that it looks at signals."""

    plan: RegistersPlan

    @property
    def may_fail(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return True

    @property
    def lets_signals_in(self) -> bool:
        return True

    @property
    def cost(self) -> float:
        return 1e9 * self.plan.seconds


def in_words(plan: RegistersPlan) -> str:
    """What `explain()` says of a plan."""
    steps, many = plan.flow.steps, f"{plan.instructions:,} instructions in registers"
    if steps is not None:
        return f"of {steps.length:,} steps of {many}"
    return f"of {many}"


def emit_in_registers(kernel: Any, context: KernelContext, look: Look | None) -> None:
    """Emits the code of a kernel with a plan. A loop that goes backwards, as the gradient of a loop
    does, flushes subnormal numbers: cotangents shrink step by step, until each step is slow."""
    b, steps = context.builder, kernel.plan.flow.steps

    def area(offset: int) -> Any:
        return b.gep(context.pointer(kernel), [integer(offset)])

    given = [Memory.of(view, context.pointer(view.base)) for view in kernel.inputs]
    results = {
        x.attributes["index"]: Memory.of(context.views[x], context.pointer(context.views[x].base))
        for x in kernel.live_out
        if isinstance(x, Item)
    }
    with flush_denormals(b, steps is not None and steps.reverse):
        Emitter(b, kernel.plan, area, look).run(given, results)
