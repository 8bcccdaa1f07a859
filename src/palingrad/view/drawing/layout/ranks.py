"""Ranks: the layer of each vertex, so that every edge leads to a later one and edges are short."""

from __future__ import annotations

from collections.abc import Collection, Sequence

Edge = tuple[int, int]
Group = tuple[str, ...]


def acyclic(count: int, edges: Sequence[Edge]) -> list[bool]:
    """Which edges to turn round, so that no circle is left: those that lead back into the path of
    a depth-first search."""
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
    """The groups that both are in."""
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return one[:length]


def room(groups: Sequence[Group], edges: Sequence[Edge], weak: Collection[int]) -> list[int]:
    """The least length of each edge: 2 for one that enters a group at a vertex which has a leaf of
    that group too, so that the leaf, in the layer between, is below where the edge comes from. Then
    groups that follow each other stand below each other. The same where edges leave."""
    fed, used = [False] * len(groups), [False] * len(groups)
    for a, b in edges:
        fed[b] = used[a] = True
    above, below = [0] * len(groups), [0] * len(groups)  # the depth shared with a leaf, a result
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
    """A rank for each vertex of an acyclic graph: the longest path to it, then each vertex moved
    down to where its edges are shortest, starting from the last. The length of the edges whose
    numbers are in `weak` doesn't count. `lengths` are the least lengths of the edges, else 1.

    Network simplex (Gansner et al. 1993) would be exact; on graphs of computations, where most
    vertices have one consumer, this gives the same and is linear.
    """
    before: list[list[Edge]] = [[] for _ in range(count)]  # the other end, and the least length
    after: list[list[Edge]] = [[] for _ in range(count)]
    waiting = [0] * count
    pull = [0] * count  # how many edges want the vertex lower, less those that want it higher
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
    return [one - lowest for one in rank]
