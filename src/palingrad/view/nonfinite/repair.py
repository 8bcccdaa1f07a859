"""Applies the rewrite that avoids a non-finite value: the graph with one operation replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ...errors import PalingradError
from ...graph.context import graph_scope, level_of, pulled_of
from ...graph.kinds import AnonymousGraph
from ...graph.node import Node
from ...graph.operation import Operation
from ...graph.registry import ops
from ...graph.traversal.order import postorder
from ...graph.traversal.replay import replay
from ...ops.elementwise.activation import Relu
from ...ops.safe import safe_form, whole_form
from .origin import NonFiniteOrigin

Replace = Callable[[Operation, list[Any]], Any]


class Repair(NamedTuple):
    """A graph's results after a rewrite, the rewrite, and the nodes that it replaced."""

    roots: list[Node]
    text: str
    replaced: list[Node]


def repaired(roots: Sequence[Node], origin: NonFiniteOrigin) -> Repair | None:
    """The results of a graph without the fault, or None if no rewrite of it is known.

    Whether they are finite is for the caller to see.
    """
    for node in [node for node, _ in origin.trail if isinstance(node, Operation)]:
        form = whole_form(node)
        if form is not None and not level_of(node._origin):
            return _rebuilt(roots, [node], lambda new, _: _whole(new), form.text)
    slope = bool(level_of(origin.node._origin))
    faulty = _differentiated(origin) if slope else [origin.node]
    form = safe_form(faulty[0], slope=slope) if faulty else None
    if form is None:
        return None
    return _rebuilt(roots, faulty, lambda _, inputs: form.build(*inputs), form.text)


def revived(roots: Sequence[Node], dead: Sequence[Node]) -> Repair | None:
    """The results with leaky rectifiers in place of some rectifiers."""
    text = "pg.leaky_relu(x) instead of pg.relu(x)"
    relus = [node for node in dead if type(node) is Relu]
    return _rebuilt(roots, relus, lambda _, inputs: ops.leaky_relu(inputs[0]), text)


def _whole(node: Operation) -> Any:
    form = whole_form(node)
    return node if form is None else form.build()


def _differentiated(origin: NonFiniteOrigin) -> list[Node]:
    """The operations whose vjp built the node where the fault began: those of one line."""
    place = origin.node._origin
    pulled, level = pulled_of(place), level_of(place) - 1
    return [
        node
        for node in origin.order
        if type(node) is pulled and level_of(node._origin) == level and node._origin == place
    ]


def _rebuilt(
    roots: Sequence[Node], faulty: Sequence[Node], replace: Replace, text: str
) -> Repair | None:
    wanted = {id(node) for node in faulty}
    deferred = any(node.deferred for node in roots)

    def rule(node: Operation, inputs: list[Any]) -> Any:
        changed = any(a is not b for a, b in zip(inputs, node.inputs, strict=True))
        if id(node) in wanted:
            new = replace(node.rebuild(inputs) if changed else node, inputs)
            new._name, new._unnamed = node._name, node._unnamed
            return new
        return (node.rewired if deferred else node.rebuild)(inputs) if changed else node

    try:
        with graph_scope(AnonymousGraph() if deferred else None, hidden=True):
            built = replay(postorder(*roots), rule)
    except PalingradError:  # an operation that can't be built again
        return None
    if not any(id(node) in wanted for node in built):
        return None
    return Repair([built[node] for node in roots], text, list(faulty))
