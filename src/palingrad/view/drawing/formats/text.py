"""Text: a picture as a table of lines, for terminals, diffs and e-mail."""

from __future__ import annotations

import re

from ..facts import function_text, gradient_of, operation_text, preview, shape_text
from ..model import Item, Picture
from ..opened import frame_title, is_frame

_SIGN = re.compile(r"[\s+*/^=<>(),;|%&−-]")  # in a name
_INDENT = "    "


def written(picture: Picture) -> str:
    """Returns one line per item in topological order: name, operation on names, shape, value.

    A name that several items share is followed by the item's key. What a loop or a branch holds is
    indented, below a line that says what it is.
    """
    counts: dict[str, int] = {}
    for item in picture.items:
        counts[item.label] = counts.get(item.label, 0) + 1
    names = {
        item.key: _read(item) if counts[item.label] == 1 else f"{_read(item)}:{item.key}"
        for item in picture.items
    }
    operands: dict[str, list[str]] = {}
    for link in picture.links:
        operands.setdefault(link.target, []).append(names[link.source])
    rows: list[tuple[str, str, str, str]] = []
    role = ""
    frames: list[str] = []
    for item in picture.items:
        if item.role != role:
            role = item.role
            rows.append((f"# {role}", "", "", ""))
        inside = [part for part in item.scope if is_frame(part)]
        if inside != frames and len(inside) >= len(frames):
            rows.append((f"{_INDENT * (len(inside) - 1)}# {frame_title(inside[-1])}", "", "", ""))
        frames = inside
        name = _INDENT * len(inside) + names[item.key]
        rows.append(_row(item, name, operands.get(item.key, [])))
    wide = [max((len(row[column]) for row in rows if row[1]), default=0) for column in range(3)]
    return "".join(
        "  ".join(cell.ljust(size) for cell, size in zip(row, (*wide, 0))).rstrip() + "\n"
        for row in rows
    )


def _read(item: Item) -> str:
    """The item's label; in quotes if it is a name that could be read as an expression."""
    given = item.node._name is not None and not item.node._unnamed
    return f"‘{item.label}’" if given and _SIGN.search(item.label) else item.label


def _row(item: Item, name: str, operands: list[str]) -> tuple[str, str, str, str]:
    if item.kind == "operation":
        sign = operation_text(item.node)
        if len(operands) == 2 and not sign.isidentifier():
            expression = f"{operands[0]} {sign} {operands[1]}"
        else:
            expression = f"{function_text(item.node)}({', '.join(operands)})"
    else:
        expression = operands[0] if operands else item.kind  # a parameter of a loop's body
    if item.derivative:
        name = f"{name} = {item.derivative}"
    shape = shape_text(item.node) or ("()" if item.node.shape == () else "")
    value = preview(item.node.value) if not item.key.startswith("u") else ""
    gradient = preview(gradient_of(item.node))
    known = [value] if value and value != item.label else []
    known += [f"∂ {gradient}"] if gradient else []
    return (name, f"= {expression}", shape, "   ".join(known))
