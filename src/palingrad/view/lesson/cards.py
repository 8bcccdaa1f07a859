"""The sizes of a lesson's cards, from the texts on them. `assets/lesson.css` has the same sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .questions import Question

Size = tuple[float, float]
HEAD = 32.0  # the line with the name and the formula
LINE = 18.0  # a line of numbers
ASK = 40.0  # the line with the field for an answer
PAD = 12.0
LETTER = 7.4  # the width of a letter of a number
ROWS = 6  # rows and columns of the largest array that a card shows


def sizes_of(
    nodes: Sequence[Mapping[str, Any]], asked: Sequence[Question], masked: set[int]
) -> list[Size]:
    """Width and height of each card."""
    fields = [question.place for question in asked]
    return [
        _size(node, fields.count(place), place in masked) for place, node in enumerate(nodes)
    ]


def _size(node: Mapping[str, Any], fields: int, masked: bool) -> Size:
    lines, wide = _value(node, masked)
    name = 9.0 * len(node["n"]) + (0 if node["t"] != "operation" else 30 + 8.5 * 8)
    width = max(74.0, name + 28, wide + 28, 212.0 if fields else 0.0)
    return float(min(width, 420)), HEAD + LINE * lines + ASK * fields + PAD


def _value(node: Mapping[str, Any], masked: bool) -> tuple[int, float]:
    """The number of lines of the value, and their width."""
    shape: list[int] = node["sh"]
    if node["t"] == "constant" and node["n"].lstrip("−-").replace(".", "", 1).isdigit():
        return 0, 0.0  # a literal, whose name is its value
    if masked or not shape:
        return 1, LETTER * 8
    if len(shape) > 2 or max(shape) > ROWS:
        return 1, LETTER * 18
    columns = shape[-1]
    return (shape[0] if len(shape) == 2 else 1), LETTER * 7.5 * columns + 14
