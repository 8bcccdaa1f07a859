"""Formulas as nodes: a maths namespace that builds nodes, and the replay of a recorded formula."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....dtypes import DType
from ....errors import PalingradError
from ....graph.leaves import Constant
from ....graph.node import Node
from ....graph.operation import Operation
from ....graph.registry import ops
from ...formulas import Formula, Number
from ..llvm.values import supported

# The registry's names (those of the array API standard) of functions that `m` names differently.
_STANDARD = {
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh",
    "arctan": "atan", "arctan2": "atan2", "arctanh": "atanh", "mod": "remainder", "power": "pow",
    "left_shift": "bitwise_left_shift", "right_shift": "bitwise_right_shift", "rint": "round",
}  # fmt: skip


class NodeMaths:
    """The maths namespace that builds nodes, with NumPy's argument order."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(ops, _STANDARD.get(name, name))

    def expand_dims(self, x: Any, axis: int) -> Any:
        """One more axis."""
        return ops.expand_dims(x, axis=axis)

    def concatenate(self, xs: Any, axis: int) -> Any:
        """The concatenated arrays."""
        return ops.concat(xs, axis=axis)

    def split(self, x: Any, cuts: list[int], axis: int) -> list[Any]:
        """The pieces of x between the positions `cuts`."""
        before = (slice(None),) * (axis % x.ndim)
        ends = itertools.pairwise([0, *cuts, x.shape[axis]])
        return [x[(*before, slice(start, stop))] for start, stop in ends]

    def arange(self, stop: int) -> Any:
        """The integers below `stop`."""
        return Constant(np.arange(stop))

    def cast(self, x: Any, dtype: Any) -> Any:
        """x in another dtype."""
        return ops.cast(x, dtype)


def replayed(formula: Formula, inputs: Sequence[Node]) -> Node | None:
    """The result of a formula as operations of the library on its arguments; None where a step has
    no operation of the same result dtype."""
    places: list[Node] = list(inputs)
    for step in formula.steps:
        if not all(map(supported, (*step.dtypes, step.result))):
            return None
        operands = [in_dtype(_operand(x, places), dtype) for x, dtype in step.taken()]
        options = (step.result,) if step.name == "cast" else ()
        try:
            result = getattr(NodeMaths(), step.name)(*operands, *options)
        except PalingradError:
            return None
        if result.dtype != step.result:
            return None
        places.append(result)
    return _operand(formula.result, places)


def with_shape_and_name(result: Node, node: Operation, formula: Formula) -> Node:
    """The result of a formula, broadcast to the node's shape and with the node's name."""
    if result.shape != node.shape:
        result = ops.broadcast_to(result, node.shape)
    if formula.result not in range(formula.arguments) and result._name is None:
        result._name = node._name or node.kind_name()
    return result


def _operand(x: int | Number, places: list[Node]) -> Node:
    return Constant(x.value) if isinstance(x, Number) else places[x]


def in_dtype(x: Node, dtype: DType) -> Node:
    """x in a dtype."""
    return x if x.dtype == dtype else ops.cast(x, dtype)


def unknown(formula: Formula) -> list[str]:
    """The names of a formula's dtypes that generated code doesn't support."""
    dtypes = [dtype for step in formula.steps for dtype in (*step.dtypes, step.result)]
    return [str(dtype) for dtype in (*dtypes, formula.dtype) if not supported(dtype)]
