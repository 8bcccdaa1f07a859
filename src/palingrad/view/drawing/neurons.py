"""Paints a neural network: a column of neurons per layer, a line per nonzero weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ...dtypes import is_complex
from ..names import number
from .canvas import Canvas, Mark, Outline, Point, Text, circle, polygon, rounded
from .labels import Room, beside_line, taken_by
from .network import Connection, Layer, largest
from .typeface import width

MOST = 12  # neurons drawn per column; a larger layer shows its first and last ones
RADIUS = 13.0
PITCH = 36.0
SPACE = 150.0
MARGIN = 30.0
HEAD, FOOT = 26.0, 44.0


def neurons(layers: Sequence[Layer], *, values: bool | None = None) -> Canvas:
    """Returns the picture of these layers from left to right.

    The width of a line grows with the weight's magnitude; it is solid if the weight is positive,
    dashed if negative and absent if 0. `values` labels lines with their weights, by default up to
    six of them.
    """
    columns = [_Column(layer) for layer in layers]
    tall = max(column.height for column in columns)
    arcs = _arcs(layers)
    above = 46.0 * (1 + max(arcs.values(), default=-1))
    x = MARGIN
    for place, column in enumerate(columns):
        before = columns[place - 1] if place else None
        x += _distance(layers[place], before, column) if before else column.width / 2
        column.place(x, MARGIN + HEAD + above + tall / 2)
    wide = max(column.x + column.width / 2 for column in columns) + MARGIN
    canvas = Canvas(wide, MARGIN * 2 + HEAD + FOOT + above + tall, "Neural network")
    strongest = largest(layers)
    labels: list[Mark] = []
    on_lines: list[tuple[Text, list[Point]]] = []
    shared = _shared(layers)
    for place, layer in enumerate(layers):
        for link in layer.sources:
            column, target = columns[link.source], columns[place]
            if (link.source, place) in arcs:
                canvas.add(*_arc(column, target, link, arcs[link.source, place], on_lines))
            else:
                canvas.add(*_lines(column, target, link, strongest))
                labels += _line_texts(column, target, link, shared)
                on_lines += _weights(column, target, link, values)
    for column in columns:
        canvas.add(*column.marks())
    canvas.add(*labels)
    room = _room(canvas)
    canvas.add(*(room.put(beside_line(text, line, right=True)) for text, line in on_lines))
    return canvas


def _room(canvas: Canvas) -> Room:
    """What is painted, for the labels of lines."""
    room = Room()
    for part in canvas.parts:
        for mark in part.marks:
            if isinstance(mark, Text):
                room.add_card(taken_by(mark))
            else:
                room.add_outline(mark.commands)
    return room


class _Column:
    """One layer: its neurons or maps, the name above them and the texts below."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        count = layer.units
        if count <= MOST:
            self.shown: list[int | None] = list(range(count))
        else:
            self.shown = [*range(6), None, *range(count - 4, count)]
        self.maps = bool(layer.size)
        if self.maps:
            self.shown = list(range(min(count, 5)))
            scale = 64.0 / max(*layer.size, 1)
            sides = [max(14.0, side * scale) for side in layer.size[-2:]]
            self.map_size = (sides[-1], sides[0] if len(sides) > 1 else 14.0)
            offset = 9.0 * (len(self.shown) - 1)
            self.shape = (self.map_size[0] + offset, self.map_size[1] + offset)
        else:
            self.shape = (2 * RADIUS, PITCH * (len(self.shown) - 1) + 2 * RADIUS)
        self.x = self.y = 0.0

    @property
    def height(self) -> float:
        return self.shape[1]

    @property
    def width(self) -> float:
        return max(self.shape[0], *(width(text, 11.5) for text in (*self.feet(), "  ")))

    def place(self, x: float, y: float) -> None:
        self.x, self.y = x, y

    def centres(self) -> list[Point]:
        """The middle of each neuron that is drawn."""
        top = self.y - PITCH * (len(self.shown) - 1) / 2
        return [(self.x, top + PITCH * row) for row in range(len(self.shown))]

    def feet(self) -> list[str]:
        """The texts below the column: the number of units, and the operations applied to them."""
        layer = self.layer
        if self.maps:
            size = " × ".join(map(str, layer.size))
            count = f"{layer.units} maps, {size}" if layer.units > 1 else size
        else:
            count = f"{layer.units} unit" + ("s" if layer.units != 1 else "")
        return [count, *([", ".join(layer.steps)] if layer.steps else [])]

    def marks(self) -> list[Mark]:
        marks = self._maps() if self.maps else self._neurons()
        name, top = self.layer.name, self.y - self.height / 2
        if name:
            face = "italic" if len(name.rstrip("₀₁₂₃₄₅₆₇₈₉")) <= 2 else "bold"
            marks.append(Text((self.x, top - 14), name, 17.0 if face == "italic" else 13.0, face))
        down = self.y + self.height / 2 + 22
        for row, text in enumerate(self.feet()):
            tone = "soft" if row == 0 else "operation"
            marks.append(Text((self.x, down + 16 * row), text, 11.5, "sans", tone))
        return marks

    def _neurons(self) -> list[Mark]:
        first = not self.layer.sources
        tone = "placeholder" if first else "operation"
        marks: list[Mark] = []
        for unit, (x, y) in zip(self.shown, self.centres(), strict=True):
            if unit is None:
                marks += [Outline(circle(x, y + d, 1.8), "soft") for d in (-8.0, 0.0, 8.0)]
            else:
                marks.append(Outline(circle(x, y, RADIUS), f"{tone}-fill", tone, 1.5))
        return marks

    def _maps(self) -> list[Mark]:
        tone = "placeholder" if not self.layer.sources else "operation"
        w, h = self.map_size
        left, top = self.x - self.shape[0] / 2, self.y - self.shape[1] / 2
        marks: list[Mark] = []
        for row in range(len(self.shown)):
            x, y = left + 9.0 * row, top + 9.0 * row
            marks.append(Outline(rounded(x, y, w, h, 2.0), f"{tone}-fill", tone, 1.3))
        return marks


def _distance(layer: Layer, before: _Column, column: _Column) -> float:
    """The distance between the centres of two adjacent columns."""
    labels = [width(link.label, 11.5) for link in layer.sources if link.how != "same"]
    inner = (before.shape[0] + column.shape[0]) / 2 + max([0.0, *labels]) + 44
    return max(SPACE, inner, (before.width + column.width) / 2 + 24)


def _arcs(layers: Sequence[Layer]) -> dict[tuple[int, int], int]:
    """The levels of connections that skip layers; overlapping connections get different ones."""
    pairs = sorted(
        {
            (link.source, place)
            for place, layer in enumerate(layers)
            for link in layer.sources
            if place - link.source > 1
        },
        key=lambda pair: (pair[1] - pair[0], pair),
    )
    levels: dict[tuple[int, int], int] = {}
    for a, b in pairs:
        used = {level for (c, d), level in levels.items() if c < b and a < d}
        levels[a, b] = next(level for level in range(len(used) + 1) if level not in used)
    return levels


def _arc(
    source: _Column,
    target: _Column,
    link: Connection,
    level: int,
    on_lines: list[tuple[Text, list[Point]]],
) -> list[Mark]:
    """A skip connection, drawn above the layers between, from the top of one column to another."""
    start = source.x, source.y - source.height / 2 - (36 if source.layer.name else 8)
    end = target.x, target.y - target.height / 2 - (36 if target.layer.name else 8)
    top = min(start[1], end[1]) - 34 - 46 * level
    commands = (
        ("M", start),
        ("C", (start[0], top), (start[0] + 30, top), (start[0] + 60, top)),
        ("L", (end[0] - 60, top)),
        ("C", (end[0] - 30, top), (end[0], top), (end[0], end[1] - 6)),
    )
    tip = polygon([end, (end[0] - 3.5, end[1] - 7), (end[0] + 3.5, end[1] - 7)])
    text = Text((0, 0), link.label or "+", 12.5, tone="soft", halo=True)
    on_lines.append((text, [(start[0] + 60, top), (end[0] - 60, top - 0.01)]))  # above it
    return [Outline(commands, None, "line", 1.6), Outline(tip, "line")]


def _lines(source: _Column, target: _Column, link: Connection, strongest: float) -> list[Mark]:
    if link.weights is None or is_complex(link.weights.dtype) or source.maps or target.maps:
        return _bundle(source, target, link)
    marks: list[Mark] = []
    weights = link.weights
    finer = 1.0 if len(source.shown) * len(target.shown) <= 40 else 0.55
    if weights.ndim != 2 or weights.shape != (source.layer.units, target.layer.units):
        return _bundle(source, target, link)
    for a, start in zip(source.shown, source.centres(), strict=True):
        for b, end in zip(target.shown, target.centres(), strict=True):
            if a is None or b is None or weights[a, b] == 0:
                continue
            share = min(abs(float(weights[a, b])) / strongest, 1.0)
            tone = "strong" if weights[a, b] > 0 else "weak"
            dash = () if weights[a, b] > 0 else (5.0, 3.0)
            line = (("M", (start[0] + RADIUS, start[1])), ("L", (end[0] - RADIUS, end[1])))
            marks.append(Outline(line, None, tone, finer * (0.5 + 2.0 * share), dash))
    return marks


def _bundle(source: _Column, target: _Column, link: Connection) -> list[Mark]:
    """One broad arrow for a connection whose weights aren't drawn individually."""
    a, b = source.x + source.shape[0] / 2 + 8, target.x - target.shape[0] / 2 - 8
    y = source.y
    if link.how == "same" and not source.maps and source.layer.units == target.layer.units:
        lines = zip(source.shown, source.centres(), target.centres())
        return [
            Outline((("M", (a - 8, p[1])), ("L", (b + 8, q[1]))), None, "line", 1.2)
            for unit, p, q in lines
            if unit is not None
        ]
    tip = polygon([(b, y), (b - 9, y - 5), (b - 9, y + 5)])
    return [Outline((("M", (a, y)), ("L", (b - 8, y))), None, "line", 2.2), Outline(tip, "line")]


def _line_texts(
    source: _Column, target: _Column, link: Connection, shared: Counter[int]
) -> list[Mark]:
    """The connection's name."""
    middle = (source.x + source.shape[0] / 2 + target.x - target.shape[0] / 2) / 2
    bottom = max(source.y + source.height / 2, target.y + target.height / 2)
    marks: list[Mark] = []
    weights = link.weights
    if weights is None:
        if link.label:
            marks.append(Text((middle, source.y - 10), link.label, 11.5, tone="soft", halo=True))
        return marks
    name = link.label
    if name:
        times = shared[id(link.parameter)]
        text = f"{name}, shared {times}×" if times > 1 else name
        face = "italic" if len(name.rstrip("₀₁₂₃₄₅₆₇₈₉")) <= 2 and times < 2 else "bold"
        tone = "variable"
        marks.append(
            Text((middle, bottom + 22), text, 16.0 if face == "italic" else 11.5, face, tone)
        )
    return marks


def _weights(
    source: _Column, target: _Column, link: Connection, values: bool | None
) -> list[tuple[Text, list[Point]]]:
    """The weights and their lines, if there are few."""
    weights = link.weights
    few = weights is not None and (values or np.count_nonzero(weights) <= 6)
    if weights is None or values is False or not few:
        return []
    found: list[tuple[Text, list[Point]]] = []
    for a, start in zip(source.shown, source.centres(), strict=True):
        for b, end in zip(target.shown, target.centres(), strict=True):
            if a is not None and b is not None and weights[a, b] != 0:
                text = number(float(weights[a, b]))
                found.append((Text((0, 0), text, 10.5, tone="soft", halo=True), [end, start]))
    return found


def _shared(layers: Sequence[Layer]) -> Counter[int]:
    """The number of connections that use each parameter."""
    return Counter(
        id(link.parameter)
        for layer in layers
        for link in layer.sources
        if link.parameter is not None
    )
