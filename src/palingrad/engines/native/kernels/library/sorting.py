"""Sorting along the last axis by NumPy's functions, a row at a time."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from llvmlite import ir

from .....dtypes import DType, float64, int64, is_floating
from .....graph.operation import Operation
from .....graph.state.records import dataclass
from .....maths.library.ordering import INDEX, INDEX_BITS, NUMBER
from .....shapes import axis_in, sizes
from ...llvm.builder import INT, INT32, declared
from ...llvm.kernel_context import POINTER, KernelContext
from ...llvm.library_functions import address, symbol
from ...llvm.loops import integer, loop, place_of, read, splat, unravelled, vectors, write
from ...llvm.maths import NativeMaths
from ...llvm.strided_view import View
from ...llvm.values import Value, chosen
from ..family import KernelFamily
from ..formula import dtype_of, lanes_for
from ..kernel import Fused, Views
from .call import LibraryCall


def family_of(node: Operation) -> KernelFamily | None:
    """The family of a sort along the last axis, or of the order there of numbers of up to 32 bits
    and of integers that are known to be as small; None for any other node."""
    if node._library not in ("sort", "argsort") or 0 in sizes(node.inputs[0].shape):
        return None
    x = node.inputs[0]
    shape, dtype = sizes(x.shape), dtype_of(x)
    if not shape or axis_in(node.attributes["axis"], len(shape)) != len(shape) - 1:
        return None
    if node._library == "sort":
        return SORT if address(_function(dtype)) is not None else None
    below = x.below() if isinstance(x, Operation) and x._shipped else None
    is_small = dtype.itemsize <= 4 or (below is not None and below <= 1 << 63 - INDEX_BITS)
    fits = is_small and shape[-1] <= 1 << INDEX_BITS
    whole = node.attributes["count"] is None
    return ORDER if fits and whole and address(_function(int64)) is not None else None


def _function(dtype: DType) -> str:
    return f"sort.{dtype.name}"


@dataclass(frozen=True, eq=False)
class Sorting(LibraryCall):
    """The elements of rows in order."""

    description: ClassVar[str] = "sort of rows, by NumPy"

    source: View

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Sorting:
        """The kernel of a node."""
        return cls(fused, views[fused.first.inputs[0]])

    @property
    def sorted_dtype(self) -> DType:
        """The dtype of what is sorted."""
        return dtype_of(self.fused.first)

    @property
    def functions(self) -> tuple[str, ...]:
        return (_function(self.sorted_dtype),)

    @property
    def length(self) -> int:
        """The number of elements of a row."""
        return self.source.shape[-1]

    @property
    def items(self) -> int:
        """The rows."""
        return math.prod(self.source.shape[:-1])

    @property
    def cost(self) -> float:
        return self.items * self.length * (1 + 0.15 * math.log2(self.length))

    def emit(self, context: KernelContext) -> None:
        b, node, x = context.builder, self.fused.first, self.source
        out, dtype = context.pointer(node), self.sorted_dtype
        kinds = [POINTER, INT, POINTER]
        sort = declared(b.module, symbol(_function(dtype)), INT32, kinds)
        with loop(b, context.begin, context.end) as row:
            outer = unravelled(b, row, x.shape[:-1])
            place = place_of(b, outer, x.strides[:-1], integer(x.offset))
            into = b.mul(row, integer(self.length))
            self._given(context, place, into)
            first = b.ptrtoint(out, INT)
            first = b.add(first, b.mul(into, integer(dtype.itemsize)))
            pointer = b.inttoptr(first, POINTER)
            b.call(sort, [pointer, integer(self.length), ir.Constant(POINTER, None)])
            self._taken(context, into)

    def _given(self, context: KernelContext, place: Any, into: Any) -> None:
        """Emits the copy of a row to where it is sorted."""
        b, step, dtype = context.builder, self.source.strides[-1], self.sorted_dtype
        base, out = context.pointer(self.source.base), context.pointer(self.fused.first)
        lanes = lanes_for([dtype], self.length)

        def one(at: Any, active: int) -> None:
            there = b.add(place, b.mul(at, integer(step)))
            value = read(b, base, dtype, there, lanes, step, active)
            write(b, out, value, b.add(into, at), 1, active)

        vectors(b, self.length, lanes, one)

    def _taken(self, context: KernelContext, into: Any) -> None:
        """Emits what is left to do with a sorted row: it is reversed for a descending order."""
        if not self.fused.first.attributes["descending"]:
            return
        b, dtype, out = context.builder, self.sorted_dtype, context.pointer(self.fused.first)
        end = b.add(into, integer(self.length - 1))
        with loop(b, integer(0), integer(self.length // 2)) as at:
            places = b.add(into, at), b.sub(end, at)
            values = [read(b, out, dtype, one, 1, 1) for one in places]
            for value, one in zip(values, reversed(places), strict=True):
                write(b, out, value, one)


@dataclass(frozen=True, eq=False)
class Order(Sorting):
    """The indices that sort rows: numbers of up to 32 bits are sorted as integers of 64, whose
    lower bits are the index (`maths/library/ordering.py`)."""

    description: ClassVar[str] = "order of rows, by NumPy's sort"

    def _given(self, context: KernelContext, place: Any, into: Any) -> None:
        b, step = context.builder, self.source.strides[-1]
        base, out = context.pointer(self.source.base), context.pointer(self.fused.first)
        lanes = lanes_for([int64], self.length)
        bits = [ir.Constant(INT, lane) for lane in range(lanes)]
        numbers: Any = ir.Constant(ir.VectorType(INT, lanes), bits) if lanes > 1 else integer(0)

        def one(at: Any, active: int) -> None:
            there = b.add(place, b.mul(at, integer(step)))
            x = read(b, base, dtype_of(self.source.base), there, lanes, step, active)
            key = self._key(x)
            index = b.add(splat(b, at, lanes) if lanes > 1 else at, numbers)
            write(b, out, key | key.like(index), b.add(into, at), 1, active)

        vectors(b, self.length, lanes, one)

    def _key(self, x: Value) -> Value:
        """Emits integers in the order of the numbers, whose lower bits are 0; NaN is the largest
        number."""
        if is_floating(x.dtype):
            key = (x.cast(float64) + 0.0).bits(int64)  # without −0.0
            key = chosen(NativeMaths().isnan(x), key.number(NUMBER), key)
            key = key ^ ((key >> 63) & NUMBER)  # of negative numbers all bits but the sign
        else:
            key = x.cast(int64) << INDEX_BITS
        return key ^ ~INDEX if self.fused.first.attributes["descending"] else key

    def _taken(self, context: KernelContext, into: Any) -> None:
        b, out = context.builder, context.pointer(self.fused.first)
        lanes = lanes_for([int64], self.length)

        def one(at: Any, active: int) -> None:
            key = read(b, out, int64, b.add(into, at), lanes, 1, active)
            write(b, out, key & INDEX, b.add(into, at), 1, active)

        vectors(b, self.length, lanes, one)


SORT = KernelFamily(Sorting.of)
ORDER = KernelFamily(Order.of)
