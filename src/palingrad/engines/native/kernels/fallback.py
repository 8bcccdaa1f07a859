"""The fallback: an operation that NumPy computes, between two native segments."""

from __future__ import annotations

from typing import ClassVar

from ....graph.node import Node
from ....graph.state.records import dataclass
from ..llvm.kernel_context import KernelContext
from .family import KernelFamily
from .kernel import Fused, Kernel, Views


@dataclass(frozen=True, eq=False)
class Fallback(Kernel):
    """One node, computed by its own formula with NumPy."""

    label, description = "Fallback", "numpy"
    is_native: ClassVar[bool] = False
    has_own_segment: ClassVar[bool] = True

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Fallback:
        """The kernel of a node."""
        return cls(fused)

    def reads(self) -> tuple[Node, ...]:
        return self.fused.first.inputs

    @property
    def items(self) -> int:
        """One."""
        return 1

    @property
    def cost(self) -> float:
        """0, because no native code runs."""
        return 0.0

    def emit(self, context: KernelContext) -> None:
        raise AssertionError("NumPy computes this kernel")


class FallbackFamily(KernelFamily):
    """One node that NumPy computes."""

    is_native: ClassVar[bool] = False


FALLBACK = FallbackFamily(Fallback.of)
