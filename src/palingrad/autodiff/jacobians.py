"""Values and Jacobians stored on nodes: `graph.evaluate` and `graph.jacobians`."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np

from ..dtypes import Array, is_inexact
from ..errors import FeedError, GradientError, GraphError
from ..graph.context import graph_scope
from ..graph.kinds import Assign
from ..graph.leaves import Constant, Placeholder, Variable
from ..graph.node import Node
from ..graph.operation import MultipleOutputs, Operation
from ..graph.registry import register
from ..graph.state.landing import forget, note_cached, snapshot, state, state_lock
from ..graph.state.turns import exhaust
from ..graph.traversal.order import postorder
from ..graph.traversal.replay import replay
from ..shapes import sizes
from .gradients import check_real, expanding_gradients
from .reverse import reverse


@register
def evaluate(result: Node, feeds: Any = None) -> Array:
    """Compute `result` and store every value on the way; see `Graph.evaluate`."""
    _evaluated(result, feeds)
    return result.numpy()


@register
def jacobians(result: Node, feeds: Any = None) -> None:
    """Set `.jacobian` of every node that `result` depends on; see `Graph.jacobians`."""
    eager = _evaluated(result, feeds)
    y = eager[result]
    if not is_inexact(y.dtype):
        raise GradientError(f"{result.label()} is {y.dtype}: only floats have Jacobians")
    check_real(y)
    floats = {node: x for node, x in eager.items() if _is_float(x)}
    rows: dict[Node, list[Array]] = {}
    with graph_scope(None, hidden=True):
        for element in range(y.value.size):
            cotangents = reverse({y: one_hot_like(y, element)})
            for node, x in floats.items():
                if x in cotangents:
                    rows.setdefault(node, []).append(cotangents[x].numpy())
    for node, x in floats.items():
        if node in rows:
            node.jacobian = _sealed(np.stack(rows[node]).reshape(y.shape + x.shape))
        else:
            node.jacobian = _sealed(np.zeros(y.shape + x.shape, x.dtype))


def _is_float(x: Any) -> bool:
    """Whether x is a node with one value, of floats; for a `Gradient` it is a list of nodes."""
    return (
        isinstance(x, Node)
        and not isinstance(x, MultipleOutputs)
        and x.dtype is not None
        and is_inexact(x.dtype)
    )


def one_hot_like(y: Node, element: int) -> Node:
    """Zeros of y's shape and dtype, with a 1 at the flat index `element`."""
    seed = np.zeros(sizes(y.shape), y.dtype)
    seed.flat[element] = 1
    return Constant(seed)


def _sealed(array: Array) -> Array:
    array.setflags(write=False)
    return array


def _evaluated(result: Node, feeds: Any) -> dict[Node, Any]:
    """A dict from each node under `result` to an eager counterpart, which has a value.

    An eager node is its own counterpart. Cached values of deferred nodes are reused.
    """
    order = postorder(result)
    if not result.deferred:
        return {node: node for node in order}
    version, _ = snapshot([node for node in order if isinstance(node, Variable)])
    _feed(feeds or {})
    fed: dict[Node, Any] = {}
    with graph_scope(None, hidden=True):
        for node in order:
            if isinstance(node, Assign):
                raise GraphError(
                    f"{node.label()} would change a Variable{node.built()}, which evaluate doesn't "
                    "do. Run it in a session."
                )
            if isinstance(node, Placeholder):
                if node.value is None:
                    raise FeedError(f"{node.label()} needs a feed{node.built()}")
                fed[node] = Constant(node.value)
        eager = replay(order, expanding_gradients(_with_value), fed)
    _cache(order, eager, version)
    return eager


def _cache(order: list[Node], eager: dict[Node, Any], version: object) -> None:
    """Store the values in the nodes, unless a Variable has changed since they were computed."""
    deferred = [node for node in order if node.deferred and isinstance(node, Operation)]
    nodes = [node for node in deferred if isinstance(eager[node], Node)]
    for node in order:
        if isinstance(node, (Variable, Placeholder)):
            note_cached(node, (one for one in order if one.inputs))
        if isinstance(node, Variable):
            node._observed = True
    state.caches = object()
    values = [eager[node]._value for node in nodes]
    caching = map(setattr, nodes, repeat("_cached_value"), values)
    with state_lock:
        if state.version is version:
            exhaust(caching)


def _feed(feeds: Any) -> None:
    for node, value in feeds.items():
        if not isinstance(node, Placeholder):
            raise FeedError(f"only placeholders are fed, got {node!r}")
        value = np.array(node.accept(value))
        if not _same_bits(node._cached_value, value):
            forget(node)
            node._cached_value = _sealed(value)


def _same_bits(cached: Array | None, value: Array) -> bool:
    if cached is None or (cached.shape, cached.dtype) != (value.shape, value.dtype):
        return False
    return cached.tobytes() == value.tobytes()


def _with_value(node: Operation, inputs: list[Any]) -> Node:
    """`node` on its inputs' eager counterparts, with the cached value if there is one."""
    cached = node._cached_value
    return node.rebuild(inputs) if cached is None else node.clone(inputs, value=cached)


@register
def clear_jacobians(result: Node) -> None:
    """Set `.jacobian` of every node that `result` depends on to None."""
    for node in postorder(result):
        node.jacobian = None
