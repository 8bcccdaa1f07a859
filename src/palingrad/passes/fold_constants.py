"""Constant folding: operations whose inputs are constants are computed at compile time, and those
without elements."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..graph.context import graph_scope
from ..graph.kinds import Assign, Control, Custom, Elementwise, Random
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.operation import MultipleOutputs, Operation
from ..shapes import known, size, sizes
from .program import Program

_LARGEST = 1024  # a folded constant has at most this many elements more than its inputs together


def fold(program: Program, *, where: Callable[[Node], bool] | None = None) -> Program:
    """The program with operations on constants replaced by their values, unless too large.

    `where` says which operations may be replaced, and which constants count; by default all.
    """
    if where is not None:
        return program.rewritten(
            lambda node: _folded(node) if where(node) and all(map(where, node.inputs)) else node
        )
    results = set(program.outputs)  # one that is a constant would be the same array in each run
    kept = {node for node in results if isinstance(node, Operation) and _is_empty(node)}
    if not kept:
        return program.rewritten(_folded)
    return program.rewritten(lambda node: node if node in kept else _folded(node))


def _folded(node: Operation) -> Node:
    shape = node.shape
    if shape and 0 in shape and _is_empty(node):
        return Constant(np.empty(sizes(node.shape), node.dtype))
    for x in node.inputs:
        if not isinstance(x, Constant):
            return node
    if isinstance(node, (Assign, Control, Custom, MultipleOutputs, Random)):
        return node
    shapes = [x.shape for x in node.inputs if x.shape is not None]
    if node.shape is None or size(node.shape) > _LARGEST + sum(map(size, shapes)):
        return node
    with graph_scope(None, hidden=True, observed=False):
        folded = node.rebuild(node.inputs)
    constant = Constant(folded._value)
    if not np.isfinite(folded._value).all():
        constant.folded = folded  # so that the NaN search can name the operation
    return constant


def _is_empty(node: Operation) -> bool:
    """Whether the operation has no elements, whatever its inputs are: those that depend on it, such
    as a sum, are constants then."""
    if not isinstance(node, Elementwise) or node.dtype is None or not node._shipped:
        return False
    return node.shape is not None and 0 in node.shape and known(node.shape)
