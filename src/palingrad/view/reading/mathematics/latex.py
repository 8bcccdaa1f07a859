"""pg.latex: what a node computes, as LaTeX."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ....errors import GraphError
from ....graph.describe.notation import ATOM, Piece
from ....graph.leaves import Constant, Placeholder, Variable
from ....graph.node import Node
from ....graph.traversal.order import postorder
from ...names import is_named, names_of
from .expression import Writing, written
from .mathml import mathml
from .plain import plain
from .symbols import symbol

_LINE = 60  # characters of plain text that stand on one line
_TERM = 48  # of one that is part of another


class Formula(str):
    """LaTeX, an equation or several: a string like any other, drawn as mathematics in notebooks.

    `lines` are the single equations, of which the last is the whole; `text` is all of it as plain
    text.
    """

    lines: tuple[str, ...]

    @classmethod
    def of(cls, lines: Sequence[str]) -> Formula:
        """One equation as it is, several aligned at their first equals sign."""
        if len(lines) == 1:
            made = cls(lines[0])
        else:
            rows = (line.replace(" = ", " &= ", 1) for line in lines)
            made = cls("\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}")
        made.lines = tuple(lines)
        return made

    @property
    def text(self) -> str:
        """The equations as plain text, one a line."""
        return "\n".join(map(plain, self.lines))

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self}$"

    def _repr_html_(self) -> str:
        return "".join(map(mathml, self.lines))


def latex(node: Any) -> Formula:
    r"""What `node` computes, as LaTeX, with the names of the user's variables.

    A short expression is one equation; a long one is broken at the nodes that have names, and at
    those that are used more than once.

    >>> import palingrad as pg
    >>> a, b = pg.Variable(2.0, name="a"), pg.Variable(-1.0, name="b")
    >>> x = pg.tensor(3.0, name="x")
    >>> print(pg.latex(pg.sigmoid(a * x + b, name="e")))
    e = \sigma(a\,x + b)
    """
    if not isinstance(node, Node):
        raise GraphError(f"latex: expected a node, got {type(node).__name__} {node!r:.60}")
    order = postorder(node)
    names = user_names(order)
    start = f"{names[id(node)]} = " if id(node) in names and node.inputs else ""
    if len(order) < _LINE:
        whole = expressions(order, {key: one for key, one in names.items() if key != id(node)}, {})
        if whole is not None:
            return Formula.of([start + whole[id(node)].latex])
    return Formula.of(_broken(node, order, names))


def user_names(order: Sequence[Node]) -> dict[int, str]:
    """The names that the user gave, as LaTeX, by the node's id; letters for Variables and
    placeholders without one."""
    shown = names_of(order)
    found = {
        id(node): symbol(shown[id(node)])
        for node in order
        if is_named(node, shown[id(node)])
        and not is_bare(node)
        and not (node.inputs and shown[id(node)].startswith("∂"))
    }
    seen: set[str] = set()
    for key, name in found.items():  # two nodes may have been given one name
        while name in seen:
            name += "'"
        seen.add(name)
        found[key] = name
    weights, feeds = Letters(found.values(), "wpq"), Letters(found.values(), "xyz")
    for node in order:
        if id(node) not in found and isinstance(node, (Variable, Placeholder)):
            found[id(node)] = (weights if isinstance(node, Variable) else feeds).new()
    return found


def is_bare(node: Node) -> bool:
    """Whether the node is a number written in an expression, no quantity."""
    return isinstance(node, Constant) and node.scalar is not None


def expressions(
    order: Sequence[Node],
    names: Mapping[int, str],
    stops: Mapping[int, str],
    write: Writing = written,
) -> dict[int, Piece] | None:
    """Each node written out down to leaves and `stops`; None where that becomes too long."""
    found: dict[int, Piece] = {}
    for node in order:
        name = stops.get(id(node)) or (None if node.inputs else names.get(id(node)))
        if name is not None:
            found[id(node)] = Piece(name, ATOM)
            continue
        piece = write(node, [found[id(x)] for x in node.inputs])
        if len(piece.latex) > 6 * _LINE or len(plain(piece.latex)) > _LINE:
            return None
        found[id(node)] = piece
    return found


def _broken(node: Node, order: Sequence[Node], names: Mapping[int, str]) -> list[str]:
    """Equations for the named nodes on the way, and for others where these are too long."""
    uses = Counter(id(x) for one in order for x in one.inputs)
    found: dict[int, Piece] = {}
    lines: list[str] = []
    letters = Letters(names.values())
    for one in order:
        known = names.get(id(one))
        if not one.inputs:
            found[id(one)] = Piece(known) if known else written(one, [])
            continue
        piece = written(one, [found[id(x)] for x in one.inputs])
        size = len(plain(piece.latex))
        if known or one is node or size > _TERM or (uses[id(one)] > 1 and size > 3):
            name = known or letters.new()
            lines.append(f"{name} = {piece.latex}")
            piece = Piece(name)
        found[id(one)] = piece
    return lines


class Letters:
    """Names for what has none: v_1, v_2, …, or u where the user has a v."""

    def __init__(self, taken: Iterable[str], letters: str = "vuwstq") -> None:
        used = set(taken)
        free = (x for x in letters if not any(re.match(rf"{x}(_|$)", one) for one in used))
        self._letter = next(free, r"\xi")
        self._count = 0

    def new(self) -> str:
        """The next name."""
        self._count += 1
        text = str(self._count)
        return f"{self._letter}_{text}" if len(text) == 1 else f"{self._letter}_{{{text}}}"
