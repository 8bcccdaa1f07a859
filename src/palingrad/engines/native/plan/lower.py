"""Lowering: replaces operations without a kernel by operations with kernels.

The operation's own formula is called with a maths namespace whose functions build nodes. A user's
elementwise operation becomes one of the library's operations for each step of its formula: the
user's code runs once per Program, and generated code consists of tested operations only.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from ....dtypes import is_floating
from ....errors import PalingradError
from ....graph.context import graph_scope
from ....graph.declared.strided import Strided
from ....graph.kinds import (
    AnonymousGraph,
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
from ....shapes import axes_in, sizes
from .attention.build import with_attention
from .node_maths import NodeMaths
from .own_operations import in_parts, in_steps

TERMS = 1 << 16  # terms of a product that one kernel sums; longer products are split. Set in tests


def lowered(program: Program) -> Program:
    """The program with operations replaced by simpler ones where possible, and attention by
    recipes of its kernel."""
    return _apart(with_attention(program.rewritten(_lower)))


def _apart(program: Program) -> Program:
    """The program whose results aren't Variables that it updates, but copies of their old values:
    so it can write over them."""
    variables = {variable for variable, _ in program.updates}

    def apart(x: Node) -> Node:
        base = x
        while isinstance(base, Layout) and base._shipped and len(base.inputs) == 1:
            base = base.inputs[0]
        return ops.cast(x, x.dtype) if base in variables else x

    if not variables:
        return program
    with graph_scope(AnonymousGraph(), hidden=True, observed=False):
        outputs = tuple(map(apart, program.outputs))
    same = all(x is y for x, y in zip(outputs, program.outputs, strict=True))
    return program if same else replace(program, outputs=outputs)


def _lower(node: Operation) -> Node:
    if not node._shipped:
        if isinstance(node, Reduce):
            return in_parts(node) if node.by_parts else node
        return in_steps(node) if isinstance(node, Elementwise) else node
    merged = _sum_of_batch(node)
    if merged is not None:
        return merged
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


def _sum_of_batch(y: Operation) -> Node | None:
    """Σ xᵢ yᵢ over batch axes as one product with the terms of all, if its operands are views: the
    gradient of a weight that all matrices of a batch share. None where it isn't one."""
    is_sum = isinstance(y, Reduce) and y._shipped and y.combines_by == "add"
    product = y.inputs[0] if is_sum else None
    if product is None or not isinstance(product, Contract) or not product._shipped:
        return None
    a, b = (_view(x) for x in product.inputs)
    ndim = len(sizes(product.shape))
    summed = axes_in(y.attributes["axis"], ndim)
    same_batch = len(a.shape) == len(b.shape) == ndim and a.shape[:-2] == b.shape[:-2]
    if y.dtype != product.dtype or not summed or max(summed) >= ndim - 2 or not same_batch:
        return None
    kept = [axis for axis in range(ndim - 2) if axis not in summed]
    batch = [a.shape[axis] for axis in kept]
    rows, columns, depth = a.shape[-2], b.shape[-1], a.shape[-1]
    depth *= math.prod(a.shape[axis] for axis in summed)
    left = (*kept, ndim - 2, *summed, ndim - 1), (*batch, rows, depth)
    right = (*kept, *summed, ndim - 2, ndim - 1), (*batch, depth, columns)
    for layout, (order, shape) in ((a, left), (b, right)):
        if 0 in layout.shape or layout.permuted(order).reshaped(shape) is None:
            return None
    if depth >= 2 * TERMS:
        return None
    x, z = (
        ops.reshape(ops.permute_dims(x, order), shape)
        for x, (order, shape) in zip(product.inputs, (left, right), strict=True)
    )
    return ops.reshape(ops.matmul(x, z), y.shape)


def _view(x: Node) -> Strided:
    """The elements of x in the array that its layouts read."""
    layouts: list[Layout] = []
    while isinstance(x, Layout) and x._shipped:
        layouts.append(x)
        x = x.inputs[0]
    found = Strided.contiguous(sizes(x.shape))
    for layout in reversed(layouts):
        found = layout.checked_view(found) or Strided.contiguous(sizes(layout.shape))
    return found


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
