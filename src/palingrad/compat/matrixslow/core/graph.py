"""Graph: the nodes of a MatrixSlow graph, and the Jacobians of its latest backward pass."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from ....errors import ArgumentError

if TYPE_CHECKING:
    from .node import Node
    from .running import Point

__all__ = ["Graph", "default_graph"]


class Graph:
    """The nodes that were made in it, in that order."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.name_scope: str | None = None
        # Node -> (the result, the state it was computed at, ∂result/∂node), or None if cleared.
        self.jacobians: dict[Node, tuple[Node, object, Any] | None] = {}
        self.latest: Point | None = None  # where the nodes' Jacobians are, if they are asked for

    def add_node(self, node: Node) -> None:
        """Adds a node at the end."""
        self.nodes.append(node)

    def clear_jacobi(self) -> None:
        """Drops the Jacobians of all nodes."""
        self.jacobians.clear()
        self.latest = None

    def reset_value(self) -> None:
        """Drops the values of all nodes, Variables included."""
        for node in self.nodes:
            node.reset_value(False)

    def node_count(self) -> int:
        """The number of nodes."""
        return len(self.nodes)

    def draw(self, ax: Any = None) -> None:
        """Draws the graph on axes of Matplotlib, by default new ones: Variables and operations with
        a Jacobian in the colour of its norm, others grey. Needs networkx and Matplotlib."""
        try:
            networkx, pyplot = import_module("networkx"), import_module("matplotlib.pyplot")
        except ImportError as error:
            raise ArgumentError(
                f"Graph.draw needs {error.name}",
                hint="pip install networkx matplotlib, or draw with palingrad: pg.draw(node)",
            ) from error
        picture = networkx.Graph()
        picture.add_nodes_from(self.nodes)
        picture.add_edges_from((p, node) for node in self.nodes for p in node.parents)
        norms = {node: np.linalg.norm(node.jacobi) for node in self.nodes if _known(node)}
        if ax is None:
            ax = pyplot.figure(figsize=(12, 12)).add_subplot(111)
        ax.clear()
        places = networkx.spring_layout(picture, seed=42)
        style = {"node_size": 2000, "edgecolors": "#666666", "ax": ax}
        networkx.draw_networkx_nodes(
            picture, places, nodelist=list(norms), node_color=list(norms.values()),
            cmap=pyplot.cm.Reds, **style,
        )  # fmt: skip
        rest = [node for node in self.nodes if node not in norms]
        networkx.draw_networkx_nodes(picture, places, nodelist=rest, node_color="#999999", **style)
        networkx.draw_networkx_edges(picture, places, width=2, edge_color="#014b66", ax=ax)
        labels = {node: _label(node, norms.get(node)) for node in self.nodes}
        networkx.draw_networkx_labels(picture, places, labels=labels, font_size=8, ax=ax)


def _known(node: Node) -> bool:
    return node.jacobi is not None


def _label(node: Node, norm: Any) -> str:
    dim = getattr(node, "dim", None)
    name = type(node).__name__ + ("" if dim is None else f"({dim})")
    return name if norm is None else f"{name}\n[{norm:.3f}]"


default_graph = Graph()
