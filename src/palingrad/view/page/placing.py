"""The layout of the page's cards: their widths, their positions, and the points of the lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...graph.operation import MultipleOutputs
from ..drawing.layout.layered import Layout, layout
from ..drawing.model import Picture

HEIGHT = 46.0  # of a node's card with two lines of text, in pixels
LARGE = 1_500  # nodes of a graph from which on the layout ignores edges of frequently used leaves
USES = 8  # uses above which a leaf counts as frequently used
SHARED = 2  # uses in an optimizer's step above which a node counts as shared by all Variables
SPACE = 120.0  # between the two passes and the optimizer's step

Point = tuple[float, float]


def width(node: Mapping[str, Any]) -> float:
    """The width of a node's card, for two lines of about seven pixels per character."""
    unnamed = node["n"] == node["o"] or node["t"] != "operation"
    first = len(node["n"]) + (0 if unnamed else 2 + len(node["o"]))
    second = 17 if node["sh"] == [] else 12 + len(str(node["sh"] or ""))
    return float(min(210, max(92, 24 + 7.2 * max(first, 0.9 * second))))


def placed(shown: Picture, sizes: Mapping[str, tuple[float, float]]) -> Layout:
    """Returns the layout of all cards, with one path for each link of the picture.

    The optimizer's step is laid out separately, as a small graph per Variable beside the two
    passes; in common layers it would be too wide to read.
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
            {key: sizes[key] for key in keys},
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
        paths[n] = paths[n] or _straight(drawn.positions, sizes, pair)
    return replace(drawn, paths=paths)


def _both(pair: tuple[str, str], roles: Mapping[str, str], role: str) -> bool:
    """Whether both ends of a link have this role. (Links of the backward pass point up.)"""
    return roles[pair[0]] == roles[pair[1]] == role


def _beside(drawn: Layout, part: Layout) -> Point:
    """The offset of the next part: to the right of the drawn ones, or below if they are wide."""
    if not drawn.positions:
        return 0.0, 0.0
    return (
        (drawn.width + SPACE, 0.0)
        if drawn.width < 2 * drawn.height
        else (0.0, drawn.height + SPACE)
    )


def _with(drawn: Layout, part: Layout, right: float, down: float) -> Layout:
    """The layout of both parts; a frame in both keeps its first position."""
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
    """The links that the layout of an optimizer's step ignores: those from the two passes, those to
    the group of all assignments, and all but the first from a node shared by all Variables."""
    groups = {item.key for item in shown.items if isinstance(item.node, MultipleOutputs)}
    uses: dict[str, list[int]] = {}
    ignored: set[int] = set()
    for n, (a, b) in enumerate(pairs):
        if _both((a, b), roles, "update") and b not in groups:
            uses.setdefault(a, []).append(n)
        elif "update" in (roles[a], roles[b]):
            ignored.add(n)
    return ignored | {n for numbers in uses.values() if len(numbers) > SHARED for n in numbers[1:]}


def _far(shown: Picture, pairs: Sequence[tuple[str, str]]) -> set[int]:
    """In a large graph, all but the first use of each frequently used leaf: their dummy vertices in
    every layer would dominate the layout."""
    if len(shown.items) < LARGE:
        return set()
    leaves = {item.key for item in shown.items if not item.node.inputs}
    uses: dict[str, list[int]] = {}
    for number, (source, _) in enumerate(pairs):
        if source in leaves:
            uses.setdefault(source, []).append(number)
    return {n for numbers in uses.values() if len(numbers) > USES for n in numbers[1:]}


def _straight(
    positions: Mapping[str, Point], sizes: Mapping[str, Point], pair: tuple[str, str]
) -> list[Point]:
    (ax, ay), (bx, by) = positions[pair[0]], positions[pair[1]]
    (_, above), (_, below) = sizes[pair[0]], sizes[pair[1]]
    sign = 1 if by >= ay else -1
    return [(ax, ay + sign * above / 2), (bx, by - sign * below / 2)]


def straightened(path: Sequence[Point]) -> list[Point]:
    """The points of a line without those inside a vertical segment."""
    points = list(path[:1])
    for place in range(1, len(path) - 1):
        if not points[-1][0] == path[place][0] == path[place + 1][0]:
            points.append(path[place])
    return [*points, path[-1]] if len(path) > 1 else points
