"""Coordinates: where each vertex stands from left to right, long edges straight.

After Brandes & Köpf 2002, "Fast and simple horizontal coordinate assignment": vertices are aligned
with their median neighbours into blocks, from the left and from the right, from above and from
below; each block is placed as far left as the ones beside it allow, and the four results are
averaged. Blocks are compacted as a graph of their own (the published compaction has an error, see
Brandes, Walter & Zink 2020).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise

from .network import Net

Pair = tuple[int, int]


def across(
    net: Net,
    layers: Sequence[Sequence[int]],
    half: Sequence[float],
    gap: Sequence[float],
    least: Mapping[Pair, float],
) -> list[float]:
    """The x of each vertex's centre: neighbours keep their half widths and gaps apart, and each
    pair in `least` at least that distance."""
    conflicts = _conflicts(net, layers)
    above: list[list[int]] = [[] for _ in net.rank]
    below: list[list[int]] = [[] for _ in net.rank]
    place = [0] * len(net.rank)
    for layer in layers:
        for index, vertex in enumerate(layer):
            place[vertex] = index
    for a, b in _spine(net):
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


def _spine(net: Net) -> list[Pair]:
    """The segments that vertices may be aligned along: not those to a leaf (or a last result) from
    a vertex that leads further. Else a long chain, each vertex with a weight of its own, would
    move aside by half a box in every layer."""
    first, last = [True] * len(net.rank), [True] * len(net.rank)
    for a, b in net.segments:
        first[b] = last[a] = False
    fed, used = [False] * len(net.rank), [False] * len(net.rank)
    for a, b in net.segments:
        fed[b] |= not first[a]
        used[a] |= not last[b]
    return [
        (a, b) for a, b in net.segments if not (first[a] and fed[b]) and not (last[b] and used[a])
    ]


def _conflicts(net: Net, layers: Sequence[Sequence[int]]) -> set[Pair]:
    """The segments that cross a border, or a stretch of a long edge that is to be straight."""
    place = [0] * len(net.rank)
    for layer in layers:
        for index, vertex in enumerate(layer):
            place[vertex] = index
    by_rank: list[list[Pair]] = [[] for _ in layers]
    for a, b in net.segments:
        by_rank[net.rank[a]].append((a, b))
    found: set[Pair] = set()
    for pairs in by_rank:
        pairs.sort(key=lambda pair: (place[pair[0]], place[pair[1]]))
        kept: list[Pair] = [(place[a], place[b]) for a, b in pairs if a in net.side]
        for inner in (True, False):
            starts, ends = [one for one, _ in kept], [other for _, other in kept]
            high = -1
            for a, b in pairs:
                if a in net.side or (a >= net.count and b >= net.count) is not inner:
                    continue
                if _crosses(starts, ends, place[a], place[b]) or (inner and place[b] < high):
                    found.add((a, b))
                elif inner:
                    kept.append((place[a], place[b]))
                    high = place[b]
            kept.sort()
    return found


def _crosses(starts: Sequence[int], ends: Sequence[int], start: int, end: int) -> bool:
    """Whether a segment crosses one of those, which don't cross each other and are in order."""
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
    """For each vertex the block it is aligned with, named by the block's first vertex."""
    root = list(range(len(place)))
    taken = [False] * len(place)  # whether the vertex in the row before is aligned already
    for row in rows:
        reached = len(place) if right else -1
        for vertex in reversed(row) if right else row:
            others = near[vertex]
            if not others:
                continue
            low, high = (len(others) - 1) // 2, len(others) // 2
            for one in (high, low) if right else (low, high):
                other = others[one]
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
    """Each block as far left as it goes (or right), then close to the next on the other side."""
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
    after: dict[int, list[tuple[int, float]]] = {one: [] for one in root}
    waiting = dict.fromkeys(after, 0)
    for (a, b), distance in apart.items():
        after[a].append((b, distance))
        waiting[b] += 1
    x = dict.fromkeys(after, 0.0)
    order = [one for one in after if not waiting[one]]
    for one in order:
        here = x[one]
        for b, distance in after[one]:
            if here + distance > x[b]:
                x[b] = here + distance
            waiting[b] -= 1
            if not waiting[b]:
                order.append(b)
    for one in reversed(order):
        if after[one]:
            x[one] = max(x[one], min(x[b] - distance for b, distance in after[one]))
    return [sign * x[one] for one in root]


def _averaged(results: list[list[float]], half: Sequence[float]) -> list[float]:
    """The four results moved onto the narrowest, then the mean of the middle two for each vertex:
    that keeps all distances that the four keep."""
    if not half:
        return []
    lefts = [min(map(float.__sub__, xs, half)) for xs in results]
    rights = [max(map(float.__add__, xs, half)) for xs in results]
    best = min(range(4), key=lambda one: rights[one] - lefts[one])
    for one, xs in enumerate(results):
        shift = rights[best] - rights[one] if one % 2 else lefts[best] - lefts[one]
        xs[:] = [x + shift for x in xs]
    return [sum(sorted(four)[1:3]) / 2 for four in zip(*results, strict=True)]
