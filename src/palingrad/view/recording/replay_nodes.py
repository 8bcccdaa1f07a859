"""Rebuilds the nodes of a recorded run, with their recorded values, for drawings and the page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ...errors import TapeError
from ...graph.context import Backward, Origin, SourceLocation
from ...graph.leaves import Constant, Placeholder, Variable
from ...graph.node import Node
from ...graph.operation import Operation
from ...passes.program import Program
from .entries import Entry, Run


def program_of(run: Run, values: Sequence[Any]) -> tuple[Program, dict[int, Node]]:
    """Returns the run as a Program whose nodes hold `values`, and the nodes by place."""
    nodes: dict[int, Node] = {}
    feeds: list[Placeholder] = []
    updates: dict[int, tuple[Variable, Node]] = {}
    variables: dict[int, Variable] = {}
    for entry in run.entries:
        if entry.assigns:
            assert entry.variable is not None
            value = nodes[entry.inputs[0]]
            variable = variables.get(entry.variable)
            if variable is None:
                variable = variables[entry.variable] = _leaf(Variable, entry, values[entry.place])
            updates[entry.variable] = variable, value
            nodes[entry.place] = value
            continue
        node = nodes[entry.place] = _node(entry, values[entry.place], nodes)
        if isinstance(node, Variable) and entry.variable is not None:
            variables[entry.variable] = node
        if isinstance(node, Placeholder):
            feeds.append(node)
    used = {x for entry in run.entries for x in entry.inputs}
    ends = [e.place for e in run.entries if e.kind == "operation" and not e.assigns]
    outputs = tuple(nodes[place] for place in ends if place not in used)
    forward = [e.place for e in run.entries if e.kind == "operation" and e.role == "forward"]
    if not outputs and not updates and forward:
        outputs = (nodes[forward[-1]],)
    return Program(tuple(feeds), outputs, tuple(updates.values())), nodes


def _node(entry: Entry, value: Any, nodes: dict[int, Node]) -> Node:
    if entry.kind != "operation":
        kinds: dict[str, type[Node]] = {"variable": Variable, "placeholder": Placeholder}
        return _leaf(kinds.get(entry.kind, Constant), entry, value)
    if entry.formula is None:
        raise TapeError(f"{entry.name!r} is a {entry.operation}, which isn't defined here")
    attributes = entry.formula.attributes
    inputs = tuple(nodes[x] for x in entry.inputs)
    state = {**attributes, "attributes": attributes}
    node = entry.formula.operation.unchecked(state, inputs, value=value)
    return _annotated(node, entry)


def _leaf(kind: type[Any], entry: Entry, value: Any) -> Any:
    node = kind.unchecked({}, value=value)
    if isinstance(node, Variable):
        node._trainable = True
    if isinstance(node, Constant) and entry.literal and isinstance(value, np.ndarray):
        node.scalar = value.item()
    return _annotated(node, entry)


def _annotated(node: Node, entry: Entry) -> Node:
    if not isinstance(node, Operation) or entry.name != entry.operation:
        node._name = entry.name
    if entry.origin is not None:
        place = _place(entry.origin, entry.scope)
        node._origin = Backward.of(place, 1) if entry.role == "backward" else place
    return node


@lru_cache(maxsize=4096)
def _place(origin: Origin, scope: str) -> SourceLocation:
    """A SourceLocation with an instruction on the origin's line, in a name scope."""
    code = compile("0", origin.file, "exec").replace(co_firstlineno=origin.line)
    for start, _, line in code.co_lines():
        if line == origin.line:
            return code, start, scope
    return code, -2, scope  # no instruction: the code's first line, which is this one
