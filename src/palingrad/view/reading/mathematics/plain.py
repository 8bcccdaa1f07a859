"""Converts this folder's LaTeX to plain text: a/b for fractions, x², xᵀ, σ, ∂."""

from __future__ import annotations

import re

from .symbols import GREEK

_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\s+|.", re.DOTALL)
_SIGNS = {
    "cdot": "·", "times": "×", "odot": "⊙", "otimes": "⊗", "oplus": "⊕", "ne": "≠", "le": "≤",
    "ge": "≥", "land": "∧", "lor": "∨", "lnot": "¬", "leftarrow": "←", "sum": "Σ", "prod": "Π",
    "exists": "∃", "forall": "∀", "partial": "∂", "dots": "…", "lfloor": "⌊", "rfloor": "⌋",
    "lceil": "⌈", "rceil": "⌉", "lVert": "‖", "rVert": "‖", "infty": "∞", "to": "→", "bmod": "mod",
    "Vert": "‖", "vert": "|", "mid": "|", "in": "∈", "ell": "ℓ", "ll": "≪",
    "gg": "≫", "star": "⋆", "ast": "∗",
    "left": "", "right": "", "displaystyle": "", "qquad": "  ", "quad": " ", "big": "",
}  # fmt: skip
_UP = str.maketrans("0123456789+-−=()nixyTtskr", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱˣʸᵀᵗˢᵏʳ")
_DOWN = str.maketrans("0123456789+-−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_WORDS = {"operatorname", "mathrm", "mathbf", "mathcal", "text", "mathit", "mathbb"}
_BOLD = {"0": "𝟎", "1": "𝟏"}
_NAMES = {
    "log", "exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "max",
    "min", "arg",
}  # fmt: skip


_WRITES = re.compile(r"[^\[]*\[.*\] ?(?:←|\S=) ")  # an array in which some elements are written


def plain(latex: str) -> str:
    """`latex` as one line of text."""
    return re.sub(r"\s+", " ", _Reader(latex).row("")).strip()


class _Reader:
    """A recursive-descent parser of LaTeX that returns plain text."""

    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(text)
        self.place = 0

    def row(self, end: str) -> str:
        """The text up to the token `end`."""
        text, last = "", 0  # last: where the last token's text starts
        while self.place < len(self.tokens):
            token = self.tokens[self.place]
            if token == end:
                self.place += 1
                break
            if token in ("^", "_"):
                self.place += 1
                text = text.rstrip()
                if token == "^" and (root := re.search(r"[√∛][\w(]\S*$", text)):
                    text = f"{text[: root.start()]}({root.group()})"
                text += _script(self.argument(), token)
                if _WRITES.match(text[last:]) and not self.alone(text[:last]):
                    text = f"{text[:last]}({text[last:]})"
            else:
                last = len(text) if not token.isspace() else last
                text += self.token()
        return text

    def alone(self, before: str) -> bool:
        """Whether what stands between `before` and the next token is all of a side or a bracket."""
        after = "".join(self.tokens[self.place :]).lstrip()
        ends = not after or after.startswith(("=", r"\right)"))
        return ends and not re.search(r"[^=(\s]\s*$", before)

    def argument(self) -> str:
        """A group in braces or one token."""
        while self.place < len(self.tokens) and self.tokens[self.place].isspace():
            self.place += 1
        return self.token() if self.place < len(self.tokens) else ""

    def token(self) -> str:
        """The text of the next token and its arguments."""
        token = self.tokens[self.place]
        self.place += 1
        if token == "{":
            return self.row("}")
        if token == "-":
            return "−"
        if token == "&":
            return " "
        if not token.startswith("\\"):
            return token
        name = token[1:]
        if name in ("frac", "dfrac"):
            text = f"{_atom(self.argument())}/{_atom(self.argument())}"
            return f"({text})" if self.multiplies() and text[0] != "∂" else text
        if name == "binom":
            return f"C({self.argument()}, {self.argument()})"
        if name == "sqrt":
            return self.root()
        if name in ("bar", "overline", "hat"):
            return _marked(self.argument(), {"hat": "\u0302"}.get(name, "\u0304"))
        if name in _WORDS:
            word = self.argument()
            return _BOLD.get(word, word) if name == "mathbf" else word
        if name in ("begin", "end"):
            matrix = self.argument() == "pmatrix"
            return ("[" if matrix else "{ ") if name == "begin" else ("]" if matrix else " }")
        if name == "\\":
            return "; "
        if name in GREEK:
            return GREEK[name]
        if name in (",", ";", ":", " ", "!"):
            return "" if name == "!" else " "
        if name in ("partial", "lVert"):
            while self.place < len(self.tokens) and self.tokens[self.place].isspace():
                self.place += 1
        if name in _NAMES:
            follows = self.tokens[self.place] if self.place < len(self.tokens) else ""
            return name + (" " if follows.startswith("\\") and follows != "\\left" else "")
        return _SIGNS.get(name, name) if name.isalpha() else name

    def multiplies(self) -> bool:
        """Whether a factor follows without a sign: a/b c could be read as a/(b c)."""
        rest = "".join(self.tokens[self.place : self.place + 3]).lstrip()
        if rest.startswith("\\,"):
            return True
        return re.match(r"\w|\\left|\\(?:math|frac|operatorname|bar|sqrt|sum)", rest) is not None

    def root(self) -> str:
        """√x, ∛x."""
        degree = ""
        if self.place < len(self.tokens) and self.tokens[self.place] == "[":
            self.place += 1
            degree = self.row("]")
        inner = self.argument()
        inner = f"({inner})" if re.search(r"[⁰¹²³⁴-⁹]", inner) else _atom(inner)
        return {"": "√", "3": "∛"}.get(degree, f"{degree}√") + inner


def _atom(text: str) -> str:
    """`text`, in parentheses unless it is a single name, number or call."""
    text = text.strip()
    single = re.fullmatch(r"∂?‘[^’]*’|[\w.∂\u0304\u0302'′₀-₉]+|[∂\w]*\([^()]*\)", text)
    return text if single else f"({text})"


def _script(text: str, mark: str) -> str:
    """A superscript or subscript, in Unicode's super- or subscript characters if possible."""
    text = text.strip()
    if text == "*":
        return "∗"
    table = _UP if mark == "^" else _DOWN
    if re.fullmatch(r"\d+( × \d+)+", text):
        text = text.replace(" × ", "x")  # a shape: ₃ₓ₄
    if text and all(ord(c) in table for c in text):
        return text.translate(table)
    if text.startswith("[") and mark == "_":
        return text
    if re.fullmatch(r"\([^()]*\)", text):
        return f"⁽{text[1:-1]}⁾" if mark == "^" else mark + text  # v⁽T⁾ isn't a power
    single = re.fullmatch(r"‘[^’]*’|[^\W\d][^\W⁰¹²³⁴-⁹]*|[\d.]+", text)  # not 2s, a product, nor x²
    return f"{mark}{text}" if single else f"{mark}({text})"


def _marked(text: str, mark: str) -> str:
    """The text with a combining bar or hat on each letter."""
    return "".join(c + mark if c.isalpha() else c for c in text)
