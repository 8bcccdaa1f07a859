"""Reads LaTeX as a person would, brackets and juxtaposition, and computes its value.

Written apart from what writes it: recursive descent over
    sum := term (± term)*, term := factor (· factor | factor)*, factor := atom (^ group)*.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

_TOKEN = re.compile(r"\\left|\\right|\\[a-zA-Z]+|\\.|\d+\.?\d*|[a-zA-Z]|\S")
_ONE = {
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "tanh": math.tanh, "log": math.log,
    "sinh": math.sinh, "cosh": math.cosh, "arctan": math.atan,
    "sigma": lambda x: 1 / (1 + math.exp(-x)),
}  # fmt: skip

# LaTeX that matplotlib's mathtext hasn't, and what it has for it.
_OTHERS = {
    r"\lVert": "|", r"\rVert": "|", r"\bmod": r"\ \mathrm{mod}\ ", r"\land": r"\wedge",
    r"\lor": r"\vee", r"\le": r"\leq", r"\ge": r"\geq", r"\lnot": r"\neg",
}  # fmt: skip


class Reader:
    def __init__(self, latex: str, values: Mapping[str, float]) -> None:
        self.tokens = _TOKEN.findall(latex)
        self.values = values
        self.place = 0

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, expected: str | None = None) -> str:
        token = self.peek()
        assert expected is None or token == expected, (token, expected, self.tokens)
        self.place += 1
        return token

    def sum(self) -> float:
        total = 0.0
        sign = 1.0
        if self.peek() == "-":
            self.take()
            sign = -1.0
        total = sign * self.term()
        while self.peek() in ("+", "-"):
            sign = 1.0 if self.take() == "+" else -1.0
            total += sign * self.term()
        return total

    def term(self) -> float:
        total = self.factor()
        while True:
            token = self.peek()
            if token in (r"\cdot", r"\,"):
                self.take()
                total *= self.factor()
            elif token and token not in ("+", "-", "}", r"\right", "=", ")", "|"):
                total *= self.factor()
            else:
                return total

    def factor(self) -> float:
        token = self.peek()
        if token.startswith("\\") and token[1:] in _ONE:
            self.take()
            value = _ONE[token[1:]](self.atom())
            while self.peek() == "^":
                self.take()
                value **= self.group()
            return value
        base = self.take() if token in ("e",) and "e" not in self.values else None
        value = math.e if base else self.atom()
        while self.peek() == "^":
            self.take()
            value **= self.group()
        return value

    def group(self) -> float:
        if self.peek() == "{":
            self.take()
            value = self.sum()
            self.take("}")
            return value
        return self.atom()

    def atom(self) -> float:
        token = self.take()
        if token == r"\left":
            fence = self.take()
            value = self.sum()
            self.take(r"\right")
            self.take()
            return abs(value) if fence == "|" else value
        if token.startswith("\\") and token[1:] in _ONE:
            return _ONE[token[1:]](self.atom())
        if token == r"\operatorname":
            word = "".join(self.take() for _ in range(self.tokens[self.place :].index("}") + 1))
            return {"{sign}": lambda x: (x > 0) - (x < 0)}[word](self.atom())
        if token == "(":
            value = self.sum()
            self.take(")")
            return value
        if token == r"\frac":
            return self.group() / self.group()
        if token == r"\sqrt":
            return math.sqrt(self.group())
        if token[0].isdigit():
            return float(token)
        name = token
        if token == r"\mathrm":
            name += self.take("{")
            while not name.endswith("}"):
                name += self.take()
        if self.peek() == "_":
            self.take()
            if self.peek() == "{":
                self.take()
                name += "_{" + self.take()
                while self.peek() != "}":
                    name += self.take()
                name += self.take()
            else:
                name += "_" + self.take()
        while self.peek() == "'":
            name += self.take()
        return self.values[name]


def value_of(latex: str, values: Mapping[str, float]) -> float:
    reader = Reader(latex, values)
    value = reader.sum()
    assert reader.place == len(reader.tokens), reader.tokens[reader.place :]
    return value


def is_drawn(latex: str) -> bool:
    """Whether matplotlib's mathtext draws it; it knows no matrices and no cases.

    The time grows with the length of a formula, and most parts occur often. So numbers, words and
    spaces are made alike, and each group, the innermost first, is drawn alone, once, and replaced
    by a letter; so are what stands between \\left and \\right, terms and factors.
    """
    known, found = latex, 1
    while found:  # the innermost first
        known, found = re.subn(r"\\begin\{(pmatrix|cases)\}((?!\\begin).)*?\\end\{\1\}", "M", known)
    for name, other in _OTHERS.items():
        known = re.sub(re.escape(name) + "(?![a-zA-Z])", lambda _, other=other: other, known)
    known = re.sub(r"\d+(\.\d+)?", "7", known)
    known, found = _WORD.sub(r"\1{ab}", known), 1
    while found:  # the innermost first
        known, groups = _GROUPS.subn(_letter, known)
        known, pairs = _PAIR.subn(_opened, known)
        found = groups + pairs
    return all(map(_drawn, _parts(known)))


_WORD = re.compile(r"(\\(?:mathrm|operatorname))\{[a-zA-Z7]+\}")
_SIDE = r"(?:left|right)(?![a-zA-Z])"
_PLAIN = rf"(?<!\\)\{{(?:[^{{}}\\]|\\(?!{_SIDE})(?:[a-zA-Z]+|.))*\}}"  # without groups in it
_GROUPS = re.compile(
    rf"\\(?:frac|binom){_PLAIN}{_PLAIN}|\\(?!frac|binom|{_SIDE})[a-zA-Z]+(?:\[\w+\])?{_PLAIN}"
    rf"|[_^]{_PLAIN}|(?<![a-zA-Z}}\]]){_PLAIN}"
)
_DELIMITER = r"(\\[a-zA-Z]+|\\.|.)"
_PAIR = re.compile(
    rf"\\left(?![a-zA-Z]){_DELIMITER}((?:(?!\\{_SIDE}).)+)\\right(?![a-zA-Z]){_DELIMITER}"
)


def _letter(group: re.Match[str]) -> str:
    """A letter, or one as an index or exponent, for what was drawn."""
    text = group[0]
    sign = text[0] if text[0] in "_^" else ""
    assert _drawn(_spaced(f"x{text}" if sign else text))
    return f"{sign}M " if sign else " M "


def _opened(pair: re.Match[str]) -> str:
    """A letter for a pair of delimiters, after they and what is between them were drawn."""
    left, inner, right = pair.groups()
    assert all(map(_drawn, _parts(inner)))
    assert _drawn(rf"\left{left} M\right{right}")
    return " M "


def _parts(formula: str) -> list[str]:
    """What stands between the signs of relations and operations that are in no group."""
    parts, depth = [""], 0
    for token in re.findall(r"\\[a-zA-Z]+|\\.|.", formula, re.DOTALL):
        depth += (token == "{") - (token == "}")
        if depth == 0 and token in ("=", "+", "-", r"\odot", r"\cdot", r"\,"):
            parts.append("")
        else:
            parts[-1] += token
    return [known for part in parts if (known := _spaced(part))]


def _spaced(formula: str) -> str:
    """The formula without spaces that are none in mathematics."""
    return re.sub(r"(?<!\\) $", "", re.sub(r"(?<!\\) +", " ", formula).lstrip())


@cache
def _drawn(formula: str) -> bool:
    from matplotlib.mathtext import MathTextParser

    parser: Any = MathTextParser("path")
    parser.parse(f"${formula}$")
    return True
