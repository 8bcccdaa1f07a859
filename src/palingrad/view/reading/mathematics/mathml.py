"""The LaTeX of this folder as MathML, which browsers draw by themselves."""

from __future__ import annotations

import re
from html import escape

from .reader import Reader

_STYLE = "margin: 0.45em 0 0.45em 1.5em; overflow: auto hidden"
_BEFORE_A_SIGN = {"", "=", "(", "[", "{", "&", "\\cdot", "\\\\", ","}


def mathml(latex: str) -> str:
    """A formula on a line of its own."""
    return f'<div style="{_STYLE}">{inline(latex)}</div>'


def inline(latex: str) -> str:
    """A formula inside a line."""
    return f'<math displaystyle="true"><mrow>{_Formulas(latex).row()}</mrow></math>'


class _Formulas(Reader):
    """Reads also what derivations are written with: bars, 𝟏, ⊙ and matrices."""

    def atom(self) -> str:
        if self.peek() == "-":
            before = self.tokens[self.place - 1] if self.place else ""
            self.next()
            form = ' form="prefix"' if before in _BEFORE_A_SIGN else ""
            return f"<mo{form}>−</mo>"
        return super().atom()

    def command(self, name: str) -> str:
        if name == "bar":
            return f'<mover accent="true">{self.atom()}<mo stretchy="false">¯</mo></mover>'
        if name == "mathbf":
            return f"<mn><b>{escape(self.word())}</b></mn>".replace("<b>1</b>", "𝟏").replace(
                "<b>0</b>", "𝟎"
            )
        if name == "odot":
            return "<mo>⊙</mo>"
        if name == "begin" and "".join(self.tokens[self.place : self.place + 9]) == "{pmatrix}":
            return self.matrix()
        return super().command(name)

    def matrix(self) -> str:
        r"""\begin{pmatrix} … \end{pmatrix}."""
        table = self.cases()
        rows = table[table.index("<mtable>") :]
        fence = '<mo stretchy="true" fence="true">'
        return f"<mrow>{fence}(</mo>{rows}{fence})</mo></mrow>"

    def word(self) -> str:
        return re.sub(r"\\(.)", r"\1", super().word())
