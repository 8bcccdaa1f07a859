"""Expansion: replaces composites by the operations that define them."""

from __future__ import annotations

from ..graph.kinds import Composite
from ..graph.node import Node
from ..graph.operation import Operation
from .program import Program


def expand(program: Program) -> Program:
    """The program without composites."""
    while any(isinstance(node, Composite) for node in program.order):
        program = program.rewritten(_expanded)
    return program


def _expanded(node: Operation) -> Node:
    return node.expansion if isinstance(node, Composite) else node
