"""Advances random generators: a run updates the state of each generator that it drew from."""

from __future__ import annotations

from ..graph.context import graph_scope
from ..graph.kinds import AnonymousGraph, Random
from ..graph.leaves import Variable
from ..graph.node import Node
from ..ops.random import advanced
from .program import Program


def advance_rng(program: Program) -> Program:
    """The program with one step of each random generator that it uses among its updates."""
    if not program.has(Random):
        return program
    updates = dict[Variable, Node](program.updates)
    with graph_scope(AnonymousGraph(), hidden=True):
        for node in program.order:
            state = node.inputs[0] if isinstance(node, Random) else None
            if isinstance(state, Variable) and state not in updates:
                updates[state] = advanced(state)
    if len(updates) == len(program.updates):
        return program
    return Program(program.feeds, program.outputs, tuple(updates.items()))
