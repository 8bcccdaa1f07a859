"""The source pane: where in the user's files each node was built, and the lines around it."""

from __future__ import annotations

import ast
import linecache
import os
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any

from ....errors import printable
from ....graph.context import Origin
from ....graph.leaves import Constant
from ....graph.node import Node

AROUND = 2  # lines shown before and after a line that built a node
LINES = 2_000  # the largest number of lines in a page
LENGTH = 300  # characters of the longest line that is shown whole

Json = dict[str, Any]
Span = list[int]  # file, line, end line, column, end column; without columns if they are unknown


class Sources:
    """The files that built the nodes of a page, and the span of each node.

    Columns are counted in UTF-16 code units, as JavaScript's strings are. A node without a span of
    its own, such as a constant that the library made, has that of the first node that uses it, or
    of its inputs.
    """

    def __init__(self, order: Sequence[Node]) -> None:
        self._files: dict[str, int] = {}
        self._texts: list[list[str]] = []
        own = {node: span for node in order if (span := self._span(node)) is not None}
        spans = _inherited(order, own)
        self.spans = {node: self._counted(node, span) for node, span in spans.items()}

    def _span(self, node: Node) -> Span | None:
        """The span of the expression that built a node, with columns in bytes."""
        place = node._origin
        if place is None or _launches(place[0].co_filename):
            return None
        file, line = Origin.of(place)
        number = self._files.setdefault(file, len(self._files))
        if number == len(self._texts):
            self._texts.append(linecache.getlines(file))
        columns = _columns(place[0], place[1])
        if columns is None or not 0 < columns[1] <= len(self._texts[number]):
            return [number, line, line]
        return [number, *columns]

    def _counted(self, node: Node, span: Span) -> Span:
        """The span with columns in UTF-16 code units; that of a literal is the number alone."""
        number, first, last, *columns = span
        if not columns:
            return span
        lines = self._texts[number]
        if isinstance(node, Constant) and node.scalar is not None:
            found = _literal("".join(lines), (first, last, *columns), node.scalar)
            first, last, *columns = found or (first, last, *columns)
        start, end = columns
        return [
            number, first, last, _units(lines[first - 1], start), _units(lines[last - 1], end)
        ]  # fmt: skip

    def data(self) -> list[Json]:
        """For each file its name and the lines to show, [number, text]; without lines if the file
        can't be read, as for code that was typed or executed from a string."""
        wanted: list[set[int]] = [set() for _ in self._texts]
        for file, first, last, *_ in self.spans.values():
            wanted[file].update(range(first - AROUND, last + AROUND + 1))
        left = LINES
        found: list[Json] = []
        for name, file in self._files.items():
            lines = self._texts[file]
            numbers = [n for n in sorted(wanted[file]) if 0 < n <= len(lines)][:left]
            left -= len(numbers)
            shown = [[n, lines[n - 1].rstrip("\n")[:LENGTH]] for n in numbers]
            found.append({"name": _shown_name(name), "lines": _trimmed(shown)})
        return found


def _shown_name(file: str) -> str:
    """The file's name; that of a notebook's cell is a number of no use to a reader."""
    folder, name = os.path.split(file)
    return "notebook cell" if "ipykernel_" in folder else printable(name)


def _inherited(order: Sequence[Node], own: Mapping[Node, Span]) -> Mapping[Node, Span]:
    """The spans, with those of consumers or else of inputs for the nodes that have none."""
    spans = dict(own)
    for node in reversed(order):  # consumers before producers
        for x in node.inputs:
            if x not in own and node in spans:
                spans[x] = spans[node]
    for node in order:
        near = next((spans[x] for x in node.inputs if x in spans), None)
        if node not in spans and near is not None:
            spans[node] = near
    return spans


def _launches(file: str) -> bool:
    """Whether the file is the `palingrad` command, which is no source of the user's."""
    program = sys.argv[0] if sys.argv else ""
    return os.path.basename(program) == "palingrad" and os.path.abspath(program) == file


def _columns(code: CodeType, instruction: int) -> tuple[int, int, int, int] | None:
    """Line, end line, and columns in bytes of the expression that an instruction evaluates."""
    first, last, start, end = _positions(code)[instruction // 2]
    if first is None or last is None or start is None or end is None:
        return None
    return first, last, start, end


@lru_cache(256)
def _positions(code: CodeType) -> list[tuple[int | None, int | None, int | None, int | None]]:
    return list(code.co_positions())


def _units(line: str, column: int) -> int:
    """A column in UTF-16 code units, given in bytes of UTF-8."""
    before = line.encode()[:column].decode(errors="ignore")
    return len(before.encode("utf-16-le")) // 2


def _literal(text: str, span: Sequence[int], value: Any) -> tuple[int, int, int, int] | None:
    """The span of the number `value` in an expression, if it is written there once."""
    first, last, start, end = span
    found = [
        place
        for number, place in _literals(text)
        if number == value
        and (first, start) <= (place[0], place[2])
        and (place[1], place[3]) <= (last, end)
    ]
    return found[0] if len(found) == 1 else None


@lru_cache(64)
def _literals(text: str) -> list[tuple[Any, tuple[int, int, int, int]]]:
    """The numbers in a file with their spans."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # such as a notebook's magic commands
        return []
    return [
        (node.value, (node.lineno, node.end_lineno or node.lineno, node.col_offset,
                      node.end_col_offset or node.col_offset))
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float))
    ]  # fmt: skip


def _trimmed(lines: list[list[Any]]) -> list[list[Any]]:
    """The lines without blank ones at the start, at the end, and beside gaps."""
    kept: list[list[Any]] = []
    for n, (number, text) in enumerate(lines):
        gap_before = n == 0 or lines[n - 1][0] != number - 1
        gap_after = n + 1 == len(lines) or lines[n + 1][0] != number + 1
        if text.strip() or not (gap_before or gap_after):
            kept.append([number, text])
    return kept
