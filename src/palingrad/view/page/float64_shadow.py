"""The value of every node, and its float64 shadow: a copy of the node that holds the shown value.

The page multiplies and adds the numbers that it shows. Its derivatives are therefore taken at the
shown values and in double precision, whatever the graph's dtype, so that the sum over paths equals
the total derivative up to rounding in the last digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...autodiff.gradients import expanding_gradients
from ...dtypes import Array, complex128, float64, is_complex, is_floating
from ...errors import FeedError
from ...graph.context import graph_scope
from ...graph.leaves import Constant, Placeholder
from ...graph.node import Node
from ...graph.operation import Operation
from ...graph.traversal.replay import replay

Value = Any  # an array; a tuple of arrays for a node with several outputs; None if unknown


def values_of(order: Sequence[Node], feeds: Mapping[Any, Any] | None) -> dict[Node, Value]:
    """Returns each node's value, None if a feed is missing. Assignments are not executed.

    `order` has inputs first. Raises FeedError if a feed doesn't fit its placeholder.
    """
    fed = _accepted(feeds or {})
    known: dict[Node, Node] = {}
    missing: set[Node] = set()
    with graph_scope(None, hidden=True):
        for node in order:
            value = fed.get(node, node.value)
            incomplete = not missing.isdisjoint(node.inputs)
            if value is None and (incomplete or isinstance(node, Placeholder)):
                missing.add(node)
            elif isinstance(node, Placeholder):
                known[node] = Constant(value)
            elif value is not None and (incomplete or not fed):
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
    """The eager node on these inputs; an eager node with unchanged inputs is not recomputed."""
    same = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
    return node if same and not node.deferred else node.rebuild(inputs)


def doubled(value: Value) -> Value:
    """The value with floating-point arrays converted to float64, complex ones to complex128."""
    if isinstance(value, tuple):
        return tuple(map(doubled, value))
    array = np.asarray(value)
    if is_complex(array.dtype):
        return array.astype(complex128)
    return array.astype(float64) if is_floating(array.dtype) else array


def shadows_of(order: Sequence[Node], values: Mapping[Node, Value]) -> dict[Node, Node]:
    """The float64 shadow of each node with a value: the same operation on its inputs' shadows."""
    return _copied({node: doubled(values[node]) for node in order if values[node] is not None})


def copies_of(order: Sequence[Node], values: Mapping[Node, Value]) -> dict[Node, Node]:
    """An eager copy of each node with a value, in the node's own dtype."""
    return _copied({node: values[node] for node in order if values[node] is not None})


def _copied(values: Mapping[Node, Value]) -> dict[Node, Node]:
    ends = {
        node: Constant.holding(value)
        for node, value in values.items()
        if not (isinstance(node, Operation) and all(x in values for x in node.inputs))
    }
    return replay(values, lambda node, inputs: node.clone(inputs, value=values[node]), ends)


def flat(value: Value) -> Array:
    """An array unchanged; several outputs as one concatenated 1-D array."""
    if not isinstance(value, tuple):
        return np.asarray(value)
    return np.concatenate([np.ravel(output) for output in value]) if value else np.zeros(0)
