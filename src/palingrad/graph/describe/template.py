"""LaTeX templates with a hole `{x}` for each input, filled with brackets where needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from ...classes import NamedTuple
from .notation import (
    APPLIED,
    ATOM,
    POWER,
    PRODUCT,
    RELATION,
    SUM,
    Piece,
    attribute_text,
    leading,
    operator,
    option_text,
    word,
)

_HOLE = r"\{([a-z])\}"
_OPERATORS = [
    (RELATION, r"(?:<|>|=|\\ne|\\le|\\ge|\\land|\\lor|\\oplus|\\ll|\\gg|\\leftarrow)(?![a-zA-Z])"),
    (SUM, r"[+]|(?<=\S) - |\\otimes|\\times|\\star|(?<!\^)\*"),  # no factor of a product ⊙
    (PRODUCT, r"\\cdot|\\,|\\odot|\\bmod"),
]
_OTHER_PRODUCT = r"(?:\\otimes|\\times|\\star|(?<!\^)\*)(?:[_^](?:\w|\.+))*"
_FUNCTION = r"\\(?:log|exp|sin|cos|tan|sinh|cosh|tanh|arc[a-z]+|operatorname\.+(?:_\.+)?)\s*$"
_TIMES = (r"\odot", r"\cdot", r"\,", r"\otimes")
# What an option stands below: \sum, \arg\max, \operatorname{var}, \mathcal{F}^{-1}, D(…), a * b.
_SIGN = (
    r"(?:^(?:(?!\\(?:frac|left|begin|sqrt)\b)\\[a-zA-Z]+(?:\{\w+\})?)+"
    r"|^[A-Z](?=\()|(?<=\} )(?:\*|\\star)(?=[ ^]))(?P<above>\^(?:\{[^{}]*\}|\w))?"
)


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


def template_of(y: Any, options: str | None = None) -> str:
    """An operation's `math` with its attributes and the signs of its products; options that it
    doesn't name stand below its sign."""
    options = stated_options(y) if options is None else options
    template = with_attributes(y.math, y.attributes, any(x.ndim for x in y.inputs))
    return with_options(template, options, y.kind_name(), len(y.inputs))


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

    filled = re.sub(r"(?P<below>_\{)?<(?P<name>[a-z_0-9]+)>(?(below)\})", value, template)
    return filled.replace("; }", "}")  # an axis that is None


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


def with_options(template: str, options: str, name: str, count: int = 1) -> str:
    r"""A template with options as a subscript of its sign: \sum_{0} {x}. One without a sign that
    could have a subscript becomes name_{options}(x, y)."""
    if not options or re.fullmatch(_HOLE, template):
        return template
    sign = re.search(_SIGN, template)
    if sign is None:
        holes = list(dict.fromkeys(re.findall(_HOLE, template)))[:count]
        return f"{operator(name)}_{{{options}}}({', '.join(f'{{{one}}}' for one in holes)})"
    start, rest = template[: sign.end()], template[sign.end() :]
    own = re.match(r"_(\{[^{}]*\}|\w)", rest)  # a subscript of its own, as in \mathcal{F}_r
    if own and not re.fullmatch(_HOLE, own[1]):
        return f"{start}_{{{own[1].strip('{}')}; {options}}}{rest[own.end() :]}"
    return f"{start}_{{{options}}}{rest}"


def below(options: str) -> str:
    """Options as a LaTeX subscript; "" if there are none."""
    return f"_{{{options}}}" if options else ""


# Options that a formula states only if they differ from these; None and False are never stated.
_USUAL: dict[str, Any] = {
    "correction": 0, "k": 0, "offset": 0, "axis1": 0, "axis2": 1, "norm": "backward",
    "side": "left", "method": "linear", "edge_order": 1, "reduction": "mean",
    "label_smoothing": 0.0, "groups": 1, "full_matrices": False,
}  # fmt: skip
_PLAIN = {"stride": 1, "dilation": 1, "padding": 0, "extra": 0, "sizes": None}  # on each axis
# No part of the mathematics, or what the formulas of their operations tell in another way.
_UNSTATED = {
    "dtype",
    "index",
    "squared",
    "log_q",
    "reverse",
    "inverse",
    "mapped",
    "examples",
}
_GREEK = {"alpha", "beta", "gamma", "delta", "epsilon"}


def stated_options(y: Any, *told: str) -> str:
    r"""The options of an operation that its formula states below its sign: those that neither its
    `math` nor the caller has `told` and that differ from the usual ones. An axis is its number, a
    flag its name, others are name=value."""
    parts: list[str] = []
    for name, value in y.attributes.items():
        if name in told or name in _UNSTATED or f"<{name}>" in y.math:
            continue
        if value is None or value is False or (name in _USUAL and _USUAL[name] == value):
            continue
        if name in _PLAIN and all(one == _PLAIN[name] for one in _numbers(value)):
            continue
        if name in ("axis", "axes"):
            text = _axes_text(y, value)
            parts[:0] = [text] if text else []
        elif _is_plain(value):
            parts.append(_stated(name, value))
    return r";\ ".join(parts)


def _numbers(value: Any) -> list[Any]:
    """The numbers in nested tuples."""
    parts = [value]
    while any(isinstance(part, (tuple, list)) for part in parts):
        parts = [x for part in parts for x in (part if isinstance(part, (tuple, list)) else [part])]
    return parts


def _axes_text(y: Any, value: Any) -> str:
    """The axes, unless they are the last one or the only one."""
    ndim = y.inputs[0].ndim if y.inputs else None
    axes = value if isinstance(value, tuple) else (value,)
    if not all(isinstance(axis, int) for axis in axes):
        return f"{word('axes')}={option_text(value)}"
    last = ndim is not None and [axis % ndim for axis in axes if ndim] == [ndim - 1]
    return "" if ndim == 1 or last or set(axes) == {-1} else ", ".join(map(str, axes))


def _is_plain(value: object) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))


def _stated(name: str, value: object) -> str:
    sign = f"\\{name}" if name in _GREEK else name if len(name) == 1 else word(name)
    return sign if value is True else f"{sign}={option_text(value)}"


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
    for level, sign in _OPERATORS:
        if re.search(sign, text):
            return level
    if text.startswith("-"):
        return SUM
    if re.match(r"\\\w+[.\s]*(?:[_^](?:\w|\.+))*\s*HHH", text) or re.match(
        r"\\(?:[a-z]+\s*\\|log )", text
    ):
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
        if re.search(_OTHER_PRODUCT + "$", before) or re.match(_OTHER_PRODUCT, after):
            return POWER
        factor = before.endswith(("-", *_TIMES)) or after.startswith(_TIMES)
        return PRODUCT if factor else SUM
    if top == APPLIED and re.search(r"\\sum(?:_\.+)?$", before):
        return PRODUCT
    return {RELATION: SUM, PRODUCT: PRODUCT, APPLIED: ATOM, POWER: ATOM}.get(top, RELATION)
