"""Where the cards stand: their sizes, the layout, and lines without points they don't need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..layout import Layout, layout
from ..model import Picture

HEIGHT = 46.0  # of a node's card, in pixels
LARGE = 1_500  # nodes of a graph whose layout leaves out what is used over and over
USES = 8  # of a leaf that count as over and over

Point = tuple[float, float]


def width(node: Mapping[str, Any]) -> float:
    """The width of a node's card: its two lines, at seven pixels a character."""
    unnamed = node["n"] == node["o"] or node["t"] != "operation"
    first = len(node["n"]) + (0 if unnamed else 2 + len(node["o"]))
    second = 17 if node["sh"] == [] else 12 + len(str(node["sh"] or ""))
    return float(min(210, max(92, 24 + 7.2 * max(first, 0.9 * second))))


def placed(shown: Picture, widths: Mapping[str, float]) -> Layout:
    """The layout of all cards, with one path for each link of the picture."""
    sizes = {item.key: (widths[item.key], HEIGHT) for item in shown.items}
    groups = {item.key: item.scope for item in shown.items if item.scope}
    pairs = [(link.source, link.target) for link in shown.links]
    far = _far(shown, pairs)
    near = [pair for number, pair in enumerate(pairs) if number not in far]
    drawn = layout(sizes, near, groups=groups, upward=_upward(shown, near))
    paths = iter(drawn.paths)
    every = [
        _straight(drawn.positions, pair) if number in far else next(paths)
        for number, pair in enumerate(pairs)
    ]
    return replace(drawn, paths=every)


def _upward(shown: Picture, pairs: Sequence[tuple[str, str]]) -> set[int]:
    """Edges inside the backward part lead up: it stands beside the forward part, mirrored."""
    back = {item.key for item in shown.items if item.role == "backward"}
    return {number for number, (a, b) in enumerate(pairs) if a in back and b in back}


def _far(shown: Picture, pairs: Sequence[tuple[str, str]]) -> set[int]:
    """In a large graph, the uses of a leaf that is used over and over, all but the first: as lines
    of their own through every layer they would be most of the layout."""
    if len(shown.items) < LARGE:
        return set()
    leaves = {item.key for item in shown.items if not item.node.inputs}
    uses: dict[str, list[int]] = {}
    for number, (source, _) in enumerate(pairs):
        if source in leaves:
            uses.setdefault(source, []).append(number)
    return {n for numbers in uses.values() if len(numbers) > USES for n in numbers[1:]}


def _straight(positions: Mapping[str, Point], pair: tuple[str, str]) -> list[Point]:
    (ax, ay), (bx, by) = positions[pair[0]], positions[pair[1]]
    half = HEIGHT / 2 if by >= ay else -HEIGHT / 2
    return [(ax, ay + half), (bx, by - half)]


def straightened(path: Sequence[Point]) -> list[Point]:
    """The points of a line without those in the middle of a straight piece."""
    kept = list(path[:1])
    for place in range(1, len(path) - 1):
        if not kept[-1][0] == path[place][0] == path[place + 1][0]:
            kept.append(path[place])
    return [*kept, path[-1]] if len(path) > 1 else kept
