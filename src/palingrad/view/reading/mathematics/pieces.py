"""Pieces of mathematics, put together with the brackets that they need and no more."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ....graph.operation import Operation

# How tightly a piece of mathematics holds together, from loose to tight.
RELATION, SUM, PRODUCT, APPLIED, POWER, ATOM = range(6)
BACKSLASH = "\\"
_HOLE = re.compile(r"\{([a-z])\}")
_GROUP = re.compile(r"\{[^{}]*\}|\([^()]*\)|\[[^\[\]]*\]")
_OPERATORS = [
    (
        RELATION,
        re.compile(r"(?:<|>|=|\\ne|\\le|\\ge|\\land|\\lor|\\oplus|\\leftarrow)(?![a-zA-Z])"),
    ),
    (SUM, re.compile(r"[+]|(?<=\S) - ")),
    (PRODUCT, re.compile(r"\\cdot|\\,|\\otimes|\\odot|\\bmod|(?<!\^)\*")),
]


class Piece(NamedTuple):
    """LaTeX, and how tightly it holds together."""

    latex: str
    level: int = ATOM

    def signed(self) -> tuple[str, Piece]:
        """A leading minus, if it is all of a product's or number's, and the rest."""
        if self.level == SUM and self.latex.startswith("-"):
            rest = _GROUP.sub("", re.sub(r"\\left.*\\right", "", self.latex[1:]))
            if not re.search(r"(?<=\S) [+-] ", rest):
                one = re.fullmatch(r"\\?\w+(?:_\{\w+\})?", self.latex[1:])
                return "-", Piece(self.latex[1:], ATOM if one else PRODUCT)
        return "", self

    def within(self, level: int) -> str:
        """The piece where something of `level` is expected: in brackets if it is looser."""
        return self.latex if self.level >= level else f"\\left({self.latex}\\right)"


def _times(count: int, term: Piece) -> Piece:
    sign, rest = term.signed()
    text = rest.within(PRODUCT)
    return Piece(
        f"{sign}{count}{' ' if text[0] == BACKSLASH else ''}{text}", SUM if sign else PRODUCT
    )


def added(terms: Sequence[Piece]) -> Piece:
    """A sum, in which what is negative is subtracted, and what comes twice is 2 times that."""
    counts = Counter(term.latex for term in terms)
    if len(counts) < len(terms) and not any(re.match(r"-?[\d.]", text) for text in counts):
        terms = [
            term if counts[term.latex] == 1 else _times(counts[term.latex], term)
            for term in dict.fromkeys(terms)
        ]
    total = terms[0]
    for term in terms[1:]:
        text = term.within(SUM)
        end = f"- {text[1:]}" if text.startswith("-") else f"+ {text}"  # a + (−b + c) is a − b + c
        total = Piece(f"{total.within(SUM)} {end}", SUM)
    return total


def from_template(node: Operation, operands: Sequence[Piece]) -> Piece:
    """The operation's `math` with the operands in its places; without one, name(operands)."""
    template = type(node).math
    if not template or len(operands) > len(_holes(template)):
        if not (template and _holes(template)):
            return applied(word(node), operands)
    holes = _holes(template)
    order = _operands_of(node, holes, len(operands))
    top = _level(template)
    pieces: list[str] = []
    place = 0
    for match in _HOLE.finditer(template):
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


def _holes(template: str) -> list[str]:
    """The letters of the holes, each once."""
    return list(dict.fromkeys(m[1] for m in _HOLE.finditer(template) if not _index(template, m)))


def _index(template: str, match: re.Match[str]) -> bool:
    return template[: match.start()].endswith("_")


def _operands_of(node: Operation, holes: Sequence[str], count: int) -> dict[str, int]:
    """Which operand stands in which hole: by the names of the rule's parameters, else in order."""
    rule = type(node).__dict__.get("expand") or type(node).__dict__.get("f")
    rule = getattr(rule, "__func__", rule)
    names = list(inspect.signature(rule).parameters)[1:] if rule else []
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
    text = _HOLE.sub("HHH", text)
    while (
        less := re.sub(r"\{[^{}]*\}|\([^()]*\)|\[[^\[\]]*\]", lambda m: "." * len(m[0]), text)
    ) != text:
        text = less
    return text


def _level(template: str) -> int:
    """How tightly a formula holds together."""
    text = _outside(template)
    for level, operator in _OPERATORS:
        if operator.search(text):
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
    return {RELATION: SUM, PRODUCT: PRODUCT, APPLIED: ATOM, POWER: ATOM}.get(top, RELATION)


def applied(name: str, operands: Sequence[Piece]) -> Piece:
    """name(operands)."""
    return Piece(f"{name}\\left({', '.join(one.latex for one in operands)}\\right)", ATOM)


def word(node: Operation) -> str:
    """The operation's name as the name of a function."""
    return "\\operatorname{" + node.kind_name().replace("_", "\\_") + "}"
