"""MatrixSlow's `core`: graphs, nodes and Variables."""

from .core import (
    get_node_from_graph,
    get_trainable_variables_from_graph,
    name_scope,
    update_node_value_in_graph,
)
from .graph import Graph, default_graph
from .node import Node, Variable

__all__ = [
    "Graph",
    "Node",
    "Variable",
    "default_graph",
    "get_node_from_graph",
    "get_trainable_variables_from_graph",
    "name_scope",
    "update_node_value_in_graph",
]
