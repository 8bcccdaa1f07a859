"""A scene: boxes with lines of text, and wires between them, before layout."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .typeface import Face, width

Form = Literal["round", "pill", "sharp", "chip", "circle", "cut", "bare", "dot", "stack"]


@dataclass(frozen=True)
class Line:
    """A line of text in a box."""

    text: str
    size: float = 12.0
    face: Face = "sans"
    tone: str = "ink"

    @property
    def width(self) -> float:
        """The width of the text in canvas units."""
        return width(self.text, self.size, self.face)


@dataclass
class Box:
    """One box to lay out.

    `note` is the shape of the value, written beside the outgoing wire. `badge` is a text in the
    corner: the number of uses, or of folded blocks. `kind` is the name of the operation.
    """

    key: str
    form: Form
    tone: str
    lines: list[Line]
    role: str = "forward"
    group: tuple[str, ...] = ()
    note: str = ""
    badge: str = ""
    tip: str = ""
    kind: str = ""
    least: tuple[float, float] = (36.0, 32.0)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the outline."""
        wide = max((line.width for line in self.lines), default=0.0)
        tall = sum(line.size * 1.32 for line in self.lines)
        if self.form == "circle":
            side = max(wide + 16.0, tall + 10.0, 34.0)
            return side, side
        if self.form == "dot":
            return 10.0, 10.0
        pad = {"chip": 14.0, "bare": 6.0, "pill": 32.0}.get(self.form, 28.0)
        above = 8.0 if self.form in ("chip", "bare") else 15.0
        least = (24.0, 22.0) if self.form in ("chip", "bare") else self.least
        return max(wide + pad, least[0]), max(tall + above, least[1])


@dataclass(frozen=True)
class Wire:
    """One edge. `mark` at its end is the operand's number; `label` is the text in its middle."""

    source: str
    target: str
    tone: str = "line"
    dash: tuple[float, ...] = ()
    mark: str = ""
    label: str = ""
    label_tone: str = "soft"
    upward: bool = False
    weak: bool = False
    arrow: bool = True
    width: float = 1.4


@dataclass
class Scene:
    """Boxes and wires. `titles` are the titles of groups' frames; groups in `last` are drawn on the
    right."""

    boxes: list[Box] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    titles: dict[tuple[str, ...], str] = field(default_factory=dict)
    last: tuple[str, ...] = ()
    title: str = ""
