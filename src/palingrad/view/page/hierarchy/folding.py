"""Repetitions of equal members become one box, and many members become parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...drawing.model import Item
from .box import Box
from .repetition import repeated

FEW = 8  # members of a box up to which no repetition is looked for
LONG = 24  # characters of the longest name in a title
MOST = 24  # the most members of a box; more are divided into parts
PARTS = 16  # the most parts


class Folding:
    """Replaces runs of equal members of boxes by one box each."""

    def __init__(self, items: Sequence[Item], result: int | None) -> None:
        self.items, self.result = items, result
        self.numbers: dict[Any, int] = {}  # equal structures have equal numbers
        self.known: dict[int, int] = {}  # the number of each box, by id

    def fold(self, box: Box) -> None:
        for _ in range(4):  # the next pass folds runs of folded runs
            if len(box.content) <= FEW:
                return
            runs = repeated([self._number(part) for part in box.content])
            if not runs:
                return
            box.content = self._with_runs(box.content, runs)

    def _number(self, part: Box | int) -> int:
        """Equal for members of equal structure; unique for the result, which isn't folded."""
        if isinstance(part, int):
            node = self.items[part].node
            key: Any = part if part == self.result else (node.kind_name(), str(node.shape))
            return self.numbers.setdefault(key, len(self.numbers))
        if id(part) not in self.known:
            key = (part.kind, part.count, *map(self._number, part.content))
            self.known[id(part)] = self.numbers.setdefault(key, len(self.numbers))
        return self.known[id(part)]

    def _with_runs(
        self, content: list[Box | int], runs: Sequence[tuple[int, int, int]]
    ) -> list[Box | int]:
        folded: list[Box | int] = []
        done = 0
        for start, length, count in runs:
            folded += content[done:start]
            done = start + length * count
            units = [content[at : at + length] for at in range(start, done, length)]
            title = self._title(units[0])
            whole = Box(
                f"×{count} from {_first(units[0])}", f"{title} × {count}", "repeat", [], count
            )
            for number, unit in enumerate(units):
                name = str(number + 1)
                whole.content += (
                    unit if length == 1 else [Box(name, f"{name}: {title}", "unit", unit)]
                )
            folded.append(whole)
        return folded + content[done:]

    def _title(self, unit: Sequence[Box | int]) -> str:
        """The names in a unit, each once: Linear, or (Linear · tanh)."""
        names = list(dict.fromkeys(map(self._base, unit)))
        shown = " · ".join(name if len(name) <= LONG else "…" for name in names[:3])
        shown += " …" if len(names) > 3 else ""
        return shown if len(names) == 1 else f"({shown})"

    def _base(self, part: Box | int) -> str:
        """What equal members have in common: an operation, or a name without its number."""
        if isinstance(part, int):
            return self.items[part].node.kind_name()
        title = part.title.rstrip("0123456789").rstrip("_")
        return title if title and part.kind == "scope" else part.title


def _first(content: Sequence[Box | int]) -> int:
    """The place of the first node."""
    part = content[0]
    while isinstance(part, Box):
        part = part.content[0]
    return part


def divide(box: Box, result: int | None) -> None:
    """Divide many members into parts of consecutive ones; the result stays outside."""
    own = [part for part in box.content if part == result]
    rest = [part for part in box.content if part != result]
    if len(rest) <= MOST:
        return
    size = max(MOST // 2, math.ceil(len(rest) / PARTS))
    count = math.ceil(len(rest) / size)
    box.content = []
    for number in range(count):
        content = rest[number * size : (number + 1) * size]
        first, last = content[0], content[-1]
        title = f"part {number + 1} of {count}"
        if isinstance(first, Box) and isinstance(last, Box) and first.kind == "unit":
            title = f"{first.name}–{last.name}"
        box.content.append(Box(f"part {number + 1}", title, "part", content))
    box.content += own
