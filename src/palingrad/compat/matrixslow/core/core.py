"""Names of nodes, and values by name."""

from __future__ import annotations

from typing import Any

from ....errors import GraphError
from ....messages.checks import did_you_mean
from .graph import Graph, default_graph
from .node import Node, Variable

__all__ = [
    "get_node_from_graph",
    "get_trainable_variables_from_graph",
    "name_scope",
    "update_node_value_in_graph",
]


def get_node_from_graph(
    node_name: str, name_scope: str | None = None, graph: Graph | None = None
) -> Node | None:
    """The first node of that name, in the scope if there is one; None if there is no such node."""
    name = f"{name_scope}/{node_name}" if name_scope else node_name
    nodes = (default_graph if graph is None else graph).nodes
    return next((node for node in nodes if node.name == name), None)


def get_trainable_variables_from_graph(
    node_name: str | None = None, name_scope: str | None = None, graph: Graph | None = None
) -> Any:
    """All trainable Variables of the graph, or the node of a name."""
    if node_name is not None:
        return get_node_from_graph(node_name, name_scope, graph)
    nodes = (default_graph if graph is None else graph).nodes
    return [node for node in nodes if isinstance(node, Variable) and node.trainable]


def update_node_value_in_graph(
    node_name: str, new_value: Any, name_scope: str | None = None, graph: Graph | None = None
) -> None:
    """Sets the value of the node of a name; nodes that depend on it lose theirs."""
    node = get_node_from_graph(node_name, name_scope, graph)
    if node is None:
        names = [one.name for one in (default_graph if graph is None else graph).nodes]
        raise GraphError(f"there is no node {node_name!r}", hint=did_you_mean(node_name, names))
    if isinstance(node, Variable):
        node.set_value(new_value)
    else:
        node.reset_value()
        node.value = new_value


class name_scope:
    """In its `with`, the names of new nodes begin with the scope's."""

    def __init__(self, name_scope: str) -> None:
        self.name_scope = name_scope
        self._before: list[str | None] = []

    def __enter__(self) -> name_scope:
        self._before.append(default_graph.name_scope)
        default_graph.name_scope = self.name_scope
        return self

    def __exit__(self, *exception: object) -> None:
        default_graph.name_scope = self._before.pop()
