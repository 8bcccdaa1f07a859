"""PNG: a canvas rendered with Pillow, supersampled for smooth edges."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from ..canvas import Canvas, Outline, Point, Text, flattened
from ..style import LIGHT, PALETTES, Style
from ..typeface import Face, typeface

MOST = 36_000_000  # pixels of a picture; a larger picture is scaled down
FINE = 120_000_000  # pixels of the supersampled picture


def png(canvas: Canvas, *, style: Style = "auto", scale: float = 2.0) -> bytes:
    """The bytes of a PNG file with `scale` pixels per canvas unit."""
    from PIL import Image, ImageDraw

    area = max(canvas.width * canvas.height, 1.0)
    scale = min(scale, math.sqrt(MOST / area))
    finer = max(1, min(4, int(math.sqrt(FINE / (area * scale * scale)))))
    palette = PALETTES.get(style, LIGHT)
    size = [max(1, math.ceil(side * scale)) * finer for side in (canvas.width, canvas.height)]
    image = Image.new("RGB", (size[0], size[1]), palette["paper"])
    painter = _Painter(ImageDraw.Draw(image), palette, scale * finer)
    for part in canvas.parts:
        for mark in part.marks:
            painter.text(mark) if isinstance(mark, Text) else painter.outline(mark)
    if finer > 1:
        image = image.reduce(finer)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True, dpi=(96 * scale, 96 * scale))
    return file.getvalue()


class _Painter:
    def __init__(self, draw: Any, palette: dict[str, str], scale: float) -> None:
        self.draw, self.palette, self.scale = draw, palette, scale

    def outline(self, mark: Outline) -> None:
        """Fill and stroke an outline."""
        runs = [
            [(x * self.scale, y * self.scale) for x, y in run] for run in flattened(mark.commands)
        ]
        if mark.fill:
            for run in runs:
                self.draw.polygon(run, fill=self.palette[mark.fill])
        if mark.stroke:
            thick = mark.width * self.scale
            colour = self.palette[mark.stroke]
            for run in runs:
                for piece in _dashed(run, [length * self.scale for length in mark.dash]):
                    self._line(piece, max(1, round(thick)), colour)

    def _line(self, run: Sequence[Point], thick: int, colour: str) -> None:
        self.draw.line(run, fill=colour, width=thick, joint="curve")
        if thick > 2:
            r = thick / 2 - 0.5
            for x, y in (run[0], run[-1]):
                self.draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def text(self, mark: Text) -> None:
        """Draw a line of text."""
        size = max(1, round(mark.size * self.scale))
        anchor = {"start": "ls", "middle": "ms", "end": "rs"}[mark.anchor]
        at = mark.at[0] * self.scale, mark.at[1] * self.scale
        rim = round(1.6 * self.scale) if mark.halo else 0
        font = _font(mark.face, size)
        self.draw.text(
            at, mark.text, self.palette[mark.tone], font, anchor,
            stroke_width=rim, stroke_fill=self.palette["paper"],
        )  # fmt: skip
        if rim:
            self.draw.text(at, mark.text, self.palette[mark.tone], font, anchor)


@lru_cache(64)
def _font(face: Face, size: int) -> Any:
    from PIL import ImageFont

    path = str(typeface(face).path)
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def _dashed(run: Sequence[Point], dash: Sequence[float]) -> list[list[Point]]:
    """The dashes of a polyline; the lengths in `dash` alternate between dash and gap."""
    if not dash:
        return [list(run)]
    pieces: list[list[Point]] = [[run[0]]]
    on, left, turn = True, dash[0], 0
    for (x, y), (u, v) in pairwise(run):
        length, done = math.dist((x, y), (u, v)), 0.0
        while length - done > left:
            done += left
            point = (x + (u - x) * done / length, y + (v - y) * done / length)
            if on:
                pieces[-1].append(point)
            else:
                pieces.append([point])
            on, turn = not on, turn + 1
            left = max(dash[turn % len(dash)], 0.1)
        left -= length - done
        if on:
            pieces[-1].append((u, v))
    return [piece for piece in pieces if len(piece) > 1]
