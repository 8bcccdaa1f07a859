"""The different elements of an array. Their number isn't known before a run: they need values."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops, register
from ...shapes import axis_in
from .known import value_of

_HINT = "Call it outside of the function, on an array."


class UniqueAll(NamedTuple):
    """The results of `unique_all`."""

    values: Node
    indices: Node
    inverse_indices: Node
    counts: Node


class UniqueCounts(NamedTuple):
    """The results of `unique_counts`."""

    values: Node
    counts: Node


class UniqueInverse(NamedTuple):
    """The results of `unique_inverse`."""

    values: Node
    inverse_indices: Node


@register
def unique(
    x: Any, /, return_index: bool = False, return_inverse: bool = False,
    return_counts: bool = False, axis: int | None = None, *, equal_nan: bool = True,
) -> Any:  # fmt: skip
    """The different elements of x, sorted; along `axis`, its different slices.

    On request also, in this order: where each is first, the number of its element for each of x's,
    and how often it is there. Derivatives flow to the first of equal elements.
    """
    node = as_node(x)
    values, *others = _unique(node, axis, equal_nan)
    wanted = (return_index, return_inverse, return_counts)
    found = [Constant(one) for one, is_wanted in zip(others, wanted, strict=True) if is_wanted]
    return (values, *found) if found else values


@register
def unique_all(x: Any, /) -> UniqueAll:
    """The different elements of x, sorted, where each is first, the number of its element for each
    of x's, and how often it is there. NaNs differ from one another."""
    values, *others = _unique(as_node(x), None, False)
    return UniqueAll(values, *map(Constant, others))


@register
def unique_counts(x: Any, /) -> UniqueCounts:
    """The different elements of x, sorted, and how often each is there."""
    values, _, _, counts = _unique(as_node(x), None, False)
    return UniqueCounts(values, Constant(counts))


@register
def unique_inverse(x: Any, /) -> UniqueInverse:
    """The different elements of x, sorted, and the number of its element for each of x's."""
    values, _, inverse, _ = _unique(as_node(x), None, False)
    return UniqueInverse(values, Constant(inverse))


@register
def unique_values(x: Any, /) -> Node:
    """The different elements of x, sorted."""
    return _unique(as_node(x), None, False)[0]


def _unique(x: Node, axis: int | None, equal_nan: bool) -> tuple[Any, ...]:
    """The values as a node, and where each is first, their numbers and counts as arrays."""
    value = value_of("unique", x, _HINT)
    _, first, inverse, counts = np.unique(
        value, return_index=True, return_inverse=True, return_counts=True, axis=axis,
        equal_nan=equal_nan,
    )  # fmt: skip
    if axis is None:
        return ops.take(x, first), first, inverse.reshape(value.shape), counts
    place = axis_in(axis, value.ndim)
    return ops.take(x, first, axis=place), first, inverse, counts
