"""Python expressions as text: operator precedence, and line breaks as ruff formats them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

WIDTH = 100

# Python's operator precedence, from low to high.
COMPARE, OR, XOR, AND, SHIFT, SUM, PRODUCT, UNARY, POWER, ATOM = range(10)
LEVELS = {
    "==": COMPARE, "!=": COMPARE, "<": COMPARE, "<=": COMPARE, ">": COMPARE, ">=": COMPARE,
    "|": OR, "^": XOR, "&": AND, "<<": SHIFT, ">>": SHIFT, "+": SUM, "-": SUM, "*": PRODUCT,
    "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "@": PRODUCT, "**": POWER,
}  # fmt: skip
_SIMPLE = re.compile(r"-?[\w.]+$")


class Text(NamedTuple):
    """A Python expression: its text on one line, its precedence, and its parts if breakable.

    Broken over lines, it is `head`, then each of `parts` on its own line, then `tail`. The
    arguments of a call may share a line.
    """

    flat: str
    level: int = ATOM
    head: str = ""
    parts: Sequence[Text] = ()
    tail: str = ""
    call: bool = False


def bracketed(head: str, parts: Sequence[Text], tail: str, *, call: bool = False) -> Text:
    """A call or a display; `head` ends with the opening bracket and `tail` is the closing one."""
    inner = ", ".join(part.flat for part in parts)
    if head == "(" and not call and len(parts) == 1:
        inner += ","
    return Text(head + inner + tail, ATOM, head, parts, tail, call)


def keyword(name: str, value: Text) -> Text:
    """name=value, as an argument."""
    return value._replace(flat=f"{name}={value.flat}", head=f"{name}={value.head}")


def infix(operator: str, x: Text, y: Text) -> Text:
    """x operator y, with parentheses where precedence requires them."""
    level = LEVELS[operator]
    chained = level in (COMPARE, POWER)  # comparisons chain, and ** associates to the right
    left = _inside(x, level + chained)
    right = _inside(y, level + 1)
    if operator == "**":
        right = y.flat if y.level >= UNARY else f"({y.flat})"
        tight = _SIMPLE.match(left) and _SIMPLE.match(right)
        return Text(f"{left}**{right}" if tight else f"{left} ** {right}", level)
    if y.level == UNARY and right[0] == "-" and operator in "+-":  # x + -2 equals x - 2 bit for bit
        operator, right = "-" if operator == "+" else "+", right[1:]
    return Text(f"{left} {operator} {right}", level)


def prefix(operator: str, x: Text) -> Text:
    """-x, +x or ~x."""
    inner = _inside(x, UNARY)
    return Text(f"{operator}({inner})" if inner[0] in "+-~" else operator + inner, UNARY)


def after(x: Text, suffix: str) -> Text:
    """x followed by an attribute, an index or a method call."""
    number = x.flat.replace(".", "").isdigit()
    return Text((f"({x.flat})" if number else _inside(x, ATOM)) + suffix, ATOM)


def _inside(x: Text, level: int) -> str:
    return x.flat if x.level >= level else f"({x.flat})"


def broken(start: str, text: Text, indent: int, end: str = "") -> list[str]:
    """The lines of `start` + text + `end`, broken if one line is too long."""
    pad = " " * indent
    if indent + len(start) + len(text.flat) + len(end) <= WIDTH or not text.parts:
        return [pad + start + text.flat + end]
    if text.call:
        inner = pad + "    " + ", ".join(part.flat for part in text.parts)
        if len(inner) <= WIDTH:
            return [pad + start + text.head, inner, pad + text.tail + end]
    lines = [pad + start + text.head]
    for part in text.parts:  # recursion is only a few levels deep
        lines += broken("", part, indent + 4, ",")
    return [*lines, pad + text.tail + end]
