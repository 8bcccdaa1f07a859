"""The canvas: a drawing as outlines and texts, which the formats write as SVG, PNG or PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from .typeface import Face

Point = tuple[float, float]
# ("M", p), ("L", p), ("C", p, p, p) with control points, ("Z",)
Command = tuple[str, *tuple[Point, ...]]
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Outline:
    """A path that is filled, stroked or both; a tone is the name of a colour in a style."""

    commands: tuple[Command, ...]
    fill: str | None = None
    stroke: str | None = None
    width: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass(frozen=True)
class Text:
    """One line of text. `at` is the start, middle or end of its baseline, as `anchor` says; `halo`
    draws a rim in the paper's colour around it, so that it can be read on top of lines."""

    at: Point
    text: str
    size: float = 12.0
    face: Face = "sans"
    tone: str = "ink"
    anchor: Anchor = "middle"
    halo: bool = False


Mark = Outline | Text


@dataclass(frozen=True)
class Part:
    """The marks of one item: `key` is the item's key, `tip` the text of its tooltip."""

    marks: tuple[Mark, ...]
    key: str = ""
    tip: str = ""


@dataclass
class Canvas:
    """All parts, in painting order."""

    width: float
    height: float
    title: str = ""
    parts: list[Part] = field(default_factory=list)

    def add(self, *marks: Mark, key: str = "", tip: str = "") -> None:
        """Paint `marks` on top of the earlier parts."""
        if marks:
            self.parts.append(Part(marks, key, tip))


def rounded(x: float, y: float, w: float, h: float, r: float) -> tuple[Command, ...]:
    """A rectangle with corners of radius r; r = h/2 gives a pill."""
    r = min(r, w / 2, h / 2)
    if r <= 0:
        return polygon([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
    k = r * 0.44772  # from a corner to the control points of a quarter circle
    return (
        ("M", (x + r, y)),
        ("L", (x + w - r, y)),
        ("C", (x + w - k, y), (x + w, y + k), (x + w, y + r)),
        ("L", (x + w, y + h - r)),
        ("C", (x + w, y + h - k), (x + w - k, y + h), (x + w - r, y + h)),
        ("L", (x + r, y + h)),
        ("C", (x + k, y + h), (x, y + h - k), (x, y + h - r)),
        ("L", (x, y + r)),
        ("C", (x, y + k), (x + k, y), (x + r, y)),
        ("Z",),
    )


def polygon(points: Sequence[Point]) -> tuple[Command, ...]:
    """A closed polygon."""
    return (("M", points[0]), *(("L", point) for point in points[1:]), ("Z",))


def cut(x: float, y: float, w: float, h: float, c: float) -> tuple[Command, ...]:
    """A rectangle with corners cut off by c."""
    return polygon(
        [
            (x + c, y),
            (x + w - c, y),
            (x + w, y + c),
            (x + w, y + h - c),
            (x + w - c, y + h),
            (x + c, y + h),
            (x, y + h - c),
            (x, y + c),
        ]
    )


def circle(x: float, y: float, r: float) -> tuple[Command, ...]:
    """A circle with centre (x, y)."""
    return rounded(x - r, y - r, 2 * r, 2 * r, r)


def wire(points: Sequence[Point], *, right: bool = False) -> tuple[Command, ...]:
    """An edge through these points: a straight line between vertically aligned points, otherwise a
    curve with vertical ends (horizontal ones with `right`)."""
    commands: list[Command] = [("M", points[0])]
    for (x, y), (u, v) in pairwise(points):
        if (y == v) if right else (x == u):
            commands.append(("L", (u, v)))
        elif right:
            middle = (x + u) / 2
            commands.append(("C", (middle, y), (middle, v), (u, v)))
        else:
            middle = (y + v) / 2
            commands.append(("C", (x, middle), (u, middle), (u, v)))
    return tuple(commands)


def flattened(commands: Sequence[Command], steps: int = 16) -> list[list[Point]]:
    """The outline as polylines; each curve becomes `steps` straight lines."""
    runs: list[list[Point]] = []
    for kind, *points in commands:
        if kind == "M":
            runs.append([points[0]])
        elif kind == "Z":
            runs[-1].append(runs[-1][0])
        elif kind == "L":
            runs[-1].append(points[0])
        else:
            (a, b), (c, d), (e, f), (g, h) = runs[-1][-1], *points
            for step in range(1, steps + 1):
                t = step / steps
                s = 1 - t
                p, q, r, o = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
                runs[-1].append((p * a + q * c + r * e + o * g, p * b + q * d + r * f + o * h))
    return runs
