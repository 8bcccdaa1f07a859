"""Reads LaTeX of arrays as a person would, and computes its value with NumPy and SciPy.

It knows nothing of palingrad. Functions and powers are those of each element, ⊙ is the product of
elements, and symbols side by side are a matrix product, as is usual. A function that is written by
its name alone, `softmax(x)`, is looked up in `named.py`; it may read the operation's attributes,
which are shown beside the formula.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from .named import LETTERS, NAMES, REDUCTIONS, SYMBOLS
from .options import stated
from .places import indexed
from .tokens import Tokens, Unread

_PRODUCTS = {r"\odot", r"\otimes", r"\times", r"\bmod", r"\ ", "*", r"\star", "/"}
_RELATIONS = {
    "=": np.equal, r"\ne": np.not_equal, "<": np.less, ">": np.greater, r"\le": np.less_equal,
    r"\ge": np.greater_equal, r"\land": np.bitwise_and, r"\lor": np.bitwise_or,
    r"\oplus": np.bitwise_xor, r"\in": np.isin, r"\ll": np.left_shift, r"\gg": np.right_shift,
}  # fmt: skip
_LOGICAL = {r"\land": np.logical_and, r"\lor": np.logical_or, r"\oplus": np.logical_xor}
_ENDS = {"", "}", ")", "]", ",", ";", "&", r"\\", r"\end", r"\rVert", "|", r"\|", r"\mid"}


class Reader(Tokens):
    def whole(self) -> Any:
        value = self.relation()
        if self.place < len(self.tokens):
            raise Unread(f"{self.tokens[self.place :]} is left")
        return value

    def relation(self) -> Any:
        value = self.sum()
        while self.peek() in _RELATIONS:
            sign = self.take()
            other = self.sum()
            floats = any(np.asarray(x).dtype.kind in "fc" for x in (value, other))
            value = (_LOGICAL if floats else _RELATIONS).get(sign, _RELATIONS[sign])(value, other)
        if self.peek() == r"\mid" and self.peek(1):  # scores | those that are visible
            self.take()
            value = np.where(self.sum(), value, -np.inf)
        return value

    def sum(self) -> Any:
        sign = self.peek() == "-"
        if sign:
            self.take()
        total = self.term()
        total = np.negative(total) if sign else total
        while self.peek() in ("+", "-"):
            total = total + self.term() if self.take() == "+" else total - self.term()
        return total

    def term(self) -> Any:
        total = self.dotted()
        while self.peek() in _PRODUCTS:
            sign = self.take()
            options = stated("", {})
            if sign in ("*", r"\star") and self.peek() == "_":
                self.take()
                options = stated(self.text(), {})
            total = self._times(sign, total, self.dotted(), options)
        return total

    def dotted(self) -> Any:
        """Factors with dots, which bind more than ⊙: x ⊙ 2 · 3 y is x ⊙ (6 y)."""
        total = self.juxtaposed()
        while self.peek() == r"\cdot":
            total = self._times(self.take(), total, self.juxtaposed())
        return total

    def juxtaposed(self) -> Any:
        """Factors side by side, which bind more than signs: 2 x ⊙ y is (2 x) ⊙ y."""
        total = self.factor()
        while True:
            if self.peek() == r"\,":
                self.take()
            if self._ends() or self.peek() in _PRODUCTS or self.peek() == r"\cdot":
                return total
            total = self._times("", total, self.factor())

    def _ends(self) -> bool:
        token = self.peek()
        return token in _ENDS or token in _RELATIONS or token in "+-" or token.startswith(r"\right")

    def _times(self, sign: str, x: Any, y: Any, options: Any = None) -> Any:
        x, y = np.asarray(x), np.asarray(y)
        if sign == r"\cdot" and x.ndim and y.ndim:
            return np.dot(x, y)
        if sign == r"\otimes":
            return np.multiply.outer(x, y)
        if sign == r"\times":
            return np.cross(x, y)
        if sign == "/":
            return np.true_divide(x, y)
        if sign == r"\bmod":
            return np.mod(x, y)
        if sign in ("*", r"\star"):
            return NAMES["convolve" if sign == "*" else "correlate"](options, x, y)
        if sign == r"\odot" or not (x.ndim and y.ndim):
            return x * y
        return np.matmul(x, y) if min(x.ndim, y.ndim) else x * y

    def factor(self) -> Any:
        """A function without brackets, or an atom with its powers."""
        token = self.peek()
        if token in REDUCTIONS or (token == r"\arg" and self.peek(1) in (r"\max", r"\min")):
            return self.reduction()
        name = self._name(token)
        if name is not None:
            self.take()
            return self.function(name)
        if token == r"\lnot":
            self.take()
            self.skip()
            value = np.asarray(self.factor())
            return np.logical_not(value) if value.dtype.kind in "fc" else np.invert(value)
        return self.powers(self.atom())

    def _name(self, token: str) -> str | None:
        """The name of a function, if the token is one."""
        found = re.fullmatch(r"\\(operatorname|mathcal)\{(.*)\}", token)
        if found:
            return found[2] if found[1] == "operatorname" else f"cal {found[2]}"
        if token.startswith("\\") and token[1:] in NAMES and token != r"\binom":
            return token[1:]
        applied = self.peek(1) in ("(", r"\left(", "_", "^") and token in LETTERS
        return token if applied and token not in self.values else None

    def function(self, name: str) -> Any:
        """name_{below}^{above}(arguments), or of the factor that follows."""
        below = above = ""
        while self.peek() in ("_", "^"):
            if self.take() == "_":
                below = self.text()
            else:
                above = self.text()
        function = NAMES.get(f"{name}^{above}" if above else name)
        if function is None and (
            above == "leftarrow" or (above and name.startswith(("cal ", r"\psi", "psi")))
        ):
            function = NAMES.get(name)
        if function is None:
            raise Unread(f"the function {name}^{above}")
        options = stated(below, self.options) | {"above": above, "values": self.values}
        self.skip()
        if self.peek() in ("(", r"\left("):
            arguments = self.arguments()
            value = function(options, *arguments)
            return self.powers(value)
        return function(options, self.factor())

    def arguments(self) -> list[Any]:
        self.take()
        found = [self.relation()]
        while self.peek() in (",", ";", r"\|", r"\mid", r"\,", r"\;"):
            self.take()
            if self.peek() not in (r"\|", r"\,", r"\;"):
                found.append(self.relation())
        self.take(")", r"\right)")
        return found

    def reduction(self) -> Any:
        sign = self.take()
        sign += self.take() if sign == r"\arg" else ""
        below = ""
        if self.peek() == "_":
            self.take()
            below = self.text()
        self.skip()
        if self.peek() in ("(", r"\left(") and sign in (r"\max", r"\min"):
            arguments = self.arguments()
            if len(arguments) > 1:
                both = {r"\max": np.maximum, r"\min": np.minimum}[sign]
                return self.powers(both(*arguments))
            value = arguments[0]
        else:
            value = self.term()
        axes = tuple(map(int, below.split(","))) if below else None
        value = np.asarray(value)
        return value if axes and not value.ndim else REDUCTIONS[sign](value, axes)

    def powers(self, value: Any) -> Any:
        while self.peek() in ("^", "_"):
            if self.take() == "_":
                value = indexed(self, value)
                continue
            above = self.peek()
            if above == "{":
                self.take()
                text = "".join(self.tokens[self.place : self.place + 3])
                if text.startswith(("-1}", "-T}", "+}", "*}", "T}")):
                    above = text.partition("}")[0]
                    self.place += 1 + len(above)
                    value = _MARKS[above](value)
                    continue
                if self.peek() == r"\odot":
                    self.take()
                value = _power(value, self.relation())
                self.take("}")
            elif above in ("T", "*", "+"):
                self.take()
                value = _MARKS[above](value)
            else:
                value = _power(value, self.atom())
        return value

    def group(self) -> Any:
        if self.peek() != "{":
            return self.atom()
        self.take()
        value = self.relation()
        self.take("}")
        return value

    def atom(self) -> Any:
        token = self.take()
        if token in (r"\left(", "("):
            value = self.relation()
            self.take(r"\right)", ")")
            return value
        if token in (r"\left|", "|"):
            value = np.abs(self.sum())
            self.take(r"\right|", "|")
            return value
        if token in (r"\left\lVert", r"\lVert"):
            return self.norm()
        if token in (r"\left\lfloor", r"\left\lceil", r"\lfloor", r"\lceil"):
            value = self.sum()
            self.take()
            return (np.floor if "floor" in token else np.ceil)(value)
        if token in (r"\left[", "["):
            return self.bracket()
        if token == r"\frac":
            above = self.group()
            return np.true_divide(above, self.group())
        if token == r"\binom":
            return NAMES["binom"](self.options, self.group(), self.group())
        if token == r"\sqrt":
            if self.peek() == "[":
                self.take()
                self.take("3")
                self.take("]")
                return np.cbrt(self.group())
            return np.sqrt(self.group())
        if token == r"\begin":
            return self.environment()
        if token in ("e", "i", "I") and token not in self.values:
            units = {"e": lambda: np.exp(np.longdouble(1)), "i": lambda: 1j}
            return units[token]() if token in units else np.eye(self.options["n_"])
        if token[0].isdigit():
            return _number(token)
        if token == r"\infty":
            return np.inf
        if token == "{":
            value = self.relation()
            self.take("}")
            return value
        if token == "-":
            return np.negative(self.factor())
        return self.value(token)

    def value(self, token: str) -> Any:
        """A name's value, with its index; a bar makes it another name."""
        if token in (r"\bar", r"\overline"):
            inner = self.text()
            token = f"{token}{{{inner}}}"
        for marked in (self._subscripted(token), token):
            if marked in self.values:
                if marked != token:
                    self._skip_subscript()
                return self.values[marked]
        if token in (r"\mathbf{0}", r"\mathbf{1}") and self.peek() == "_" and self.peek(2) != "[":
            self.take()
            size = tuple(map(int, self.text().replace("times", ",").split(",")))
            return SYMBOLS[token]({"size": size})
        if token in SYMBOLS:
            return SYMBOLS[token]({})
        raise Unread(f"the name {token}")

    def _subscripted(self, token: str) -> str:
        if self.peek() != "_":
            return token
        if self.peek(1) != "{":
            return f"{token}_{self.peek(1)}"
        end = self.tokens.index("}", self.place)
        return f"{token}_" + "".join(self.tokens[self.place + 1 : end + 1])

    def _skip_subscript(self) -> None:
        self.take()
        self.text()

    def bracket(self) -> Any:
        """[condition], or [x; y] joined along the axis."""
        parts = [self.relation()]
        while self.peek() in (";", ","):
            self.take()
            self.skip()
            parts.append(self.relation())
        self.take(r"\right]", "]")
        if len(parts) == 1:
            return np.asarray(parts[0]) * 1
        axis = 0
        if self.peek() == "_" and self.peek(2) != "[":
            self.take()
            axis = int(self.text())
        return NAMES["joined"](self.options, axis, *parts)

    def norm(self) -> Any:
        value = self.sum()
        self.take(r"\right\rVert", r"\rVert")
        below = ""
        if self.peek() == "_":
            self.take()
            below = self.text()
        which, _, axes = below.partition(";")
        return NAMES["norm"](self.options, value, which or "2", axes.strip())

    def environment(self) -> Any:
        kind = self.text()
        rows: list[list[Any]] = [[]]
        while self.peek() != r"\end":
            if self.peek() == "&":
                self.take()
            elif self.peek() == r"\\":
                self.take()
                rows.append([])
            elif self.peek() in (r"\mathrm{if}", r"\mathrm{else}"):
                word = self.take()
                self.skip_space()
                if "if" in word:
                    rows[-1].append(self.relation())
            else:
                rows[-1].append(self.relation())
        self.take()
        self.text()
        if kind == "pmatrix":
            table = np.array(rows)
            return table[0] if len(rows) == 1 else table
        rest = rows.pop()[0] if len(rows[-1]) == 1 else np.nan  # no case holds
        for x, condition in reversed(rows):
            rest = np.where(np.asarray(condition).astype(bool), x, rest)
        return rest


def _number(token: str) -> Any:
    return int(token) if token.isdigit() else np.longdouble(token)


def _power(x: Any, y: Any) -> Any:
    x, y = np.asarray(x), np.asarray(y)
    if x.dtype.kind in "iub" and y.dtype.kind == "i" and np.any(y < 0):
        x = x.astype(np.longdouble)
    return np.power(x, y)


def _pinv(x: Any) -> Any:
    return np.linalg.pinv(np.asarray(x, np.complex128 if np.iscomplexobj(x) else np.float64))


def _inv(x: Any) -> Any:
    return np.linalg.inv(np.asarray(x, np.complex128 if np.iscomplexobj(x) else np.float64))


def _transposed(x: Any) -> Any:
    return np.swapaxes(x, -1, -2) if np.ndim(x) > 1 else x


_MARKS = {
    "-1": _inv, "+": _pinv, "T": _transposed, "*": np.conj,
    "-T": lambda x: _transposed(_inv(x)),
}  # fmt: skip


def value_of(latex: str, values: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """The value of a formula, given those of its names."""
    return Reader(latex, values, options).whole()
