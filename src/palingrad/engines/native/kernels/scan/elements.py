"""What a scan says of its elements and totals, as code: prepare, combine ⊕, finish."""

from __future__ import annotations

from typing import Any

import numpy as np

from .....dtypes import DType
from .....graph.kinds import Scan
from .....graph.operation import Operation
from ...llvm.maths import NativeMaths
from ...llvm.values import Value, supported
from ..formula import dtype_of, instructions


def fits(node: Operation) -> bool:
    """Whether generated code supports the scan: ⊕ and the rest call functions with native code."""
    if not isinstance(node, Scan) or not supported(node.dtype):
        return False

    def emit(*x: Value) -> None:
        elements = prepared(node, list(x))
        finished(node, combined(node, elements, elements))

    return instructions(node.inputs, emit) is not None


def wide(node: Any) -> DType:
    """The dtype in which totals are combined."""
    return node.accumulates_in(dtype_of(node))


def prepared(node: Any, x: list[Value]) -> list[Value]:
    """What elements contribute, in the dtype in which totals are combined."""
    found = node.prepare(NativeMaths(), *x, **node.options)
    elements: tuple[Value, ...] = found if isinstance(found, tuple) else (found,)
    return [one.cast(dtype_of(node)).cast(wide(node)) for one in elements]


def combined(
    node: Any, a: list[Value], b: list[Value], options: dict[str, Any] | None = None
) -> list[Value]:
    """a ⊕ b, by default with the node's own options."""
    if options is None:
        options = dict(node.options)
    if len(a) == 1:
        return [node.combine(NativeMaths(), *a, *b, **options).cast(wide(node))]
    found = node.combine(NativeMaths(), tuple(a), tuple(b), **options)
    return [one.cast(wide(node)) for one in found]


def finished(node: Any, totals: list[Value]) -> Value:
    """The results, from totals."""
    given = tuple(totals) if len(totals) > 1 else totals[0]
    return node.finish(NativeMaths(), given, **node.options).cast(dtype_of(node))


def within_range(x: Value, exponent: int | None) -> Value:
    """Whether |x| is within 2^−exponent and 2^exponent; if None, whether x is finite and not 0."""
    kind = np.dtype(f"u{x.dtype.itemsize}")
    range_ = np.finfo(x.dtype)
    ends = np.array([2.0**-exponent, 2.0**exponent] if exponent else [0, range_.max], x.dtype)
    low, high = map(int, ends.view(kind))
    low += not exponent
    bits = NativeMaths().absolute(x).bits(kind)  # which are ordered as the numbers are
    return bits - low <= high - low
