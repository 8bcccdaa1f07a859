"""Session: runs a graph in postorder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ...errors import FeedError, GraphError
from ...functions import function
from ...graph.node import Node as PalingradNode
from ...messages.checks import shown
from .graph import (
    Node,
    Operation,
    Variable,
    as_nodes,
    default_graph,
    is_compiled,
    placeholder,
    traverse_postorder,
)

_compiled: WeakKeyDictionary[Node, dict[str, Any]] = WeakKeyDictionary()


class Session:
    """A run of a graph. After it, every node that took part has its `output`."""

    def run(self, operation: Any, feed_dict: Mapping[Any, Any] | None = None) -> Any:
        """The output of a node, given the placeholders' values."""
        if not isinstance(operation, Node):
            raise GraphError(f"Session.run takes a node, got {shown(operation)}")
        feed_dict = _checked({} if feed_dict is None else feed_dict)
        order = traverse_postorder(operation)
        for node in order:
            if isinstance(node, placeholder):
                if node not in feed_dict:
                    number = _number(node)
                    raise FeedError(
                        f"the run needs a value for placeholder {number} of the graph",
                        hint="session.run(node, {x: value})",
                    )
                node.output = np.asarray(feed_dict[node])
            elif isinstance(node, Variable):
                node.output = np.asarray(node.value) if _is_list(node.value) else node.value
        if all(map(is_compiled, order)):
            run_compiled(operation, order)
        else:
            for node in order:
                if isinstance(node, Operation):
                    prepare = getattr(node, "prepare", None)
                    if prepare is not None:
                        prepare(self, feed_dict)
                    node.inputs = [x.output for x in node.input_nodes]
                    output = node.compute(*node.inputs)
                    node.output = np.asarray(output) if _is_list(output) else output
        return operation.output


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _checked(feed_dict: Any) -> Mapping[Any, Any]:
    if not isinstance(feed_dict, Mapping):
        raise FeedError(f"feed_dict is a dict of placeholders and values, got {shown(feed_dict)}")
    for key in feed_dict:
        if not isinstance(key, placeholder):
            raise FeedError(f"feed_dict: {shown(key)} isn't a placeholder")
    return feed_dict


def _number(node: placeholder) -> str:
    placeholders = default_graph().placeholders
    return str(placeholders.index(node) + 1) if node in placeholders else "?"


def leaves_of(order: Sequence[Node]) -> list[Node]:
    """The placeholders and Variables among nodes."""
    return [node for node in order if not isinstance(node, Operation)]


def run_compiled(root: Node, order: Sequence[Node]) -> None:
    """Computes the outputs of all nodes with one Program."""
    run = compiled("values", root, lambda nodes: nodes)
    for node, output in zip(order, run(*(leaf.output for leaf in leaves_of(order))), strict=True):
        if isinstance(node, Operation):
            node.output = np.array(output)[()]
            node.inputs = [x.output for x in node.input_nodes]


def compiled(
    what: str, root: Node, results: Callable[[list[PalingradNode]], Sequence[PalingradNode]]
) -> Any:
    """A compiled function of the outputs of a graph's placeholders and Variables. `results` makes
    what it returns from all nodes in postorder; `what` names it in the cache."""
    known = _compiled.setdefault(root, {})
    if what not in known:
        order = traverse_postorder(root)

        def run(*leaves: PalingradNode) -> Sequence[PalingradNode]:
            return results(as_nodes(order, dict(zip(leaves_of(order), leaves, strict=True))))

        known[what] = function(run)
    return known[what]
