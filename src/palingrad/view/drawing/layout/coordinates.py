"""Coordinates: assigns the x of each vertex, with straight long edges.

After Brandes & Köpf 2002, "Fast and simple horizontal coordinate assignment": vertices are aligned
with their median neighbours into blocks in four ways (left or right, top or bottom first); each
block is placed as far to one side as its neighbours allow, and the four results are averaged.
Compaction runs on the graph of blocks (the published compaction has an error, see Brandes, Walter &
Zink 2020).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise

from .network import LayeredGraph

Pair = tuple[int, int]


def across(
    graph: LayeredGraph,
    layers: Sequence[Sequence[int]],
    half: Sequence[float],
    gap: Sequence[float],
    least: Mapping[Pair, float],
) -> list[float]:
    """Returns the x of each vertex's centre. Adjacent vertices are at least their half widths and
    mean gap apart; the pairs in `least` are at least the given distance apart."""
    conflicts = _conflicts(graph, layers)
    above: list[list[int]] = [[] for _ in graph.rank]
    below: list[list[int]] = [[] for _ in graph.rank]
    place = [0] * len(graph.rank)
    for layer in layers:
        for index, vertex in enumerate(layer):
            place[vertex] = index
    for a, b in _spine(graph):
        above[b].append(a)
        below[a].append(b)
    for near in (*above, *below):
        near.sort(key=place.__getitem__)
    results: list[list[float]] = []
    for upward in (False, True):
        rows = layers[::-1] if upward else layers
        near = below if upward else above
        for right in (False, True):
            root = _aligned(rows, near, place, conflicts, right=right)
            results.append(_compacted(layers, root, half, gap, least, right=right))
    return _averaged(results, half)


def _spine(graph: LayeredGraph) -> list[Pair]:
    """The segments along which vertices may be aligned.

    Excludes segments between a leaf (or final result) and a vertex that continues a chain:
    otherwise a long chain whose vertices have one weight each would drift by half a box per layer.
    """
    first, last = [True] * len(graph.rank), [True] * len(graph.rank)
    for a, b in graph.segments:
        first[b] = last[a] = False
    fed, used = [False] * len(graph.rank), [False] * len(graph.rank)
    for a, b in graph.segments:
        fed[b] |= not first[a]
        used[a] |= not last[b]
    return [
        (a, b) for a, b in graph.segments if not (first[a] and fed[b]) and not (last[b] and used[a])
    ]


def _conflicts(graph: LayeredGraph, layers: Sequence[Sequence[int]]) -> set[Pair]:
    """The segments that cross a border or an inner segment of a long edge; those stay straight."""
    place = [0] * len(graph.rank)
    for layer in layers:
        for index, vertex in enumerate(layer):
            place[vertex] = index
    by_rank: list[list[Pair]] = [[] for _ in layers]
    for a, b in graph.segments:
        by_rank[graph.rank[a]].append((a, b))
    conflicts: set[Pair] = set()
    for pairs in by_rank:
        pairs.sort(key=lambda pair: (place[pair[0]], place[pair[1]]))
        straight: list[Pair] = [(place[a], place[b]) for a, b in pairs if a in graph.side]
        for inner in (True, False):
            starts, ends = [start for start, _ in straight], [end for _, end in straight]
            high = -1
            for a, b in pairs:
                if a in graph.side or (a >= graph.count and b >= graph.count) is not inner:
                    continue
                if _crosses(starts, ends, place[a], place[b]) or (inner and place[b] < high):
                    conflicts.add((a, b))
                elif inner:
                    straight.append((place[a], place[b]))
                    high = place[b]
            straight.sort()
    return conflicts


def _crosses(starts: Sequence[int], ends: Sequence[int], start: int, end: int) -> bool:
    """Whether a segment crosses one of the sorted, mutually non-crossing segments."""
    left = bisect_left(starts, start)
    if left and ends[left - 1] > end:
        return True
    right = bisect_right(starts, start)
    return right < len(ends) and ends[right] < end


def _aligned(
    rows: Sequence[Sequence[int]],
    near: Sequence[Sequence[int]],
    place: Sequence[int],
    conflicts: set[Pair],
    *,
    right: bool,
) -> list[int]:
    """The block of each vertex, identified by the block's first vertex."""
    root = list(range(len(place)))
    taken = [False] * len(place)  # whether a vertex of the next row is aligned with this vertex
    for row in rows:
        reached = len(place) if right else -1
        for vertex in reversed(row) if right else row:
            neighbours = near[vertex]
            if not neighbours:
                continue
            low, high = (len(neighbours) - 1) // 2, len(neighbours) // 2
            for median in (high, low) if right else (low, high):
                other = neighbours[median]
                if taken[other] or root[vertex] != vertex:
                    continue
                if (other, vertex) in conflicts or (vertex, other) in conflicts:
                    continue
                if place[other] < reached if right else place[other] > reached:
                    reached = place[other]
                    root[vertex] = root[other]
                    taken[other] = True
    return root


def _compacted(
    layers: Sequence[Sequence[int]],
    root: Sequence[int],
    half: Sequence[float],
    gap: Sequence[float],
    least: Mapping[Pair, float],
    *,
    right: bool,
) -> list[float]:
    """The x of each block: as far left (or right) as possible, then moved towards the next one."""
    sign = -1 if right else 1
    apart: dict[Pair, float] = {}
    for layer in layers:
        for a, b in pairwise(layer):
            pair = (root[b], root[a]) if right else (root[a], root[b])
            distance = half[a] + half[b] + (gap[a] + gap[b]) / 2
            apart[pair] = max(apart.get(pair, 0.0), distance)
    for (a, b), distance in least.items():
        pair = (root[b], root[a]) if right else (root[a], root[b])
        if pair[0] != pair[1]:
            apart[pair] = max(apart.get(pair, 0.0), distance)
    after: dict[int, list[tuple[int, float]]] = {block: [] for block in root}
    waiting = dict.fromkeys(after, 0)
    for (a, b), distance in apart.items():
        after[a].append((b, distance))
        waiting[b] += 1
    x = dict.fromkeys(after, 0.0)
    order = [block for block in after if not waiting[block]]
    for block in order:
        left = x[block]
        for b, distance in after[block]:
            if left + distance > x[b]:
                x[b] = left + distance
            waiting[b] -= 1
            if not waiting[b]:
                order.append(b)
    for block in reversed(order):
        if after[block]:
            x[block] = max(x[block], min(x[b] - distance for b, distance in after[block]))
    return [sign * x[block] for block in root]


def _averaged(results: list[list[float]], half: Sequence[float]) -> list[float]:
    """The mean of the two middle results for each vertex, after aligning all four with the
    narrowest one. This preserves every minimum distance that all four satisfy."""
    if not half:
        return []
    lefts = [min(map(float.__sub__, xs, half)) for xs in results]
    rights = [max(map(float.__add__, xs, half)) for xs in results]
    best = min(range(4), key=lambda k: rights[k] - lefts[k])
    for k, xs in enumerate(results):
        shift = rights[best] - rights[k] if k % 2 else lefts[best] - lefts[k]
        xs[:] = [x + shift for x in xs]
    return [sum(sorted(four)[1:3]) / 2 for four in zip(*results, strict=True)]
