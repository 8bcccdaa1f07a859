"""Drawing conventions: how the items and links of a picture become boxes and wires."""

from __future__ import annotations

import re
from collections import Counter
from typing import Literal

from ...graph.leaves import Constant
from ..names import is_named, number
from .facts import (
    formula,
    gradient_of,
    operation_text,
    ordered,
    preview,
    shape_text,
    slopes,
)
from .model import Item, Link, Picture
from .opened import frame_title
from .scene import Box, Form, Line, Scene, Wire

Convention = Literal["operations", "values", "bipartite"]
BACKWARD, UPDATE = "∂ backward", "← update"  # the groups of the backward and update roles
SMALL = 60  # the largest number of items for which values are shown by default


def scene_of(
    picture: Picture,
    *,
    nodes: Convention = "operations",
    values: bool | None = None,
    shapes: bool = True,
    beside: bool = True,
) -> Scene:
    """Returns the scene of a picture.

    `nodes` says what is a box: operations, with values flowing on the wires; values, with
    operations on the wires; or both ("bipartite"). With `beside` the backward pass runs upwards
    beside the forward pass; otherwise all wires run down.
    """
    shown = len(picture.items) <= SMALL if values is None else values
    return _Stage(picture, nodes, shown, shapes, beside).scene()


class _Stage:
    def __init__(
        self, picture: Picture, nodes: Convention, values: bool, shapes: bool, beside: bool
    ) -> None:
        self.picture, self.nodes = picture, nodes
        self.values, self.shapes, self.beside = values, shapes, beside
        self.items = {item.key: item for item in picture.items}
        self.arriving: dict[str, list[Link]] = {item.key: [] for item in picture.items}
        for link in picture.links:
            self.arriving[link.target].append(link)
        self.uses = Counter(
            link.source
            for link in picture.links
            if self.items[link.target].role == self.items[link.source].role
        )

    def scene(self) -> Scene:
        """Boxes and wires of all items."""
        scene = Scene()
        for item in self.picture.items:
            scene.boxes += self._boxes(item)
            if self.nodes == "bipartite" and item.kind == "operation":
                scene.wires.append(self._wire(item, item, f"f{item.key}", item.key))
        for link in self.picture.links:
            source, target = self.items[link.source], self.items[link.target]
            signed = (
                self.nodes == "bipartite" and target.kind == "operation"
            )  # has a box of its own
            end = f"f{link.target}" if signed else link.target
            scene.wires.append(self._wire(source, target, link.source, end, link.position))
        scene.titles = titles(scene.boxes)
        scene.last = (BACKWARD, UPDATE)
        return scene

    # ---------------------------------------------------------------- boxes

    def _boxes(self, item: Item) -> list[Box]:
        boxes = self._item_boxes(item)
        for box in boxes:
            box.kind = item.node.kind_name() if not item.key.startswith("u") else "update"
        return boxes

    def _item_boxes(self, item: Item) -> list[Box]:
        if item.kind != "operation":
            return [self._leaf(item)]
        if self.nodes == "operations":
            return [self._operation(item)]
        value = self._value(item)
        if self.nodes == "values":
            return [value]
        sign = operation_text(item.node)
        box = Box(
            f"f{item.key}",
            "sharp",
            tone(item),
            [Line(sign, 16.0 if len(sign) == 1 else 12.0)],
            item.role,
            group_of(item),
            tip=_tip(item),
            least=(30.0, 30.0),
        )
        return [box, value]

    def _leaf(self, item: Item) -> Box:
        lines = [title(item.label)]
        note = shape_text(item.node) if self.shapes else ""
        form: Form = {"variable": "sharp", "placeholder": "pill"}.get(item.kind, "chip")  # pyright: ignore[reportAssignmentType]
        if item.kind == "constant":
            named = is_named(item.node, item.label)
            text = item.label if named else preview(item.node.value) or item.label
            lines = [title(text), *_derivative(item)] if named else [Line(text, 12.5)]
            if not named and isinstance(item.node, Constant) and item.node.numpy().size == 1:
                note = ""
            lines += self._known(item, value=named)
        else:
            lines += self._known(item)
        uses = self.uses[item.key]
        shared = item.kind == "variable" and uses > 1 and item.role == "forward"
        return Box(
            item.key,
            form,
            tone(item),
            lines,
            item.role,
            group_of(item),
            note,
            f"{uses}×" if shared else "",
            _tip(item) + (f"\nused {uses} times" if shared else ""),
            least=(24.0, 22.0) if item.kind == "constant" else (40.0, 32.0),
        )

    def _operation(self, item: Item) -> Box:
        known = self._known(item)
        sign = operation_text(item.node)
        form: Form = "cut" if item.role == "update" else "round"
        if item.label.endswith("←"):
            lines = [title(item.label), *known]
        elif self._titled(item):
            operands = [self._operand(link) for link in self.arriving[item.key]]
            second = Line(formula(item.node, operands), 11.5, tone="soft")
            lines = [title(item.label), *_derivative(item), second, *known]
        elif len(sign) == 1:
            lines = [Line(sign, 19.0), *known]
            form = "circle" if not known and form == "round" else form
        else:
            lines = [Line(item.label, 12.5), *known]
        note = shape_text(item.node) if self.shapes and not item.label.endswith("←") else ""
        return Box(
            item.key, form, tone(item), lines, item.role, group_of(item), note, tip=_tip(item)
        )

    def _value(self, item: Item) -> Box:
        known = self._known(item)
        note = shape_text(item.node) if self.shapes else ""
        named = self._titled(item) or item.label.endswith("←")
        lines = [title(item.label), *_derivative(item)] if named else []
        lines += known
        form: Form = "dot" if not lines else "circle" if len(lines) == 1 else "pill"
        if form == "circle" and lines[0].width > 34:
            form = "pill"
        return Box(
            item.key, form, tone(item), lines, item.role, group_of(item), note, tip=_tip(item)
        )

    def _known(self, item: Item, *, value: bool = True) -> list[Line]:
        """The lines for value and gradient, if they are known and small."""
        if not self.values:
            return []
        return [
            Line(text, 11.5, tone="backward" if text.startswith("∂ ") else "ink")
            for text in _value_and_gradient(item, value=value)
        ]

    def _titled(self, item: Item) -> bool:
        return item.label.startswith("∂") or is_named(item.node, item.label)

    def _operand(self, link: Link) -> str | None:
        source = self.items[link.source]
        plain = source.kind == "operation" and not self._titled(source)
        return None if plain else source.label

    # ---------------------------------------------------------------- wires

    def _wire(
        self, source: Item, target: Item, start: str, end: str, position: int | None = None
    ) -> Wire:
        upward = self.beside and source.role == target.role == "backward"
        own, line = look(source, target)
        crossing = line == "dotted"
        mark = label = ""
        label_tone = "soft"
        if position is not None:
            if ordered(target.node) and target.key[0] != "u":
                mark = str(position + 1)
            if self.nodes == "values" and target.kind == "operation":
                label = operation_text(target.node)
            elif self.values and target.key[0] != "u" and gradient_of(target.node) is not None:
                slope = slopes(target.node)[position]
                if slope is not None:
                    label, label_tone = f"× {number(slope)}", "backward"
        dash = {"dotted": (1.5, 3.5), "dashed": (5.0, 3.0)}.get(line, ())
        weak = crossing and self.beside and target.role == "backward"
        return Wire(start, end, own, dash, mark, label, label_tone, upward, weak)


def look(source: Item, target: Item) -> tuple[str, str]:
    """The tone and the kind of line of an edge: "dotted" where the backward pass or an update uses
    a value of the forward pass, "dashed" in the backward pass, otherwise ""."""
    if source.role == "forward" and target.role != "forward":
        return "line", "dotted"
    if target.role == "forward":
        return "line", ""
    return target.role, "dashed" if target.role == "backward" else ""


def known_texts(picture: Picture, item: Item, values: bool | None) -> list[str]:
    """Value and gradient of an item, where a picture shows them; a number isn't repeated."""
    if not (len(picture.items) <= SMALL if values is None else values):
        return []
    return [text for text in _value_and_gradient(item) if text != item.label]


def _value_and_gradient(item: Item, *, value: bool = True) -> list[str]:
    if item.key.startswith("u"):
        return []
    known = preview(item.node.value) if value else ""
    gradient = preview(gradient_of(item.node))
    return [*([known] if known else []), *([f"∂ {gradient}"] if gradient else [])]


def group_title(part: str) -> str:
    """The title of the frame of a group."""
    return frame_title(part).removeprefix("∂ ").removeprefix("← ")


def title(label: str) -> Line:
    """A name as a title: one or two letters in italics, words in bold; so are derivatives."""
    names = re.split("[∂/]", label.removesuffix(" ←")) if label.startswith("∂") else [label]
    letters = max(len(name.removesuffix(" ←").strip(_DIGITS)) for name in names)
    return Line(label, 17.0, "italic") if letters <= 2 else Line(label, 13.0, "bold")


_DIGITS = "₀₁₂₃₄₅₆₇₈₉0123456789⁰¹²³⁴⁵⁶⁷⁸⁹′"


def _derivative(item: Item) -> list[Line]:
    return [Line(f"= {item.derivative}", 12.5, "italic")] if item.derivative else []


def tone(item: Item) -> str:
    """The tone of an item's box."""
    if item.kind == "operation":
        return {"forward": "operation"}.get(item.role, item.role)
    return item.kind


def group_of(item: Item) -> tuple[str, ...]:
    """The nested groups that an item's boxes are in: its role's, then its scopes."""
    outer = {"backward": (BACKWARD,), "update": (UPDATE,)}.get(item.role, ())
    return (*outer, *item.scope)


def titles(boxes: list[Box]) -> dict[tuple[str, ...], str]:
    """The title of each group's frame."""
    return {
        box.group[:depth]: group_title(box.group[depth - 1])
        for box in boxes
        for depth in range(1, len(box.group) + 1)
    }


def _tip(item: Item) -> str:
    node = item.node
    first = f"{item.label}: {node.kind_name()}" if item.label != node.kind_name() else item.label
    parts = [first, f"shape {shape_text(node) or '()'}, {node.dtype or '?'}"]
    if node.origin is not None:
        parts.append(f"built at {node.origin}")
    return "\n".join(parts)
