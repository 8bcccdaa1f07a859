"""Exporter: the names of a model's input and output, which Saver keeps."""

from __future__ import annotations

from ...errors import GraphError
from ...messages.checks import did_you_mean
from .core import Graph, default_graph, get_node_from_graph

__all__ = ["Exporter"]


class Exporter:
    """Describes the interface of a graph's model."""

    def __init__(self, graph: Graph | None = None) -> None:
        self.graph = default_graph if graph is None else graph

    def signature(self, input_name: str, output_name: str) -> dict[str, dict[str, str]]:
        """The names of two nodes, as Saver takes them for `service_signature`."""
        for name in (input_name, output_name):
            if get_node_from_graph(name, graph=self.graph) is None:
                names = [node.name for node in self.graph.nodes]
                raise GraphError(f"there is no node {name!r}", hint=did_you_mean(name, names))
        return {"inputs": {"name": input_name}, "outputs": {"name": output_name}}
