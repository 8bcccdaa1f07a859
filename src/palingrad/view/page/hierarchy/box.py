"""A box of the page: it contains nodes, by their places, and boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["phase", "scope", "repeat", "unit", "part", "leaves"]
PHASES = {"forward": "forward pass", "backward": "backward pass", "update": "update"}


@dataclass(eq=False)
class Box:
    """A box: its content in topological order, its title, and how often its content repeats."""

    name: str  # unique among its siblings
    title: str
    kind: Kind
    content: list[Box | int] = field(default_factory=list["Box | int"])
    count: int = 1

    def boxes(self) -> list[Box]:
        return [part for part in self.content if isinstance(part, Box)]


def walk(root: Box) -> Iterator[Box]:
    """All boxes, outer ones first; boxes that are added meanwhile are included."""
    stack = [root]
    while stack:
        box = stack.pop()
        yield box
        stack.extend(reversed(box.boxes()))


def is_step(box: Box) -> bool:
    """Whether the box is the phase of an optimizer's step."""
    return box.kind == "phase" and box.title == PHASES["update"]
