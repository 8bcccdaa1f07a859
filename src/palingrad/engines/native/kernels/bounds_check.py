"""Bounds check: verifies computed integers against [low, high) before a kernel uses them."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ....dtypes import bool_, int64
from ....graph.declared.bounds import Bounds
from ....graph.node import Node
from ....graph.state.records import dataclass
from ....shapes import text
from ..llvm.kernel_context import KernelContext
from ..llvm.loops import INT, any_lane, collapsed, integer, mask_of, nest, read, vectors
from ..llvm.strided_view import View
from ..llvm.values import Value, value_type
from .family import KernelFamily
from .formula import dtype_of, lanes_for
from .kernel import NO_NODES, Kernel, Views

# The owner of the control block's word that isn't 0 after any kernel has failed: it is odd, and 1
# after a bounds check.
FAILED = "failed"


@dataclass(frozen=True, eq=False)
class BoundsCheck(Kernel):
    """Verifies that `check` holds. If not, it records in the control block that the run has failed,
    and the smallest and largest integer."""

    label, description = "BoundsCheck", "bounds check of computed integers"
    may_fail: ClassVar[bool] = True

    check: Bounds
    view: View

    @classmethod
    def of(cls, check: Bounds, views: Views) -> BoundsCheck:
        """The kernel that verifies `check`."""
        return cls(NO_NODES, check, views[check.x])

    def reads(self) -> tuple[Node, ...]:
        return (self.check.x,)

    @property
    def items(self) -> int:
        """One."""
        return 0 if 0 in self.view.shape else 1

    @property
    def cost(self) -> float:
        return 0.2 * math.prod(self.view.shape)

    def space(self) -> str:
        return f"{text(self.view.shape)} {dtype_of(self.check.x)}"

    def emit(self, context: KernelContext) -> None:
        b, view = context.builder, self.view
        dtype = dtype_of(view.base)
        base = context.pointer(view.base)
        extents, (steps,) = collapsed(view.shape, [view.strides])
        extents, steps = extents or [1], steps or [1]
        lanes = lanes_for([int64], extents[-1])
        violations = context.slot(value_type(bool_, lanes))
        b.store(Value(b, None, bool_, lanes).number(0).code, violations)

        def row(places: list[Any]) -> None:
            def one(at: Any, active: int) -> None:
                place = b.add(places[0], b.mul(at, integer(steps[-1])))
                index = read(b, base, dtype, place, lanes, steps[-1], active).cast(int64)
                bad = index < self.check.low
                if self.check.high is not None:
                    bad = bad | (index >= self.check.high)
                if active != lanes:
                    bad = bad & bad.like(mask_of(lanes, active))
                b.store(b.or_(b.load(violations), bad.code), violations)

            vectors(b, extents[-1], lanes, one)

        nest(b, extents[:-1], [steps[:-1]], [integer(view.offset)], row)
        with b.if_then(any_lane(b, Value(b, b.load(violations), bool_, lanes)), likely=False):
            self._diagnose(context, base)

    def _diagnose(self, context: KernelContext, base: Any) -> None:
        """Emits the loop that finds the smallest and largest integer and records them."""
        b, view = context.builder, self.view
        low, high = context.slot(INT), context.slot(INT)
        b.store(integer(2**63 - 1), low)
        b.store(integer(-(2**63)), high)

        def one(places: list[Any]) -> None:
            index = read(b, base, dtype_of(view.base), places[0], 1, 1).cast(int64).code
            b.store(context.smaller(b.load(low), index), low)
            b.store(context.larger(b.load(high), index), high)

        nest(b, view.shape, [view.strides], [integer(view.offset)], one)
        for number, value in enumerate((integer(1), b.load(low), b.load(high))):
            b.store(value, context.typed(self, int64, number))
        b.store(integer(1), context.typed(FAILED, int64))


# ---------------------------------------------------------------- the family


class BoundsCheckFamily(KernelFamily):
    """A group without nodes, which runs before the kernels that use the integers or change a
    Variable."""

    may_fail: ClassVar[bool] = True


def bounds_check(check: Bounds) -> KernelFamily:
    """The family of the one group whose kernel verifies `check`."""
    return BoundsCheckFamily(lambda _, views: BoundsCheck.of(check, views))
