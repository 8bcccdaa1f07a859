"""Expansion: replaces composites by the operations that define them, and what has a derivative of
its own by its value."""

from __future__ import annotations

from ..autodiff.ruled import Ruled
from ..graph.kinds import Composite
from ..graph.node import Node
from ..graph.operation import Item, Operation
from .program import Program


def expand(program: Program) -> Program:
    """The program without composites."""
    while program.has(Composite, Ruled):
        program = program.rewritten(_expanded)
    return program


def without_rules(program: Program) -> Program:
    """The program without derivatives of their own: of each the value."""
    while program.has(Ruled):
        program = program.rewritten(_passed)
    return program


def _passed(node: Operation) -> Node:
    if type(node) is Item and isinstance(whole := node.inputs[0], Ruled):
        return whole.passed(node.attributes["index"])
    return node


def _expanded(node: Operation) -> Node:
    return node.expansion if isinstance(node, Composite) else _passed(node)
