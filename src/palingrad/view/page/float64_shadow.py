"""Every node's value, and its twin in double precision that holds the value as shown.

The page multiplies and adds up the numbers it shows. So its derivatives are those at the values
shown, in double precision, whatever the dtype of the graph: then paths add up to totals to the last
digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...autodiff.gradients import expanding_gradients
from ...dtypes import Array, float64, is_floating
from ...errors import FeedError
from ...graph.context import graph_scope
from ...graph.leaves import Constant, Placeholder
from ...graph.node import Node
from ...graph.operation import Operation
from ...graph.traversal.replay import replay

Value = Any  # an array; for a node with several outputs a tuple of them; None where unknown


def values_of(order: Sequence[Node], feeds: Mapping[Any, Any] | None) -> dict[Node, Value]:
    """Each node's value, None where a feed is missing. Nothing is assigned, nothing is kept.

    `order` has inputs first. Raises FeedError for a feed that doesn't fit.
    """
    fed = _accepted(feeds or {})
    known: dict[Node, Node] = {}
    missing: set[Node] = set()
    with graph_scope(None, hidden=True):
        for node in order:
            value = fed.get(node, node.value)
            lacking = not missing.isdisjoint(node.inputs)
            if value is None and (lacking or isinstance(node, Placeholder)):
                missing.add(node)
            elif isinstance(node, Placeholder):
                known[node] = Constant(value)
            elif value is not None and (lacking or not fed):
                known[node] = node
        present = [node for node in order if node not in missing]
        built = replay(present, expanding_gradients(_computed), known)
    return {node: getattr(built.get(node), "value", None) for node in order}


def _accepted(feeds: Any) -> dict[Node, Array]:
    if not isinstance(feeds, Mapping):
        raise FeedError(f"view: expected a dict of feeds, got {feeds!r:.60}")
    for node in feeds:
        if not isinstance(node, Placeholder):
            raise FeedError(f"view: only placeholders are fed, got {node!r:.60}")
    return {node: node.accept(value) for node, value in feeds.items()}


def _computed(node: Operation, inputs: list[Any]) -> Operation:
    """An eager node on these inputs; what is eager and depends on no feed isn't computed again."""
    same = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
    return node if same and not node.deferred else node.rebuild(inputs)


def doubled(value: Value) -> Value:
    """The value with its floats in double precision."""
    if isinstance(value, tuple):
        return tuple(doubled(one) for one in value)
    array = np.asarray(value)
    return array.astype(float64) if is_floating(array.dtype) else array


def shadows_of(order: Sequence[Node], values: Mapping[Node, Value]) -> dict[Node, Node]:
    """A twin for each node that has a value: the same operation on its inputs' twins."""
    wide = {node: doubled(values[node]) for node in order if values[node] is not None}
    ends = {
        node: Constant.holding(value)
        for node, value in wide.items()
        if not (isinstance(node, Operation) and all(x in wide for x in node.inputs))
    }
    return replay(wide, lambda node, inputs: node.clone(inputs, value=wide[node]), ends)


def flat(value: Value) -> Array:
    """An array as it is; several outputs one after another."""
    if not isinstance(value, tuple):
        return np.asarray(value)
    return np.concatenate([np.ravel(one) for one in value]) if value else np.zeros(0)
