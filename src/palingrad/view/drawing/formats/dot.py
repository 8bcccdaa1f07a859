"""DOT: a picture in Graphviz's language, for layout by other tools."""

from __future__ import annotations

from ..facts import operation_text, ordered, shape_text
from ..model import Item, Picture
from ..opened import frame_title

_SHAPES = {"constant": "plaintext", "placeholder": "ellipse", "variable": "box"}


def dot(picture: Picture) -> str:
    """The text of a DOT file; edges are numbered where the order of operands matters."""
    lines = [
        "digraph palingrad {",
        '  graph [rankdir=TB, fontname="Helvetica"]',
        '  node [fontname="Helvetica", fontsize=11]',
        '  edge [fontname="Helvetica", fontsize=9]',
    ]
    groups: dict[tuple[str, ...], list[Item]] = {}
    for item in picture.items:
        groups.setdefault(item.scope, []).append(item)
    graph_scope: tuple[str, ...] = ()
    for number, (scope, items) in enumerate(sorted(groups.items())):
        shared = 0
        while shared < min(len(graph_scope), len(scope)) and graph_scope[shared] == scope[shared]:
            shared += 1
        lines += ["  }"] * (len(graph_scope) - shared)
        for depth in range(shared, len(scope)):
            title = _quoted(frame_title(scope[depth]))
            lines.append(f"  subgraph cluster_{number}_{depth} {{ label={title}")
        graph_scope = scope
        lines += [f"  {item.key} [{_attributes(item)}]" for item in items]
    lines += ["  }"] * len(graph_scope)
    items = {item.key: item for item in picture.items}
    for link in picture.links:
        target = items[link.target]
        attributes = [f'label="{link.position + 1}"'] if ordered(target.node) else []
        if items[link.source].role != target.role:
            attributes.append("style=dotted")
        lines.append(
            f"  {link.source} -> {link.target}"
            + (f" [{', '.join(attributes)}]" if attributes else "")
        )
    return "\n".join([*lines, "}"]) + "\n"


def label_of(item: Item) -> list[str]:
    """The lines of a node's label in a text format: name, operation, shape."""
    kind = operation_text(item.node)
    own = item.kind != "operation" or item.label in (kind, item.node.kind_name())
    lines = [item.label] if own or item.label.endswith("←") else [item.label, kind]
    shape = shape_text(item.node) if not item.label.endswith("←") else ""
    return [*lines, shape] if shape else lines


def _attributes(item: Item) -> str:
    style = {"backward": "rounded,dashed", "update": "rounded,bold"}.get(item.role, "rounded")
    shape = _SHAPES.get(item.kind, "box")
    attributes = f"label={_quoted(chr(10).join(label_of(item)))}, shape={shape}"
    return attributes if item.kind != "operation" else f'{attributes}, style="{style}"'


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
