"""DOT: a picture in Graphviz's language, for layout by other tools."""

from __future__ import annotations

from ..conventions import group_of, group_title, known_texts, look, tone
from ..facts import operation_text, ordered, shape_text
from ..model import Item, Picture
from ..style import LIGHT, PALETTES, Style

_SHAPES = {"constant": "box", "placeholder": "ellipse", "variable": "box"}


def dot(
    picture: Picture, *, style: Style = "auto", right: bool = False, values: bool | None = None
) -> str:
    """The text of a DOT file; edges are numbered where the order of operands matters."""
    palette = PALETTES.get(style, LIGHT)
    lines = [
        "digraph palingrad {",
        f'  graph [rankdir={"LR" if right else "TB"}, bgcolor="{palette["paper"]}", '
        f'fontname="Helvetica", fontsize=11, fontcolor="{palette["soft"]}"]',
        f'  node [fontname="Helvetica", fontsize=11, fontcolor="{palette["ink"]}"]',
        f'  edge [fontname="Helvetica", fontsize=9, fontcolor="{palette["soft"]}", arrowsize=0.7]',
    ]
    groups: dict[tuple[str, ...], list[Item]] = {}
    for item in picture.items:
        groups.setdefault(group_of(item), []).append(item)
    opened: tuple[str, ...] = ()
    for number, (group, items) in enumerate(sorted(groups.items())):
        shared = 0
        while shared < min(len(opened), len(group)) and opened[shared] == group[shared]:
            shared += 1
        lines += ["  }"] * (len(opened) - shared)
        for depth in range(shared, len(group)):
            title = _quoted(group_title(group[depth]))
            colour = palette[f"{items[0].role}-frame" if items[0].role != "forward" else "frame"]
            lines.append(
                f'  subgraph cluster_{number}_{depth} {{ label={title}; color="{colour}"; '
                'style="rounded"'
            )
        opened = group
        for item in items:
            texts = [*label_of(item), *known_texts(picture, item, values)]
            lines.append(f"  {item.key} [{_attributes(item, texts, palette)}]")
    lines += ["  }"] * len(opened)
    items = {item.key: item for item in picture.items}
    for link in picture.links:
        source, target = items[link.source], items[link.target]
        tone_of, line = look(source, target)
        attributes = [f'label="{link.position + 1}"'] if ordered(target.node) else []
        attributes += [f'color="{palette[tone_of]}"', *([f"style={line}"] if line else [])]
        lines.append(f"  {link.source} -> {link.target} [{', '.join(attributes)}]")
    return "\n".join([*lines, "}"]) + "\n"


def label_of(item: Item) -> list[str]:
    """The lines of a node's label in a text format: name, derivative, operation, shape."""
    kind = operation_text(item.node)
    own = item.kind != "operation" or item.label in (kind, item.node.kind_name())
    lines = [item.label, *([f"= {item.derivative}"] if item.derivative else [])]
    if own and kind != item.node.kind_name() and item.kind == "operation":
        lines = [kind]
    elif not own and not item.label.endswith("←"):
        lines.append(kind)
    shape = shape_text(item.node) if not item.label.endswith("←") else ""
    return [*lines, shape] if shape else lines


def _attributes(item: Item, texts: list[str], palette: dict[str, str]) -> str:
    own = tone(item)
    style = {"backward": "rounded,dashed,filled", "update": "rounded,bold,filled"}.get(
        item.role, "rounded,filled"
    )
    if item.kind in ("variable", "placeholder"):
        style = "filled"
    elif item.kind == "constant":
        style = "rounded,filled"
    shape = _SHAPES.get(item.kind, "box")
    wide = ", penwidth=2" if item.kind == "variable" else ""
    return (
        f"label={_quoted(chr(10).join(texts))}, shape={shape}, "
        f'style="{style}", color="{palette[own]}", fillcolor="{palette[f"{own}-fill"]}"{wide}'
    )


def _quoted(text: str) -> str:
    """A string in which nothing has a meaning: no escape such as \\N, and no HTML entity."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped.replace("&", "&amp;")}"'
