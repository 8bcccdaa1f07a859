"""Converts this folder's LaTeX to MathML, which browsers display natively."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

from ....graph.describe.notation import Piece
from ....graph.operation import Operation
from .reader import Reader

_STYLE = "margin: 0.45em 0 0.45em 1.5em; overflow: auto hidden"
_BEFORE_A_SIGN = {"", "=", "(", "[", "{", "&", "\\cdot", "\\\\", ","}


def mathml(latex: str) -> str:
    """A formula in a block of its own."""
    return f'<div style="{_STYLE}">{inline(latex)}</div>'


def inline(latex: str) -> str:
    """A formula inline."""
    return f'<math displaystyle="true"><mrow>{FormulaReader(latex).row()}</mrow></math>'


def formula(node: Operation) -> str:
    """The node's formula as the content of a <math> element.

    Operands are holes, `{0}` for the first, into which the page inserts the names of the inputs.
    """
    holes = [Piece(chr(0xE000 + place)) for place in range(len(node.inputs))]
    return _read(node.notation(*holes).latex)


@lru_cache(1024)
def _read(latex: str) -> str:
    return FormulaReader(latex).row()


class FormulaReader(Reader):
    """Extends Reader by the notation of derivations: bars, 𝟏, ⊙ and matrices."""

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
