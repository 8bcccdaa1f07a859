"""Lowering: replaces operations without a kernel by operations with kernels.

The operation's own formula is called with a maths namespace whose functions build nodes. A user's
elementwise operation becomes one of the library's operations for each step of its formula: the
user's code runs once per Program, and generated code consists of tested operations only.
"""

from __future__ import annotations

from typing import Any

from ....dtypes import is_floating
from ....errors import PalingradError
from ....graph.kinds import (
    Contract,
    Elementwise,
    Gather,
    Index,
    Layout,
    Random,
    Reduce,
    ScatterAdd,
    ScatterUpdate,
)
from ....graph.node import Node
from ....graph.operation import Item, MultipleOutputs, Operation
from ....graph.registry import ops
from ....passes.program import Program
from ....shapes import sizes
from .node_maths import NodeMaths
from .own_operations import in_parts, in_steps

TERMS = 1 << 16  # terms of a product that one kernel sums; longer products are split. Set in tests


def lowered(program: Program) -> Program:
    """The program with operations replaced by simpler ones where possible."""
    return program.rewritten(_lower)


def _lower(node: Operation) -> Node:
    if not node._shipped:
        if isinstance(node, Reduce):
            return in_parts(node) if node.by_parts else node
        return in_steps(node) if isinstance(node, Elementwise) else node
    simpler = node.simpler(*node.inputs)
    if simpler is not None:
        return simpler
    if isinstance(node, Contract) and is_floating(node.dtype):
        x, y = (sizes(one.shape) for one in node.inputs)
        if x[-1] >= 2 * TERMS:
            left = ops.expand_dims(node.inputs[0], axis=0) if len(x) == 1 else node.inputs[0]
            right = ops.expand_dims(node.inputs[1], axis=1) if len(y) == 1 else node.inputs[1]
            return ops.reshape(_sum_of_products(left, right), node.shape)
    whole: Any = node.inputs[0] if isinstance(node, Item) else node
    if isinstance(node, MultipleOutputs) or not whole._shipped or not _traceable(whole):
        return node
    try:
        result: Any = whole.f(NodeMaths(), *whole.inputs, **whole.attributes)
    except (AttributeError, TypeError, NotImplementedError, PalingradError):
        return node
    if whole is not node:
        result = result[node.attributes["index"]]
    if result.dtype != node.dtype:
        result = ops.cast(result, node.dtype)
    return result if result.shape == node.shape else node


def _traceable(node: Operation) -> bool:
    """Whether the formula is traced: indexing, random numbers, layouts with several results."""
    if isinstance(node, MultipleOutputs):
        return isinstance(node, Layout)
    return isinstance(node, (Index, Random)) and not isinstance(
        node, (Gather, ScatterAdd, ScatterUpdate)
    )


def _sum_of_products(x: Any, y: Any) -> Node:
    """x y as a sum of products of `TERMS` terms each: Σₖ xₖ yₖ. Within a product a kernel adds its
    blocks one after another, so the rounding error would grow with the number of terms."""
    depth = x.shape[-1]
    parts, whole = depth // TERMS, depth // TERMS * TERMS
    left = ops.reshape(x[..., :whole], (*x.shape[:-1], parts, TERMS))  # (..., m, parts, terms)
    right = ops.reshape(y[..., :whole, :], (*y.shape[:-2], parts, TERMS, y.shape[-1]))
    order = (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2, x.ndim)
    total = ops.sum(ops.matmul(ops.permute_dims(left, order), right), axis=-3)
    return total if whole == depth else total + ops.matmul(x[..., whole:], y[..., whole:, :])
