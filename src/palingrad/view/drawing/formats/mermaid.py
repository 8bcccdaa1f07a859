"""Mermaid: a picture as text that GitHub, GitLab and many notebooks render."""

from __future__ import annotations

from ..facts import ordered
from ..model import Item, Picture
from ..opened import frame_title
from .dot import label_of

_BRACKETS = {"variable": ("[", "]"), "placeholder": ("([", "])"), "constant": ("[/", "/]")}


def mermaid(picture: Picture) -> str:
    """The text of a Mermaid flow chart."""
    lines = ["flowchart TD"]
    items = {item.key: item for item in picture.items}
    for number, (scope, members) in enumerate(_scoped(picture)):
        if scope:
            lines.append(f'  subgraph s{number}["{_escaped(" / ".join(map(frame_title, scope)))}"]')
        lines += [f"  {_node(item)}" for item in members]
        if scope:
            lines.append("  end")
    for link in picture.links:
        source, target = items[link.source], items[link.target]
        arrow = "-->" if source.role == target.role else "-.->"
        label = f"|{link.position + 1}|" if ordered(target.node) else ""
        lines.append(f"  {link.source} {arrow}{label} {link.target}")
    for role, look in (("backward", "stroke-dasharray:5 3"), ("update", "stroke-width:3px")):
        keys = [item.key for item in picture.items if item.role == role]
        if keys:
            lines += [f"  classDef {role} {look}", f"  class {','.join(keys)} {role}"]
    return "\n".join(lines) + "\n"


def _scoped(picture: Picture) -> list[tuple[tuple[str, ...], list[Item]]]:
    scopes: dict[tuple[str, ...], list[Item]] = {}
    for item in picture.items:
        scopes.setdefault(item.scope, []).append(item)
    return sorted(scopes.items())


def _node(item: Item) -> str:
    left, right = _BRACKETS.get(item.kind, ("(", ")"))
    return f'{item.key}{left}"{"<br/>".join(map(_escaped, label_of(item)))}"{right}'


# What ends a string, or has a meaning in it: HTML, entities, Markdown (`), directives (%%{), \n.
_ESCAPES = str.maketrans({sign: f"#{ord(sign)};" for sign in '#"<>&`%\\'})


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
