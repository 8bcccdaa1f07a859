"""A user's elementwise operations and reductions, rewritten as operations of the library.

The user's formula is called once per Program, with operands that record the calls made on them;
each recorded step becomes one of the library's operations. NumPy computes an operation whose
formula can't be recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from ....dtypes import DType
from ....graph.declared.parts import function_of, options_of, totals
from ....graph.kinds import Elementwise, Reduce
from ....graph.node import Node
from ....graph.operation import Operation
from ....graph.registry import is_shipped, operations, ops
from ....shapes import axes_in, reduced, sizes, text
from ...formulas import Formula, Refused, read, read_function, readable
from ..kernels.formula import dtype_of
from .accumulate import Accumulate
from .node_maths import in_dtype, replayed, unknown, with_shape_and_name


def in_steps(node: Elementwise) -> Node:
    """The node as operations of the library, one for each step of its formula; the node itself if
    its formula can't be read."""
    formula = readable(node)
    result = None if formula is None else replayed(formula, node.inputs)
    return node if result is None or formula is None else with_shape_and_name(result, node, formula)


class _Parts:
    """The formulas of a user's reduction. Raises Refused where one can't be read."""

    def __init__(self, node: Reduce) -> None:
        self.options = options_of(node.attributes)
        self.shape = sizes(node.space)
        self.axes = axes_in(node.attributes["axis"], len(self.shape))
        self.count = node.count
        if type(node).compute is not Operation.compute:
            raise Refused("it has a compute of its own")
        shape = reduced(self.shape, self.axes, node.attributes["keepdims"])
        if shape != node.shape:
            raise Refused(f"its parts give {text(shape)}, shape_rule says {text(node.shape)}")
        dtypes = [dtype_of(x) for x in node.inputs]
        self.prepare = _part("prepare", node.prepare, dtypes, self.options)
        try:
            (self.dtype,) = totals(type(node), self.options, (self.prepare.dtype,))
            self.start = node.identity(self.dtype, **self.options)
        except Exception as error:  # whatever a user's code raises
            raise Refused(f"its parts raise {type(error).__name__}: {error}") from error
        self.combine = _part("combine", node.combine, [self.dtype] * 2, self.options)
        self.finish = _part(
            "finish",
            lambda m, total: node.finish(m, total, self.count, **self.options), [self.dtype], {},
        )  # fmt: skip
        if self.finish.dtype != node.dtype:
            raise Refused(f"its finish gives {self.finish.dtype}, dtype_rule says {node.dtype}")

    @property
    def formulas(self) -> tuple[Formula, ...]:
        return self.prepare, self.combine, self.finish


def _part(name: str, f: Any, dtypes: Sequence[DType], options: dict[str, Any]) -> Formula:
    try:
        return read_function(f, dtypes, options)
    except Refused as refused:
        if refused.several:
            words = "its total is several numbers, which generated code doesn't combine"
            raise Refused(words) from None
        raise Refused(f"its {name} {refused}") from None


def in_parts(node: Reduce) -> Node:
    """The node as the library's operations for `prepare`, a reduction by `combine`, and the
    library's operations for `finish`; the node itself if a part can't be read."""
    try:
        parts = _Parts(node)
    except Refused:
        return node
    if not parts.count or any(map(unknown, parts.formulas)):
        return node
    x = replayed(parts.prepare, node.inputs)
    if x is None:
        return node
    if x.shape != parts.shape:
        x = ops.broadcast_to(x, parts.shape)
    axis, keepdims = parts.axes, node.attributes["keepdims"]
    shipped = _by_function().get(node.combines_by)
    if shipped is not None:
        total: Node = shipped(x, axis=axis, keepdims=keepdims)
    else:
        total = Accumulate(
            in_dtype(x, parts.dtype), axis=axis, keepdims=keepdims,
            steps=parts.combine, start=parts.start,
        )  # fmt: skip
    total._name = node._name or node.kind_name()
    result = replayed(parts.finish, [total]) if total.dtype == parts.dtype else None
    return node if result is None else with_shape_and_name(result, node, parts.finish)


@cache
def _by_function() -> dict[str | None, type[Reduce]]:
    """The library's reductions by the function of `m` that combines their totals."""
    reductions = [
        kind
        for kind in operations.values()
        if issubclass(kind, Reduce)
        and is_shipped(kind)
        and kind.by_parts
        and kind is not Accumulate
    ]
    return {function_of(kind, {}): kind for kind in reductions}


def why_not_read(node: Elementwise) -> str:
    """The reason why a user's formula couldn't be rewritten, in words."""
    try:
        formula = read(node)
    except Refused as refused:
        return f"its formula {refused}"
    dtypes = unknown(formula)
    if dtypes:
        return f"its formula computes in {dtypes[0]}, which generated code doesn't support"
    return "the library has no operation for one of its steps"


def why_not_combined(node: Reduce) -> str:
    """The reason why a user's reduction couldn't be rewritten, in words."""
    if not node.by_parts:
        return "it doesn't say how it combines: define identity and combine instead of f"
    try:
        parts = _Parts(node)
    except Refused as refused:
        return str(refused)
    dtypes = [dtype for formula in parts.formulas for dtype in unknown(formula)]
    if dtypes:
        return f"it computes in {dtypes[0]}, which generated code doesn't support"
    return "it is empty"
