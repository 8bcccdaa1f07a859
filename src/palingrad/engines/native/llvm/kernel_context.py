"""The context in which a kernel emits its code: builder, buffers, and the range of items."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

from ....dtypes import DType
from ....graph.node import Node
from .builder import Builder
from .loops import BYTE, INT, address, integer, loop, memory_type
from .strided_view import View

POINTER = BYTE.as_pointer()
# A kernel is a function (pointers to its buffers, first item, end of items).
KERNEL = ir.FunctionType(ir.VoidType(), [POINTER.as_pointer(), INT, INT])


class KernelContext:
    """One kernel's function while its code is emitted. With `items` it is always called for all of
    them, whose number then is a constant in the code."""

    def __init__(
        self, function: ir.Function, views: dict[Node, View], items: int | None = None
    ) -> None:
        self.builder: Any = Builder(function.append_basic_block("entry"))
        self._buffers, self.begin, self.end = function.args
        if items is not None:
            self.begin, self.end = integer(0), integer(items)
        self.views = views
        self._pointers: dict[Any, Any] = {}

    @property
    def owners(self) -> list[Any]:
        """The nodes and kernels whose buffers the code uses, in the order of their pointers."""
        return [*self._pointers]

    def pointer(self, node: Any) -> Any:
        """The start of a node's buffer, or of a kernel's own workspace."""
        if node not in self._pointers:
            b, number = self.builder, integer(len(self._pointers))
            with b.goto_entry_block():
                self._pointers[node] = b.load(b.gep(self._buffers, [number]))
        return self._pointers[node]

    def typed(self, node: Any, dtype: DType, offset: int = 0) -> Any:
        """A pointer to element `offset` of a node's buffer."""
        return address(self.builder, self.pointer(node), dtype, integer(offset))

    def stack(self, dtype: DType, count: int) -> Any:
        """A byte pointer to `count` elements on the stack."""
        b = self.builder
        with b.goto_entry_block():
            area = b.alloca(ir.ArrayType(memory_type(dtype), max(count, 1)))
            area.align = 64
            return b.bitcast(area, POINTER)

    def array(self, dtype: DType, count: int) -> Any:
        """A pointer to `count` elements on the stack, of their type in memory."""
        return self.builder.bitcast(self.stack(dtype, count), memory_type(dtype).as_pointer())

    @contextmanager
    def groups(self, size: int) -> Generator[tuple[Any, Any, Any]]:
        """Emits a loop over groups of `size` consecutive items, and yields (group, first, end): the
        items of the group that are in the kernel's range, counted from the group's first item."""
        b, many = self.builder, integer(size)
        last = b.sdiv(b.add(self.end, integer(size - 1)), many)
        with loop(b, b.sdiv(self.begin, many), last) as group:
            start = b.mul(group, many)
            first = b.sub(self.begin, start)
            first = b.select(b.icmp_signed("<", first, integer(0)), integer(0), first)
            yield group, first, self.smaller(b.sub(self.end, start), many)

    def slot(self, llvm_type: Any) -> Any:
        """A stack variable of an LLVM type, which the optimiser keeps in a register."""
        with self.builder.goto_entry_block():
            return self.builder.alloca(llvm_type)

    def larger(self, a: Any, b: Any) -> Any:
        """The larger of two integers."""
        return self.builder.select(self.builder.icmp_signed(">", a, b), a, b)

    def smaller(self, a: Any, b: Any) -> Any:
        """The smaller of two integers."""
        return self.builder.select(self.builder.icmp_signed("<", a, b), a, b)
