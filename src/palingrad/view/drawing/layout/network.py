"""The net that is ordered and placed: vertices, the places that long edges pass, and the borders
of groups, all in layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .ranks import Edge, Group, common

MOST_PASSES = 40_000  # places for long edges; what is over is drawn without


@dataclass
class Net:
    """Vertices 0 … count − 1 are the boxes; then come places that edges pass, and borders."""

    count: int
    rank: list[int]
    group: list[Group]
    segments: list[tuple[int, int]] = field(default_factory=list)  # from one layer to the next
    chains: list[list[int]] = field(default_factory=list)  # for each edge what it passes
    loose: set[int] = field(default_factory=set)  # edges drawn without places
    borders: dict[Group, dict[int, tuple[int, int]]] = field(default_factory=dict)
    side: dict[int, int] = field(default_factory=dict)  # of a border: −1 left, 1 right
    ends: dict[int, Edge] = field(default_factory=dict)  # of a place: an edge that passes it

    def add(self, rank: int, group: Group) -> int:
        """A new vertex without size."""
        self.rank.append(rank)
        self.group.append(group)
        return len(self.rank) - 1

    @property
    def layers(self) -> list[list[int]]:
        """The vertices of each rank, in the order they were made."""
        found: list[list[int]] = [[] for _ in range(max(self.rank, default=-1) + 1)]
        for vertex, rank in enumerate(self.rank):
            found[rank].append(vertex)
        return found


def net_of(rank: Sequence[int], edges: Sequence[Edge], groups: Sequence[Group]) -> Net:
    """The net for boxes of these ranks; edges may lead down or up.

    All edges that leave a box in one direction share their way until they part.
    """
    net = Net(len(rank), list(rank), list(groups))
    net.loose = _loose(rank, edges)
    rows = _rows(net)
    trunks: dict[tuple[int, int], list[int]] = {}  # source and direction: edges
    for number, (a, b) in enumerate(edges):
        if number not in net.loose:
            trunks.setdefault((a, 1 if rank[b] > rank[a] else -1), []).append(number)
    chains: dict[int, list[int]] = {}
    for (a, step), numbers in trunks.items():
        targets = sorted((edges[number][1] for number in numbers), key=lambda b: step * rank[b])
        passed = _trunk(net, a, step, targets, rows)
        for number in numbers:
            length = abs(rank[edges[number][1]] - rank[a]) - 1
            chains[number] = passed[:length]
        links = {(x, y) for x, y in zip([a, *passed], passed)}
        links |= {((chains[n] or [a])[-1], edges[n][1]) for n in numbers}
        net.segments += [pair if step > 0 else (pair[1], pair[0]) for pair in sorted(links)]
    net.chains = [chains.get(number, []) for number in range(len(edges))]
    _add_borders(net, rows)
    return net


def _loose(rank: Sequence[int], edges: Sequence[Edge]) -> set[int]:
    """The longest edges, as far as all together would pass too many places."""
    spans: dict[tuple[int, bool], int] = {}
    for a, b in edges:
        side = (a, rank[b] > rank[a])
        spans[side] = max(spans.get(side, 0), abs(rank[b] - rank[a]))
    limit = len(rank)
    while sum(min(span, limit) for span in spans.values()) > max(MOST_PASSES, 4 * len(rank)):
        limit //= 2
    return {
        number for number, (a, b) in enumerate(edges) if a == b or abs(rank[b] - rank[a]) > limit
    }


def _trunk(
    net: Net, a: int, step: int, targets: Sequence[int], rows: Mapping[Group, Edge]
) -> list[int]:
    """Places from `a` on to the layer before the last target. Each is in the frames
    that its source and all targets beyond it are in, and maybe in more: see `_within`."""
    last = net.rank[targets[-1]]
    shared = net.group[targets[-1]]
    rest = list(targets)
    around: list[Group] = []
    for rank in range(last - step, net.rank[a], -step):
        while rest and step * net.rank[rest[-1]] > step * rank:
            shared = common(shared, net.group[rest.pop()])
        around.append(_within(net.group[a], shared, (net.rank[a], rank, last), rows))
    places = range(net.rank[a] + step, last, step)
    made = [net.add(rank, group) for rank, group in zip(places, reversed(around), strict=True)]
    net.ends.update(dict.fromkeys(made, (a, targets[-1])))
    return made


def _within(
    source: Group, target: Group, ranks: tuple[int, int, int], rows: Mapping[Group, Edge]
) -> Group:
    """What a place is in that an edge passes on its way from a group to another; `ranks` are those
    of source, place and target. An edge enters a frame at its top if it comes from above, so that
    it runs straight, and at its side, as late as it can, if it starts beside the frame."""
    both = common(source, target)
    start, here, end = ranks
    reached: list[Group] = []
    for group, other in ((source, end), (target, start)):
        depth = len(both)
        while depth < len(group):
            first, last = rows[group[: depth + 1]]
            if not first <= here <= last or first <= other <= last:
                break
            depth += 1
        reached.append(group[:depth])
    left, entered = reached
    return both if left != both and entered != both else max(left, entered, key=len)


def _rows(net: Net) -> dict[Group, Edge]:
    """The first and last rank of each group's boxes."""
    found: dict[Group, Edge] = {}
    for vertex in range(net.count):
        rank = net.rank[vertex]
        for depth in range(1, len(net.group[vertex]) + 1):
            group = net.group[vertex][:depth]
            first, last = found.get(group, (rank, rank))
            found[group] = min(first, rank), max(last, rank)
    return found


def _add_borders(net: Net, rows: Mapping[Group, Edge]) -> None:
    """A left and a right border for each group, in all layers from its first to its last box."""
    for group, (first, last) in sorted(rows.items()):
        pairs: dict[int, tuple[int, int]] = {}
        for rank in range(first, last + 1):
            pair = net.add(rank, group), net.add(rank, group)
            net.side[pair[0]], net.side[pair[1]] = -1, 1
            if rank > first:
                net.segments += zip(pairs[rank - 1], pair)
            pairs[rank] = pair
        net.borders[group] = pairs


def spans(borders: Mapping[Group, dict[int, tuple[int, int]]]) -> dict[Group, tuple[int, int]]:
    """The first and last rank of each group."""
    return {group: (min(pairs), max(pairs)) for group, pairs in borders.items()}
