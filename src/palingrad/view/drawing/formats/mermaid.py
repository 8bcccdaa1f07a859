"""Mermaid: a picture as text that GitHub, GitLab and many notebooks render."""

from __future__ import annotations

import re

from ..conventions import group_of, group_title, known_texts, look, tone
from ..facts import ordered
from ..model import Item, Picture
from ..style import LIGHT, PALETTES, Style
from .dot import label_of

_BRACKETS = {"variable": ("[", "]"), "placeholder": ("([", "])"), "constant": ("(", ")")}
_LINES = {"": "", "dashed": "stroke-dasharray:5 3", "dotted": "stroke-dasharray:2 3"}


def mermaid(
    picture: Picture, *, style: Style = "auto", right: bool = False, values: bool | None = None
) -> str:
    """The text of a Mermaid flow chart."""
    palette = PALETTES.get(style, LIGHT)
    lines = [f"flowchart {'LR' if right else 'TD'}"]
    items = {item.key: item for item in picture.items}
    for number, (group, members) in enumerate(_grouped(picture)):
        if group:
            title = " / ".join(map(group_title, group))
            lines.append(f'  subgraph s{number}["{_escaped(title)}"]')
        for item in members:
            texts = [*label_of(item), *known_texts(picture, item, values)]
            left, right_ = _BRACKETS.get(item.kind, ("(", ")"))
            lines.append(f'  {item.key}{left}"{"<br/>".join(map(_escaped, texts))}"{right_}')
        if group:
            role = "" if members[0].role == "forward" else f"{members[0].role}-"
            fill, stroke = palette[f"{role}frame-fill"], palette[f"{role}frame"]
            look_of = f"fill:{fill},stroke:{stroke},color:{palette['soft']}"
            lines += ["  end", f"  style s{number} {look_of}"]
    strokes: dict[str, list[str]] = {}
    for number, link in enumerate(picture.links):
        source, target = items[link.source], items[link.target]
        tone_of, line = look(source, target)
        arrow = "-.->" if line else "-->"
        label = f"|{link.position + 1}|" if ordered(target.node) else ""
        lines.append(f"  {link.source} {arrow}{label} {link.target}")
        dash = f",{_LINES[line]}" if line else ""
        strokes.setdefault(f"stroke:{palette[tone_of]}{dash}", []).append(str(number))
    lines += [f"  linkStyle {','.join(numbers)} {css}" for css, numbers in strokes.items()]
    return "\n".join([*lines, *_classes(picture, palette)]) + "\n"


def _grouped(picture: Picture) -> list[tuple[tuple[str, ...], list[Item]]]:
    groups: dict[tuple[str, ...], list[Item]] = {}
    for item in picture.items:
        groups.setdefault(group_of(item), []).append(item)
    return sorted(groups.items())


def _classes(picture: Picture, palette: dict[str, str]) -> list[str]:
    """The colours of nodes, by classes."""
    keys: dict[tuple[str, str], list[str]] = {}
    for item in picture.items:
        keys.setdefault((tone(item), item.role), []).append(item.key)
    lines: list[str] = []
    for number, ((own, role), members) in enumerate(keys.items()):
        more = {"backward": ",stroke-dasharray:5 3", "update": ",stroke-width:3px"}.get(role, "")
        more = ",stroke-width:2px" if own == "variable" else more
        fill, stroke, ink = palette[f"{own}-fill"], palette[own], palette["ink"]
        lines.append(f"  classDef c{number} fill:{fill},stroke:{stroke},color:{ink}{more}")
        lines.append(f"  class {','.join(members)} c{number}")
    return lines


# What ends a string, or has a meaning in it: HTML, entities, Markdown (`), directives (%%{), \n.
_ESCAPES = str.maketrans({sign: f"#{ord(sign)};" for sign in '#"<>&`%\\*_~$'})
_LIST = re.compile(r"^(\s*)(?:([-+])|(\d+)([.)]))(?=\s|$)")  # Markdown's lists


_DECODED = re.compile(r"\\(?=n)|\$(?=\$)")  # \n and $$ have a meaning even as entities
_JOINER = "\u2060"  # invisible, and no place to break a line


def _escaped(text: str) -> str:
    text = _DECODED.sub(lambda m: m[0] + _JOINER, text).translate(_ESCAPES)
    return _LIST.sub(
        lambda m: m[1] + (f"#{ord(m[2])};" if m[2] else f"{m[3]}#{ord(m[4])};"), text
    ).replace("\n", " ")
