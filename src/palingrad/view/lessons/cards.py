"""The sizes of a lesson's cards, from the texts on them. `assets/lesson.css` has the same sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .questions import Question

Size = tuple[float, float]
HEAD = 28.0  # the line with the name and the formula
TALL = 46.0  # that line with a fraction
LINE = 18.0  # a line of numbers
ASK = 40.0  # the line with the field for an answer
PAD = 18.0
LETTER = 7.4  # the width of a letter of a number
ROWS = 6  # rows and columns of the largest array that a card shows


def sizes_of(
    nodes: Sequence[Mapping[str, Any]],
    formulas: Sequence[str],
    values: Sequence[Sequence[Sequence[str]]],
    asked: Sequence[Question],
) -> list[Size]:
    """Width and height of each card, from the texts of its first line and of its value's rows."""
    fields = [question.place for question in asked]
    return [
        _size(node, formulas[place], values[place], fields.count(place))
        for place, node in enumerate(nodes)
    ]


def is_literal(node: Mapping[str, Any]) -> bool:
    """Whether the node is a number in an expression, whose name is its value."""
    bare = node["n"].lstrip("−-").replace(".", "", 1).replace("e−", "", 1).replace("e", "", 1)
    return node["t"] == "constant" and bare.isdigit()


def _size(
    node: Mapping[str, Any], formula: str, rows: Sequence[Sequence[str]], fields: int
) -> Size:
    letters = max((len(text) for row in rows for text in row), default=0)
    wide = (LETTER * letters + 11) * max(map(len, rows), default=0)
    field = 0.0 if not fields else 212.0 if not node["sh"] else 290.0
    width = max(66.0, 9.6 * len(formula) + 34, wide + 30, field)
    head = TALL if "/" in formula else HEAD
    return float(min(width, 460)), head + LINE * len(rows) + ASK * fields + PAD
