"""Graphs, placeholders, Variables and operations, by TensorSlow's names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ...errors import GraphError
from ...graph import leaves
from ...graph.node import Node as PalingradNode
from ...graph.promotion import tensor
from ...graph.traversal.order import postorder
from ...messages.checks import shown


class Graph:
    """The nodes that were made while it was the default graph, by kind."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.placeholders: list[placeholder] = []
        self.variables: list[Variable] = []

    def as_default(self) -> None:
        """Makes this the graph that new nodes belong to."""
        _current[0] = self


_current = [Graph()]


def default_graph() -> Graph:
    """The graph that new nodes belong to."""
    return _current[0]


class Node:
    """What all nodes have: `consumers`, the operations that read them, and, once a session has run
    them, `output`."""

    output: Any

    def __init__(self) -> None:
        self.consumers: list[Operation] = []

    @property
    def __palingrad_node__(self) -> PalingradNode:
        order = traverse_postorder(self)
        found = {node: _leaf(node) for node in order if not isinstance(node, Operation)}
        return as_nodes(order, found)[-1]


class placeholder(Node):
    """A node whose value is fed to each run."""

    def __init__(self) -> None:
        super().__init__()
        default_graph().placeholders.append(self)


class Variable(Node):
    """A node with a value that training changes; `value` is an array or number."""

    def __init__(self, initial_value: Any = None) -> None:
        super().__init__()
        self.value = initial_value
        default_graph().variables.append(self)


class Operation(Node):
    """A node that computes an output from those of its input nodes.

    A subclass defines `compute(self, *values)` with NumPy, and its gradient with RegisterGradient.
    """

    # The palingrad operation of TensorSlow's own classes; None for a user's.
    rule: ClassVar[Callable[..., PalingradNode] | None] = None
    inputs: Sequence[Any]

    classes: ClassVar[dict[str, type[Operation]]] = {}  # the latest of each name

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "compute" in cls.__dict__ and "rule" not in cls.__dict__:
            cls.rule = None  # a user's own computation
        Operation.classes[cls.__name__] = cls

    def __init__(self, input_nodes: Sequence[Any] = ()) -> None:
        super().__init__()
        self.input_nodes = list(input_nodes)
        for node in self.input_nodes:
            if not isinstance(node, Node):
                raise GraphError(
                    f"{type(self).__name__}: the input {shown(node)} isn't a node",
                    hint="A number or an array is a node as Variable(value).",
                )
            node.consumers.append(self)
        default_graph().operations.append(self)

    def node(self, *inputs: PalingradNode) -> PalingradNode:
        """This operation of palingrad's nodes."""
        assert self.rule is not None
        return type(self).rule(*inputs)  # type: ignore[misc]

    def compute(self, *values: Any) -> Any:
        """The output for these values of the inputs."""
        if self.rule is None:
            raise GraphError(f"{type(self).__name__} needs compute(self, *values)")
        self.inputs = list(values)
        return plain(self.node(*(tensor(np.asarray(value)) for value in values)))


def plain(value: Any) -> Any:
    """An array; a NumPy number where it has no axes."""
    return np.array(value.value if isinstance(value, PalingradNode) else value)[()]


def traverse_postorder(operation: Node) -> list[Node]:
    """The node and all that it depends on, each once, inputs before consumers."""
    return postorder(operation, inputs=inputs_of)


def inputs_of(node: Node) -> Sequence[Node]:
    """The input nodes; none of a placeholder or Variable."""
    return node.input_nodes if isinstance(node, Operation) else ()


def is_compiled(node: Node) -> bool:
    """Whether palingrad has the operation, rather than a user's `compute`."""
    return not isinstance(node, Operation) or node.rule is not None


def as_nodes(order: Sequence[Node], found: Mapping[Node, PalingradNode]) -> list[PalingradNode]:
    """Nodes in postorder as palingrad's, given those of the placeholders and Variables."""
    nodes = dict(found)
    for node in order:
        if isinstance(node, Operation):
            if node.rule is None:
                raise GraphError(
                    f"{type(node).__name__} computes with Python code, which palingrad's nodes "
                    "can't show",
                    hint="Write the class with the operations that tensorslow has.",
                )
            nodes[node] = node.node(*(nodes[x] for x in node.input_nodes))
    return [nodes[node] for node in order]


def _leaf(node: Node) -> PalingradNode:
    if isinstance(node, Variable):
        return leaves.Variable(np.asarray(node.value))
    return leaves.placeholder()
