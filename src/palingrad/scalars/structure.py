"""A structure of scalar operations, and the Programs of its values and of its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autodiff.reverse import reverse
from ..functions import function
from ..graph.node import Node
from ..graph.registry import ops
from .grouping import LEAVES, Group, Grouped, grouped, is_whole


class Structure:
    """What recordings of one structure share: groups of operations and compiled functions.

    `rules[code]` makes the node of an operation from those of its operands.
    """

    def __init__(self, entries: Any, rules: Sequence[Any], addition: int) -> None:
        found: Grouped = grouped(entries, addition)
        self.groups, self.places, self.starts = found.groups, found.places, found.starts
        self.group_at = found.group_at
        self._rules = rules
        # Sums are computed in the order of the operations, which machine code would change.
        self.values = function(self._values, engine="numpy")
        self._gradients: dict[tuple[int, ...], Any] = {}

    def gradients(self, leaves: Any, seeds: dict[int, Any]) -> Any:
        """The gradients of Σ seed · numbers of the group, over the groups in `seeds`: those of the
        leaves and of the groups' numbers, one after another."""
        seeded = tuple(sorted(seeds))
        run = self._gradients.get(seeded)
        if run is None:

            def gradients(leaves: Node, *given: Node) -> Node:
                return self._cotangents(leaves, seeded, given)

            run = self._gradients[seeded] = function(gradients, engine="numpy")
        return run(leaves, *(seeds[number] for number in seeded))

    def reached(self, places: Sequence[int], leaves: int) -> tuple[Any, Any]:
        """Which numbers of the groups, and which of the leaves, those at these places depend on."""
        within = np.zeros(self.starts[-1] + self.groups[-1].size, bool)
        within[places] = True
        given = np.zeros(leaves, bool)
        for start, group in zip(reversed(self.starts), reversed(self.groups), strict=True):
            mine = within[start : start + group.size]
            if group.links:  # a sum depends on all that was added before
                rows = mine.reshape(group.links, -1)
                rows[:] = np.logical_or.accumulate(rows[::-1], axis=0)[::-1]
                reads = [rows[0], rows.reshape(-1)]
            else:
                reads = [mine] * len(group.operands)
            for operand, read in zip(group.operands, reads, strict=True):
                if operand.source == LEAVES:
                    given[operand.elements[read]] = True
                else:
                    within[self.starts[operand.source] + operand.elements[read]] = True
        return within, given

    def _values(self, leaves: Node) -> Node:
        return ops.concat(self._numbers(leaves))

    def _cotangents(self, leaves: Node, seeded: tuple[int, ...], given: tuple[Node, ...]) -> Node:
        numbers = self._numbers(leaves)
        targets = [leaves, *numbers]
        roots = {numbers[number]: seed for number, seed in zip(seeded, given, strict=True)}
        found = reverse(roots, targets)
        return ops.concat([found[x] if x in found else ops.zeros_like(x) for x in targets])

    def _numbers(self, leaves: Node) -> list[Node]:
        """The numbers of each group, as a vector."""
        reads: dict[int, list[Any]] = {}
        for group in self.groups:
            for operand in group.operands:
                reads.setdefault(operand.source, []).append(operand.elements)
        parts = {LEAVES: _parts(leaves, reads.get(LEAVES, []))}
        numbers: list[Node] = []
        for number, group in enumerate(self.groups):
            operands = [next(parts[operand.source]) for operand in group.operands]
            made = self._computed(group, operands)
            numbers.append(made)
            parts[number] = _parts(made, reads.get(number, []))
        return numbers

    def _computed(self, group: Group, operands: list[Node]) -> Node:
        if not group.links:
            return self._rules[group.code](*operands)
        start, added = operands
        width = group.size // group.links
        table = ops.concat([start, added]).reshape(group.links + 1, width)
        return ops.cumsum(table, axis=0)[1:].reshape(group.size)


def _parts(vector: Node, reads: list[Any]) -> Any:
    """The elements of a vector that each of its readers takes, in turn."""
    size: int = vector.shape[0]  # type: ignore[assignment]
    if all(is_whole(elements, size) for elements in reads):
        return iter([vector] * len(reads))
    taken = np.concatenate(reads)
    gathered = vector if is_whole(taken, size) else ops.take(vector, taken, axis=0)
    return iter(ops.split(gathered, sizes=[len(elements) for elements in reads]))
