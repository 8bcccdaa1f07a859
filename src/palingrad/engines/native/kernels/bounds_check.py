"""A look at computed integers: are they what they must be?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from ....dtypes import bool_, int64
from ....graph.node import Node
from ..llvm.kernel_context import KernelContext
from ..llvm.loops import INT, collapsed, integer, mask_of, nest, read, vectors
from ..llvm.strided_view import View
from ..llvm.values import Value, value_type
from .elementwise import Unit
from .formula import dtype_of, lanes_for

FAILED = "failed"  # the owner of the word that says whether one was wrong


@dataclass(eq=False)
class BoundsCheck(Unit):
    """See whether what `check` says holds; if not, tell what the integers are from least to most,
    and that the run has failed."""

    check: Any = None

    @property
    def source(self) -> Node:
        """The integers."""
        return self.check.x

    def reads(self) -> list[Node]:
        return [self.source]

    def items(self, views: dict[Node, View]) -> int:
        """One."""
        return 0 if 0 in views[self.source].shape else 1

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread."""
        return 0.2 * math.prod(views[self.source].shape)

    def emit(self, context: KernelContext) -> None:
        """The code for all of it."""
        b, view = context.builder, context.views[self.source]
        dtype = dtype_of(self.source)
        base = context.pointer(view.base)
        extents, (steps,) = collapsed(view.shape, [view.strides])
        extents, steps = extents or [1], steps or [1]
        lanes = lanes_for([int64], extents[-1])
        found = context.slot(value_type(bool_, lanes))
        b.store(Value(b, None, bool_, lanes).number(0).code, found)

        def row(places: list[Any]) -> None:
            def one(at: Any, active: int) -> None:
                place = b.add(places[0], b.mul(at, integer(steps[-1])))
                index = read(b, base, dtype, place, lanes, steps[-1], active).cast(int64)
                bad = index < self.check.low
                if self.check.high is not None:
                    bad = bad | (index >= self.check.high)
                if active != lanes:
                    bad = bad & bad.like(mask_of(lanes, active))
                b.store(b.or_(b.load(found), bad.code), found)

            vectors(b, extents[-1], lanes, one)

        nest(b, extents[:-1], [steps[:-1]], [integer(view.offset)], row)
        any_ = b.load(found) if lanes == 1 else _any(b, b.load(found), lanes)
        with b.if_then(any_, likely=False):
            self._tell(context, view, base)

    def _tell(self, context: KernelContext, view: View, base: Any) -> None:
        b = context.builder
        low, high = context.slot(INT), context.slot(INT)
        b.store(integer(2**63 - 1), low)
        b.store(integer(-(2**63)), high)

        def one(places: list[Any]) -> None:
            index = read(b, base, dtype_of(self.source), places[0], 1, 1).cast(int64).code
            b.store(context.smaller(b.load(low), index), low)
            b.store(context.larger(b.load(high), index), high)

        nest(b, view.shape, [view.strides], [integer(view.offset)], one)
        for number, value in enumerate((integer(1), b.load(low), b.load(high))):
            b.store(value, context.typed(self, int64, number))
        b.store(integer(1), context.typed(FAILED, int64))


def _any(b: Any, code: Any, lanes: int) -> Any:
    """Whether any bit of a vector is set."""
    bits = ir.IntType(lanes)
    return b.icmp_unsigned("!=", b.bitcast(code, bits), ir.Constant(bits, 0))
