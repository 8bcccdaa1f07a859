"""The layered graph of a drawing: boxes, dummy vertices of long edges and borders of groups, which
have a layer each. Every edge segment leads from one layer to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .ranks import Edge, Group, common

MOST_PASSES = 40_000  # dummy vertices; beyond this number the longest edges get none


@dataclass
class LayeredGraph:
    """Vertices 0 … count − 1 are the boxes; dummy vertices of edges and borders follow."""

    count: int
    rank: list[int]
    group: list[Group]
    segments: list[tuple[int, int]] = field(default_factory=list)  # from one layer to the next
    chains: list[list[int]] = field(default_factory=list)  # the dummy vertices of each edge
    direct: set[int] = field(default_factory=set)  # edges without dummy vertices
    borders: dict[Group, dict[int, tuple[int, int]]] = field(default_factory=dict)
    side: dict[int, int] = field(default_factory=dict)  # of a border: −1 left, 1 right
    ends: dict[int, Edge] = field(default_factory=dict)  # an edge through each dummy vertex

    def add(self, rank: int, group: Group) -> int:
        """Add a vertex without size and return its number."""
        self.rank.append(rank)
        self.group.append(group)
        return len(self.rank) - 1

    @property
    def layers(self) -> list[list[int]]:
        """The vertices of each rank, in order of creation."""
        layers: list[list[int]] = [[] for _ in range(max(self.rank, default=-1) + 1)]
        for vertex, rank in enumerate(self.rank):
            layers[rank].append(vertex)
        return layers


def layered_graph(
    rank: Sequence[int], edges: Sequence[Edge], groups: Sequence[Group]
) -> LayeredGraph:
    """Returns the graph of boxes with these ranks; edges may point down or up.

    All edges that leave a box in one direction share a trunk of dummy vertices until they part.
    """
    graph = LayeredGraph(len(rank), list(rank), list(groups))
    graph.direct = _direct_edges(rank, edges)
    rows = _rows(graph)
    trunks: dict[tuple[int, int], list[int]] = {}  # (source, direction) → edges
    for number, (a, b) in enumerate(edges):
        if number not in graph.direct:
            trunks.setdefault((a, 1 if rank[b] > rank[a] else -1), []).append(number)
    chains: dict[int, list[int]] = {}
    for (a, step), numbers in trunks.items():
        targets = sorted((edges[number][1] for number in numbers), key=lambda b: step * rank[b])
        passed = _trunk(graph, a, step, targets, rows)
        for number in numbers:
            length = abs(rank[edges[number][1]] - rank[a]) - 1
            chains[number] = passed[:length]
        links = {(x, y) for x, y in zip([a, *passed], passed)}
        links |= {((chains[n] or [a])[-1], edges[n][1]) for n in numbers}
        graph.segments += [pair if step > 0 else (pair[1], pair[0]) for pair in sorted(links)]
    graph.chains = [chains.get(number, []) for number in range(len(edges))]
    _add_borders(graph, rows)
    return graph


def _direct_edges(rank: Sequence[int], edges: Sequence[Edge]) -> set[int]:
    """The longest edges, which get no dummy vertices if the total number would be too large."""
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
    graph: LayeredGraph, a: int, step: int, targets: Sequence[int], rows: Mapping[Group, Edge]
) -> list[int]:
    """Adds dummy vertices from `a` to the layer before the last target. Each is in the frames that
    contain the source and all later targets, and possibly in more: see `_within`."""
    last = graph.rank[targets[-1]]
    shared = graph.group[targets[-1]]
    rest = list(targets)
    around: list[Group] = []
    for rank in range(last - step, graph.rank[a], -step):
        while rest and step * graph.rank[rest[-1]] > step * rank:
            shared = common(shared, graph.group[rest.pop()])
        around.append(_within(graph.group[a], shared, (graph.rank[a], rank, last), rows))
    places = range(graph.rank[a] + step, last, step)
    dummies = [graph.add(rank, group) for rank, group in zip(places, reversed(around), strict=True)]
    graph.ends.update(dict.fromkeys(dummies, (a, targets[-1])))
    return dummies


def _within(
    source: Group, target: Group, ranks: tuple[int, int, int], rows: Mapping[Group, Edge]
) -> Group:
    """The group of a dummy vertex on an edge between two groups; `ranks` are those of the source,
    the vertex and the target. An edge that comes from above a frame enters at its top, so that it
    is straight; an edge that starts beside a frame enters at its side, as late as possible."""
    both = common(source, target)
    start, rank, end = ranks
    reached: list[Group] = []
    for group, other in ((source, end), (target, start)):
        depth = len(both)
        while depth < len(group):
            first, last = rows[group[: depth + 1]]
            if not first <= rank <= last or first <= other <= last:
                break
            depth += 1
        reached.append(group[:depth])
    left, entered = reached
    return both if left != both and entered != both else max(left, entered, key=len)


def _rows(graph: LayeredGraph) -> dict[Group, Edge]:
    """The first and last rank of each group's boxes."""
    rows: dict[Group, Edge] = {}
    for vertex in range(graph.count):
        rank = graph.rank[vertex]
        for depth in range(1, len(graph.group[vertex]) + 1):
            group = graph.group[vertex][:depth]
            first, last = rows.get(group, (rank, rank))
            rows[group] = min(first, rank), max(last, rank)
    return rows


def _add_borders(graph: LayeredGraph, rows: Mapping[Group, Edge]) -> None:
    """Adds a left and a right border vertex for each group in every layer that it spans."""
    for group, (first, last) in sorted(rows.items()):
        pairs: dict[int, tuple[int, int]] = {}
        for rank in range(first, last + 1):
            pair = graph.add(rank, group), graph.add(rank, group)
            graph.side[pair[0]], graph.side[pair[1]] = -1, 1
            if rank > first:
                graph.segments += zip(pairs[rank - 1], pair)
            pairs[rank] = pair
        graph.borders[group] = pairs


def spans(borders: Mapping[Group, dict[int, tuple[int, int]]]) -> dict[Group, tuple[int, int]]:
    """The first and last rank of each group."""
    return {group: (min(pairs), max(pairs)) for group, pairs in borders.items()}
