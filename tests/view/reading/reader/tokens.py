"""The tokens of a LaTeX formula, one after the other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(
    r"\\(?:operatorname|mathrm|mathcal|mathbf)\{(?:[^{}]|\{[^{}]*\})*\}|\\left(?![a-z])\s*(?:\\[a-zA-Z]+|\\.|.)"
    r"|\\right(?![a-z])\s*(?:\\[a-zA-Z]+|\\.|.)|\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|[a-zA-Z]'*|\S"
)


class Unread(Exception):
    """The formula has a sign that the reader doesn't know."""


class Tokens:
    """The tokens, with the values of names and the attributes of the operation."""

    def __init__(self, latex: str, values: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        self.tokens = _TOKEN.findall(latex)
        self.values, self.options = values, options
        self.place = 0

    def peek(self, ahead: int = 0) -> str:
        at = self.place + ahead
        return self.tokens[at] if at < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        token = self.peek()
        if expected and token not in expected:
            raise Unread(f"{token!r}, not {expected}, in {''.join(self.tokens)}")
        self.place += 1
        return token

    def text(self) -> str:
        """A group as text: axes, orders."""
        if self.peek() != "{":
            return self.take().lstrip("\\")
        depth, text = 0, ""
        while True:
            token = self.take()
            depth += (token == "{") - (token == "}")
            if depth == 0:
                return text[1:].strip()
            text += token.lstrip("\\") if token != r"\to" else "->"

    def skip(self) -> None:
        while self.peek() == r"\,":
            self.take()

    def skip_space(self) -> None:
        while self.peek() in (r"\ ", r"\,"):
            self.take()
