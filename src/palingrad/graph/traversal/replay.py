"""Replay: rebuilds a graph on other inputs, eagerly or in another graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..context import context, set_open
from ..node import Node
from ..operation import Operation
from .order import inputs_of

Rule = Callable[[Operation, list[Any]], Any]


def replay(
    order: Iterable[Node],
    rule: Rule,
    given: Mapping[Node, Any] | None = None,
    *,
    operands: Callable[[Node], Sequence[Node]] = inputs_of,
) -> dict[Node, Any]:
    """A dict from each node in `order`, a topological order, to its counterpart.

    The counterpart of a node in `given` is given; that of any other leaf is the leaf itself; that
    of an operation is rule(operation, counterparts of its operands). Nodes built by the rule get
    the operation's origin.
    """
    built: dict[Node, Any] = dict(given or {})
    outside = context()
    inside = outside.having()
    before = set_open(inside)
    try:
        for node in order:
            if node in built:
                continue
            if not isinstance(node, Operation):
                built[node] = node
                continue
            inside.origin = node._origin or outside.origin
            built[node] = rule(node, [built[x] for x in operands(node)])
    finally:
        set_open(before)
    return built
