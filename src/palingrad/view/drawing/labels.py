"""Places for labels: beside lines and cards, where they overprint neither these nor each other."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from .canvas import Command, Point, Text, flattened
from .typeface import width

CELL = 48.0  # the side of a cell of the grid in which obstacles are looked up
ABOVE, BELOW = 0.74, 0.23  # of the font size: what the letters of a line take
APART = 3.5  # between a label and the line that it belongs to
_PIECES = 8  # straight pieces of a curve
_ALONG = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82)  # places along a line
_STEPS = (0.0, 7.0, 14.0, 22.0)  # how far a label moves along or away from its line


class Rect(NamedTuple):
    """Left, top, right and bottom."""

    left: float
    top: float
    right: float
    bottom: float


def taken_by(text: Text, margin: float = 0.0) -> Rect:
    """What the letters of a text take."""
    wide = width(text.text, text.size, text.face)
    left = text.at[0] - {"start": 0.0, "middle": wide / 2, "end": wide}[text.anchor]
    return Rect(
        left - margin,
        text.at[1] - ABOVE * text.size - margin,
        left + wide + margin,
        text.at[1] + BELOW * text.size + margin,
    )


class _Straight:
    """Segments along one axis, as intervals by their other coordinate. Many edges share a trunk, so
    that intervals are joined before they are looked through."""

    def __init__(self) -> None:
        self._intervals: dict[int, dict[float, list[tuple[float, float]]]] = {}
        self._added: set[tuple[int, float]] = set()  # whose intervals aren't joined yet

    def add(self, at: float, a: float, b: float) -> None:
        """A segment from a to b."""
        column = int(at // CELL)
        self._intervals.setdefault(column, {}).setdefault(at, []).append((min(a, b), max(a, b)))
        self._added.add((column, at))

    def count(self, low: float, high: float, start: float, end: float) -> int:
        """The number of intervals strictly between two coordinates that meet (start, end)."""
        count = 0
        for column in range(int(low // CELL), int(high // CELL) + 1):
            for at in self._intervals.get(column, ()):
                if low < at < high:
                    intervals = self._joined(column, at)
                    place = bisect_left(intervals, (end,)) - 1
                    count += place >= 0 and intervals[place][1] > start
        return count

    def _joined(self, column: int, at: float) -> list[tuple[float, float]]:
        intervals = self._intervals[column][at]
        if (column, at) in self._added:
            self._added.discard((column, at))
            intervals.sort()
            joined: list[tuple[float, float]] = []
            for a, b in intervals:
                if joined and a <= joined[-1][1]:
                    joined[-1] = joined[-1][0], max(b, joined[-1][1])
                else:
                    joined.append((a, b))
            intervals[:] = joined
        return intervals


class Room:
    """What is painted so far: lines, cards and labels."""

    def __init__(self) -> None:
        self._vertical, self._horizontal = _Straight(), _Straight()
        self._slanted: dict[tuple[int, int], list[tuple[Point, Point]]] = {}
        self._cards: dict[tuple[int, int], list[Rect]] = {}

    def add_line(self, points: Sequence[Point]) -> None:
        """A polyline that labels keep away from."""
        for (x, y), (u, v) in pairwise(points):
            if x == u:
                self._vertical.add(x, y, v)
            elif y == v:
                self._horizontal.add(y, x, u)
            else:
                box = Rect(min(x, u), min(y, v), max(x, u), max(y, v))
                for cell in _cells(box):
                    self._slanted.setdefault(cell, []).append(((x, y), (u, v)))

    def add_outline(self, commands: tuple[Command, ...]) -> None:
        """The border of an outline, or an open one."""
        for run in flattened(commands, _PIECES):
            self.add_line(run)

    def add_card(self, box: Rect) -> None:
        """A rectangle that labels keep out of."""
        for cell in _cells(box):
            self._cards.setdefault(cell, []).append(box)

    def put(self, places: Iterable[Text]) -> Text:
        """The first of these texts that overprints nothing, else the one that overprints least; it
        is an obstacle from now on."""
        best: Text | None = None
        least = 0
        for text in places:
            count = self._conflicts(taken_by(text, 1.5))
            if best is None or count < least:
                best, least = text, count
            if not count:
                break
        assert best is not None
        self.add_card(taken_by(best))
        return best

    def _conflicts(self, box: Rect) -> int:
        cards: set[Rect] = set()
        count = self._vertical.count(box.left, box.right, box.top, box.bottom)
        count += self._horizontal.count(box.top, box.bottom, box.left, box.right)
        for cell in _cells(box):
            cards.update(one for one in self._cards.get(cell, ()) if _overlap(one, box))
            count += sum(_meets(a, b, box) for a, b in self._slanted.get(cell, ()))
        return count + 8 * len(cards)


def _cells(box: Rect) -> Iterator[tuple[int, int]]:
    for column in range(int(box.left // CELL), int(box.right // CELL) + 1):
        for row in range(int(box.top // CELL), int(box.bottom // CELL) + 1):
            yield column, row


def _overlap(a: Rect, b: Rect) -> bool:
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom


def _meets(a: Point, b: Point, box: Rect) -> bool:
    """Whether a segment meets a rectangle (Liang & Barsky 1984)."""
    low, high = 0.0, 1.0
    for start, delta, least, most in (
        (a[0], b[0] - a[0], box.left, box.right),
        (a[1], b[1] - a[1], box.top, box.bottom),
    ):
        if delta == 0:
            if not least < start < most:
                return False
            continue
        one, two = (least - start) / delta, (most - start) / delta
        low, high = max(low, min(one, two)), min(high, max(one, two))
    return low < high


# ---------------------------------------------------------------- candidates


def beside_line(text: Text, line: Sequence[Point], *, right: bool) -> Iterator[Text]:
    """Places of a text beside a line, which runs down or, with `right`, to the right: near its
    middle first, and first on the side to which the line leads."""
    axis = 0 if right else 1
    forward = (line[-1][1 - axis] - line[0][1 - axis]) >= 0
    start, end = line[0][axis], line[-1][axis]
    for away in _STEPS[:3]:
        for share in _ALONG:
            at = start + (end - start) * share
            for far in (forward, not forward):
                yield _beside(text, line, at, away, right=right, far=far)


def _beside(
    text: Text, line: Sequence[Point], at: float, away: float, *, right: bool, far: bool
) -> Text:
    """The text beside the part of the line at the same height (or in the same columns)."""
    half = width(text.text, text.size, text.face) / 2 if right else text.size * (ABOVE + BELOW) / 2
    low, high = _extent(line, at - half - 1, at + half + 1, axis=0 if right else 1)
    if right:
        y = (
            high + APART + away + ABOVE * text.size
            if far
            else low - APART - away - BELOW * text.size
        )
        return replace(text, at=(at, y), anchor="middle")
    y = at + (ABOVE - BELOW) * text.size / 2
    if far:
        return replace(text, at=(high + APART + away, y), anchor="start")
    return replace(text, at=(low - APART - away, y), anchor="end")


def _extent(line: Sequence[Point], low: float, high: float, *, axis: int) -> tuple[float, float]:
    """The least and greatest other coordinate of the line where the axis is between two bounds."""
    found: list[float] = []
    for a, b in pairwise(line):
        first, last = (a, b) if a[axis] <= b[axis] else (b, a)
        if last[axis] < low or first[axis] > high:
            continue
        long = last[axis] - first[axis]
        for bound in (max(low, first[axis]), min(high, last[axis])):
            share = (bound - first[axis]) / long if long else 0.0
            found.append(first[1 - axis] + share * (last[1 - axis] - first[1 - axis]))
    if not found:
        found = [line[-1][1 - axis]]
    return min(found), max(found)


def at_end(text: Text, line: Sequence[Point], *, right: bool) -> Iterator[Text]:
    """Places of a short text beside the end of a line, before its arrow head."""
    axis = 0 if right else 1
    sign = 1 if line[-1][axis] >= line[0][axis] else -1
    reach = abs(line[-1][axis] - line[0][axis])
    half = width(text.text, text.size, text.face) / 2 if right else text.size / 2
    for step in (*_STEPS, 30.0, 40.0):
        back = min(half + 6.0 + step, max(reach, half))
        at = line[-1][axis] - sign * back
        for far in (True, False):
            yield _beside(text, line, at, 0.0, right=right, far=far)


def titles_of(text: Text, frame: Rect, bounds: Rect) -> Iterator[Text]:
    """Places of a frame's title: from left to right at its top, at its bottom, above it and below
    it, within the bounds."""
    wide = width(text.text, text.size, text.face)
    inner = frame.left + 13, frame.right - 10 - wide
    outer = max(frame.left - wide, bounds.left), min(frame.right, bounds.right - wide)
    for (left, right), base in (
        (inner, frame.top + 19),
        (inner, frame.bottom - 8),
        (outer, frame.top - 5),
        (outer, frame.bottom + 14),
    ):
        first = min(max(left, frame.left + 4), max(left, right))
        steps = sorted((left + 8.0 * n for n in range(int(max(right - left, 0.0) // 8) + 1)),
                       key=lambda x: (x < first, abs(x - first)))  # fmt: skip
        for x in steps:
            yield replace(text, at=(x, base), anchor="start")
