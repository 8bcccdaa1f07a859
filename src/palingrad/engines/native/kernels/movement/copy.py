"""Copies: writes a layout that no view can express, or a new value over a Variable's old one."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from .....dtypes import DType
from .....graph.leaves import Variable
from .....graph.node import Node
from .....graph.operation import Operation
from .....graph.state.lazy import lazy
from .....graph.state.records import dataclass
from .....shapes import text
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import (
    collapsed,
    either,
    integer,
    loop,
    place_of,
    read,
    unravelled,
    vectors,
    write,
)
from ...llvm.strided_view import View, row_major
from ...llvm.target import host
from ...llvm.values import Value
from ..elementwise.loop_nest import BLOCK
from ..family import KernelFamily
from ..formula import dtype_of, lanes_for
from ..kernel import NO_NODES, Fused, Kernel, Views
from .transposition import Transposition


@dataclass(frozen=True, eq=False)
class Copy(Kernel):
    """The elements of `source` in row-major order, written to `target`'s buffer."""

    label, description = "Copy", "copy"

    source: View
    target: Node

    @lazy
    def turned(self) -> Transposition | None:
        """How it is copied where it is contiguous along another axis than the last."""
        view = self.source
        extents, steps = collapsed(view.shape, [view.strides, row_major(view.shape)])
        return Transposition.of(dtype_of(view.base), extents, steps, (view.offset, 0))

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Copy:
        """The kernel of a layout."""
        return cls(fused, views[fused.first.inputs[0]], fused.first)

    @property
    def items(self) -> int:
        """Blocks of a contiguous source, else rows along its last axis."""
        if 0 in self.source.shape:
            return 0
        if self.turned is not None:
            return self.turned.items
        if self._is_contiguous:
            return -(-math.prod(self.source.shape) // BLOCK)
        return math.prod(self.source.shape[:-1])

    @property
    def cost(self) -> float:
        return math.prod(self.source.shape) * (0.2 if self._is_contiguous else 1.0)

    @property
    def _is_contiguous(self) -> bool:
        return self.source.strides == row_major(self.source.shape)

    def emit(self, context: KernelContext) -> None:
        b, x = context.builder, self.source
        dtype = dtype_of(x.base)
        source, to = context.pointer(x.base), context.pointer(self.target)
        if self.turned is not None:
            self.turned.run(context, context.begin, context.end, source, to)
            return
        if self._is_contiguous:
            length = math.prod(x.shape)
            extents, strides = [-(-length // BLOCK), BLOCK], (BLOCK, 1)
            rest = length - (extents[0] - 1) * BLOCK
        else:
            extents, strides = list(x.shape), x.strides
            rest = extents[-1]
        lanes = lanes_for([dtype], extents[-1])
        with loop(b, context.begin, context.end) as item:
            indices = unravelled(b, item, extents[:-1])
            place = place_of(b, indices, strides[:-1], integer(x.offset))
            end = b.mul(item, integer(extents[-1]))

            def body(index: object, active: int) -> None:
                there = b.add(place, b.mul(index, integer(strides[-1])))
                value = read(b, source, dtype, there, lanes, strides[-1], active)
                write(b, to, value, b.add(end, index), 1, active)

            def across(size: int) -> None:
                vectors(b, size, lanes, body)

            either(b, item, extents[0], rest, extents[-1], across)


@dataclass(frozen=True, eq=False)
class VariableCopy(Copy):
    """A node's value, copied over the value of a Variable."""

    value: Node
    variable: Variable

    @classmethod
    def over(cls, variable: Variable, value: Node, views: Views) -> VariableCopy:
        """The kernel that copies `value`."""
        return cls(NO_NODES, views[value], variable, value, variable)

    @property
    def nodes(self) -> tuple[Operation, ...]:
        return (self.value,) if isinstance(self.value, Operation) else ()

    def reads(self) -> tuple[Node, ...]:
        return (self.value,)

    @property
    def overwrites(self) -> Variable:
        return self.variable

    def space(self) -> str:
        return f"{text(self.source.shape)} {dtype_of(self.value)}"


COPY = KernelFamily(Copy.of)


class FixedFamily(KernelFamily):
    """A copy of a view that was found before all layouts are final: its base stays as it is."""

    reads_any_strides: ClassVar[bool] = False


def copy_of(view: View) -> KernelFamily:
    """The family of a layout that has this view and is returned, so that it needs memory."""
    return FixedFamily(lambda fused, _: Copy(fused, view, fused.first))


def copy_over(variable: Variable, value: Node) -> KernelFamily:
    """The family of the one group whose kernel copies `value` over the Variable's."""
    return KernelFamily(lambda _, views: VariableCopy.over(variable, value, views))


def clear(b: Any, dtype: DType, to: Any, count: int) -> None:
    """Emits the store of `count` zeros from the pointer `to` on."""
    if count:
        lanes = min(host().lanes(dtype.itemsize), 1 << (count - 1).bit_length())
        zero = Value(b, None, dtype, lanes).number(0)
        vectors(b, count, lanes, lambda index, active: write(b, to, zero, index, 1, active))
