"""Saver: a graph as a JSON file, and its Variables' values as an npz file."""

from __future__ import annotations

import datetime
import io
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import CheckpointError, GraphError
from ....files.atomic import write_atomically
from ....messages.checks import did_you_mean
from ..core import Graph, Node, Variable, default_graph, get_node_from_graph
from ..util import ClassMining

__all__ = ["Saver"]


class Saver:
    """Saves graphs to a folder, and loads them; MatrixSlow reads its files, and it MatrixSlow's."""

    def __init__(self, root_dir: str = "") -> None:
        self.root_dir = root_dir
        self.meta: Any = None
        self.service: Any = None
        if root_dir:
            os.makedirs(root_dir, exist_ok=True)

    def save(
        self,
        graph: Graph | None = None,
        meta: dict[str, Any] | None = None,
        service_signature: dict[str, Any] | None = None,
        model_file_name: str = "model.json",
        weights_file_name: str = "weights.npz",
    ) -> None:
        """Writes the nodes that have `need_save`, and the values of the Variables among them."""
        nodes = [one for one in (default_graph if graph is None else graph).nodes if one.need_save]
        meta = {} if meta is None else meta
        meta["save_time"] = str(datetime.datetime.now())
        meta["weights_file_name"] = weights_file_name
        twice = [name for name, n in Counter(one.name for one in nodes).items() if n > 1]
        if twice:
            raise GraphError(
                f"several nodes are named {twice[0]!r}: a file can't tell them apart",
                hint="Give them names: MatMul(w, x, name='hidden').",
            )
        model = {
            "meta": meta,
            "service": {} if service_signature is None else service_signature,
            "graph": [_described(one) for one in nodes],
        }
        weights = {
            one.name: one.value
            for one in nodes
            if isinstance(one, Variable) and one.value is not None
        }
        path = Path(self.root_dir) / model_file_name
        write_atomically(path, json.dumps(model, indent=4))
        print(f"Save model into file: {path}")
        content = io.BytesIO()
        np.savez(content, **weights)
        path = Path(self.root_dir) / weights_file_name
        write_atomically(path, content.getvalue())
        print(f"Save weights to file: {path}")

    def load(
        self,
        to_graph: Graph | None = None,
        model_file_name: str = "model.json",
        weights_file_name: str = "weights.npz",
    ) -> tuple[Any, Any]:
        """Makes the nodes of a file that the graph lacks, and sets the values of its Variables.
        Returns the file's `meta` and `service`."""
        graph = default_graph if to_graph is None else to_graph
        model_path = Path(self.root_dir) / model_file_name
        weights_path = Path(self.root_dir) / weights_file_name
        try:
            model = json.loads(model_path.read_text(encoding="utf-8"))
            with np.load(weights_path) as file:
                weights = {name: file[name] for name in file.files if file[name].ndim == 2}
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{model_path}, {weights_path}: {error}") from error
        described = {one["name"]: one for one in model["graph"]}
        scope, graph.name_scope = graph.name_scope, None  # names in files have their scopes
        try:
            for name, one in described.items():
                node = get_node_from_graph(name, graph=graph)
                if node is None:
                    print(
                        f"Target node {name} of type {one['node_type']} not exists, try to create "
                        "the instance"
                    )
                    node = self.create_node(graph, model["graph"], one)
                node.reset_value()
            for name in described:
                node = get_node_from_graph(name, graph=graph)
                if isinstance(node, Variable) and name in weights:
                    node.set_value(weights[name])
        finally:
            graph.name_scope = scope
        print(f"Load and restore model from {model_path} and {weights_path}")
        self.meta, self.service = model.get("meta"), model.get("service")
        return self.meta, self.service

    @staticmethod
    def create_node(
        graph: Graph, from_model_json: list[dict[str, Any]], node_json: dict[str, Any]
    ) -> Node:
        """Makes a node that a file describes, and the parents that the graph lacks."""
        described = {one["name"]: one for one in from_model_json}
        stack = [node_json]
        while True:
            one = stack[-1]
            lacking = [p for p in one["parents"] if get_node_from_graph(p, graph=graph) is None]
            if lacking:
                if lacking[0] not in described or len(stack) > len(described):
                    raise CheckpointError(f"the file lacks {lacking[0]!r}, of {one['name']!r}")
                stack.append(described[lacking[0]])
                continue
            made = _made(graph, one)
            stack.pop()
            if not stack:
                return made


def _described(node: Node) -> dict[str, Any]:
    options = {key: v for key, v in node.kargs.items() if key not in ("name", "graph")}
    found: dict[str, Any] = {
        "node_type": type(node).__name__,
        "name": node.name,
        "parents": [parent.name for parent in node.parents],
        "children": [child.name for child in node.children],
        "kargs": options,
    }
    if isinstance(node, Variable):
        found["dim"] = node.dim
        if not node.trainable:
            found["kargs"] = {**options, "trainable": False}
    elif isinstance(node.value, np.matrix):
        found["dim"] = node.value.shape
    return found


def _made(graph: Graph, one: dict[str, Any]) -> Node:
    cls: Any = ClassMining.get_instance_by_subclass_name(Node, one["node_type"])
    if cls is None:
        names = ClassMining.get_subclass_names(Node)
        raise CheckpointError(
            f"there is no class {one['node_type']!r} of nodes, which {one['name']!r} is of",
            hint=did_you_mean(one["node_type"], names) or "Import the module that defines it.",
        )
    options: dict[str, Any] = {**(one.get("kargs") or {}), "graph": graph, "name": one["name"]}
    if issubclass(cls, Variable):
        options["dim"] = tuple(one["dim"])
    parents: list[Any] = [get_node_from_graph(parent, graph=graph) for parent in one["parents"]]
    return cls(*parents, **options)
