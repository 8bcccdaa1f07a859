"""The consumers of a node: deferred ones are noted by their inputs, eager ones are found through
Python's garbage collector."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..node import Node


def announce(node: Node) -> None:
    """Adds a deferred node to its inputs' consumers, as a weak reference."""
    reference = weakref.ref(node)
    for x in node.inputs:
        consumers = x._consumers
        if consumers is None:
            x._consumers = [reference]
        elif len(consumers) < x._prune_at:
            consumers.append(reference)
        else:  # remove dead references: amortised O(1) per edge
            consumers[:] = [other for other in consumers if other() is not None]
            consumers.append(reference)
            x._prune_at = 2 * len(consumers) + 16


def eager_consumers(node: Node) -> list[Node]:
    """The nodes with values that have the node as an input, once per edge; none that the library
    built for itself."""
    tuples = [one for one in gc.get_referrers(node) if type(one) is tuple]
    owners = {id(one): one for one in _owners(tuples)} if tuples else {}
    return [
        one
        for one in owners.values()
        if one._value is not None and not one._unlisted
        for x in one.inputs
        if x is node
    ]


def _owners(tuples: list[Any]) -> Iterator[Any]:
    """The nodes whose `inputs` is one of the tuples."""
    wanted = set(map(id, tuples))
    referrers: Iterable[Any] = gc.get_referrers(*tuples)
    # Python holds attributes in the object itself, or in a dict to which only the object refers.
    dicts = [one for one in referrers if type(one) is dict and id(one.get("inputs")) in wanted]
    for one in (*referrers, *(gc.get_referrers(*dicts) if dicts else ())):
        inputs = getattr(one, "__dict__", {}).get("inputs") if hasattr(one, "_serial") else None
        if id(inputs) in wanted:
            yield one
