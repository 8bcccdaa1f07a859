"""`Derivation`: the steps of a derivation under headings, as text, LaTeX, Markdown and MathML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from typing import Literal

from ....dtypes import Array
from ....files.terminal import for_output
from ....graph.node import Node
from .latex import Formula
from .mathml import inline, mathml
from .plain import plain

Kind = Literal["expression", "local", "path", "adjoint", "sum", "result"]
_HEADINGS: dict[str, str] = {
    "expression": "What is computed",
    "local": "The derivative of each step",
    "path": "Along each path the derivatives multiply",
    "adjoint": "Backwards, from the result to its inputs",
    "sum": "The paths add up",
    "result": "The result",
}
_SHOWN = 40  # the largest number of steps printed under a heading


@dataclass(frozen=True, eq=False)
class Step:
    """One line: an equation, its value if known, and the nodes that it refers to."""

    kind: Kind
    latex: str
    value: Array | None = None
    nodes: tuple[Node, ...] = field(default=(), repr=False)

    @property
    def text(self) -> str:
        """The equation as plain text."""
        return plain(self.latex)


@dataclass(frozen=True, eq=False)
class Derivation:
    """∂y/∂x, worked out step by step; prints as text and displays as mathematics in notebooks.

    `steps` are the lines in order. `value` is the derivative as computed by the steps, or None if
    values are unknown; `result` is the derivative as one LaTeX expression, or "" if too long.
    """

    y: Node
    x: Node
    title: str
    steps: tuple[Step, ...]
    value: Array | None
    result: str

    @property
    def latex(self) -> Formula:
        """All equations, aligned."""
        return Formula.of([step.latex for step in self.steps])

    def sections(self) -> Iterator[tuple[str, list[Step], int]]:
        """Each heading, the steps shown under it, and the number of omitted steps."""
        for kind, group in groupby(self.steps, key=lambda step: step.kind):
            steps = list(group)
            shown = steps
            if len(steps) > _SHOWN:
                shown = [*steps[: _SHOWN // 2], *steps[-_SHOWN // 2 :]]
            yield _HEADINGS[kind], shown, len(steps) - len(shown)

    def __str__(self) -> str:
        lines = [plain(self.title)]
        for heading, steps, left in self.sections():
            lines += ["", heading]
            texts = [f"  {step.text}" for step in steps]
            if left:
                texts.insert(_SHOWN // 2, f"  … {left} more …")
            lines += texts
        return for_output("\n".join(lines))

    def __repr__(self) -> str:
        return str(self)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def _repr_markdown_(self) -> str:
        parts = [f"**${self.title}$**"]
        for heading, steps, left in self.sections():
            parts.append(f"*{heading}*" + (f" ({left} steps omitted)" if left else ""))
            parts += [f"$${step.latex}$$" for step in steps]
        return "\n\n".join(parts)

    def html(self, *, title: bool = True) -> str:
        """The steps under their headings, as HTML with MathML."""
        parts = [f"<h4>{inline(self.title)}</h4>"] if title else []
        for heading, steps, left in self.sections():
            more = f" <small>({left} steps omitted)</small>" if left else ""
            parts.append(f'<p style="margin: 0.8em 0 0.2em">{escape(heading)}{more}</p>')
            parts += [mathml(step.latex) for step in steps]
        return f'<div class="palingrad-derivation">{"".join(parts)}</div>'

    def _repr_html_(self) -> str:
        return self.html()
