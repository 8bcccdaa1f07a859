"""Orders: sorts the vertices of each layer from left to right to reduce crossings.

Sweeps repeatedly sort each layer by the barycentres of neighbours (Sugiyama, Tagawa & Toda 1981);
the order with the fewest crossings is kept. Small graphs also swap adjacent vertices if that saves
crossings (Gansner et al. 1993). The sort key starts with the group, so a group is contiguous in
every layer and groups have the same order in all layers (Sander 1996).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from typing import Any

from .network import LayeredGraph
from .ranks import Group

SMALL = 600  # the largest number of vertices for which adjacent vertices are swapped


def ordered(graph: LayeredGraph, last: Sequence[str] = ()) -> list[list[int]]:
    """Returns each layer from left to right. Outer groups named in `last` stay on the right."""
    return _Orders(graph, last).best


class _Orders:
    def __init__(self, graph: LayeredGraph, last: Sequence[str]) -> None:
        self.graph = graph
        count = len(graph.rank)
        self.above: list[list[int]] = [[] for _ in range(count)]
        self.below: list[list[int]] = [[] for _ in range(count)]
        for a, b in graph.segments:
            self.above[b].append(a)
            self.below[a].append(b)
        self.pinned = {name: 1e9 * (place + 1) for place, name in enumerate(last)}
        self.groups = {group: place + count for place, group in enumerate(graph.borders)}
        self.centre: dict[Group, float] = {}
        self.place = [0.0] * count
        self.layers = graph.layers
        self._order_groups(start=True)
        for layer in self.layers:
            layer.sort(key=lambda vertex: self._key(vertex, float(vertex)))
            self._number(layer)
        self.best = [list(layer) for layer in self.layers]
        self._improve()

    def _improve(self) -> None:
        fewest = self._crossings()
        size = len(self.graph.rank)
        rounds = 24 if size <= SMALL else 10 if size < 8000 else 5
        worse = 0
        for _ in range(rounds):
            if fewest == 0 or worse > 3:
                break
            self._sweep(self.layers[1:], self.above)
            self._sweep(self.layers[-2::-1], self.below)
            self._order_groups()
            for layer in self.layers:
                layer.sort(key=lambda vertex: self._key(vertex, self.place[vertex]))
                self._number(layer)
            if size <= SMALL:
                self._swap()
            now = self._crossings()
            worse += 1
            if now < fewest:
                fewest, worse = now, 0
                self.best = [list(layer) for layer in self.layers]

    def _order_groups(self, *, start: bool = False) -> None:
        """Compute the position of each group among its siblings, the same for all layers."""
        total: dict[Group, float] = {}
        number: dict[Group, int] = {}
        for vertex in range(self.graph.count):
            group = self.graph.group[vertex]
            place = float(vertex) if start else self.place[vertex]
            for depth in range(1, len(group) + 1):
                outer = group[:depth]
                total[outer] = total.get(outer, 0.0) + place
                number[outer] = number.get(outer, 0) + 1
        self.centre = {group: total[group] / number[group] for group in total}
        for group in self.centre:
            if len(group) == 1 and group[0] in self.pinned:
                self.centre[group] = self.pinned[group[0]]

    def _key(self, vertex: int, place: float) -> tuple[Any, ...]:
        """The sort key: the groups, then the position; borders are first or last in a group."""
        group = self.graph.group[vertex]
        outer = [
            (self.centre[group[:depth]], self.groups[group[:depth]])
            for depth in range(1, len(group) + 1)
        ]
        if not group and vertex in self.graph.ends:
            place += self._lane(*self.graph.ends[vertex])
        side = self.graph.side.get(vertex, 0)
        return (*outer, (side * 1e12 if side else place, vertex))

    def _lane(self, a: int, b: int) -> float:
        """The position for an edge between two of the groups in `last`: between them."""
        first, second = (self.graph.group[end][:1] for end in (a, b))
        if first and second and first[0] in self.pinned and second[0] in self.pinned:
            return (self.pinned[first[0]] + self.pinned[second[0]]) / 2
        return 0.0

    def _number(self, layer: Sequence[int]) -> None:
        middle = (len(layer) - 1) / 2
        for index, vertex in enumerate(layer):
            self.place[vertex] = index - middle

    def _sweep(self, layers: Sequence[list[int]], neighbours: list[list[int]]) -> None:
        place = self.place
        for layer in layers:
            keys: dict[int, tuple[Any, ...]] = {}
            for vertex in layer:
                near = neighbours[vertex]
                centre = (
                    sum([place[neighbour] for neighbour in near]) / len(near)
                    if near
                    else place[vertex]
                )
                keys[vertex] = self._key(vertex, centre)
            layer.sort(key=keys.__getitem__)
            self._number(layer)

    def _swap(self) -> None:
        """Swap adjacent vertices of the same group if that saves crossings."""
        for _ in range(4):
            better = False
            for layer in self.layers:
                for index in range(len(layer) - 1):
                    a, b = layer[index], layer[index + 1]
                    if self.graph.group[a] != self.graph.group[b] or a in self.graph.side:
                        continue
                    if b not in self.graph.side and self._gain(a, b) > 0:
                        layer[index], layer[index + 1] = b, a
                        self.place[a], self.place[b] = self.place[b], self.place[a]
                        better = True
            if not better:
                return

    def _gain(self, a: int, b: int) -> int:
        """The number of crossings saved by placing b before a."""
        gain = 0
        for near in (self.above, self.below):
            for x in near[a]:
                for y in near[b]:
                    gain += (self.place[x] > self.place[y]) - (self.place[x] < self.place[y])
        return gain

    def _crossings(self) -> int:
        """The number of pairs of segments that cross."""
        total = 0
        for layer in self.layers:
            ends = [end for a in layer for end in sorted(self.place[b] for b in self.below[a])]
            seen: list[float] = []
            for end in ends:
                total += len(seen) - bisect_right(seen, end)
                insort(seen, end)
        return total
