"""The results of operations with several outputs on a tape, also those that nobody read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ..graph.context import graph_scope
from ..graph.kinds import AnonymousGraph
from ..graph.node import Node
from ..graph.operation import Item, MultipleOutputs
from ..ops.control.loop import Loop


def all_items(node: MultipleOutputs) -> tuple[Item, ...]:
    """The items, and of a loop those of what it keeps for its reverse pass."""
    return node.all_items if isinstance(node, Loop) else node.items


def all_values(node: MultipleOutputs) -> tuple[Any, ...]:
    """The values of `all_items`."""
    return node.all_values if isinstance(node, Loop) else node._value


def other_items(
    order: Sequence[Node], clones: list[Node], outer: Collection[Node]
) -> list[tuple[int, int]]:
    """The results of the tape's operations that aren't on it, by the places of the operations, and
    what they keep; their clones are added to `clones`."""
    own: dict[tuple[Node, int], Node] = {
        (node.inputs[0], node.attributes["index"]): clone
        for node, clone in zip(order, clones, strict=True)
        if type(node) is Item and node not in outer
    }
    others: list[tuple[int, int]] = []
    for place, node in enumerate(order):
        clone = clones[place]
        if not isinstance(clone, MultipleOutputs):
            continue
        if isinstance(clone, Loop) and isinstance(node, Loop):
            clone.keep(node.kept_places)
        with graph_scope(AnonymousGraph(), hidden=True, observed=False):
            new = {n: Item(clone, index=n) for n in range(clone.count) if (node, n) not in own}
        items: Any = [new[n] if n in new else own[node, n] for n in range(clone.count)]
        clone._items = tuple(items)
        others += [(place, n) for n in new]
        others += [(place, n) for n in range(clone.count, len(all_items(clone)))]
        clones += [*new.values(), *all_items(clone)[clone.count :]]
    return others
