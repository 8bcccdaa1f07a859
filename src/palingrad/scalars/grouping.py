"""Groups of scalar operations that one operation on vectors computes.

Two scalar operations belong to one group if they are of one kind and their operands are in the same
groups, so that all numbers of a group are known as soon as those of its sources are (dynamic
batching: Looks et al., "Deep learning with dynamic computation graphs", 2017, section 2). A chain
of additions, as `sum(products)` makes it, is one group of its own kind: a cumulative sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

LEAVES = -1  # the group of the leaves
ABSENT = -(2**31)  # the second operand of an operation of one operand
_SHORTEST = 4  # links of a chain that is worth a group of its own


@dataclass
class Operand:
    """The elements of group `source` that a group reads."""

    source: int
    elements: Any  # int array, in the order of the group's members


@dataclass
class Group:
    """One operation on vectors. `links` is 0, or the length of a chain of additions of vectors: the
    operands are then the vector that it begins with, and those that are added, one after another.
    """

    code: int
    operands: list[Operand]
    size: int  # numbers that it computes
    links: int = 0


@dataclass
class Grouped:
    """The groups in the order of computation, and for each operation the place of its number in the
    groups' numbers, one after another."""

    groups: list[Group]
    places: Any
    starts: list[int]  # of each group, in the groups' numbers

    def group_at(self, place: int) -> int:
        """The group whose numbers hold that at `place`."""
        return int(np.searchsorted(self.starts, place, side="right")) - 1


def grouped(entries: Any, addition: int) -> Grouped:
    """The groups of the operations in `entries`, rows of (code, operand, operand): an operand is
    the number of an earlier row, ~n for leaf n, or ABSENT. `addition` is the code of x + y."""
    found: dict[tuple[int, int, int], int] = {}
    members: list[list[int]] = []
    keys: list[tuple[int, int, int]] = []
    group_of: list[int] = []
    within: list[int] = []
    rows: list[list[int]] = entries.tolist()
    for row, (code, one, other) in enumerate(rows):
        first = group_of[one] if one >= 0 else LEAVES
        second = group_of[other] if other >= 0 else ABSENT if other == ABSENT else LEAVES
        key = (code, first, second)
        number = found.get(key)
        if number is None:
            number = found[key] = len(members)
            members.append([])
            keys.append(key)
        group_of.append(number)
        within.append(len(members[number]))
        members[number].append(row)
    groups = [
        Group(key[0], _operands(key, rows, some, within), len(some))
        for key, some in zip(keys, members, strict=True)
    ]
    return _joined(groups, addition, np.array(group_of, np.int64), np.array(within, np.int64))


def _operands(
    key: tuple[int, int, int], rows: list[list[int]], members: list[int], within: list[int]
) -> list[Operand]:
    operands = []
    for place, source in enumerate(key[1:], 1):
        if source != ABSENT:
            read = [rows[row][place] for row in members]
            elements = [within[one] if one >= 0 else ~one for one in read]
            operands.append(Operand(source, np.array(elements, np.int64)))
    return operands


def is_whole(elements: Any, size: int) -> bool:
    """Whether these are all elements of a vector of this size, in order."""
    return len(elements) == size and bool((elements == np.arange(size)).all())


def _chains(groups: list[Group], addition: int) -> list[list[int]]:
    """Runs of groups that each add elements of one source to the whole group before."""
    after: dict[int, int] = {}
    for number, group in enumerate(groups):
        if group.code == addition:
            total, added = group.operands
            before = groups[total.source] if total.source >= 0 else None
            if before is not None and before.code == addition and added.source != total.source:
                same = before.operands[1].source == added.source
                if same and is_whole(total.elements, before.size):
                    after.setdefault(total.source, number)
    chains, linked = [], set(after.values())
    for first in range(len(groups)):
        if first in after and first not in linked:
            chain = [first]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            if len(chain) >= _SHORTEST:
                chains.append(chain)
    return chains


def _joined(groups: list[Group], addition: int, group_of: Any, within: Any) -> Grouped:
    """The groups, with each chain as one; a chain takes the place of its first link."""
    target = np.arange(len(groups))
    offset = np.zeros(len(groups), np.int64)
    joined: dict[int, Group] = {}
    for chain in _chains(groups, addition):
        links = [groups[number] for number in chain]
        size = links[0].size
        added = np.concatenate([link.operands[1].elements for link in links])
        operands = [links[0].operands[0], Operand(links[0].operands[1].source, added)]
        joined[chain[0]] = Group(addition, operands, size * len(chain), len(chain))
        target[chain], offset[chain] = chain[0], size * np.arange(len(chain))
    kept = np.flatnonzero(target == np.arange(len(groups)))
    renumbered = np.full(len(groups), -1)
    renumbered[kept] = np.arange(len(kept))
    result = [joined.get(number, groups[number]) for number in kept.tolist()]
    for group in result:
        for operand in group.operands:
            if operand.source >= 0:
                operand.elements = operand.elements + offset[operand.source]
                operand.source = int(renumbered[target[operand.source]])
    starts = np.cumsum([0, *(group.size for group in result)])
    places = starts[renumbered[target[group_of]]] + offset[group_of] + within
    return Grouped(result, places, starts[:-1].tolist())
