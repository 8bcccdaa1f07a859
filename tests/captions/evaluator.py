"""A tiny evaluator of captions, written apart from the page: signs, digits and functions as a
reader knows them."""

from __future__ import annotations

import math
import re
from typing import Any

_TOKENS = re.compile(
    r"\s*(\d+\.?\d*|[a-zσ_]+\d*|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|more|∞|NaN|[-+−·/^(),|√∛:=])", re.IGNORECASE
)
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def _erf_gelu(x: float) -> float:
    return 0.5 * x * (1 + math.erf(x / math.sqrt(2)))


FUNCTIONS: dict[str, Any] = {
    "σ": lambda x: 1 / (1 + math.exp(-x)),
    "relu": lambda x: max(x, 0.0), "tanh": math.tanh, "sin": math.sin, "cos": math.cos,
    "tan": math.tan, "sinh": math.sinh, "cosh": math.cosh, "arcsin": math.asin,
    "arccos": math.acos, "arctan": math.atan, "erf": math.erf, "log": math.log, "max": max,
    "min": min, "gelu": _erf_gelu, "erfc": math.erfc, "asinh": math.asinh, "acosh": math.acosh,
    "atanh": math.atanh, "log2": math.log2, "log10": math.log10, "atan2": math.atan2,
    "floor": math.floor, "ceil": math.ceil, "round": round, "trunc": math.trunc,
    "sign": lambda x: float((x > 0) - (x < 0)), "positive": lambda x: x,
    "stop_gradient": lambda x: x, "where": lambda c, x, y: x if c else y,
    "clip": lambda x, low, high: min(max(x, low), high),
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
    "elu": lambda x, alpha: x if x > 0 else alpha * math.expm1(x),
    "equal": lambda x, y: float(x == y), "not_equal": lambda x, y: float(x != y),
    "less": lambda x, y: float(x < y), "less_equal": lambda x, y: float(x <= y),
    "greater": lambda x, y: float(x > y), "greater_equal": lambda x, y: float(x >= y),
    "floor_divide": lambda x, y: x // y, "remainder": lambda x, y: x % y,
    "fmod": math.fmod, "copysign": math.copysign, "prelu": lambda x, a: x if x > 0 else a * x,
    "relu6": lambda x: min(max(x, 0.0), 6.0), "signbit": lambda x: float(math.copysign(1, x) < 0),
    "heaviside": lambda x, h: h if x == 0 else float(x > 0), "fmax": max, "fmin": min,
    "isnan": lambda x: float(math.isnan(x)), "isinf": lambda x: float(math.isinf(x)),
    "isfinite": lambda x: float(math.isfinite(x)), "ones_like": lambda x: 1.0,
    "zeros_like": lambda x: 0.0, "bitwise_invert": lambda x: 1.0 - x,
    "bitwise_and": lambda x, y: x * y, "bitwise_or": max,
}  # fmt: skip


def number(text: str) -> float:
    """The value of a number as a caption shows it: −1.5·10⁻⁷."""
    return Evaluator(text).value()


class Evaluator:
    """Recursive descent: sums, products (also without a sign), powers, atoms."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        place = 0
        while place < len(text.rstrip()):
            match = _TOKENS.match(text, place)
            assert match, f"{text!r} at {text[place:]!r}"
            self.tokens.append(match[1])
            place = match.end()
        self.place = 0

    def value(self) -> float:
        found = self.sum()
        assert self.place == len(self.tokens), self.tokens[self.place :]
        return found

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, token: str = "") -> str:
        found = self.peek()
        assert found in ((token,) if token else self.tokens), (token, self.tokens, self.place)
        self.place += 1
        return found

    def sum(self) -> float:
        found = self.product()
        while self.peek() in ("+", "−"):
            found = found + self.product() if self.take() == "+" else found - self.product()
        return found

    def product(self) -> float:
        if self.peek() == "−":
            self.take()
            return -self.product()
        found = self.power()
        while self.peek() in ("·", "/"):
            other = self.take() == "·"
            factor = self.power()
            if other:
                found *= factor
            else:
                found = found / factor if factor else math.copysign(math.inf, found)
        return found

    def power(self) -> float:
        found = self.atom()
        while self.peek() and self.peek()[0] in "^⁻⁰¹²³⁴⁵⁶⁷⁸⁹":
            mark = self.take()
            if mark == "^":
                minus = -1 if self.peek() == "−" and self.take() else 1
                found **= minus * self.atom()
            else:
                found **= int(mark.translate(_RAISED))
        return found

    def atom(self) -> float:
        token = self.take()
        if token == "(":
            return self.bracket()
        if token == "|":
            found = self.sum()
            self.take("|")
            return abs(found)
        if token in "√∛":
            return math.copysign(abs(x := self.power()) ** (1 / "..√∛".index(token)), x)
        if token == "∞":
            return math.inf
        if token == "NaN":
            return math.nan
        if token == "e" and self.peek() == "^":
            return math.e
        if token in FUNCTIONS:
            given = self.arguments()
            try:
                return float(FUNCTIONS[token](*given))
            except (ValueError, OverflowError):
                return math.nan
        return float(token)

    def bracket(self) -> float:
        """A sum in brackets, or (781 more: 1.5), whose value is that of the rest."""
        if self.tokens[self.place + 1 : self.place + 3] == ["more", ":"]:
            self.place += 3
        found = self.sum()
        self.take(")")
        return found

    def arguments(self) -> list[float]:
        """Of f(x, y, slope=0.2) or f x."""
        if self.peek() != "(":
            return [self.power()]
        self.take("(")
        found: list[float] = []
        while True:
            if self.tokens[self.place + 1] == "=":
                self.place += 2
            found.append(self.sum())
            if self.take() == ")":
                return found
            assert self.tokens[self.place - 1] == ","
