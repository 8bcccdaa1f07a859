"""Templates: LaTeX with a hole `{x}` for each input, filled with the brackets that are needed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .notation import APPLIED, ATOM, POWER, PRODUCT, RELATION, SUM, Piece

_HOLE = r"\{([a-z])\}"
_OPERATORS = [
    (RELATION, r"(?:<|>|=|\\ne|\\le|\\ge|\\land|\\lor|\\oplus|\\leftarrow)(?![a-zA-Z])"),
    (SUM, r"[+]|(?<=\S) - "),
    (PRODUCT, r"\\cdot|\\,|\\otimes|\\odot|\\bmod|(?<!\^)\*"),
]
_SIGN = r"(?:\\[a-zA-Z]+(?:\{\w+\})?)+"  # \sum, \arg\max, \operatorname{var}


def fill(template: str, operands: Sequence[Piece], names: Sequence[str]) -> Piece:
    """The template with the operands in its holes.

    `names` are those of the rule's parameters: an operand stands in the hole of its name, else in
    one of its first letter, else in the next. A template that is one hole is its operand.
    """
    order = _operands_of(_holes(template), names, len(operands))
    if (whole := re.fullmatch(_HOLE, template)) and whole[1] in order:
        return operands[order[whole[1]]]
    top = _level(template)
    pieces: list[str] = []
    place = 0
    for match in re.finditer(_HOLE, template):
        pieces.append(template[place : match.start()])
        place = match.end()
        index = order.get(match[1])
        if index is None:
            pieces.append(match[0])
            continue
        text = operands[index].within(_wanted(template, match, top))
        touches = re.search(r"\\[a-zA-Z]+$", pieces[-1]) and text[0].isalpha()
        pieces.append(f" {text}" if touches else text)
    pieces.append(template[place:])
    return Piece("".join(pieces), top)


def with_axes(template: str, axes: Sequence[int]) -> str:
    r"""A reduction's template with the axes it is over below its sign: \sum_{0} {x}."""
    match = re.match(rf"({_SIGN})( \{{[a-z]\}}|\\left\()", template)
    return template if match is None else match[1] + below(axes) + template[match.end(1) :]


def below(axes: Sequence[int]) -> str:
    """Axes as an index, nothing for none."""
    return "_{" + ", ".join(map(str, axes)) + "}" if axes else ""


def _holes(template: str) -> list[str]:
    """The letters of the holes, each once."""
    found = re.finditer(_HOLE, template)
    return list(dict.fromkeys(m[1] for m in found if not template[: m.start()].endswith("_")))


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
