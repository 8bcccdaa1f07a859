"""Specialise: a template and the signature of what is fed, to a concrete Program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..autodiff.gradients import keeping_promises
from ..dtypes import DType
from ..errors import FeedError, GraphError
from ..graph.context import graph_scope
from ..graph.differentiated import check_not_run
from ..graph.kinds import AnonymousGraph, Assign
from ..graph.leaves import Placeholder, Variable
from ..graph.node import Node
from ..graph.operation import MultipleOutputs, Operation, is_known
from ..graph.traversal.order import postorder
from ..graph.traversal.replay import replay
from ..shapes import Shape
from .program import Program

Signature = tuple[Shape, DType]


def specialise(
    fetches: Sequence[Node],
    fed: Mapping[Placeholder, Signature],
    *,
    assigned: Mapping[Variable, Node] | None = None,
) -> Program:
    """The Program that computes `fetches` for feeds of these shapes and dtypes.

    Assignments among what the fetches depend on become updates, or exactly those in `assigned`; a
    group has no output. Raises FeedError for a placeholder without a feed, ShapeError and
    DTypeError where the shapes that are known now don't fit.
    """
    concrete: dict[Node, Any] = {}
    order = postorder(*fetches, *(assigned or {}).values())
    check_not_run(order)
    with graph_scope(AnonymousGraph(), hidden=True):
        for node in order:
            if isinstance(node, Placeholder):
                if node not in fed:
                    raise FeedError(f"{node.label()} needs a feed{node.built()}")
                concrete[node] = node.clone(*fed[node])
        built = replay(order, keeping_promises(_specialised), concrete)
        last = _assigned(order) if assigned is None else assigned
        updates = {variable: built[node].inputs[0] for variable, node in last.items()}
    return Program(
        tuple(built[node] if node in built else node for node in fed),
        tuple(built[node] for node in fetches if not isinstance(node, MultipleOutputs)),
        tuple(updates.items()),
    )


def _specialised(node: Operation, inputs: list[Node]) -> Operation:
    unchanged = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
    return node if unchanged and is_known(node) else node.rebuild(inputs)


def _assigned(order: Sequence[Node]) -> dict[Variable, Node]:
    found: dict[Variable, Node] = {}
    for node in order:
        if isinstance(node, Assign):
            variable: Variable = node.attributes["variable"]
            if variable in found:
                raise GraphError(
                    f"{variable.label()} is assigned twice in one run, again{node.built()}"
                )
            found[variable] = node
    return found
