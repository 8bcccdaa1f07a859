"""Ranks: assigns a layer to each vertex; every edge leads to a later layer, and edges are short."""

from __future__ import annotations

from collections.abc import Collection, Sequence

Edge = tuple[int, int]
Group = tuple[str, ...]


def acyclic(count: int, edges: Sequence[Edge]) -> list[bool]:
    """Whether to reverse each edge to make the graph acyclic: the back edges of a depth-first
    search."""
    after: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for number, (a, b) in enumerate(edges):
        after[a].append((b, number))
    turned = [False] * len(edges)
    state = bytearray(count)  # 0 new, 1 on the path, 2 done
    for start in range(count):
        if state[start]:
            continue
        state[start] = 1
        stack = [(start, iter(after[start]))]
        while stack:
            vertex, rest = stack[-1]
            for b, number in rest:
                if state[b] == 1:
                    turned[number] = True
                elif not state[b]:
                    state[b] = 1
                    stack.append((b, iter(after[b])))
                    break
            else:
                state[vertex] = 2
                stack.pop()
    return turned


def common(one: Group, other: Group) -> Group:
    """The longest common prefix: the groups that contain both."""
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return one[:length]


def least_lengths(
    groups: Sequence[Group], edges: Sequence[Edge], weak: Collection[int]
) -> list[int]:
    """Returns the least length of each edge, 1 or 2.

    It is 2 for an edge that enters a group at a vertex which also has a leaf in that group: the
    leaf then fits in the layer between, so that consecutive groups don't overlap vertically. The
    same holds for edges that leave a group at a vertex with a result in it.
    """
    fed, used = [False] * len(groups), [False] * len(groups)
    for a, b in edges:
        fed[b] = used[a] = True
    above, below = [0] * len(groups), [0] * len(groups)  # group depth shared with a leaf, a result
    for a, b in edges:
        depth = len(common(groups[a], groups[b]))
        if not fed[a]:
            above[b] = max(above[b], depth)
        if not used[b]:
            below[a] = max(below[a], depth)
    lengths = [1] * len(edges)
    for number, (a, b) in enumerate(edges):
        depth = len(common(groups[a], groups[b]))
        if number not in weak and ((fed[a] and above[b] > depth) or (used[b] and below[a] > depth)):
            lengths[number] = 2
    return lengths


def ranked(
    count: int, edges: Sequence[Edge], weak: Collection[int] = (), lengths: Sequence[int] = ()
) -> list[int]:
    """Returns the rank of each vertex of an acyclic graph.

    Starts with the length of the longest path to each vertex, then moves each vertex down, last
    ones first, to where the total length of its edges is least. Edges with numbers in `weak` don't
    count in that total. `lengths` are the least lengths of the edges, 1 by default.

    Network simplex (Gansner et al. 1993) is exact; on computational graphs, where most vertices
    have one consumer, this method gives the same result in linear time.
    """
    before: list[list[Edge]] = [[] for _ in range(count)]  # (other end, least length)
    after: list[list[Edge]] = [[] for _ in range(count)]
    waiting = [0] * count
    pull = [0] * count  # outgoing minus incoming edges: > 0 if a higher rank shortens the edges
    strong: set[int] = set()
    for number, (a, b) in enumerate(edges):
        if a == b:
            continue
        length = lengths[number] if lengths else 1
        before[b].append((a, length))
        after[a].append((b, length))
        waiting[b] += 1
        if number not in weak:
            pull[a] += 1
            pull[b] -= 1
            strong.add(a)
    rank = [0] * count
    order = [vertex for vertex in range(count) if not waiting[vertex]]
    for vertex in order:
        for b, length in after[vertex]:
            rank[b] = max(rank[b], rank[vertex] + length)
            waiting[b] -= 1
            if not waiting[b]:
                order.append(b)
    for _ in range(2):
        for vertex in reversed(order):
            uses = after[vertex]
            if vertex in strong and pull[vertex] >= 0:
                rank[vertex] = min(rank[b] - length for b, length in uses)
        for vertex in order:
            sources = before[vertex]
            if sources and pull[vertex] < 0:
                rank[vertex] = max(rank[a] + length for a, length in sources)
    lowest = min(rank, default=0)
    return [value - lowest for value in rank]
