"""What kernels that call functions of other libraries share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from llvmlite import ir

from .....dtypes import DType, int64
from .....graph.state.records import dataclass
from .....maths.matrices.lapack import NOT_FOUND
from .....maths.matrices.systems import SINGULAR
from .....maths.matrices.triangular import NO_DERIVATIVE
from ...llvm.builder import INT32, declared
from ...llvm.kernel_context import POINTER, KernelContext
from ...llvm.library_functions import symbol
from ...llvm.loops import BYTE, integer, nest, read, write
from ...llvm.strided_view import View
from ...llvm.values import constant
from ..bounds_check import FAILED
from ..formula import dtype_of
from ..kernel import Kernel

# What a matrix may lack. A kernel that fails writes the text's number into the control block.
(
    NOT_POSITIVE, SINGULAR_MATRIX, ZERO_DIAGONAL, NO_SINGULAR_VALUES, NO_SLOPE,
    ZERO_DIAGONAL_OF_TRIANGLE,
) = range(1, 7)  # fmt: skip
_LACKS = (
    "cholesky: a matrix isn't positive definite",
    f"solve: {SINGULAR}",
    "cholesky: a matrix has a 0 on its diagonal",
    f"svdvals: {NOT_FOUND}",
    f"lu: {NO_DERIVATIVE}",
    "solve_triangular: a matrix has a 0 on its diagonal",
)


@dataclass(frozen=True, eq=False)
class LibraryCall(Kernel):
    """A kernel of one node that calls functions of NumPy or SciPy."""

    label: ClassVar[str] = "Library"


def called(context: KernelContext, name: str, *arguments: Any, number: DType | None = None) -> None:
    """Emits the call of a function that takes pointers, as Fortran's do: to characters, to 32-bit
    integers, and to numbers of the dtype `number`; other arguments are pointers."""
    b: Any = context.builder
    pointers: list[Any] = []
    for one in arguments:
        if isinstance(one, (str, int, float)):
            if isinstance(one, str):
                code = ir.Constant(BYTE, ord(one))
            elif isinstance(one, int):
                code = ir.Constant(INT32, one)
            else:
                assert number is not None
                code = constant(number, one, 1)
            one, value = context.slot(code.type), code
            b.store(value, one)
        pointers.append(b.bitcast(one, POINTER))
    function = declared(b.module, symbol(name), ir.VoidType(), [POINTER] * len(pointers))
    b.call(function, pointers)


def fails(context: KernelContext, condition: Any, number: int) -> None:
    """Emits that the run fails with error `number` if the condition holds, unless it has failed."""
    b: Any = context.builder
    with b.if_then(condition, likely=False):
        word = context.typed(FAILED, int64)
        before = b.load(word)
        is_first = b.icmp_signed("==", before, integer(0))
        b.store(b.select(is_first, integer(2 * number + 1), before), word)


def failure(word: int) -> np.linalg.LinAlgError | None:
    """The error that `fails` has written into the control block; None for a bounds check's."""
    return np.linalg.LinAlgError(_LACKS[(word >> 1) - 1]) if word > 1 else None


def copied(
    context: KernelContext, view: View, target: Any, strides: Sequence[int], *, back: bool = False
) -> None:
    """Emits the copy of a view's elements to memory with these strides, or `back` from there."""
    b: Any = context.builder
    dtype, base = dtype_of(view.base), context.pointer(view.base)

    def one(places: list[Any]) -> None:
        if back:
            write(b, base, read(b, target, dtype, places[1], 1, 1), places[0])
        else:
            write(b, target, read(b, base, dtype, places[0], 1, 1), places[1])

    nest(b, view.shape, [view.strides, strides], [integer(view.offset), integer(0)], one)
