"""Lowering: a node that no kernel computes, as nodes that kernels do compute.

An operation's own formula is called once more, with a maths namespace whose functions build nodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import PalingradError
from ...graph.kinds import Index
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import Operation
from ...graph.registry import ops
from ...passes.program import Program


def lowered(program: Program) -> Program:
    """The program with nodes replaced by what their formulas are made of, where that can be."""
    return program.rewritten(_lower)


def _lower(node: Operation) -> Node:
    if not isinstance(node, Index):
        return node
    try:
        made = node.f(NodeMaths(), *node.inputs, **node.attributes)
    except (AttributeError, TypeError, NotImplementedError, PalingradError):
        return node
    if made.dtype != node.dtype:
        made = ops.cast(made, node.dtype)
    return made if made.shape == node.shape else node


class NodeMaths:
    """The maths namespace that builds nodes: what operations are called with NumPy's order."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(ops, name)

    def expand_dims(self, x: Any, axis: int) -> Any:
        """One more axis."""
        return ops.expand_dims(x, axis=axis)

    def arange(self, stop: int) -> Any:
        """The integers below `stop`."""
        return Constant(np.arange(stop))

    def cast(self, x: Any, dtype: Any) -> Any:
        """x in another dtype."""
        return ops.cast(x, dtype)

    def take(self, x: Any, indices: Any, axis: int) -> Any:
        """Not a formula, but itself."""
        raise NotImplementedError

    def take_add(self, g: Any, indices: Any, axis: int, size: int) -> Any:
        """Not a formula, but itself."""
        raise NotImplementedError
