"""Specialisation: turns a template and the signature of the feeds into a concrete Program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_
from typing import Any

from ..autodiff.gradients import Gradient, expanding_gradients
from ..dtypes import DType
from ..errors import FeedError, GraphError
from ..graph.context import graph_scope
from ..graph.derivatives.differentiated import check_not_run
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

    Its updates are the assignments that the fetches depend on, or those in `assigned` if given. A
    group has no output. Raises FeedError for a placeholder without a feed, ShapeError and
    DTypeError if shapes or dtypes, known only now, don't fit.
    """
    concrete: dict[Node, Any] = {}
    order = postorder(*fetches, *(assigned or {}).values())
    check_not_run(order)
    with graph_scope(AnonymousGraph(), hidden=True):
        for node in order:
            if isinstance(node, Placeholder):
                if node not in fed:
                    raise FeedError(f"{node.label()} needs a feed{node.built()}")
                fits = (node.shape, node.dtype) == fed[node]
                if not fits or node.graph is not None or "_grad" in node.__dict__:
                    concrete[node] = node.clone(*fed[node])
        if concrete or not all(map(_is_concrete, order)):
            built = replay(order, expanding_gradients(_specialised), concrete)
        else:  # a traced function, as a rule: its placeholders have the shapes of its arguments
            built = dict[Node, Any](zip(order, order))
        last = _assigned(order) if assigned is None else assigned
        updates = {variable: built[node].inputs[0] for variable, node in last.items()}
    program = Program(
        tuple(built[node] if node in built else node for node in fed),
        tuple(built[node] for node in fetches if not isinstance(node, MultipleOutputs)),
        tuple(updates.items()),
    )
    roots = program.roots
    if len(roots) == len(fetches) and all(map(is_, roots, fetches)):  # whose order is known
        program.__dict__["order"] = order
    return program


def _is_concrete(node: Node) -> bool:
    """Whether a Program can have the node itself: not an operation that refers to its gradient,
    which the Program would keep alive."""
    if node._value is not None:
        return True
    shape = node._shape
    if node._dtype is None or shape is None or None in shape or isinstance(node, MultipleOutputs):
        if not is_known(node):
            return False
    return type(node) is not Gradient and not (node.inputs and "_grad" in node.__dict__)


def _specialised(node: Operation, inputs: list[Node]) -> Operation:
    unchanged = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
    return node if unchanged and _is_concrete(node) else node.rebuild(inputs)


def _assigned(order: Sequence[Node]) -> dict[Variable, Node]:
    assignments: dict[Variable, Node] = {}
    for node in order:
        if isinstance(node, Assign):
            variable: Variable = node.attributes["variable"]
            if variable in assignments:
                raise GraphError(
                    f"{variable.label()} is assigned twice in one run, again{node.built()}"
                )
            assignments[variable] = node
    return assignments
