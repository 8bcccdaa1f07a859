"""Integers that must be in bounds: fed ones are checked before a run, computed ones after it.

XLA has no errors: an index out of range reads some other row. So the least and the largest of each
array of integers that an operation bounds are results of the computation, and a run whose integers
were out of bounds raises the operation's error, and changes no Variable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...dtypes import Array, int64
from ...graph.declared.bounds import Bounds, explained
from ...graph.declared.strided import Strided
from ...graph.kinds import Elementwise, Layout
from ...graph.leaves import Constant, Placeholder
from ...graph.node import Node
from ...graph.operation import MultipleOutputs, Operation
from ...shapes import broadcast, size, sizes
from .jaxlib import jnp

LEAST, MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


class Span(NamedTuple):
    """The least and the largest of the integers that a run used, and their bounds."""

    bounds: Bounds
    least: Any
    most: Any

    def holds(self) -> Any:
        """Whether they are in the bounds, or there are none."""
        within = self.least >= self.bounds.low
        if self.bounds.high is not None:
            within = within & (self.most < self.bounds.high)
        return within | (self.least > self.most)

    def joined(self, other: Span) -> Span:
        """The span of the integers of both."""
        least, most = jnp.minimum(self.least, other.least), jnp.maximum(self.most, other.most)
        return Span(self.bounds, least, most)

    def check(self) -> None:
        """Raise the operation's error if they aren't in the bounds."""
        least, most = int(self.least), int(self.most)
        if not bool(self.holds()):
            raise self.bounds.error(least, most)


def span(bounds: Bounds, x: Any) -> Span:
    """The span of an array's integers."""
    x = jnp.asarray(x)
    least = jnp.min(x, initial=jnp.iinfo(x.dtype).max)
    most = jnp.max(x, initial=jnp.iinfo(x.dtype).min)
    if x.dtype == np.uint64:  # beyond int64 is beyond any bound
        least, most = jnp.minimum(least, np.uint64(MOST)), jnp.minimum(most, np.uint64(MOST))
    return Span(bounds, least.astype(int64), most.astype(int64))


def nothing(bounds: Bounds) -> Span:
    """The span of no integers."""
    return Span(bounds, jnp.asarray(MOST, int64), jnp.asarray(LEAST, int64))


def computed(node: Node) -> list[Bounds]:
    """The bounds of a node's integers that are to be checked on the device."""
    return [one for one in declared(node) if _fed(one.x) is None]


def fed(order: Sequence[Node]) -> list[tuple[Placeholder, Bounds]]:
    """The bounds of fed integers."""
    found = [(_fed(one.x), one) for node in order for one in declared(node)]
    return [(x, one) for x, one in found if x is not None]


def declared(node: Node) -> list[Bounds]:
    """The bounds of a node's integers that a run can violate."""
    if not isinstance(node, Operation) or isinstance(node, MultipleOutputs) or not node._shipped:
        return []  # NumPy computes users' operations and raises their errors
    found = explained(node)
    if found and 0 in sizes(broadcast(*(one.x.shape or () for one in found))):
        return []  # integers of several axes name no element together
    return [one for one in found if not _always_hold(one)]


def check_fed(checks: Sequence[tuple[int, Bounds]], feeds: Sequence[Array]) -> None:
    """Raise the error of the first fed integers that are out of bounds."""
    for number, bounds in checks:
        if feeds[number].size:
            least, most = int(feeds[number].min()), int(feeds[number].max())
            if not bounds.allow(least, most):
                raise bounds.error(least, most)


def _always_hold(bounds: Bounds) -> bool:
    x = bounds.x
    if isinstance(x, Constant):
        value = x.numpy()
        return not value.size or bounds.allow(int(value.min()), int(value.max()))
    below = x.below() if isinstance(x, Operation) and x._shipped else None
    return below is not None and bounds.allow(0, below - 1)


def _fed(x: Node) -> Placeholder | None:
    """The fed integers that x holds all of, in whatever order and wider dtype; None if x is
    computed, or is a parameter of a region."""
    dtype: Any
    while isinstance(x, Operation) and x._shipped and len(x.inputs) == 1:
        (given,) = x.inputs
        if isinstance(given, MultipleOutputs):
            return None
        dtype = given.dtype
        if isinstance(x, Elementwise) and x.converts and np.can_cast(dtype, np.dtype(x.dtype)):
            x = given
        elif isinstance(x, Layout) and not isinstance(x, MultipleOutputs) and _keeps(x, given):
            x = given
        else:
            return None
    return x if isinstance(x, Placeholder) and x.fed_by != "a region" else None


def _keeps(x: Layout, given: Node) -> bool:
    """Whether a layout has each of the elements once."""
    found = x.view(Strided.contiguous(sizes(given.shape)))
    if found is None or size(sizes(x.shape)) != size(sizes(given.shape)):
        return False
    return all(step or length == 1 for length, step in zip(found.shape, found.strides, strict=True))
