"""Layered graph layout (Sugiyama, Tagawa & Toda 1981): ranks, orders, coordinates, edge paths.

Every step takes about linear time and is deterministic: equal graphs get equal layouts.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from .coordinates import across
from .network import LayeredGraph, layered_graph, spans
from .orders import ordered
from .ranks import Group, acyclic, least_lengths, ranked

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, width, height

PAD = 14.0  # between a group's frame and its contents
TITLE = 20.0  # height of a group's title
SLOT = 24.0  # the largest distance between the ends of edges at one box
PASS_GAP = 18.0  # between adjacent long edges


@dataclass(frozen=True)
class Layout:
    """The result: the centre of each box, the points of each edge, the frame of each group.

    An edge is a straight line between vertically aligned points, otherwise a curve with vertical
    ends (horizontal ones in a layout from left to right).
    """

    positions: dict[str, Point]
    paths: list[list[Point]]
    width: float
    height: float
    frames: dict[Group, Box] = field(default_factory=dict)


def layout(
    sizes: Mapping[str, tuple[float, float]],
    edges: Sequence[tuple[str, str]],
    *,
    groups: Mapping[str, Group] | None = None,
    titles: Mapping[Group, float] | None = None,
    ports: Mapping[str, float] | None = None,
    upward: Collection[int] = (),
    weak: Collection[int] = (),
    last: Sequence[str] = (),
    right: bool = False,
    gap: float = 30.0,
    rank_gap: float = 40.0,
) -> Layout:
    """Arranges boxes of these sizes (width, height) in layers, top to bottom or left to right.

    `groups` gives the nested groups of each box. Each group gets a frame that contains no other
    boxes and is at least as wide as its entry in `titles`. Edges with numbers in `upward` point
    up. Outermost groups named in `last` are placed to the right of everything else, in this order.
    """
    keys = list(sizes)
    number = {key: place for place, key in enumerate(keys)}
    pairs = [(number[a], number[b]) for a, b in edges]
    flat = [(sizes[key][1], sizes[key][0]) if right else sizes[key] for key in keys]
    inside = [(groups or {}).get(key, ()) for key in keys]
    parts: list[Layout] = []
    components = _components(len(keys), pairs, inside)
    for vertices, numbers in components:
        local = {vertex: place for place, vertex in enumerate(vertices)}
        part = _Drawing(
            [keys[vertex] for vertex in vertices],
            [flat[vertex] for vertex in vertices],
            [(local[pairs[n][0]], local[pairs[n][1]]) for n in numbers],
            [inside[vertex] for vertex in vertices],
            {place for place, n in enumerate(numbers) if n in upward},
            {place for place, n in enumerate(numbers) if n in weak},
            {} if right else dict(titles or {}),
            tuple(last),
            (gap, rank_gap),
            [min(flat[v][0] - 20.0, (ports or {}).get(keys[v], 1e9)) for v in vertices],
            right=right,
        )
        parts.append(part.result())
    joined = _packed(parts, [numbers for _, numbers in components])
    return _turned(joined) if right else joined


class _Drawing:
    """The layout of one connected component: its graph, then the coordinates of the vertices."""

    def __init__(
        self,
        keys: list[str],
        sizes: list[tuple[float, float]],
        edges: list[tuple[int, int]],
        groups: list[Group],
        upward: set[int],
        weak: set[int],
        titles: dict[Group, float],
        last: tuple[str, ...],
        gaps: tuple[float, float],
        ports: list[float],
        *,
        right: bool,
    ) -> None:
        self.keys, self.sizes, self.edges = keys, sizes, edges
        self.titles, self.ports = titles, ports
        self.gap, self.rank_gap = gaps
        # In a layout from left to right, the title is beside the frame's contents, not above them.
        self.head, self.pad = (PAD, PAD + TITLE) if right else (PAD + TITLE, PAD)
        down = [(b, a) if n in upward else (a, b) for n, (a, b) in enumerate(edges)]
        turned = acyclic(len(keys), down)
        down = [(b, a) if back else (a, b) for (a, b), back in zip(down, turned, strict=True)]
        rank = ranked(len(keys), down, weak, least_lengths(groups, down, weak))
        self.graph = layered_graph(rank, edges, groups)
        self.layers = ordered(self.graph, last)
        half, gap = self._widths()
        least = {
            next(iter(pairs.values())): titles[group]
            for group, pairs in self.graph.borders.items()
            if group in titles
        }
        self.x = across(self.graph, self.layers, half, gap, least)
        self._shift(half)
        self.above, self.under = _nested(self.graph, start=True), _nested(self.graph, start=False)
        self.top, self.bottom = self._bands()

    def _widths(self) -> tuple[list[float], list[float]]:
        """Half the width of each vertex of the graph, and the gap required around it."""
        graph: LayeredGraph = self.graph
        half = [width / 2 for width, _ in self.sizes] + [0.0] * (len(graph.rank) - graph.count)
        gap = [self.gap] * graph.count + [PASS_GAP] * (len(graph.rank) - graph.count)
        for border in graph.side:
            gap[border] = 2 * self.pad - self.gap if 2 * self.pad > self.gap + PAD else PAD
        return half, gap

    def _shift(self, half: Sequence[float]) -> None:
        """Shift all x coordinates so that the leftmost edge is at 0."""
        left = min((x - h for x, h in zip(self.x, half, strict=True)), default=0.0)
        self.x = [x - left for x in self.x]
        self.width = max((x + h for x, h in zip(self.x, half, strict=True)), default=0.0)

    def _bands(self) -> tuple[list[float], list[float]]:
        """The top and bottom of each layer, with space for frames and for edges with wide jumps."""
        graph = self.graph
        count = len(self.layers)
        wide = [0.0] * (count + 1)
        for a, b in graph.segments:
            wide[graph.rank[a]] = max(wide[graph.rank[a]], abs(self.x[a] - self.x[b]))
        before, after = [0.0] * (count + 1), [0.0] * (count + 1)
        for group, (first, last) in spans(graph.borders).items():
            depth = self.above[group]
            before[first] = max(before[first], depth * self.head)
            after[last] = max(after[last], self.under[group] * PAD)
        top: list[float] = []
        bottom: list[float] = []
        y = before[0]
        for rank, layer in enumerate(self.layers):
            tall = max((self.sizes[v][1] for v in layer if v < graph.count), default=0.0)
            top.append(y)
            bottom.append(y + tall)
            space_below = self.rank_gap + min(0.06 * wide[rank], 60.0)
            y += tall + space_below + after[rank] + before[rank + 1]
        self.height = (bottom[-1] if bottom else 0.0) + (after[count - 1] if count else 0.0)
        return top, bottom

    def result(self) -> Layout:
        """The computed Layout."""
        graph = self.graph
        self.y = [(self.top[rank] + self.bottom[rank]) / 2 for rank in graph.rank]
        slots = self._slots()
        self.trunks: dict[int, _Trunk] = {}  # by the first vertex of the chain
        paths = [self._path(n, a, b, slots) for n, (a, b) in enumerate(self.edges)]
        frames = self._frames()
        positions = {key: (self.x[v], self.y[v]) for v, key in enumerate(self.keys)}
        return Layout(positions, paths, self.width, self.height, frames)

    def _frames(self) -> dict[Group, Box]:
        """The frame of each group: encloses its contents, within its border vertices."""
        graph = self.graph
        sides: dict[Group, tuple[float, float]] = {}
        for vertex, group in enumerate(graph.group):
            if group and vertex not in graph.side:
                half = self.sizes[vertex][0] / 2 if vertex < graph.count else 0.0
                sides[group] = _around(
                    sides.get(group), self.x[vertex] - half, self.x[vertex] + half
                )
        frames: dict[Group, Box] = {}
        rows = spans(graph.borders)
        for group in sorted(rows, key=len, reverse=True):
            lefts, rights = zip(*graph.borders[group].values(), strict=True)
            least, most = min(self.x[v] for v in lefts), max(self.x[v] for v in rights)
            left, right = sides[group]
            left, right = max(left - self.pad, least), min(right + self.pad, most)
            right = min(max(right, left + self.titles.get(group, 0.0)), most)
            left = max(min(left, right - self.titles.get(group, 0.0)), least)
            first, last = rows[group]
            top = self.top[first] - self.above[group] * self.head
            bottom = self.bottom[last] + self.under[group] * PAD
            frames[group] = (left, top, right - left, bottom - top)
            if group[:-1]:
                sides[group[:-1]] = _around(sides.get(group[:-1]), left, right)
        return frames

    def _step(self, a: int, b: int) -> int:
        return 1 if self.graph.rank[b] > self.graph.rank[a] else -1

    def _slots(self) -> dict[tuple[int, int, int], float]:
        """The x at which edges touch boxes, by (vertex, side, edge); all outgoing edges are −1."""
        sides: dict[tuple[int, int], dict[int, tuple[float, int]]] = {}
        for n, (a, b) in enumerate(self.edges):
            step, chain = self._step(a, b), self.graph.chains[n]
            start, end = (chain[0], chain[-1]) if chain else (b, a)
            leaving = sides.setdefault((a, step), {})
            leaving.setdefault(-1, (self.x[start], -1))
            sides.setdefault((b, -step), {})[n] = (self.x[end], n)
        slots: dict[tuple[int, int, int], float] = {}
        for (vertex, side), users in sides.items():
            length = max(self.ports[vertex], 4.0)
            space = min(SLOT, length / max(len(users) - 1, 1))
            for place, n in enumerate(sorted(users, key=users.__getitem__)):
                slots[vertex, side, n] = self.x[vertex] + (place - (len(users) - 1) / 2) * space
        return slots

    def _path(
        self, n: int, a: int, b: int, slots: Mapping[tuple[int, int, int], float]
    ) -> list[Point]:
        graph = self.graph
        step = self._step(a, b)
        starts, ends = (self.top, self.bottom) if step > 0 else (self.bottom, self.top)
        x, end = slots[a, step, -1], slots[b, -step, n]
        points = [(x, self.y[a] + step * self.sizes[a][1] / 2), (x, ends[graph.rank[a]])]
        points += self._passing(graph.chains[n], starts, ends)
        points += [(end, starts[graph.rank[b]]), (end, self.y[b] - step * self.sizes[b][1] / 2)]
        return [points[0], *(p for p, q in zip(points[1:], points) if math.dist(p, q) > 1e-6)]

    def _passing(
        self, chain: Sequence[int], starts: Sequence[float], ends: Sequence[float]
    ) -> list[Point]:
        """The points of an edge between its ends, two for each vertical segment.

        Edges that share a trunk have chains with a common prefix, so the trunk is computed once.
        """
        if not chain:
            return []
        trunk = self.trunks.setdefault(chain[0], _Trunk())
        for place in chain[len(trunk.counts) :]:
            x, rank = self.x[place], self.graph.rank[place]
            if trunk.points and trunk.points[-1][0] == x:
                trunk.points[-1] = (x, ends[rank])
            else:
                trunk.points += [(x, starts[rank]), (x, ends[rank])]
            trunk.counts.append(len(trunk.points))
        last = chain[-1]
        return [
            *trunk.points[: trunk.counts[len(chain) - 1] - 1],
            (self.x[last], ends[self.graph.rank[last]]),
        ]


@dataclass
class _Trunk:
    """The shared trunk of edges: its points, and how many of them lead to each of its vertices."""

    points: list[Point] = field(default_factory=list[Point])
    counts: list[int] = field(default_factory=list[int])


def _around(sides: tuple[float, float] | None, left: float, right: float) -> tuple[float, float]:
    return (left, right) if sides is None else (min(sides[0], left), max(sides[1], right))


def _nested(graph: LayeredGraph, *, start: bool) -> dict[Group, int]:
    """For each group, the depth of nested frames (its own included) that start in its first layer,
    or end in its last layer if `start` is False."""
    depth: dict[Group, int] = {}
    edge = {group: pair[0 if start else 1] for group, pair in spans(graph.borders).items()}
    for group in sorted(edge, key=len, reverse=True):
        depth[group] = depth.get(group, 0) + 1
        outer = group[:-1]
        if outer and edge[outer] == edge[group]:
            depth[outer] = max(depth.get(outer, 0), depth[group])
    return depth


def _components(
    count: int, edges: Sequence[tuple[int, int]], groups: Sequence[Group]
) -> list[tuple[list[int], list[int]]]:
    """The vertices and edges of each connected component; each outermost group is connected."""
    parent = list(range(count))

    def find(vertex: int) -> int:
        while parent[vertex] != vertex:
            parent[vertex] = parent[parent[vertex]]
            vertex = parent[vertex]
        return vertex

    first: dict[str, int] = {}
    for vertex, group in enumerate(groups):
        if group:
            parent[find(vertex)] = find(first.setdefault(group[0], vertex))
    for a, b in edges:
        parent[find(b)] = find(a)
    components: dict[int, tuple[list[int], list[int]]] = {}
    for vertex in range(count):
        components.setdefault(find(vertex), ([], []))[0].append(vertex)
    for n, (a, _) in enumerate(edges):
        components[find(a)][1].append(n)
    return list(components.values())


def _packed(parts: Sequence[Layout], numbers: Sequence[Sequence[int]]) -> Layout:
    """The components packed in rows, with a total width of about 1.6 times the height."""
    if len(parts) == 1:
        return parts[0]
    space = 48.0
    area = sum((part.width + space) * (part.height + space) for part in parts)
    widest = max([(1.6 * area) ** 0.5, *(part.width + space for part in parts)])
    positions: dict[str, Point] = {}
    frames: dict[Group, Box] = {}
    paths: list[list[Point]] = [[] for _ in range(sum(map(len, numbers)))]
    x = y = tall = width = 0.0
    for part, edges in zip(parts, numbers, strict=True):
        if x and x + part.width > widest:
            x, y, tall = 0.0, y + tall + space, 0.0
        for key, (a, b) in part.positions.items():
            positions[key] = (a + x, b + y)
        for n, path in zip(edges, part.paths, strict=True):
            paths[n] = [(a + x, b + y) for a, b in path]
        for group, (a, b, w, h) in part.frames.items():
            frames[group] = (a + x, b + y, w, h)
        width, tall = max(width, x + part.width), max(tall, part.height)
        x += part.width + space
    return Layout(positions, paths, width, y + tall, frames)


def _turned(down: Layout) -> Layout:
    """The layout with x and y exchanged: from left to right instead of from top to bottom."""
    return Layout(
        {key: (y, x) for key, (x, y) in down.positions.items()},
        [[(y, x) for x, y in path] for path in down.paths],
        down.height,
        down.width,
        {group: (y, x, h, w) for group, (x, y, w, h) in down.frames.items()},
    )
