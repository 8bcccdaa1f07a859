"""What overprints what in an SVG: texts against other texts and against lines, by font metrics."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from typing import NamedTuple

from palingrad.view.drawing.typeface import Face, width

ABOVE, BELOW = 0.72, 0.21  # of the font size: what letters and digits take of a line
SLACK = 0.4  # what boxes may overlap, because coordinates are rounded

Point = tuple[float, float]


class Rect(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float


class Mark(NamedTuple):
    """A path or a text in painting order. `runs` are the flattened pieces of a path."""

    text: str
    box: Rect
    runs: list[list[Point]]
    filled: bool
    key: str


def overprints(svg: str) -> list[str]:
    """A sentence for each text that overprints another, or that a line or an outline crosses."""
    marks = _marks(ElementTree.fromstring(svg))
    found: list[str] = []
    for at, mark in enumerate(marks):
        if mark.text:
            found += [
                f"{mark.text!r} {_what(other)}"
                for place, other in enumerate(marks)
                if place != at and _collide(marks, at, place)
            ]
    return found


def _what(other: Mark) -> str:
    if other.text:
        return f"overprints {other.text!r}"
    x, y = other.runs[0][0]
    return f"is crossed by the path {other.key} from ({x:.0f}, {y:.0f})"


def _collide(marks: list[Mark], at: int, place: int) -> bool:
    mark, other = marks[at], marks[place]
    if not _overlap(mark.box, other.box):
        return False
    if other.text:
        return True
    crossed = any(_crosses(a, b, mark.box) for run in other.runs for a, b in pairwise(run))
    if place > at:  # painted over the text
        return crossed or (other.filled and _inside(mark.box, other.box))
    hidden = any(
        one.filled and not one.text and _inside(mark.box, one.box) for one in marks[place + 1 : at]
    )
    return crossed and not hidden


def _overlap(a: Rect, b: Rect) -> bool:
    return (
        a.left < b.right - SLACK and b.left < a.right - SLACK
        and a.top < b.bottom - SLACK and b.top < a.bottom - SLACK
    )  # fmt: skip


def _inside(inner: Rect, outer: Rect) -> bool:
    return (
        inner.left >= outer.left - SLACK and inner.right <= outer.right + SLACK
        and inner.top >= outer.top - SLACK and inner.bottom <= outer.bottom + SLACK
    )  # fmt: skip


def _crosses(a: Point, b: Point, box: Rect) -> bool:
    """Whether a segment meets the inside of a rectangle (Liang & Barsky's clipping)."""
    low, high = 0.0, 1.0
    for start, delta, least, most in (
        (a[0], b[0] - a[0], box.left + SLACK, box.right - SLACK),
        (a[1], b[1] - a[1], box.top + SLACK, box.bottom - SLACK),
    ):
        if delta == 0:
            if not least < start < most:
                return False
            continue
        one, two = (least - start) / delta, (most - start) / delta
        low, high = max(low, min(one, two)), min(high, max(one, two))
    return low < high


# ---------------------------------------------------------------- reading


def _marks(root: ElementTree.Element) -> list[Mark]:
    marks: list[Mark] = []
    keys = {child: group.get("id", "") for group in root.iter() for child in group}
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        if name == "path":
            runs = flattened(element.get("d", ""))
            points = [point for run in runs for point in run]
            xs, ys = [x for x, _ in points], [y for _, y in points]
            box = Rect(min(xs), min(ys), max(xs), max(ys))
            filled = element.get("fill") != "none"
            marks.append(Mark("", box, runs, filled, keys.get(element, "")))
        elif name == "text":
            marks.append(_text(element, keys.get(element, "")))
    return marks


def _text(element: ElementTree.Element, key: str) -> Mark:
    text, size = element.text or "", float(element.get("font-size", "12"))
    classes = (element.get("class") or "").split()
    face: Face = "bold" if "bold" in classes else "italic" if "italic" in classes else "sans"
    wide = width(text, size, face)
    x, y = float(element.get("x", "0")), float(element.get("y", "0"))
    left = x - {"start": 0.0, "end": wide}.get(element.get("text-anchor", ""), wide / 2)
    box = Rect(left, y - ABOVE * size, left + wide, y + BELOW * size)
    return Mark(text, box, [], False, key)


def flattened(path: str) -> list[list[Point]]:
    """The polylines of a path of M, L, C and Z, with 12 pieces for each curve."""
    runs: list[list[Point]] = []
    for kind, numbers in re.findall(r"([MLCZ])([^MLCZ]*)", path):
        values = [float(one) for one in re.findall(r"-?\d+\.?\d*", numbers)]
        points = list(zip(values[::2], values[1::2], strict=True))
        if kind == "M":
            runs.append(points)
        elif kind == "L":
            runs[-1] += points
        elif kind == "C":
            start, (first, second, end) = runs[-1][-1], points
            runs[-1] += [_bezier(start, first, second, end, n / 12) for n in range(1, 13)]
        else:
            runs[-1].append(runs[-1][0])
    return runs


def _bezier(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    s = 1 - t
    x, y = (s**3 * a[i] + 3 * s * s * t * b[i] + 3 * s * t * t * c[i] + t**3 * d[i] for i in (0, 1))
    return x, y
