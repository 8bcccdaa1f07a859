"""A layered drawing of a graph (Sugiyama, Tagawa & Toda 1981): layers, orders, coordinates, paths.

Every step is a loop of about linear time, and nothing is random: the same graph, the same drawing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Where everything is: the centre of each box, a list of points for each edge, the size."""

    positions: dict[str, Point]
    paths: list[list[Point]]
    width: float
    height: float


def layout(sizes: Mapping[str, tuple[float, float]], edges: Sequence[tuple[str, str]]) -> Layout:
    """Boxes of these sizes (width, height) in layers from above to below, edges downwards."""
    keys = list(sizes)
    after: dict[str, list[str]] = {key: [] for key in keys}
    waiting = dict.fromkeys(keys, 0)
    for source, target in edges:
        after[source].append(target)
        waiting[target] += 1
    rank = dict.fromkeys(keys, 0)
    ready = [key for key in keys if not waiting[key]]
    for key in ready:
        for target in after[key]:
            rank[target] = max(rank[target], rank[key] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    positions: dict[str, Point] = {}
    across: dict[int, float] = {}
    down = 0.0
    layers: dict[int, list[str]] = {}
    for key in keys:
        layers.setdefault(rank[key], []).append(key)
    for number in sorted(layers):
        tall = max(sizes[key][1] for key in layers[number])
        x = 0.0
        for key in layers[number]:
            positions[key] = (x + sizes[key][0] / 2, down + tall / 2)
            x += sizes[key][0] + 24
        across[number] = x - 24
        down += tall + 40
    paths = [
        [
            (positions[a][0], positions[a][1] + sizes[a][1] / 2),
            (positions[b][0], positions[b][1] - sizes[b][1] / 2),
        ]
        for a, b in edges
    ]
    return Layout(positions, paths, max(across.values(), default=0.0), max(down - 40, 0.0))
