"""Orders in which a greedy colouring takes the columns of a sparse matrix.

Two columns are adjacent if they share a row. Sources: D. Welsh and M. Powell 1967 (largest first),
D. Matula 1968 (smallest last), T. Coleman and J. Moré 1983 (incidence degree); J. Culberson 1992
(an order by the classes of a colouring never needs more colours).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise

import numpy as np

from ..dtypes import Array

_EDGES = 1_000_000  # the largest adjacency that is made; without it two orders are left


def orderings(starts: Array, items: Array, rows_of: Sequence[Sequence[int]]) -> Iterator[Array]:
    """Orders of the columns: as they are, largest first, smallest last, by incidence degree."""
    size = len(rows_of)
    yield np.arange(size)
    lengths = np.diff(starts).tolist()
    degree = [sum(lengths[row] - 1 for row in rows) for rows in rows_of]
    yield np.argsort(-np.array(degree, np.int64), kind="stable")
    if sum(degree) <= _EDGES:
        adjacent = _adjacent(starts, items, rows_of)
        yield _smallest_last(adjacent)
        yield _incidence(adjacent)


def by_classes(colours: Array) -> Array:
    """The columns class by class, the last colour first."""
    return np.argsort(-colours, kind="stable")


def _adjacent(starts: Array, items: Array, rows_of: Sequence[Sequence[int]]) -> list[list[int]]:
    """The columns that share a row with each column."""
    flat, ends = items.tolist(), starts.tolist()
    rows = [flat[low:high] for low, high in pairwise(ends)]
    result: list[list[int]] = []
    for column, its in enumerate(rows_of):
        others = {other for row in its for other in rows[row]}
        others.discard(column)
        result.append(sorted(others))
    return result


def _smallest_last(adjacent: Sequence[Sequence[int]]) -> Array:
    """The last column has the fewest neighbours; so has each one, among those before it."""
    degree = [len(others) for others in adjacent]
    heap = [(d, column) for column, d in enumerate(degree)]
    heapify(heap)
    done = [False] * len(adjacent)
    order: list[int] = []
    while heap:
        d, column = heappop(heap)
        if done[column] or d != degree[column]:
            continue
        done[column] = True
        order.append(column)
        for other in adjacent[column]:
            if not done[other]:
                degree[other] -= 1
                heappush(heap, (degree[other], other))
    return np.array(order[::-1], np.int64)


def _incidence(adjacent: Sequence[Sequence[int]]) -> Array:
    """Next comes the column with the most neighbours among those that are already ordered."""
    coloured = [0] * len(adjacent)
    heap = [(0, -len(others), column) for column, others in enumerate(adjacent)]
    heapify(heap)
    done = [False] * len(adjacent)
    order: list[int] = []
    while heap:
        count, _, column = heappop(heap)
        if done[column] or -count != coloured[column]:
            continue
        done[column] = True
        order.append(column)
        for other in adjacent[column]:
            if not done[other]:
                coloured[other] += 1
                heappush(heap, (-coloured[other], -len(adjacent[other]), other))
    return np.array(order, np.int64)
