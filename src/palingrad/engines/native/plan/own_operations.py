"""A user's elementwise operations and reductions as operations of the library.

The user's code is called once for a Program, with operands that note what is done to them; the
steps are made of operations that are proven. What can't be read so runs through NumPy.
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
from .node_maths import dressed, in_dtype, replayed, unknown


def in_steps(node: Elementwise) -> Node:
    """The node as operations of the library, one for each step of its formula, if that can be."""
    formula = readable(node)
    made = None if formula is None else replayed(formula, node.inputs)
    return node if made is None or formula is None else dressed(made, node, formula)


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
    """The node as operations of the library before and after a reduction, if that can be."""
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
    made = replayed(parts.finish, [total]) if total.dtype == parts.dtype else None
    return node if made is None else dressed(made, node, parts.finish)


@cache
def _by_function() -> dict[str | None, type[Reduce]]:
    """The library's reductions by the function of `m` that combines their totals."""
    plain = [
        one
        for one in operations.values()
        if issubclass(one, Reduce) and is_shipped(one) and one.by_parts and one is not Accumulate
    ]
    return {function_of(one, {}): one for one in plain}


def why_not_read(node: Elementwise) -> str:
    """Why a user's formula isn't made of the library's operations, in words."""
    try:
        formula = read(node)
    except Refused as refused:
        return f"its formula {refused}"
    strange = unknown(formula)
    if strange:
        return f"its formula computes in {strange[0]}, which generated code hasn't"
    return "no operation of the library is the same"


def why_not_combined(node: Reduce) -> str:
    """Why a user's reduction isn't made of the library's operations, in words."""
    if not node.by_parts:
        return "it doesn't say how it combines: give it identity and combine for f"
    try:
        parts = _Parts(node)
    except Refused as refused:
        return str(refused)
    strange = [one for formula in parts.formulas for one in unknown(formula)]
    return f"it computes in {strange[0]}, which generated code hasn't" if strange else "it is empty"
