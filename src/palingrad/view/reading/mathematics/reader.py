"""Converts the LaTeX of operations' formulas to MathML, which browsers display natively.

Supports only the LaTeX commands that formulas use; an unknown command is shown by its name.
"""

from __future__ import annotations

import re
from html import escape

_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\{(?:\w+)\}|\d+(?:\.\d+)?|[a-zA-Z]|\s+|.", re.DOTALL)
_SIGNS = {
    "cdot": "·", "otimes": "⊗", "oplus": "⊕", "ne": "≠", "le": "≤", "ge": "≥", "land": "∧",
    "lor": "∨", "lnot": "¬", "leftarrow": "←", "sum": "∑", "prod": "∏", "exists": "∃",
    "forall": "∀", "partial": "∂", "dots": "…", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈",
    "rceil": "⌉", "lVert": "‖", "rVert": "‖", "int": "∫", "times": "×", "pm": "±", "infty": "∞",
    "in": "∈", "nabla": "∇", "to": "→", "|": "‖", "{": "{", "}": "}", "bmod": "mod", "mid": "|",
    "ll": "≪", "gg": "≫", "star": "⋆",
}  # fmt: skip
_LETTERS = {
    "sigma": "σ", "varepsilon": "ε", "epsilon": "ϵ", "alpha": "α", "beta": "β", "gamma": "γ",
    "delta": "δ", "eta": "η", "lambda": "λ", "mu": "μ", "pi": "π", "phi": "φ", "Phi": "Φ",
    "theta": "θ", "rho": "ρ", "tau": "τ", "omega": "ω", "psi": "ψ", "Gamma": "Γ", "Delta": "Δ",
    "Sigma": "Σ", "xi": "ξ", "kappa": "κ", "nu": "ν", "chi": "χ", "zeta": "ζ",
}  # fmt: skip
_SPACES = {",": "0.17em", ";": "0.28em", "quad": "1em", " ": "0.25em", "!": "-0.17em"}
_SCRIPT = {"U": "𝒰", "N": "𝒩", "L": "ℒ", "O": "𝒪"}
_LARGE = {"∑", "∏", "∫"}


class Reader:
    """A recursive-descent parser of LaTeX that returns MathML."""

    def __init__(self, text: str) -> None:
        self.tokens = [token for token in _TOKEN.findall(_spaced(text)) if not token.isspace()]
        self.place = 0

    def next(self) -> str:
        """Consume the next token; "" at the end."""
        self.place += 1
        return self.tokens[self.place - 1] if self.place <= len(self.tokens) else ""

    def peek(self) -> str:
        """The next token, without consuming it."""
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def row(self, *ends: str) -> str:
        """Atoms with their scripts, up to one of `ends` or the end of the text."""
        parts: list[str] = []
        while self.peek() and self.peek() not in ends:
            parts.append(self.scripted())
        return "".join(parts)

    def scripted(self) -> str:
        """One atom with its subscript and superscript."""
        whole = self.atom()
        atom = whole.removesuffix(_THIN)
        space = whole[len(atom) :]
        scripts: dict[str, str] = {}
        while self.peek() in ("_", "^"):
            mark = self.next()
            scripts[mark] = self.atom()
        if set(scripts) == {"_", "^"}:
            return f"<msubsup>{atom}{scripts['_']}{scripts['^']}</msubsup>{space}"
        if "^" in scripts:
            return f"<msup>{atom}{scripts['^']}</msup>{space}"
        return f"<msub>{atom}{scripts['_']}</msub>{space}" if scripts else whole

    def atom(self) -> str:
        """A group, a command, a letter, a number or a sign."""
        token = self.next()
        if token == "{":
            inside = self.row("}")
            self.next()
            return f"<mrow>{inside}</mrow>"
        if token.startswith("\\"):
            return self.command(token[1:])
        if len(token) == 1 and 0xE000 <= ord(token) <= 0xF8FF:
            return f"<mi>{{{ord(token) - 0xE000}}}</mi>"
        if token.isalpha():
            return f"<mi>{token}</mi>"
        if token[:1].isdigit():
            return f"<mn>{token}</mn>"
        return f"<mo>{escape({'-': '−', '*': '∗'}.get(token, token))}</mo>"

    def command(self, name: str) -> str:
        """A command and its arguments."""
        if name == "frac":
            return f"<mfrac>{self.atom()}{self.atom()}</mfrac>"
        if name == "binom":
            rows = "".join(f"<mtr><mtd>{self.atom()}</mtd></mtr>" for _ in range(2))
            return f"<mrow><mo>(</mo><mtable>{rows}</mtable><mo>)</mo></mrow>"
        if name == "sqrt":
            return self.root()
        if name == "overline":
            return f'<mover accent="true">{self.atom()}<mo>¯</mo></mover>'
        if name in ("operatorname", "mathrm", "text", "mathcal"):
            word = self.word()
            return f'<mi mathvariant="normal">{escape(_SCRIPT.get(word, word))}</mi>{_THIN}'
        if name in ("left", "right"):
            fence = self.next()
            sign = _SIGNS.get(fence[1:], fence) if fence.startswith("\\") else fence
            return f'<mo stretchy="true" fence="true">{escape(sign)}</mo>'
        if name == "begin":
            return self.cases()
        if name in _SPACES:
            return f'<mspace width="{_SPACES[name]}"/>'
        if name in _LETTERS:
            return f"<mi>{_LETTERS[name]}</mi>"
        if name in _SIGNS:
            large = ' movablelimits="false"' if _SIGNS[name] in _LARGE else ""
            return f"<mo{large}>{_SIGNS[name]}</mo>"
        return f'<mi mathvariant="normal">{escape(name)}</mi>{_THIN}'  # \sin, \log, \max, …

    def root(self) -> str:
        """A square root, or an n-th root with [n]."""
        if self.peek() != "[":
            return f"<msqrt>{self.atom()}</msqrt>"
        self.next()
        degree = self.row("]")
        self.next()
        return f"<mroot>{self.atom()}<mrow>{degree}</mrow></mroot>"

    def word(self) -> str:
        """The letters of a group."""
        self.next()
        word = ""
        while self.peek() not in ("}", ""):
            word += self.next()
        self.next()
        return word

    def cases(self) -> str:
        r"""\begin{cases} … \end{cases}: rows of cells after a brace."""
        self.word()
        rows: list[str] = []
        cells: list[str] = []
        while self.peek() not in ("\\end", ""):
            cells.append(f"<mtd>{self.row('&', chr(92) * 2, chr(92) + 'end')}</mtd>")
            if self.peek() == "&":
                self.next()
                continue
            rows.append(f"<mtr>{''.join(cells)}</mtr>")
            cells = []
            if self.peek() == "\\\\":
                self.next()
        self.next()
        self.word()
        return f'<mo stretchy="true" fence="true">{{</mo><mtable>{"".join(rows)}</mtable>'


_THIN = '<mspace width="0.17em"/>'


def _spaced(text: str) -> str:
    """The text with spaces inside braces, so that `{x}` is a group and not one token."""
    return text.replace("{", "{ ").replace("}", " }").replace("\\{ ", "\\{").replace("\\ }", "\\}")
