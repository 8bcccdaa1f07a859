"""Every node's value, and its twin in double precision that holds the value as shown.

The page multiplies and adds up the numbers it shows. So its derivatives are those at the values
shown, in double precision, whatever the dtype of the graph: then paths add up to totals to the last
digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...autodiff.gradients import Gradient
from ...dtypes import Array, float64, is_floating
from ...errors import FeedError
from ...graph.context import built_at, opened
from ...graph.leaves import Constant, Placeholder
from ...graph.node import Node
from ...graph.operation import Item, Operation

Value = Any  # an array; for a node with several outputs a tuple of them; None where unknown


def values_of(order: Sequence[Node], feeds: Mapping[Any, Any] | None) -> dict[Node, Value]:
    """Each node's value, None where a feed is missing. Nothing is assigned, nothing is kept.

    `order` has inputs first. Raises FeedError for a feed that doesn't fit.
    """
    fed = _accepted(feeds or {})
    built: dict[Node, Any] = {}
    with opened(None, hidden=True):
        for node in order:
            if isinstance(node, Placeholder):
                value = fed.get(node, node.value)
                built[node] = None if value is None else Constant(value)
            elif node.value is not None and not fed:
                built[node] = node
            elif isinstance(node, Operation):
                built[node] = _built(node, [built.get(x) for x in node.inputs])
            else:
                built[node] = node
    return {node: getattr(built[node], "value", None) for node in order}


def _accepted(feeds: Any) -> dict[Node, Array]:
    if not isinstance(feeds, Mapping):
        raise FeedError(f"view: expected a dict of feeds, got {feeds!r:.60}")
    for node in feeds:
        if not isinstance(node, Placeholder):
            raise FeedError(f"view: only placeholders are fed, got {node!r:.60}")
    return {node: node.accept(value) for node, value in feeds.items()}


def _built(node: Operation, inputs: list[Any]) -> Any:
    """An eager node on these inputs; a list for a promised gradient; None where one is missing."""
    if any(x is None for x in inputs):
        return node if node.value is not None else None
    with built_at(node._origin):
        if type(node) is Item and isinstance(inputs[0], list):
            return inputs[0][node.attributes["index"]]
        if type(node) is Gradient:
            return node.kept(inputs)
        if not node.deferred:  # eager: only what depends on a feed is computed again
            if all(a is b for a, b in zip(inputs, node.inputs, strict=True)):
                return node
        return node.rebuild(inputs)


def doubled(value: Value) -> Value:
    """The value with its floats in double precision."""
    if isinstance(value, tuple):
        return tuple(doubled(one) for one in value)
    array = np.asarray(value)
    return array.astype(float64) if is_floating(array.dtype) else array


def twins_of(order: Sequence[Node], values: Mapping[Node, Value]) -> dict[Node, Node]:
    """A twin for each node that has a value: the same operation on its inputs' twins."""
    twins: dict[Node, Node] = {}
    for node in order:
        value = values[node]
        if value is None:
            continue
        if isinstance(node, Operation) and all(x in twins for x in node.inputs):
            twin = copied(node, [twins[x] for x in node.inputs])
        else:
            twin = Constant.__new__(Constant)
        twin._value = doubled(value)
        twins[node] = twin
    return twins


def copied(node: Operation, inputs: Sequence[Node]) -> Operation:
    """The operation on other inputs, without anything that belongs to the node's own kin."""
    twin = object.__new__(type(node))
    twin.__dict__.update(node.__dict__)
    for kept in ("_items", "_expansion", "_consumers", "_cached_value", "grad", "jacobian"):
        twin.__dict__.pop(kept, None)
    twin.inputs = tuple(inputs)
    twin.graph = None
    twin._value = None
    return twin


def flat(value: Value) -> Array:
    """An array as it is; several outputs one after another."""
    if not isinstance(value, tuple):
        return np.asarray(value)
    return np.concatenate([np.ravel(one) for one in value]) if value else np.zeros(0)
