"""Colourings: which columns, or rows, of a sparse matrix are computed together.

Columns that share no row can be added up without loss: one product with a vector of ones at those
columns gives all their entries. A colour is such a set of columns. For a symmetric matrix a *star
colouring* needs fewer: each entry has to be alone in one of its two places.

Source: A. Gebremedhin, F. Manne, A. Pothen, "What color is your Jacobian?", SIAM Review 47, 2005.
The sets of colours in use are bit masks, which make one step cost the length of a row or column.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from ..dtypes import Array
from .orderings import by_classes, orderings


def column_colours(starts: Array, items: Array, size: int, *, enough: int = 0) -> Array:
    """A colour for each of `size` columns of a CSR matrix: two that share a row have two colours.

    The best of greedy colourings in several orders, each repeated class by class while that takes
    fewer colours; `enough` colours stop the search, by default the largest number of entries of a
    row, than which no colouring has fewer.
    """
    enough = max(enough, int(np.diff(starts).max(initial=0)), 1)
    rows_of = _transposed(starts, items, size)
    best = np.zeros(size, np.int64)
    fewest = size + 1
    for order in orderings(starts, items, rows_of):
        found = _greedy(order, rows_of, len(starts) - 1)
        before = size + 2
        while (count := int(found.max(initial=0)) + 1) < before:
            if count < fewest:
                best, fewest = found, count
            if fewest <= enough:
                return best
            before = count
            found = _greedy(by_classes(found), rows_of, len(starts) - 1)
    return best


def star_colours(starts: Array, items: Array) -> Array:
    """A star colouring of a symmetric matrix: neighbours differ, and every path of four vertices
    has three colours. Then each entry is alone in its row, or in its column, with its colour."""
    size = len(starts) - 1
    neighbours = _neighbours(starts, items)
    best = np.zeros(size, np.int64)
    fewest = size + 1
    for order in orderings(starts, items, _transposed(starts, items, size)):
        found = _greedy_star(order.tolist(), neighbours)
        if found.max(initial=0) + 1 < fewest:
            best, fewest = found, int(found.max(initial=0)) + 1
        if fewest <= 2:
            break
    return best


def transposed(starts: Array, items: Array, size: int) -> tuple[Array, Array, Array]:
    """(starts, items, places): the same entries by columns, and each one's place in `items`."""
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    places = np.argsort(items, kind="stable")
    ends = np.cumsum(np.bincount(items, minlength=size))
    return np.concatenate(([0], ends)), rows[places], places


def _transposed(starts: Array, items: Array, size: int) -> list[list[int]]:
    """The rows of each column."""
    first, rows, _ = transposed(starts, items, size)
    return _lists(first, rows)


def _lists(starts: Array, items: Array) -> list[list[int]]:
    flat, ends = items.tolist(), starts.tolist()
    return [flat[low:high] for low, high in pairwise(ends)]


def _neighbours(starts: Array, items: Array) -> list[list[int]]:
    """The other vertices of each vertex's edges: off-diagonal entries."""
    return [
        [other for other in row if other != vertex]
        for vertex, row in enumerate(_lists(starts, items))
    ]


def _lowest_free(used: int) -> int:
    """The lowest bit that a mask doesn't have."""
    return (~used & (used + 1)).bit_length() - 1


def _greedy(order: Array, rows_of: Sequence[Sequence[int]], rows: int) -> Array:
    """Each column in this order gets the lowest colour that no column of its rows has."""
    colours = np.zeros(len(rows_of), np.int64)
    used = [0] * rows  # the colours of each row, as bits
    for column in order.tolist():
        taken = 0
        for row in rows_of[column]:
            taken |= used[row]
        colour = _lowest_free(taken)
        colours[column] = colour
        bit = 1 << colour
        for row in rows_of[column]:
            used[row] |= bit
    return colours


def _greedy_star(order: Iterable[int], neighbours: Sequence[Sequence[int]]) -> Array:
    """Each vertex in this order gets the lowest colour that closes no path of two colours.

    Colours are bits. once[x] has the colours of x's neighbours, twice[x] those of two of them or
    more, and barred[w] the colours a of neighbours x of w such that x has another neighbour of w's
    colour b: one more neighbour of w with colour a would end a path a, b, a, b.
    """
    size = len(neighbours)
    colour = [-1] * size
    once, twice, barred = [0] * size, [0] * size, [0] * size
    first: list[dict[int, int]] = [{} for _ in range(size)]  # of x, by a colour: a neighbour of it
    for v in order:
        near = [x for x in neighbours[v] if colour[x] >= 0]
        taken = 0
        for x in near:
            taken |= 1 << colour[x] | barred[x]
            if twice[v] >> colour[x] & 1:  # v would be between two vertices of this colour
                taken |= once[x]
        a = colour[v] = _lowest_free(taken)
        bit = 1 << a
        for x in near:
            if twice[v] >> colour[x] & 1:
                barred[x] |= bit
        for x in neighbours[v]:
            if not once[x] & bit:
                once[x] |= bit
                first[x][a] = v
                continue
            if colour[x] >= 0:
                barred[v] |= 1 << colour[x]
                barred[first[x][a]] |= 1 << colour[x]
            twice[x] |= bit
    return np.array(colour, np.int64)
