"""The sparsity of ∂y/∂x, by propagating index sets through the graph from x to y."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.gradients import Gradient
from ..dtypes import Array
from ..errors import GradientError
from ..graph.context import graph_scope
from ..graph.kinds import AnonymousGraph, Composite
from ..graph.node import Node
from ..graph.operation import Item, MultipleOutputs, Operation
from ..graph.traversal.order import postorder
from ..shapes import size, sizes
from .index_sets import IndexSets
from .known import Known
from .rules import dependences, everything


def dependence(y: Node, x: Node) -> tuple[Array, Array]:
    """(starts, items): the elements of x on which each element of y may depend, y's in row-major
    order, as the index arrays of a CSR matrix."""
    sets = IndexSets(size(x.shape))
    found: dict[Node, Any] = {x: sets.identity(sizes(x.shape))}
    with graph_scope(AnonymousGraph(), hidden=True):
        _propagate(y, found, sets, Known())
    return sets.rows(found[y])


def _propagate(y: Node, found: dict[Node, Any], sets: IndexSets, known: Known) -> None:
    """Find the set numbers of y and of the nodes under it."""
    for node in postorder(y, inputs=lambda one: () if one in found else one.inputs):
        if node in found:
            continue
        ids = [found[x] for x in node.inputs]
        if not any(_any(one) for one in ids):
            found[node] = _nothing(node)
        elif type(node) is Item:
            found[node] = ids[0][node.attributes["index"]]
        elif isinstance(node, Gradient):
            raise GradientError(
                f"sparsity pattern: {node.label()} is a gradient that waits for shapes"
                f"{node.built()}.",
                hint="Give the placeholders shapes, or take pg.grad of a function.",
            )
        elif isinstance(node, Composite) and _derived(node):
            _propagate(node.expansion, found, sets, known)
            found[node] = found[node.expansion]
        else:
            assert isinstance(node, Operation)
            found[node] = dependences(node, ids, sets, known)


def _derived(node: Composite) -> bool:
    """Whether the derivative is that of the expansion: a user's own rule may be another."""
    return node._shipped or type(node).vjp is Composite.vjp


def _any(ids: Any) -> bool:
    return any(map(_any, ids)) if isinstance(ids, tuple) else bool(ids.any())


def _nothing(node: Node) -> Any:
    """The empty set for each element."""
    if isinstance(node, MultipleOutputs):
        return everything(node, [], IndexSets(0))
    return np.zeros(sizes(node.shape), np.int64)
