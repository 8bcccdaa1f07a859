"""Values and Jacobians kept on nodes: `graph.evaluate` and `graph.jacobians`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, is_inexact
from ..errors import FeedError, GradientError, GraphError
from ..graph.context import graph_scope
from ..graph.kinds import Assign
from ..graph.leaves import Constant, Placeholder, Variable, forget
from ..graph.node import Node
from ..graph.operation import MultipleOutputs, Operation
from ..graph.registry import register
from ..graph.traversal.order import postorder
from ..graph.traversal.replay import replay
from ..shapes import sizes
from .gradients import keeping_promises
from .reverse import reverse


@register
def evaluate(result: Node, feeds: Any = None) -> Array:
    """Compute `result` and keep every value on the way; see `Graph.evaluate`."""
    _evaluated(result, feeds)
    return result.numpy()


@register
def jacobians(result: Node, feeds: Any = None) -> None:
    """Set `.jacobian` of every node that `result` depends on; see `Graph.jacobians`."""
    twins = _evaluated(result, feeds)
    y = twins[result]
    if not is_inexact(y.dtype):
        raise GradientError(f"{result.label()} is {y.dtype}: only floats have Jacobians")
    floats = {node: twin for node, twin in twins.items() if _is_float(twin)}
    rows: dict[Node, list[Array]] = {}
    with graph_scope(None, hidden=True):
        for place in range(y.value.size):
            found = reverse({y: one_hot_like(y, place)})
            for node, twin in floats.items():
                if twin in found:
                    rows.setdefault(node, []).append(found[twin].numpy())
    for node, twin in floats.items():
        if node in rows:
            node.jacobian = _sealed(np.stack(rows[node]).reshape(y.shape + twin.shape))
        else:
            node.jacobian = _sealed(np.zeros(y.shape + twin.shape, y.dtype))


def _is_float(twin: Any) -> bool:
    """Whether it is a node with one value, of floats; a promise has become a list of them."""
    return (
        isinstance(twin, Node)
        and not isinstance(twin, MultipleOutputs)
        and twin.dtype is not None
        and is_inexact(twin.dtype)
    )


def one_hot_like(y: Node, place: int) -> Node:
    """Zeros of y's shape and dtype with a 1 at `place` in flattened order."""
    seed = np.zeros(sizes(y.shape), y.dtype)
    seed.flat[place] = 1
    return Constant(seed)


def _sealed(array: Array) -> Array:
    array.setflags(write=False)
    return array


def _evaluated(result: Node, feeds: Any) -> dict[Node, Any]:
    """Each node's eager twin, with a value; an eager node is its own.

    Values that a deferred node kept aren't computed again.
    """
    order = postorder(result)
    if not result.deferred:
        return {node: node for node in order}
    _feed(feeds or {})
    fed: dict[Node, Any] = {}
    with graph_scope(None, hidden=True):
        for node in order:
            if isinstance(node, Assign):
                raise GraphError(
                    f"{node.label()} would change a Variable{node.built()}, and evaluate changes "
                    "nothing. Run it in a session."
                )
            if isinstance(node, Placeholder):
                if node.value is None:
                    raise FeedError(f"{node.label()} needs a feed{node.built()}")
                fed[node] = Constant(node.value)
        twins = replay(order, keeping_promises(_twin), fed)
    for node in order:
        if isinstance(node, Variable):
            node._observed = True
        elif node.deferred and isinstance(node, Operation) and isinstance(twins[node], Node):
            node._cached_value = twins[node]._value
    return twins


def _feed(feeds: Any) -> None:
    for node, value in feeds.items():
        if not isinstance(node, Placeholder):
            raise FeedError(f"only placeholders are fed, got {node!r}")
        value = np.array(node.accept(value))
        if not _same_bits(node._cached_value, value):
            forget(node)
            node._cached_value = _sealed(value)


def _same_bits(kept: Array | None, value: Array) -> bool:
    if kept is None or (kept.shape, kept.dtype) != (value.shape, value.dtype):
        return False
    return kept.tobytes() == value.tobytes()


def _twin(node: Operation, inputs: list[Any]) -> Node:
    """`node` with a value, on its inputs' twins; the kept value where there is one."""
    kept = node._cached_value
    return node.rebuild(inputs) if kept is None else node.clone(inputs, value=kept)


@register
def clear_jacobians(result: Node) -> None:
    """Set `.jacobian` of every node that `result` depends on to None."""
    for node in postorder(result):
        node.jacobian = None
