"""Templates: LaTeX with a hole `{x}` for each input, filled with the brackets that are needed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from .notation import APPLIED, ATOM, POWER, PRODUCT, RELATION, SUM, Piece

_HOLE = r"\{([a-z])\}"
_OPERATORS = [
    (RELATION, r"(?:<|>|=|\\ne|\\le|\\ge|\\land|\\lor|\\oplus|\\leftarrow)(?![a-zA-Z])"),
    (SUM, r"[+]|(?<=\S) - "),
    (PRODUCT, r"\\cdot|\\,|\\otimes|\\odot|\\bmod|(?<!\^)\*"),
]
_SIGN = r"(?:\\[a-zA-Z]+(?:\{\w+\})?)+"  # \sum, \arg\max, \operatorname{var}


class Hole(NamedTuple):
    """A place for an operand: the LaTeX before it, its letter, and how tight an operand must be."""

    before: str
    letter: str
    level: int
    index: bool  # below a sign, as the i of {x}_{i}: for an operand of that name only


class Template(NamedTuple):
    """LaTeX taken apart at its holes."""

    holes: tuple[Hole, ...]
    rest: str  # what stands after the last hole
    level: int  # how tightly the whole holds together


@lru_cache(1024)
def parsed(template: str) -> Template:
    """A template, taken apart."""
    top = _level(template)
    holes: list[Hole] = []
    place = 0
    for match in re.finditer(_HOLE, template):
        before = template[place : match.start()]
        holes.append(Hole(before, match[1], _wanted(template, match, top), before.endswith("_")))
        place = match.end()
    return Template(tuple(holes), template[place:], top)


def fill(template: str, operands: Sequence[Piece], names: Sequence[str]) -> Piece:
    """The template with the operands in its holes.

    `names` are those of the rule's parameters: an operand stands in the hole of its name, else in
    one of its first letter, else in the next. A template that is one hole is its operand.
    """
    holes, rest, level = parsed(template)
    letters = list(dict.fromkeys(hole.letter for hole in holes if not hole.index))
    order = _operands_of(letters, names, len(operands))
    parts: list[str] = []
    for hole in holes:
        parts.append(hole.before)
        place = order.get(hole.letter)
        if place is None:
            parts.append(f"{{{hole.letter}}}")
            continue
        if template == f"{{{hole.letter}}}":
            return operands[place]
        text = operands[place].within(hole.level)
        touches = re.search(r"\\[a-zA-Z]+$", hole.before) and text[0].isalpha()
        parts.append(f" {text}" if touches else text)
    return Piece("".join([*parts, rest]), level)


@lru_cache(1024)
def with_axes(template: str, axes: tuple[int, ...]) -> str:
    r"""A reduction's template with the axes it is over below its sign: \sum_{0} {x}."""
    match = re.match(rf"({_SIGN})( \{{[a-z]\}}|\\left\()", template)
    return template if match is None else match[1] + below(axes) + template[match.end(1) :]


def below(axes: Sequence[int]) -> str:
    """Axes as an index, nothing for none."""
    return "_{" + ", ".join(map(str, axes)) + "}" if axes else ""


def _operands_of(holes: Sequence[str], names: Sequence[str], count: int) -> dict[str, int]:
    """Which operand stands in which hole."""
    found: dict[str, int] = {}
    rest = [place for place in range(count) if place >= len(names) or names[place] not in holes]
    for hole in holes:
        if hole in names and names.index(hole) < count:
            found[hole] = names.index(hole)
    for hole in holes:
        if hole not in found and rest:
            near = [place for place in rest if place < len(names) and names[place][:1] == hole]
            found[hole] = near[0] if near else rest[0]
            rest.remove(found[hole])
    return found


def _outside(template: str) -> str:
    """The template with what stands in brackets, braces and fences blanked."""
    text = re.sub(r"\\left.*?\\right(?:\\\w+|.)", lambda m: "." * len(m[0]), template)
    text = re.sub(_HOLE, "HHH", text)
    while (
        less := re.sub(r"\{[^{}]*\}|\([^()]*\)|\[[^\[\]]*\]", lambda m: "." * len(m[0]), text)
    ) != text:
        text = less
    return text


def _level(template: str) -> int:
    """How tightly a formula holds together."""
    text = _outside(template)
    for level, operator in _OPERATORS:
        if re.search(operator, text):
            return level
    if text.startswith("-"):
        return SUM
    if re.match(r"\\\w+[.\s]*(?:\^\w)?\s*HHH", text) or re.match(r"\\[a-z]+\s*\\", text):
        return APPLIED
    return POWER if "^" in text else ATOM


def _wanted(template: str, match: re.Match[str], top: int) -> int:
    """What level a hole needs: none inside brackets and braces, else by what stands beside it."""
    text = _outside(template)
    if text[match.start() : match.end()] != "HHH":
        return RELATION
    if text[match.end() : match.end() + 1] in ("^", "["):
        return ATOM
    before = text[: match.start()].rstrip()
    if top == SUM:
        return PRODUCT if before.endswith("-") else SUM
    if top == APPLIED and re.search(r"\\sum(?:_\.+)?$", before):
        return PRODUCT
    return {RELATION: SUM, PRODUCT: PRODUCT, APPLIED: ATOM, POWER: ATOM}.get(top, RELATION)
