"""Painting: lays out a scene and draws it on a canvas."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .canvas import (
    Canvas,
    Command,
    Mark,
    Outline,
    Point,
    Text,
    circle,
    cut,
    flattened,
    polygon,
    rounded,
    wire,
)
from .labels import Rect, Room, at_end, beside_line, titles_of
from .layout.layered import Layout, layout
from .scene import Box, Line, Scene, Wire
from .typeface import width

MARGIN = 22.0
STEM = 17.0  # the length of the first piece of a wire, beside which the shape is written
ARROW = 6.5


def painted(scene: Scene, *, right: bool = False) -> Canvas:
    """The scene on a canvas, from top to bottom or from left to right."""
    sizes = {box.key: _footprint(box, right) for box in scene.boxes}
    placed = layout(
        sizes,
        [(edge.source, edge.target) for edge in scene.wires],
        groups={box.key: box.group for box in scene.boxes},
        titles={group: width(text, 11.5, "bold") + 26 for group, text in scene.titles.items()},
        ports={box.key: _ports(box, right) for box in scene.boxes},
        upward={place for place, edge in enumerate(scene.wires) if edge.upward},
        weak={place for place, edge in enumerate(scene.wires) if edge.weak},
        last=scene.last,
        right=right,
        rank_gap=max([40.0, *(width(edge.label, 11.0) + 34 for edge in scene.wires if right)]),
    )
    canvas = Canvas(placed.width + 2 * MARGIN, placed.height + 2 * MARGIN, scene.title)
    room = Room()
    titles = _frames(canvas, scene, placed, room)
    lines = _wires(canvas, scene, placed, room, right)
    centres: dict[str, Point] = {}
    for box in scene.boxes:
        x, y = _centre(box, placed.positions[box.key], right)
        centres[box.key] = x + MARGIN, y + MARGIN
        for card in _cards(box, *centres[box.key]):
            room.add_card(card)
    labels = _labels(scene, lines, room, right)
    starts = {edge.source: line[0] for edge, line in zip(scene.wires, lines, strict=True)}
    for box in scene.boxes:
        at = centres[box.key]
        marks: list[Mark] = [*_box(box, *at)]
        if box.note:
            marks.append(room.put(_notes(box, *at, starts.get(box.key, at), right)))
        canvas.add(*marks, key=box.key, tip=box.tip)
    canvas.add(*labels, *(room.put(places) for places in titles))
    return canvas


def _wires(
    canvas: Canvas, scene: Scene, placed: Layout, room: Room, right: bool
) -> list[list[Point]]:
    """Paints the wires; returns their lines, flattened where a label may stand beside them."""
    boxes = {box.key: box for box in scene.boxes}
    labelled = bool(placed.frames) or any(box.note for box in scene.boxes)
    labelled = labelled or any(edge.mark or edge.label for edge in scene.wires)
    lines: list[list[Point]] = []
    for edge, path in zip(scene.wires, placed.paths, strict=True):
        points = _joined(path, boxes[edge.source], boxes[edge.target], placed, right)
        outlines = _wire(edge, points, right)
        canvas.add(*outlines)
        lines.append(flattened(outlines[0].commands)[0] if edge.mark or edge.label else points)
        if labelled:
            for outline in outlines:
                room.add_outline(outline.commands)
    return lines


def _labels(scene: Scene, lines: Sequence[Sequence[Point]], room: Room, right: bool) -> list[Mark]:
    """The operands' numbers at the ends of wires, and the wires' labels."""
    marks: list[Mark] = []
    for edge, line in zip(scene.wires, lines, strict=True):
        if edge.mark:
            text = Text((0, 0), edge.mark, 9.0, "sans", "soft", halo=True)
            marks.append(room.put(at_end(text, line, right=right)))
    for edge, line in zip(scene.wires, lines, strict=True):
        if edge.label:
            text = Text((0, 0), edge.label, 11.0, "sans", edge.label_tone, halo=True)
            marks.append(room.put(beside_line(text, line, right=right)))
    return marks


# ---------------------------------------------------------------- boxes


def _side(box: Box) -> int:
    """The side of a box from which its value leaves: 1 bottom (or right), −1 top (or left)."""
    return -1 if box.role == "backward" else 1


def _stem(box: Box, right: bool) -> float:
    if not box.note:
        return 0.0
    return width(box.note, 10.5) + (23 if box.badge else 12) if right else STEM


def _ports(box: Box, right: bool) -> float:
    """The length of the side of the outline along which wires may end; it is shorter than the
    footprint."""
    along = box.size[1] if right else box.size[0]
    return along * 0.72 if box.form in ("circle", "dot", "pill") else along - 16.0


def _footprint(box: Box, right: bool) -> tuple[float, float]:
    """The size of a box together with the texts beside it."""
    w, h = box.size
    if right:
        return w + _stem(box, right), h
    beside = 2 * (width(box.note, 10.5) + 8) if box.note else 0.0
    return max(w, beside), h + _stem(box, right)


def _centre(box: Box, at: Point, right: bool) -> Point:
    """The centre of a box's outline within its footprint."""
    shift = -_side(box) * _stem(box, right) / 2
    return (at[0] + shift, at[1]) if right else (at[0], at[1] + shift)


def outline(box: Box, x: float, y: float) -> tuple[Command, ...]:
    """The outline of a box with centre (x, y)."""
    w, h = box.size
    left, top = x - w / 2, y - h / 2
    if box.form in ("circle", "dot"):
        return circle(x, y, w / 2)
    if box.form == "cut":
        return cut(left, top, w, h, 8.0)
    radius = {"round": 10.0, "pill": h / 2, "sharp": 2.5, "chip": 6.0, "bare": 4.0}
    return rounded(left, top, w, h, radius.get(box.form, 10.0))


def _box(box: Box, x: float, y: float) -> list[Mark]:
    w, h = box.size
    dash = (5.0, 3.0) if box.role == "backward" and box.form != "chip" else ()
    heavy = 2.2 if box.form == "sharp" and box.tone == "variable" else 1.4
    fill = box.tone if box.form == "dot" else f"{box.tone}-fill"
    marks: list[Mark] = []
    if box.form == "stack":
        for step in (6.0, 3.0):
            marks.append(
                Outline(rounded(x - w / 2 + step, y - h / 2 - step, w, h, 10.0), fill, box.tone)
            )
    marks.append(Outline(outline(box, x, y), fill, box.tone, heavy, dash))
    if box.role == "update" and box.form == "cut":
        marks.append(
            Outline(cut(x - w / 2 + 3, y - h / 2 + 3, w - 6, h - 6, 6.5), None, box.tone, 0.8)
        )
    tall = sum(line.size * 1.32 for line in box.lines)
    down = y - tall / 2
    for line in box.lines:
        down += line.size * 0.66
        marks.append(_text(line, x, down + line.size * 0.35))
        down += line.size * 0.66
    if box.badge:
        half, corner = _badge(box, x, y)
        marks.append(
            Outline(rounded(corner[0] - half, corner[1] - 8, 2 * half, 16, 8), "paper", box.tone)
        )
        marks.append(Text((corner[0], corner[1] + 3.6), box.badge, 10.0, "bold", box.tone))
    return marks


def _cards(box: Box, x: float, y: float) -> list[Rect]:
    """What a box with centre (x, y) covers, with its badge."""
    w, h = box.size
    stack = 6.0 if box.form == "stack" else 0.0
    cards = [Rect(x - w / 2 - 1, y - h / 2 - stack - 1, x + w / 2 + stack + 1, y + h / 2 + 1)]
    if box.badge:
        half, (u, v) = _badge(box, x, y)
        cards.append(Rect(u - half - 1, v - 9, u + half + 1, v + 9))
    return cards


def _badge(box: Box, x: float, y: float) -> tuple[float, Point]:
    """Half the width, and the centre, of the badge of a box with centre (x, y)."""
    w, h = box.size
    return width(box.badge, 10.0, "bold") / 2 + 5, (x + w / 2 - 2, y - h / 2 + 1)


def _notes(box: Box, x: float, y: float, start: Point, right: bool) -> Iterator[Text]:
    """Places of the note of a box with centre (x, y), beside the point where its wires leave it."""
    w, h = box.size
    side = _side(box)
    note = Text((0, 0), box.note, 10.5, "sans", "soft", halo=True)
    if right:
        for away in (16 if box.badge else 5, 22, 30):
            for down in (-5.0, 13.0, -12.0, 20.0):
                at = x + side * (w / 2 + away), start[1] + down
                yield replace(note, at=at, anchor="start" if side > 0 else "end")
    else:
        for down in (13.0, 17.0, 22.0, 28.0):
            below = y + h / 2 + down if side > 0 else y - h / 2 - down + 7
            yield replace(note, at=(start[0] + 6, below), anchor="start")
            yield replace(note, at=(start[0] - 6, below), anchor="end")
    for away in (0.0, 8.0, 16.0, 24.0):  # above and below the box
        for row in (y - h / 2 - 6 - away, y + h / 2 + 13 + away):
            yield replace(note, at=(x, row))
            yield replace(note, at=(x - w / 2, row), anchor="start")
            yield replace(note, at=(x + w / 2, row), anchor="end")


def _text(line: Line, x: float, y: float) -> Text:
    return Text((x, y), line.text, line.size, line.face, line.tone)


# ---------------------------------------------------------------- wires


def _joined(
    path: Sequence[Point], source: Box, target: Box, placed: Layout, right: bool
) -> list[Point]:
    """The path of a wire between the outlines of two boxes, in canvas coordinates."""
    points = list(path)
    points[0] = _touch(points[0], source, placed.positions[source.key], right)
    points[-1] = _touch(points[-1], target, placed.positions[target.key], right)
    if math.dist(points[0], path[0]) > 0.5:
        points.insert(1, path[0])
    if math.dist(points[-1], path[-1]) > 0.5:
        points.insert(-1, path[-1])
    return [(x + MARGIN, y + MARGIN) for x, y in points]


def _touch(point: Point, box: Box, at: Point, right: bool) -> Point:
    """The point of the outline that a vertical (or horizontal) wire through `point` meets."""
    x, y = _centre(box, at, right)
    w, h = box.size
    if right:
        reach = w / 2 - _inset(box, abs(point[1] - y), h, w)
        return x + reach if point[0] > x else x - reach, point[1]
    reach = h / 2 - _inset(box, abs(point[0] - x), w, h)
    return point[0], y + reach if point[1] > y else y - reach


def _inset(box: Box, off: float, along: float, depth: float) -> float:
    """The distance between a round outline and its bounding box, at this offset from the middle."""
    radius = {"circle": along / 2, "dot": along / 2, "pill": min(along, depth) / 2}.get(box.form)
    if radius is None:
        return 0.0
    over = off - (along / 2 - radius)
    return 0.0 if over <= 0 else radius - max(radius**2 - over**2, 0.0) ** 0.5


def _wire(edge: Wire, points: list[Point], right: bool) -> list[Outline]:
    (x, y), (u, v) = points[-2:]
    if not edge.arrow:
        return [Outline(wire(points, right=right), None, edge.tone, edge.width, edge.dash)]
    sign = 1 if (u >= x if right else v >= y) else -1
    back = (u - sign * ARROW, v) if right else (u, v - sign * ARROW)
    side = ARROW * 0.52
    corners = [(back[0], v - side), (back[0], v + side)] if right else [
        (u - side, back[1]), (u + side, back[1])]  # fmt: skip
    shaft = [*points[:-1], back]
    return [
        Outline(wire(shaft, right=right), None, edge.tone, edge.width, edge.dash),
        Outline(polygon([(u, v), *corners]), edge.tone),
    ]


# ---------------------------------------------------------------- frames


def _frames(canvas: Canvas, scene: Scene, placed: Layout, room: Room) -> list[Iterator[Text]]:
    """Paints the frames, outer ones first; returns places of each title."""
    titles: list[Iterator[Text]] = []
    for group in sorted(placed.frames, key=lambda one: (len(one), one)):
        x, y, w, h = placed.frames[group]
        title = scene.titles.get(group, group[-1])
        role = {"∂": "backward-", "←": "update-"}.get(group[0][:1], "")
        outer = len(group) == 1 and bool(role)
        tone = role.removesuffix("-") if outer else "soft"
        dash = (6.0, 4.0) if role == "backward-" and outer else ()
        shape = rounded(x + MARGIN, y + MARGIN, w, h, 12.0)
        canvas.add(Outline(shape, f"{role}frame-fill", f"{role}frame", 1.0, dash))
        room.add_outline(shape)
        text = Text((0, 0), title, 11.5, "bold", tone, "start", halo=True)
        frame = Rect(x + MARGIN, y + MARGIN, x + MARGIN + w, y + MARGIN + h)
        titles.append(titles_of(text, frame, Rect(3.0, 0.0, canvas.width - 3, canvas.height)))
    return titles
