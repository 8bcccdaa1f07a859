"""Lowering: a node that no kernel computes, as nodes that kernels do compute.

An operation's own formula is called once more, with a maths namespace whose functions build nodes.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ....dtypes import bool_, int32
from ....errors import PalingradError
from ....graph.kinds import Index, Layout, Random
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


def lowered(program: Program) -> Program:
    """The program with nodes replaced by what their formulas are made of, where that can be."""
    return program.rewritten(_lower)


def _lower(node: Operation) -> Node:
    if isinstance(node, (Argmax, Argmin)):
        return _first(node)
    if isinstance(node, Matmul) and node.dtype == bool_:
        return ops.matmul(*(ops.cast(x, int32) for x in node.inputs)) != 0
    if isinstance(node, Matmul):
        x, y = (sizes(one.shape) for one in node.inputs)
        if len(x) > 1 < len(y) and x[-1] == 1:  # sums of one product each, which begin with 0
            return ops.multiply(*node.inputs) + 0
    if isinstance(node, (SumPool, SumPoolSpread)):
        return _of_all(node)
    whole: Any = node.inputs[0] if isinstance(node, Item) else node
    if isinstance(node, MultipleOutputs) or not _traceable(whole):
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
    return isinstance(node, (Index, Random)) and not isinstance(node, (Take, TakeAdd))


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


class NodeMaths:
    """The maths namespace that builds nodes: what operations are called with NumPy's order."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(ops, name)

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
