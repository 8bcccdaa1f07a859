"""The sheet: a lesson as a PDF to print, on A4, with the answers on pages of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..drawing.canvas import Canvas, Mark, Outline, Point, Text, polygon, rounded, wire
from ..drawing.formats.pdf import pages
from ..drawing.typeface import Face, width
from ..page.export import Json
from ..reading.mathematics.plain import plain
from .cards import ROWS
from .export import Exported
from .formulas import equation, rows_of
from .questions import Question

WIDTH, HEIGHT = 794.0, 1123.0  # A4 in canvas units of 3/4 point
EDGE = 62.0
GRAPH = 620.0  # the largest height of the graph, if its text is not too small there
SMALL = 0.78  # the scale from which on text is too small: the graph then has a page of its own
LINE = 20.0
CELL = 58.0
OVERLINE = "\u0304"  # after a letter: its adjoint's bar, which the typefaces lack


def sheet(lesson: Exported, *, key: bool) -> bytes:
    """The PDF of a lesson whose page has been made, with the answers if `key`."""
    written = _Pages()
    written.heading(lesson.title, "Name:  ____________________________      Date:  ______________")
    written.graph(lesson)
    for number, question in enumerate(lesson.questions, 1):
        written.question(lesson, number, question)
    if key:
        written.new()
        written.heading(f"{lesson.title}: answers", "")
        for number, question in enumerate(lesson.questions, 1):
            written.answer(lesson, number, question)
    return pages(written.pages, style="print")


class _Pages:
    """The pages written so far; `y` is where the next thing is written on the last one."""

    def __init__(self) -> None:
        self.pages: list[Canvas] = []
        self.new()

    def new(self) -> None:
        """Start a page."""
        self.pages.append(Canvas(WIDTH, HEIGHT))
        self.y = EDGE

    def add(self, *marks: Mark) -> None:
        """Draw on the last page."""
        self.pages[-1].add(*marks)

    def room(self, height: float) -> None:
        """Start a page unless this height is left."""
        if self.y + height > HEIGHT - EDGE:
            self.new()

    def heading(self, title: str, line: str) -> None:
        """The title, and a line below it."""
        size = min(22.0, 22.0 * (WIDTH - 2 * EDGE) / max(width(title, 22.0, "bold"), 1.0))
        self.add(Text((EDGE, self.y), title, size, "bold", anchor="start"))
        self.y += 28.0
        if line:
            self.add(Text((EDGE, self.y), line, 12.0, tone="soft", anchor="start"))
            self.y += 20.0

    # ---------------------------------------------------------------- the graph

    def graph(self, lesson: Exported) -> None:
        """The cards and lines of the lesson, scaled to the page."""
        wide, tall = lesson.data["size"]
        scale = min((WIDTH - 2 * EDGE) / wide, GRAPH / tall, 0.95)
        if scale < SMALL:
            scale = min((WIDTH - 2 * EDGE) / wide, (HEIGHT - EDGE - self.y) / tall, 0.95)
        left, top = (WIDTH - wide * scale) / 2, self.y

        def at(x: float, y: float) -> Point:
            return left + x * scale, top + y * scale

        for edge in lesson.edges:
            points = [at(*edge["q"][k : k + 2]) for k in range(0, len(edge["q"]), 2)]
            x, y = points[-1]
            tip = polygon([(x, y), (x - 3.4, y - 6), (x + 3.4, y - 6)])
            points[-1] = (x, y - 5)
            self.add(Outline(wire(points), stroke="line", width=1.0), Outline(tip, fill="line"))
        for place, node in enumerate(lesson.nodes):
            self._card(lesson, place, node, at, scale)
        self.y = top + tall * scale + 34.0

    def _card(self, lesson: Exported, place: int, node: Json, at: Any, scale: float) -> None:
        w, h = node["w"], node["h"]
        x, y = node["p"][0] - w / 2, node["p"][1] - h / 2
        corner = {"variable": 2.0, "operation": 8.0}.get(node["t"], 4.0)
        left, top = at(x, y)
        frame = rounded(left, top, w * scale, h * scale, corner * scale)
        tone = "line" if node["t"] == "constant" else "ink"
        self.add(Outline(frame, "paper", tone, 1.0))
        lines = lesson.lines_of(place)
        asked = [question.title for question in lesson.questions if question.place == place]
        row = y + (h - 24.0 - 18.0 * len(lines) - 40.0 * len(asked)) / 2 + 17.0
        name = equation(lesson.order[place], lesson.names)
        size = min(14.0, 14.0 * (w - 12) / max(_wide(name, 14.0), 1.0))
        self.add(*_written(at(x + w / 2, row), name, size * scale, "bold", centred=True))
        step = 14.0 + max((width(text, 11.5) for cells in lines for text in cells), default=0.0)
        for cells in lines:
            row += 18.0
            for column, text in enumerate(cells):
                right = x + w / 2 + (column - len(cells) / 2 + 1) * step - 7.0
                alone = len(cells) == 1
                to = at(x + w / 2 if alone else right, row)
                self.add(Text(to, text, 11.5 * scale, anchor="middle" if alone else "end"))
        for title in asked:
            row += 40.0
            left, top = at(x + 76, row - 22)
            box = rounded(left, top, (w - 88) * scale, 30 * scale, 3 * scale)
            self.add(Text(at(x + 10, row - 3), f"{title} =", 12 * scale, "bold", anchor="start"))
            self.add(Outline(box, "paper", "line", 0.8))

    # ---------------------------------------------------------------- questions and answers

    def question(self, lesson: Exported, number: int, question: Question) -> None:
        """The question with a line, or an empty array, to write in."""
        shape = lesson.nodes[question.place]["sh"]
        rows, columns = _grid(shape)
        self.room(LINE + max(rows * 26.0, 30.0))
        self.add(*self._label(number, question))
        x = EDGE + 40.0 + _wide(f"{question.title} = ", 14.0, "bold")
        if not shape or not rows:
            self.add(Outline(polygon([(x, self.y + 4), (x + 240, self.y + 4)]), stroke="line"))
            if shape:
                note = f"an array of shape {tuple(shape)}"
                self.add(Text((x + 250, self.y), note, 10.5, tone="soft", anchor="start"))
            self.y += 36.0
            return
        for row in range(rows):
            for column in range(columns):
                cell = rounded(x + column * CELL, self.y - 14 + row * 26, CELL - 6, 20, 3)
                self.add(Outline(cell, "paper", "line", 0.8))
        self.y += rows * 26.0 + 16.0

    def answer(self, lesson: Exported, number: int, question: Question) -> None:
        """The answer, and the rule that gives it."""
        shape = lesson.nodes[question.place]["sh"]
        rows = rows_of(lesson.answer(question), shape)
        if len(shape) > 2 or len(rows[0]) > 2 * ROWS:
            rows = [[", ".join(row)] for row in rows]
        self.room(LINE * (len(rows) + 2))
        self.add(*self._label(number, question))
        x = EDGE + 40.0 + _wide(f"{question.title} = ", 14.0, "bold")
        wide = max(44.0, 10.0 + max(width(text, 13.0) for row in rows for text in row))
        for row in rows:
            for column, text in enumerate(row):
                at = (x + (column + 1) * wide - 8.0, self.y)
                self.add(Text(at, text, 13.0, anchor="end"))
            self.y += LINE
        if not question.value and (rule := lesson.rule(question)):
            self.add(*_written((EDGE + 40.0, self.y), plain(rule), 12.0, "sans", tone="soft"))
            self.y += LINE
        self.y += 14.0

    def _label(self, number: int, question: Question) -> Sequence[Mark]:
        at = (EDGE + 34.0, self.y)
        return (
            Text((EDGE, self.y), f"{number}.", 13.0, tone="soft", anchor="start"),
            Text(at, f"{question.title} =", 14.0, "bold", anchor="start"),
        )


def _grid(shape: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of the cells for an answer; (0, 0) if there is no room for them."""
    if not shape or len(shape) > 2 or shape[-1] > 8:
        return 0, 0
    return int(np.prod(shape[:-1])), shape[-1]


def _wide(text: str, size: float, face: Face = "sans") -> float:
    return width(text.replace(OVERLINE, ""), size, face)


def _written(
    at: Point, text: str, size: float, face: Face, *, tone: str = "ink", centred: bool = False
) -> Sequence[Mark]:
    """A line of text in which letters may have bars."""
    bare = text.replace(OVERLINE, "")
    x = at[0] - (width(bare, size, face) / 2 if centred else 0.0)
    marks: list[Mark] = [Text((x, at[1]), bare, size, face, tone, anchor="start")]
    before = ""
    for place, letter in enumerate(text):
        if text[place + 1 : place + 2] == OVERLINE:
            start = x + width(before, size, face)
            end = start + width(letter, size, face)
            height = at[1] - size * (0.82 if letter.isupper() or letter in "bdfhklt" else 0.62)
            line = polygon([(start + 0.6, height), (end - 0.6, height)])
            marks.append(Outline(line, stroke=tone, width=max(0.8, size / 16)))
        if letter != OVERLINE:
            before += letter
    return marks
