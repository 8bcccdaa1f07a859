"""Common subexpression elimination: the same operation on the same inputs is computed once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import copysign
from typing import Any

from numpy import floating

from ..graph.kinds import Assign, Control, Custom
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.operation import Operation
from .program import Program

_SMALL = 64  # constants of at most this many elements are compared by value


def common_subexpressions(program: Program) -> Program:
    """The program with equal subexpressions merged."""
    constants: dict[Hashable, Node] = {}
    firsts: dict[Hashable, Node] = {}

    def merged_leaf(node: Node) -> Node:
        if not isinstance(node, Constant) or node.numpy().size > _SMALL:
            return node
        value = node.numpy()
        return constants.setdefault((value.dtype, value.shape, value.tobytes()), node)

    def merged(node: Operation) -> Node:
        if isinstance(node, (Assign, Control, Custom)):
            return node
        inputs = [merged_leaf(x) for x in node.inputs]
        key = (type(node), *inputs, _key(node.attributes))
        if key not in firsts:
            same = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
            firsts[key] = node if same else node.rewired(inputs)
        return firsts[key]

    return program.rewritten(merged)


def _key(value: Any) -> Hashable:
    """A hashable value that is equal only for equal attributes; 1, 1.0 and True differ, and
    so do 0.0 and -0.0."""
    if isinstance(value, Mapping):
        entries: Mapping[str, Any] = value
        return tuple((name, _key(entry)) for name, entry in sorted(entries.items()))
    if isinstance(value, (tuple, list)):
        return tuple(_key(element) for element in value)
    if isinstance(value, slice):
        return "slice", value.start, value.stop, value.step
    if isinstance(value, (float, floating)):
        return type(value), value, copysign(1, value)
    return type(value), value if isinstance(value, Hashable) else id(value)
