"""Ranks: the layer of each vertex, so that every edge leads to a later one and edges are short."""

from __future__ import annotations

from collections.abc import Collection, Sequence

Edge = tuple[int, int]


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


def ranked(count: int, edges: Sequence[Edge], weak: Collection[int] = ()) -> list[int]:
    """A rank for each vertex of an acyclic graph: the longest path to it, then each vertex moved
    down to where its edges are shortest, starting from the last. The length of the edges whose
    numbers are in `weak` doesn't count.

    Network simplex (Gansner et al. 1993) would be exact; on graphs of computations, where most
    vertices have one consumer, this gives the same and is linear.
    """
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    pull = [0] * count  # how many edges want the vertex lower, less those that want it higher
    strong: set[int] = set()
    for number, (a, b) in enumerate(edges):
        if a == b:
            continue
        before[b].append(a)
        after[a].append(b)
        waiting[b] += 1
        if number not in weak:
            pull[a] += 1
            pull[b] -= 1
            strong.add(a)
    rank = [0] * count
    order = [vertex for vertex in range(count) if not waiting[vertex]]
    for vertex in order:
        for b in after[vertex]:
            rank[b] = max(rank[b], rank[vertex] + 1)
            waiting[b] -= 1
            if not waiting[b]:
                order.append(b)
    for _ in range(2):
        for vertex in reversed(order):
            uses = after[vertex]
            if vertex in strong and pull[vertex] >= 0:
                rank[vertex] = min(rank[b] for b in uses) - 1
        for vertex in order:
            sources = before[vertex]
            if sources and pull[vertex] < 0:
                rank[vertex] = max(rank[a] for a in sources) + 1
    lowest = min(rank, default=0)
    return [one - lowest for one in rank]
