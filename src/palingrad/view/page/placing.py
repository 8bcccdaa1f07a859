"""Where the cards stand: their sizes, the layout, and lines without points they don't need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...graph.operation import MultipleOutputs
from ..drawing.layout.layered import Layout, layout
from ..drawing.model import Picture

HEIGHT = 46.0  # of a node's card, in pixels
LARGE = 1_500  # nodes of a graph whose layout leaves out what is used over and over
USES = 8  # of a leaf that count as over and over
SHARED = 2  # uses in an optimizer's step, above which a number belongs to all Variables
SPACE = 120.0  # between both passes and the step

Point = tuple[float, float]


def width(node: Mapping[str, Any]) -> float:
    """The width of a node's card: its two lines, at seven pixels a character."""
    unnamed = node["n"] == node["o"] or node["t"] != "operation"
    first = len(node["n"]) + (0 if unnamed else 2 + len(node["o"]))
    second = 17 if node["sh"] == [] else 12 + len(str(node["sh"] or ""))
    return float(min(210, max(92, 24 + 7.2 * max(first, 0.9 * second))))


def placed(shown: Picture, widths: Mapping[str, float]) -> Layout:
    """The layout of all cards, with one path for each link of the picture.

    What an optimizer does stands beside both passes, a small graph for each Variable: in layers
    with the rest it would be a strip too wide to be read.
    """
    roles = {item.key: item.role for item in shown.items}
    pairs = [(link.source, link.target) for link in shown.links]
    step = [key for key, role in roles.items() if role == "update"]
    passes = [key for key, role in roles.items() if role != "update"]
    apart = _far(shown, pairs) | _between(shown, pairs, roles)
    drawn, paths = Layout({}, [], 0.0, 0.0), [list[Point]()] * len(pairs)
    for keys in (passes, step):
        inside = set(keys)
        near = [
            n for n, (a, b) in enumerate(pairs) if n not in apart and a in inside and b in inside
        ]
        part = layout(
            {key: (widths[key], HEIGHT) for key in keys},
            [pairs[n] for n in near],
            groups={item.key: item.scope for item in shown.items if item.scope},
            upward={place for place, n in enumerate(near) if _both(pairs[n], roles, "backward")},
            weak={
                place for place, n in enumerate(near) if roles[pairs[n][0]] != roles[pairs[n][1]]
            },
        )
        right, down = _beside(drawn, part)
        for n, path in zip(near, part.paths, strict=True):
            paths[n] = [(x + right, y + down) for x, y in path]
        drawn = _with(drawn, part, right, down)
    for n, pair in enumerate(pairs):
        paths[n] = paths[n] or _straight(drawn.positions, pair)
    return replace(drawn, paths=paths)


def _both(pair: tuple[str, str], roles: Mapping[str, str], role: str) -> bool:
    """Inside the backward part edges lead up: it stands beside the forward part, mirrored."""
    return roles[pair[0]] == roles[pair[1]] == role


def _beside(drawn: Layout, part: Layout) -> Point:
    """Where the next part starts: on the right of what is there, below where that is wide."""
    if not drawn.positions:
        return 0.0, 0.0
    return (
        (drawn.width + SPACE, 0.0)
        if drawn.width < 2 * drawn.height
        else (0.0, drawn.height + SPACE)
    )


def _with(drawn: Layout, part: Layout, right: float, down: float) -> Layout:
    """Both; a frame that both have stays where it was."""
    moved = {key: (x + right, y + down) for key, (x, y) in part.positions.items()}
    frames = {group: (x + right, y + down, w, h) for group, (x, y, w, h) in part.frames.items()}
    width, height = (part.width + right, part.height + down) if moved else (0.0, 0.0)
    return Layout(
        drawn.positions | moved, [], max(drawn.width, width), max(drawn.height, height),
        frames | drawn.frames,
    )  # fmt: skip


def _between(
    shown: Picture, pairs: Sequence[tuple[str, str]], roles: Mapping[str, str]
) -> set[int]:
    """The links that the step of an optimizer is laid out without: from the passes, to what
    gathers all assignments, and from numbers that all Variables' steps share, but the first."""
    gathering = {item.key for item in shown.items if isinstance(item.node, MultipleOutputs)}
    uses: dict[str, list[int]] = {}
    found: set[int] = set()
    for n, (a, b) in enumerate(pairs):
        if _both((a, b), roles, "update") and b not in gathering:
            uses.setdefault(a, []).append(n)
        elif "update" in (roles[a], roles[b]):
            found.add(n)
    return found | {n for numbers in uses.values() if len(numbers) > SHARED for n in numbers[1:]}


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
