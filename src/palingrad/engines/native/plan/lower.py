"""Lowering: a node that no kernel computes, as nodes that kernels do compute.

An operation's own formula is called once more, with a maths namespace whose functions build nodes.
A user's elementwise operation becomes the library's, step by step as its formula was read: so the
user's code runs once for a Program, and generated code is made of operations that are proven.
"""

from __future__ import annotations

from typing import Any

from ....dtypes import is_floating
from ....errors import PalingradError
from ....graph.kinds import Contract, Elementwise, Gather, Index, Layout, Random, Reduce, ScatterAdd
from ....graph.node import Node
from ....graph.operation import Item, MultipleOutputs, Operation
from ....graph.registry import ops
from ....passes.program import Program
from ....shapes import sizes
from .node_maths import NodeMaths
from .own_operations import in_parts, in_steps

_TERMS = 1 << 16  # terms of a product that are summed by one kernel, half of them at least


def lowered(program: Program) -> Program:
    """The program with nodes replaced by what their formulas are made of, where that can be."""
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
        if x[-1] >= 2 * _TERMS:
            left = ops.expand_dims(node.inputs[0], axis=0) if len(x) == 1 else node.inputs[0]
            right = ops.expand_dims(node.inputs[1], axis=1) if len(y) == 1 else node.inputs[1]
            return ops.reshape(_sum_of_products(left, right), node.shape)
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


def _traceable(node: Operation) -> bool:
    """Whether the formula is looked into: elements chosen, random numbers, several results."""
    if isinstance(node, MultipleOutputs):
        return isinstance(node, Layout)
    return isinstance(node, (Index, Random)) and not isinstance(node, (Gather, ScatterAdd))


def _sum_of_products(x: Any, y: Any) -> Node:
    """x y as the sum of products of `_TERMS` terms each, whose order keeps rounding errors small:
    a kernel adds blocks of terms one after another."""
    depth = x.shape[-1]
    parts, whole = depth // _TERMS, depth // _TERMS * _TERMS
    left = ops.reshape(x[..., :whole], (*x.shape[:-1], parts, _TERMS))  # (..., m, parts, terms)
    right = ops.reshape(y[..., :whole, :], (*y.shape[:-2], parts, _TERMS, y.shape[-1]))
    order = (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2, x.ndim)
    total = ops.sum(ops.matmul(ops.permute_dims(left, order), right), axis=-3)
    return total if whole == depth else total + ops.matmul(x[..., whole:], y[..., whole:, :])
