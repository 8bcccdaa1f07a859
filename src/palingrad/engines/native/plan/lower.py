"""Lowering: a node that no kernel computes, as nodes that kernels do compute.

An operation's own formula is called once more, with a maths namespace whose functions build nodes.
A user's elementwise operation becomes the library's, step by step as its formula was read: so the
user's code runs once for a Program, and generated code is made of operations that are proven.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ....dtypes import DType, bool_, int32
from ....errors import PalingradError
from ....graph.kinds import Elementwise, Index, Layout, Random
from ....graph.leaves import Constant
from ....graph.node import Node
from ....graph.operation import Item, MultipleOutputs, Operation
from ....graph.registry import ops
from ....ops.contract import Matmul
from ....ops.pooling import SumPool, SumPoolSpread
from ....ops.reduce import Argmax, Argmin
from ....ops.take import Take, TakeAdd
from ....passes.program import Program
from ....shapes import sizes
from ...formulas import Number, Refused, read, readable
from ..llvm.values import supported

_TERMS = 1 << 16  # terms of a product that are summed by one kernel, half of them at least


def lowered(program: Program) -> Program:
    """The program with nodes replaced by what their formulas are made of, where that can be."""
    return program.rewritten(_lower)


def _lower(node: Operation) -> Node:
    if not node._shipped:
        return _in_steps(node) if isinstance(node, Elementwise) else node
    if isinstance(node, (Argmax, Argmin)):
        return _first(node)
    if isinstance(node, Matmul) and node.dtype == bool_:
        return ops.matmul(*(ops.cast(x, int32) for x in node.inputs)) != 0
    if isinstance(node, Matmul):
        x, y = (sizes(one.shape) for one in node.inputs)
        if len(x) > 1 < len(y) and x[-1] == 1:  # sums of one product each, which begin with 0
            return ops.multiply(*node.inputs) + 0
        if x[-1] >= 2 * _TERMS and node.dtype is not None and node.dtype.kind == "f":
            left = ops.expand_dims(node.inputs[0], axis=0) if len(x) == 1 else node.inputs[0]
            right = ops.expand_dims(node.inputs[1], axis=1) if len(y) == 1 else node.inputs[1]
            return ops.reshape(_in_parts(left, right), node.shape)
    if isinstance(node, (SumPool, SumPoolSpread)):
        return _of_all(node)
    whole: Any = node.inputs[0] if isinstance(node, Item) else node
    if isinstance(node, MultipleOutputs) or not whole._shipped or not _traceable(whole):
        return node
    try:
        made: Any = whole.f(NodeMaths(), *whole.inputs, **whole.attributes)
    except (AttributeError, TypeError, NotImplementedError, PalingradError):
        return node
    if whole is not node:
        made = made[node.attributes["index"]]
    if made.dtype != node.dtype:
        made = ops.cast(made, node.dtype)
    return made if made.shape == node.shape else node


def why_not_read(node: Elementwise) -> str:
    """Why a user's formula isn't made of the library's operations, in words."""
    try:
        formula = read(node)
    except Refused as refused:
        return f"its formula {refused}"
    dtypes = [one for step in formula.steps for one in (*step.dtypes, step.result)]
    unknown = [str(one) for one in dtypes if not supported(one)]
    if unknown:
        return f"its formula computes in {unknown[0]}, which generated code hasn't"
    return "no operation of the library is the same"


def _in_steps(node: Elementwise) -> Node:
    """The node as operations of the library, one for each step of its formula, if that can be."""
    formula = readable(node)
    if formula is None:
        return node
    places: list[Node] = list(node.inputs)
    for step in formula.steps:
        if not all(map(supported, (*step.dtypes, step.result))):
            return node
        operands = [_in_dtype(_operand(x, places), dtype) for x, dtype in step.taken()]
        options = (step.result,) if step.name == "cast" else ()
        try:
            made = getattr(NodeMaths(), step.name)(*operands, *options)
        except PalingradError:
            return node
        if made.dtype != step.result:
            return node
        places.append(made)
    made = _operand(formula.result, places)
    if made.shape != node.shape:
        made = ops.broadcast_to(made, node.shape)
    if formula.result not in range(formula.arguments) and made._name is None:
        made._name = node._name or node.kind_name()
    return made


def _operand(x: int | Number, places: list[Node]) -> Node:
    return Constant(x.value) if isinstance(x, Number) else places[x]


def _in_dtype(x: Node, dtype: DType) -> Node:
    return x if x.dtype == dtype else ops.cast(x, dtype)


def _traceable(node: Operation) -> bool:
    """Whether the formula is looked into: elements chosen, random numbers, several results."""
    if isinstance(node, MultipleOutputs):
        return isinstance(node, Layout)
    return isinstance(node, (Index, Random)) and not isinstance(node, (Take, TakeAdd))


def _in_parts(x: Any, y: Any) -> Node:
    """x y as the sum of products of `_TERMS` terms each, whose order keeps rounding errors small:
    a kernel adds blocks of terms one after another."""
    depth = x.shape[-1]
    parts, whole = depth // _TERMS, depth // _TERMS * _TERMS
    left = ops.reshape(x[..., :whole], (*x.shape[:-1], parts, _TERMS))  # (..., m, parts, terms)
    right = ops.reshape(y[..., :whole, :], (*y.shape[:-2], parts, _TERMS, y.shape[-1]))
    order = (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2, x.ndim)
    total = ops.sum(ops.matmul(ops.permute_dims(left, order), right), axis=-3)
    return total if whole == depth else total + ops.matmul(x[..., whole:], y[..., whole:, :])


def _of_all(node: Any) -> Node:
    """The sum of a window that is the whole image, and what spreads it: a reduction, a view."""
    (x,) = node.inputs
    forwards = isinstance(node, SumPool)
    space = (x if forwards else node).shape[2:]
    if node.attributes["size"] != space or any(map(any, node.attributes["padding"])):
        return node
    if forwards:
        return ops.sum(x, axis=tuple(range(2, x.ndim)), keepdims=True)
    return ops.broadcast_to(x, node.shape)


def _first(node: Any) -> Node:
    """The place of an extreme: the first where an element equals it, or of a NaN."""
    (x,) = node.inputs
    axis: Any = node.axis
    if x.ndim == 0 or not isinstance(axis, int | None) or 0 in x.shape:
        return node
    if axis is None:
        x, axis = ops.reshape(x, (-1,)), 0
    best = (ops.max if isinstance(node, Argmax) else ops.min)(x, axis=axis, keepdims=True)
    found = ops.equal(x, best)
    if x.dtype.kind == "f":
        found = ops.logical_or(found, ops.isnan(x))
    length = x.shape[axis]
    shape = [1] * x.ndim
    shape[axis] = length
    places = Constant(np.arange(length).reshape(shape))
    first = ops.min(ops.where(found, places, length), axis=axis, keepdims=node.keepdims)
    made = first if first.dtype == node.dtype else ops.cast(first, node.dtype)
    return made if made.shape == node.shape else ops.reshape(made, node.shape)


# The names of the array API standard, which nodes have, where they aren't those of `m`.
_STANDARD = {
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh",
    "arctan": "atan", "arctan2": "atan2", "arctanh": "atanh", "mod": "remainder", "power": "pow",
    "left_shift": "bitwise_left_shift", "right_shift": "bitwise_right_shift", "rint": "round",
}  # fmt: skip


class NodeMaths:
    """The maths namespace that builds nodes: what operations are called with NumPy's order."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(ops, _STANDARD.get(name, name))

    def expand_dims(self, x: Any, axis: int) -> Any:
        """One more axis."""
        return ops.expand_dims(x, axis=axis)

    def concatenate(self, xs: Any, axis: int) -> Any:
        """The arrays one after another."""
        return ops.concat(xs, axis=axis)

    def split(self, x: Any, cuts: list[int], axis: int) -> list[Any]:
        """The pieces of x between these places."""
        before = (slice(None),) * (axis % x.ndim)
        ends = itertools.pairwise([0, *cuts, x.shape[axis]])
        return [x[(*before, slice(start, stop))] for start, stop in ends]

    def arange(self, stop: int) -> Any:
        """The integers below `stop`."""
        return Constant(np.arange(stop))

    def cast(self, x: Any, dtype: Any) -> Any:
        """x in another dtype."""
        return ops.cast(x, dtype)
