"""What a drawing is made of before it becomes SVG, PNG or PDF: outlines, texts, and their tones."""

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
    """A path that is filled, drawn or both; tones are names of a style's colours."""

    commands: tuple[Command, ...]
    fill: str | None = None
    stroke: str | None = None
    width: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass(frozen=True)
class Text:
    """One line of text; `at` is where its baseline starts, has its middle, or ends. `halo` keeps
    a rim of paper around it, where it stands on lines."""

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
    """Marks that belong together: `key` names the node they show, `tip` tells more about it."""

    marks: tuple[Mark, ...]
    key: str = ""
    tip: str = ""


@dataclass
class Canvas:
    """All parts in the order they are painted."""

    width: float
    height: float
    title: str = ""
    parts: list[Part] = field(default_factory=list)

    def add(self, *marks: Mark, key: str = "", tip: str = "") -> None:
        """Paint `marks` over what is there."""
        if marks:
            self.parts.append(Part(marks, key, tip))


def rounded(x: float, y: float, w: float, h: float, r: float) -> tuple[Command, ...]:
    """A rectangle with round corners of radius r; half of its height makes a pill."""
    r = min(r, w / 2, h / 2)
    if r <= 0:
        return polygon([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
    k = r * 0.44772  # from a corner to the control points of a quarter of a circle
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
    """Straight lines around."""
    return (("M", points[0]), *(("L", point) for point in points[1:]), ("Z",))


def cut(x: float, y: float, w: float, h: float, c: float) -> tuple[Command, ...]:
    """A rectangle whose corners are cut off."""
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
    """A circle around (x, y)."""
    return rounded(x - r, y - r, 2 * r, 2 * r, r)


def wire(points: Sequence[Point], *, right: bool = False) -> tuple[Command, ...]:
    """An edge through these points: straight where two stand below each other, else a curve that
    starts and ends vertically (horizontally with `right`)."""
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
    """The outline as runs of points, curves as `steps` straight lines."""
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
