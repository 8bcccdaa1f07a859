"""Sets of numbers: arrays as sets. How many elements the result has depends on values, which must
be known."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.node import Node
from ...graph.promotion import as_node, as_nodes
from ...graph.registry import ops, register
from .known import value_of

_HINT = "Call it outside of the function, on an array."


@register
def union1d(x: Any, y: Any, /) -> Node:
    """The elements of x or y, sorted, each once."""
    both, a, b = _both("union1d", x, y)
    return ops.take(both, np.unique(np.concatenate([a, b]), return_index=True)[1])


@register
def intersect1d(
    x: Any, y: Any, /, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    """The elements that x and y have in common, sorted, each once.

    return_indices: also their first positions in the flattened x and y.
    """
    both, a, b = _both("intersect1d", x, y)
    _, i, j = np.intersect1d(a, b, assume_unique=assume_unique, return_indices=True)
    common = ops.take(both, i)
    return (common, as_node(i), as_node(j)) if return_indices else common


@register
def setdiff1d(x: Any, y: Any, /, assume_unique: bool = False) -> Node:
    """The elements of x that y doesn't have, sorted, each once; in x's order if `assume_unique`."""
    _, a, b = _both("setdiff1d", x, y)
    first = np.arange(a.size) if assume_unique else np.unique(a, return_index=True)[1]
    return ops.take(ops.reshape(x, (-1,)), first[~np.isin(a[first], b)])


@register
def setxor1d(x: Any, y: Any, /, assume_unique: bool = False) -> Node:
    """The elements of x or y, not of both, sorted."""
    both, a, b = _both("setxor1d", x, y)
    if assume_unique:
        places = np.arange(a.size + b.size)
    else:
        firsts = [np.unique(one, return_index=True)[1] for one in (a, b)]
        places = np.concatenate([firsts[0], firsts[1] + a.size])
    values = np.concatenate([a, b])[places]
    _, first, counts = np.unique(values, return_index=True, return_counts=True, equal_nan=False)
    return ops.take(both, places[first[counts == 1]])


def _both(function: str, x: Any, y: Any) -> tuple[Node, Any, Any]:
    """The elements of both, one after another, in their common dtype, and those of each."""
    parts = [ops.reshape(one, (-1,)) for one in as_nodes(x, y)]
    both = ops.concat(parts)
    values = value_of(function, both, _HINT)
    size = value_of(function, parts[0], _HINT).size
    return both, values[:size], values[size:]
