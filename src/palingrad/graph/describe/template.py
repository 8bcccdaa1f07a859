"""LaTeX templates with a hole `{x}` for each input, filled with brackets where needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from .notation import APPLIED, ATOM, POWER, PRODUCT, RELATION, SUM, Piece, attribute_text, leading

_HOLE = r"\{([a-z])\}"
_OPERATORS = [
    (RELATION, r"(?:<|>|=|\\ne|\\le|\\ge|\\land|\\lor|\\oplus|\\leftarrow)(?![a-zA-Z])"),
    (SUM, r"[+]|(?<=\S) - "),
    (PRODUCT, r"\\cdot|\\,|\\otimes|\\odot|\\bmod|(?<!\^)\*"),
]
_FUNCTION = r"\\(?:log|exp|sin|cos|tan|sinh|cosh|tanh|arc[a-z]+|operatorname\.+(?:_\.+)?)\s*$"
_TIMES = (r"\odot", r"\cdot", r"\,", r"\otimes")
_SIGN = r"(?:\\[a-zA-Z]+(?:\{\w+\})?(?:\^\{\\leftarrow\})?)+"  # \sum, \arg\max, \operatorname{var}


class Hole(NamedTuple):
    """A hole for an operand: the LaTeX before it, its letter, and the required precedence."""

    before: str
    letter: str
    level: int
    index: bool  # a subscript, as i in {x}_{i}: filled only by an operand of that name


class Template(NamedTuple):
    """LaTeX split at its holes."""

    holes: tuple[Hole, ...]
    rest: str  # the text after the last hole
    level: int  # the precedence of the whole


@lru_cache(1024)
def parsed(template: str) -> Template:
    """The template, split at its holes."""
    top = _level(template)
    holes: list[Hole] = []
    end = 0
    for match in re.finditer(_HOLE, template):
        before = template[end : match.start()]
        holes.append(Hole(before, match[1], _required(template, match, top), before.endswith("_")))
        end = match.end()
    return Template(tuple(holes), template[end:], top)


def template_of(y: Any) -> str:
    """An operation's `math` with its attributes and the signs of its products."""
    return with_attributes(y.math, y.attributes, any(x.ndim for x in y.inputs))


def with_attributes(template: str, attributes: Mapping[str, Any], arrays: bool) -> str:
    r"""The template with `<name>` replaced by that attribute, and `\*` by a product's sign.

    The sign is ⊙ between arrays. An axis that is None leaves out its subscript: `_{<axis>}`.
    """
    if "<" not in template and r" \* " not in template:
        return template
    template = template.replace(r" \* ", r" \odot " if arrays else r"\,")

    def value(match: re.Match[str]) -> str:
        found = attributes[match["name"]]
        text = "" if found is None else attribute_text(found)
        return text if not match["below"] else f"_{{{text}}}" if text else ""

    return re.sub(r"(?P<below>_\{)?<(?P<name>[a-z_0-9]+)>(?(below)\})", value, template)


def fill(template: str, operands: Sequence[Piece], names: Sequence[str]) -> Piece:
    """The template with the operands in its holes.

    `names` are the parameter names of the rule. An operand fills the hole of its name, else one
    with its first letter, else the next free hole. A template of one hole alone adds no brackets.
    """
    holes, rest, level = parsed(template)
    letters = list(dict.fromkeys(hole.letter for hole in holes if not hole.index))
    order = _operands_of(letters, names, len(operands))
    parts: list[str] = []
    for number, hole in enumerate(holes):
        parts.append(hole.before)
        place = order.get(hole.letter)
        if place is None:
            parts.append(f"{{{hole.letter}}}")
            continue
        if template == f"{{{hole.letter}}}":
            return operands[place]
        operand = operands[place]
        follows = holes[number + 1].before if number + 1 < len(holes) else rest
        if hole.level and follows.lstrip().startswith(_TIMES):
            operand = leading(operand)
        text = operand.within(hole.level)
        touches = re.search(r"\\[a-zA-Z]+$", hole.before) and text[0].isalpha()
        parts.append(f" {text}" if touches else text)
    return Piece("".join([*parts, rest]), level)


@lru_cache(1024)
def with_axes(template: str, axes: tuple[int, ...]) -> str:
    r"""A reduction's template with its axes as a subscript of the sign: \sum_{0} {x}."""
    match = re.match(rf"({_SIGN})( \{{[a-z]\}}|\\left\()", template)
    return template if match is None else match[1] + below(axes) + template[match.end(1) :]


def below(axes: Sequence[int]) -> str:
    """Axes as a LaTeX subscript; "" if there are none."""
    return "_{" + ", ".join(map(str, axes)) + "}" if axes else ""


def _operands_of(holes: Sequence[str], names: Sequence[str], count: int) -> dict[str, int]:
    """For each hole the number of the operand that fills it."""
    operands: dict[str, int] = {}
    rest = [number for number in range(count) if number >= len(names) or names[number] not in holes]
    for hole in holes:
        if hole in names and names.index(hole) < count:
            operands[hole] = names.index(hole)
    for hole in holes:
        if hole not in operands and rest:
            near = [number for number in rest if number < len(names) and names[number][:1] == hole]
            operands[hole] = near[0] if near else rest[0]
            rest.remove(operands[hole])
    return operands


def _outside(template: str) -> str:
    """The template with the contents of brackets, braces and \\left…\\right replaced by dots."""
    text = re.sub(r"\\left.*?\\right(?:\\\w+|.)", lambda m: "." * len(m[0]), template)
    text = re.sub(_HOLE, "HHH", text)
    while (
        less := re.sub(r"\{[^{}]*\}|\([^()]*\)|\[[^\[\]]*\]", lambda m: "." * len(m[0]), text)
    ) != text:
        text = less
    return text


def _level(template: str) -> int:
    """The precedence of a formula."""
    text = _outside(template)
    for level, operator in _OPERATORS:
        if re.search(operator, text):
            return level
    if text.startswith("-"):
        return SUM
    if re.match(r"\\\w+[.\s]*(?:\^\w)?\s*HHH", text) or re.match(r"\\[a-z]+\s*\\", text):
        return APPLIED
    return POWER if "^" in text else ATOM


def _brackets(template: str, match: re.Match[str]) -> tuple[int, int]:
    """The ends of what stands between the innermost brackets or commas around a match."""
    start = _end(template, match.start() - 1, -1, ")]}", "([{") + 1
    return start, _end(template, match.end(), 1, "([{", ")]}")


def _end(template: str, at: int, step: int, opening: str, closing: str) -> int:
    """The first place from `at` on, in steps of ±1, that closes a bracket or holds a comma."""
    depth = 0
    while 0 <= at < len(template):
        sign = template[at]
        fence = template[max(at - 6, 0) : at]
        command = fence.endswith("\\")  # \, and \;
        if sign == "|" and fence.endswith(("\\left", "\\right")) and not depth:
            return at if step < 0 else at - 6
        if sign in opening:
            depth += 1
        elif (sign in closing or (sign in ",;" and not command)) and depth == 0:
            return at - 6 if step > 0 and fence == "\\right" else at
        elif sign in closing:
            depth -= 1
        at += step
    return at


def _required(template: str, match: re.Match[str], top: int) -> int:
    """The precedence that a hole requires: the lowest if it is alone between brackets or commas,
    else by its neighbours."""
    text = _outside(template)
    if text[match.start() : match.end()] != "HHH":
        start, end = _brackets(template, match)
        part = template[start:end]
        inner = re.compile(_HOLE).match(part, match.start() - start)
        if inner is None or inner[0] == part.strip() or part == template:
            return RELATION
        return _required(part, inner, _level(part))
    if re.search(_FUNCTION, text[: match.start()]):
        return ATOM
    if text[match.end() : match.end() + 1] in ("^", "["):
        return ATOM
    before = text[: match.start()].rstrip()
    if top == SUM:
        after = text[match.end() :].lstrip()
        factor = before.endswith(("-", *_TIMES)) or after.startswith(_TIMES)
        return PRODUCT if factor else SUM
    if top == APPLIED and re.search(r"\\sum(?:_\.+)?$", before):
        return PRODUCT
    return {RELATION: SUM, PRODUCT: PRODUCT, APPLIED: ATOM, POWER: ATOM}.get(top, RELATION)
