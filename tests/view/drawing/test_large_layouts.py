"""Layouts of many boxes and edges: without overlap, narrow, and fast."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from palingrad.view.drawing.layout import network
from palingrad.view.drawing.layout.layered import layout


def test_thousands_of_boxes_with_edges_over_all_layers_are_placed(monkeypatch):
    """Long edges are many here: they share their way, and the longest give theirs up, as they do
    among ten thousand boxes."""
    monkeypatch.setattr(network, "MOST_PASSES", 12_000)  # the edges would pass 13,000 places
    rng = random.Random(0)
    sizes = {f"n{k}": (60.0, 30.0) for k in range(3000)}
    edges = [(f"n{rng.randrange(k)}", f"n{k}") for k in range(1, 3000) for _ in range(2)]
    edges += [(f"n{k - 1}", f"n{k}") for k in range(1, 3000, 3)]
    placed = layout(sizes, edges)
    assert len(placed.positions) == 3000
    assert all(len(path) >= 2 for path in placed.paths)


def test_a_long_chain_with_weights_of_its_own_and_shared_ones_stays_narrow_and_light():
    """No drift in 2,000 layers, and a way that 400 edges share isn't walked 400 times."""
    chain = [(f"h{k}", f"h{k + 1}") for k in range(2000)]
    own = [(f"w{k}", f"h{k + 1}") for k in range(2000)]
    shared = [(f"s{k % 5}", f"h{k + 1}") for k in range(2000)]
    edges = chain + own + shared
    sizes = {key: (90.0, 40.0) for edge in edges for key in edge}
    placed = layout(sizes, edges)
    assert placed.width < 1200
    assert sum(map(len, placed.paths)) < 40 * len(edges)


@pytest.mark.parametrize(
    ("count", "edges"),
    [
        (1500, [(0, k) for k in range(1, 1500)]),
        (1500, [(k, 0) for k in range(1, 1500)]),
        (1500, []),
        (200, [(i, j) for i in range(100) for j in range(100, 200)]),
        (100, [(i, j) for j in range(100) for i in range(j)]),
        (900, [(k, k + step) for k in range(870) for step in (1, 30)]),
    ],
    ids=["fans out", "fans in", "alone", "dense", "every earlier one", "grid"],
)
def test_other_shapes_are_placed_apart(count: int, edges: list[tuple[int, int]]):
    placed = layout(
        {str(k): (20.0, 20.0) for k in range(count)}, [(str(a), str(b)) for a, b in edges]
    )
    rows: dict[float, list[float]] = {}
    for x, y in placed.positions.values():
        rows.setdefault(y, []).append(x)
    assert sum(map(len, rows.values())) == count
    assert all(b - a > 40.0 for row in rows.values() for a, b in pairwise(sorted(row)))
