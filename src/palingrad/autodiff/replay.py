"""Replay: a graph built again on other inputs, eagerly or in another graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph.context import built_at
from ..graph.node import Node
from ..graph.operation import Item, Operation
from .gradients import Gradient


def replay(
    order: list[Node],
    built: dict[Node, Any],
    rebuild: Callable[[Operation, list[Any]], Any],
) -> None:
    """Fill `built` with a counterpart for each node in `order`, which has inputs first.

    Nodes already in `built` keep their counterpart; other leaves stand for themselves; operations
    go through `rebuild`; a promised gradient is kept, as a list with a node for each x.
    """
    for node in order:
        if node in built:
            continue
        if not isinstance(node, Operation):
            built[node] = node
            continue
        inputs = [built[x] for x in node.inputs]
        with built_at(node._origin):
            if type(node) is Item and isinstance(inputs[0], list):
                built[node] = inputs[0][node.attributes["index"]]
            elif type(node) is Gradient:
                built[node] = node.kept(inputs)
            else:
                built[node] = rebuild(node, inputs)
