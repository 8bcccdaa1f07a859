"""Factors of single small matrices by SciPy's LAPACK and BLAS.

Large matrices are left to NumPy's side: LAPACK has threads of its own there, for which those of the
pool would wait.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .....dtypes import DType, float32, float64
from .....graph.operation import Operation
from .....graph.state.records import dataclass
from .....maths.matrices.lapack import lapack
from .....shapes import sizes
from ...llvm.builder import INT32
from ...llvm.kernel_context import KernelContext
from ...llvm.library_functions import address
from ...llvm.loops import address as address_of, integer, loop, read, write
from ...llvm.maths import NativeMaths
from ...llvm.strided_view import View
from ...llvm.values import Value
from ..family import KernelFamily
from ..formula import dtype_of
from ..kernel import Fused, Views
from .call import (
    NO_SINGULAR_VALUES,
    NO_SLOPE,
    SINGULAR_MATRIX,
    LibraryCall,
    called,
    copied,
    fails,
)

_MOST = 128  # rows and columns


def family_of(node: Operation) -> KernelFamily | None:
    """The family of what LAPACK computes of single small matrices; None for any other node."""
    kernel = _KERNELS.get(node._library)
    shapes = [sizes(one.shape) for one in (node, *node.inputs)]
    dtypes = {one.dtype for one in (node, *node.inputs)}
    if kernel is None or len(dtypes) > 1 or not dtypes <= {float32, float64}:
        return None
    fits = all(len(one) <= 2 and 0 < min(one) and max(one) <= _MOST for one in shapes)
    if not fits or any(address(one) is None for one in kernel.calls(dtype_of(node))):
        return None
    return FactorFamily(kernel.of)


class FactorFamily(KernelFamily):
    """A node that LAPACK computes, or refuses."""

    may_fail: ClassVar[bool] = True


@dataclass(frozen=True, eq=False)
class Factor(LibraryCall):
    """A node that LAPACK computes. LAPACK's matrices are column after column: the transpose of one
    that is row after row."""

    names: ClassVar[tuple[str, ...]]  # of the functions, without the letter for the dtype
    may_fail: ClassVar[bool] = True

    views: tuple[View, ...]  # of the inputs

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Factor:
        """The kernel of a node."""
        return cls(fused, tuple(views[x] for x in fused.first.inputs))

    @classmethod
    def calls(cls, dtype: DType) -> tuple[str, ...]:
        """The names of the functions for a dtype."""
        letter = "s" if dtype == float32 else "d"
        pairs = (name.split(".") for name in cls.names)
        return tuple(f"{library}.{letter}{name}" for library, name in pairs)

    @property
    def dtype(self) -> DType:
        """The dtype of all matrices."""
        return dtype_of(self.fused.first)

    @property
    def functions(self) -> tuple[str, ...]:
        return self.calls(self.dtype)

    @property
    def size(self) -> int:
        """The rows of the first input."""
        return self.views[0].shape[0]

    @property
    def items(self) -> int:
        """One."""
        return 1

    @property
    def cost(self) -> float:
        return 500 + 0.1 * self.size**3

    @property
    def numbers(self) -> int:
        """How many numbers it keeps besides its result."""
        return 0

    @property
    def workspace(self) -> int:
        return self.numbers * self.dtype.itemsize

    def call(self, context: KernelContext, place: int, *arguments: Any) -> None:
        """Emits the call of one of its functions."""
        called(context, self.functions[place], *arguments, number=self.dtype)

    def area(self, context: KernelContext, first: int) -> Any:
        """A pointer to its own numbers from `first` on."""
        b = context.builder
        pointer = address_of(b, context.pointer(self), self.dtype, integer(first))
        return b.bitcast(pointer, context.pointer(self).type)

    def number(self, context: KernelContext, view: View, *indices: Any) -> Value:
        """Emits the load of an element of a view."""
        b, place = context.builder, integer(view.offset)
        for index, step in zip(indices, view.strides, strict=True):
            place = b.add(place, b.mul(index, integer(step)))
        return read(b, context.pointer(view.base), self.dtype, place, 1, 1)

    def put(self, context: KernelContext, target: Any, value: Value, i: Any, j: Any) -> None:
        """Emits the store of element (i, j) of a square matrix, row after row."""
        b = context.builder
        write(b, target, value, b.add(b.mul(i, integer(self.size)), j))

    def product(
        self,
        context: KernelContext,
        out: Any,
        x: Any,
        y: Any,
        *,
        turns_x: str = "N",
        turns_y: str = "N",
    ) -> None:
        """Emits out = x y of square matrices by its first function, with xᵀ or yᵀ if one is "T"."""
        n = self.size
        self.call(context, 0, turns_y, turns_x, n, n, n, 1.0, y, n, x, n, 0.0, out, n)

    def refused(self, context: KernelContext, info: Any, number: int) -> None:
        """Emits that the run fails with error `number` if LAPACK reports one."""
        b = context.builder
        reported = b.load(info)
        fails(context, b.icmp_signed("!=", reported, info.type.pointee(0)), number)


@dataclass(frozen=True, eq=False)
class LuSlopes(Factor):
    """The cotangent l⁻ᵀ s u⁻ᵀ of l u, where s is lᵀ g below the diagonal and g uᵀ on and above it,
    from g below, and on and above it."""

    description: ClassVar[str] = "slope of LU factors, by BLAS"
    names = ("blas.gemm", "blas.trsm")

    @property
    def numbers(self) -> int:
        return 6 * self.size**2

    def emit(self, context: KernelContext) -> None:
        b, n, (f, g) = context.builder, self.size, self.views
        both, low, up, under, over, inner = (self.area(context, k * n * n) for k in range(6))
        out = context.pointer(self.fused.first)
        zero = Value(b, None, self.dtype, 1).number(0)
        one = zero.number(1)

        def chosen(condition: Any, x: Value, y: Value) -> Value:
            return x.like(b.select(condition, x.code, y.code))

        with loop(b, integer(0), integer(n)) as i:
            with loop(b, integer(0), integer(n)) as j:
                below, on = (b.icmp_signed(sign, j, i) for sign in ("<", "=="))
                factor, slope = self.number(context, f, i, j), self.number(context, g, i, j)
                self.put(context, both, factor, i, j)
                self.put(context, low, chosen(below, factor, chosen(on, one, zero)), i, j)
                self.put(context, up, chosen(below, zero, factor), i, j)
                self.put(context, under, chosen(below, slope, zero), i, j)
                self.put(context, over, chosen(below, zero, slope), i, j)
            fails(context, (self.number(context, f, i, i) == 0.0).code, NO_SLOPE)
        self.product(context, inner, low, under, turns_x="T")
        self.product(context, out, over, up, turns_y="T")
        with loop(b, integer(0), integer(n)) as i, loop(b, integer(0), i) as j:
            place = b.add(b.mul(i, integer(n)), j)
            self.put(context, out, read(b, inner, self.dtype, place, 1, 1), i, j)
        self.call(context, 1, "R", "U", "T", "U", n, n, 1.0, both, n, out, n)
        self.call(context, 1, "L", "L", "T", "N", n, n, 1.0, both, n, out, n)


@dataclass(frozen=True, eq=False)
class Solution(Factor):
    """x = a⁻¹ b."""

    description: ClassVar[str] = "linear equations, by LAPACK"
    names = ("lapack.gesv",)

    @property
    def columns(self) -> int:
        """The number of right-hand sides."""
        return self.views[1].shape[1] if len(self.views[1].shape) == 2 else 1

    @property
    def numbers(self) -> int:
        return self.size * (self.size + self.columns)

    def emit(self, context: KernelContext) -> None:
        n, (a, given) = self.size, self.views
        node, info = self.fused.first, context.slot(INT32)
        matrix, columns = self.area(context, 0), self.area(context, n * n)
        steps = [1, n][: len(given.shape)]
        copied(context, a, matrix, [1, n])
        copied(context, given, columns, steps)
        pivots = context.stack(float32, n)  # of as many bytes as LAPACK's integers
        self.call(context, 0, n, self.columns, matrix, n, pivots, columns, n, info)
        self.refused(context, info, SINGULAR_MATRIX)
        copied(context, context.views[node], columns, steps, back=True)


@dataclass(frozen=True, eq=False)
class SingularValues(Factor):
    """The singular values."""

    description: ClassVar[str] = "singular values, by LAPACK"
    names = ("lapack.gesdd",)

    work: int  # numbers that LAPACK needs

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Factor:
        x = fused.first.inputs[0]
        query = lapack("gesdd_lwork", x.dtype)
        work, _ = query(*sizes(x.shape), compute_uv=0, full_matrices=0)
        return cls(fused, (views[x],), int(work))

    @property
    def numbers(self) -> int:
        rows, columns = self.views[0].shape
        return rows * columns + self.work

    def emit(self, context: KernelContext) -> None:
        b, (x,), m = context.builder, self.views, NativeMaths()
        rows, columns = x.shape
        info, out = context.slot(INT32), context.pointer(self.fused.first)
        matrix, work = self.area(context, 0), self.area(context, rows * columns)
        with loop(b, integer(0), integer(rows)) as i, loop(b, integer(0), integer(columns)) as j:
            value = self.number(context, x, i, j)
            fails(context, b.not_(m.isfinite(value).code), NO_SINGULAR_VALUES)
            write(b, matrix, value, b.add(b.mul(j, integer(rows)), i))
        integers = context.stack(float32, 8 * min(rows, columns))  # LAPACK's, of as many bytes
        self.call(
            context, 0, "N", rows, columns, matrix, rows, out, work, 1, work, 1, work, self.work,
            integers, info,
        )  # fmt: skip
        self.refused(context, info, NO_SINGULAR_VALUES)


_KERNELS: dict[str, type[Factor]] = {
    "lu_slope": LuSlopes,
    "solve": Solution,
    "svdvals": SingularValues,
}
