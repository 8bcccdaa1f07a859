"""`pg.latex`: the formula of a node as LaTeX."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ....dtypes import is_complex
from ....errors import GraphError
from ....files.terminal import for_output
from ....graph.describe.notation import ATOM, SUM, Piece
from ....graph.leaves import Constant, Placeholder, Variable
from ....graph.node import Node
from ....graph.operation import Item, MultipleOutputs, Operation
from ....graph.protocols.stand_in import node_of
from ....graph.regions.regional import Regional
from ....graph.traversal.order import postorder
from ...derivatives import Derivative, as_latex, derivatives_of, names_in
from ...names import is_named, names_of
from ...simplified import simplified as simplify
from .expression import Writing, needs_symbol, written
from .loops import Page, results_of, results_read
from .mathml import mathml
from .plain import plain
from .symbols import quoted, symbol

_LINE = 60  # the largest number of plain-text characters of one equation
_ROW = 90  # the largest number of plain-text characters of a row
_BREAKS = re.compile(r"\\[a-zA-Z]+|\\.| [+=-] |.", re.DOTALL)
_OPENING, _CLOSING = {"{", "(", "[", r"\left", r"\begin"}, {"}", ")", "]", r"\right", r"\end"}
_TERM = 48  # the largest number of plain-text characters of a nested expression


class Formula(str):
    """One or several equations as a LaTeX string, which notebooks display as mathematics.

    `lines` are the equations, the last of which is the node's; `text` is the plain text of all.
    """

    lines: tuple[str, ...]

    @classmethod
    def of(cls, lines: Sequence[str]) -> Formula:
        """A single equation unchanged; several equations aligned at their first equals sign."""
        rows = [part for line in lines for part in _rows(line)]
        if len(rows) == 1:
            formula = cls(lines[0])
        else:
            formula = cls("\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}")
        formula.lines = tuple(lines)
        return formula

    @property
    def text(self) -> str:
        """The equations as plain text, one per line."""
        return for_output("\n".join(map(plain, self.lines)))

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self}$"

    def _repr_html_(self) -> str:
        return "".join(map(mathml, self.lines))


def _rows(line: str) -> list[str]:
    """The rows of an equation, aligned at its first equals sign: a long one goes on below with a
    sign = or with a term of its sum, outside all brackets."""
    row = line.replace(" = ", " &= ", 1)
    if len(plain(line)) <= _ROW or " &= " not in row:
        return [row]
    left, right = row.split(" &= ", 1)
    parts, depth = [""], 0
    for token in _BREAKS.findall(right):
        depth += token in _OPENING
        depth -= token in _CLOSING
        if depth == 0 and token in (" + ", " - ", " = ") and parts[-1].strip():
            parts.append("")
        parts[-1] += token
    rows = [f"{left} &= {parts[0]}"]
    for part in parts[1:]:
        more = part.startswith(" = ")
        if not more and len(plain(rows[-1])) + len(plain(part)) <= _ROW:
            rows[-1] += part
        else:
            rows.append(f"&{part}" if more else rf"&\quad{part}")
    return rows


def latex(node: Any, *, simplified: bool = True) -> Formula:
    r"""Returns the formula that `node` computes as LaTeX, with the names of the user's variables.

    A short expression is one equation. A long one is split into several, at nodes with names and at
    nodes that are used more than once. A derivative is simplified first, unless `simplified` is
    False.

    >>> import palingrad as pg
    >>> a, b = pg.Variable(2.0, name="a"), pg.Variable(-1.0, name="b")
    >>> x = pg.tensor(3.0, name="x")
    >>> print(pg.latex(pg.sigmoid(a * x + b, name="e")))
    e = \sigma(a\,x + b)
    """
    node = node_of(node)
    if not isinstance(node, Node):
        raise GraphError(f"latex: expected a node, got {type(node).__name__} {node!r:.60}")
    simple = simplify([node]) if simplified else None
    if simple is not None:
        (node,) = simple.roots
    order = postorder(node)
    found = derivatives_of([node]) if simple is None else simple.derivatives
    of = [x for one in found.values() for x in (one.y, *one.by)]  # two may have one name
    names = user_names(postorder(*of, node), {} if simple is None else simple.names)
    sides = [names[id(node)]] if id(node) in names and (node.inputs or simple) else []
    sides += _derivative({node: found[node]} if node in found else {}, names)
    start = "".join(f"{side} = " for side in sides)
    if len(order) < _LINE:
        whole = expressions(
            order, {key: name for key, name in names.items() if key != id(node)}, {}
        )
        if whole is not None:
            return Formula.of([start + _right(whole[id(node)], start)])
    return Formula.of(_broken(node, order, names, start))


def _derivative(found: Mapping[Node, Derivative], names: Mapping[int, str]) -> list[str]:
    """∂y/∂x of these derivatives, if they are of named nodes."""
    return [as_latex(y, by) for y, by in names_in(found, names, spelled=symbol).values()]


def user_names(order: Sequence[Node], others: Mapping[int, str] | None = None) -> dict[int, str]:
    """The user's names as LaTeX, by the node's id; letters for unnamed Variables and feeds.

    `others` are names of some of the nodes that take precedence.
    """
    shown = {**names_of(order), **(others or {})}
    names = {
        id(node): symbol(shown[id(node)])
        for node in order
        if is_named(node, shown[id(node)])
        and not is_bare(node)
        and not (node.inputs and shown[id(node)].startswith("∂"))
    }
    numbers = constants_in(order)
    for key, name in names.items():
        if name in numbers:
            names[key] = quoted(name)
    seen, own = set[str](), {_bare(name) for name in names.values()}
    for key, name in names.items():  # two nodes may have the same name
        again = name in seen
        while name in seen or (again and _bare(name) in own):  # x' may be another one's own name
            name += "'"
        seen.add(name)
        names[key] = name
    weights, feeds = Letters(names.values(), "wpq"), Letters(names.values(), "xyz")
    arrays = Letters(names.values(), "ckb")
    for node in order:
        if id(node) not in names and isinstance(node, (Variable, Placeholder)):
            names[id(node)] = (weights if isinstance(node, Variable) else feeds).new()
        elif id(node) not in names and needs_symbol(node, order):
            names[id(node)] = arrays.new()
    return names


def _bare(name: str) -> str:
    return re.sub(r"\\mathrm\{(\w+'*)\}", r"\1", name)


def constants_in(order: Sequence[Node]) -> set[str]:
    """The letters that stand for numbers in formulas of these nodes and of their derivatives, which
    the docstrings of operations state: a variable of that name is put in quotes."""
    found: set[str] = set()
    for kind in {type(node) for node in order if isinstance(node, Operation)}:
        rules = " ".join([kind.math, *re.findall(r"∂[^.]*", kind.__doc__ or "")])
        found |= {"e"} if re.search(r"e\^|e[ˣ⁻ʸ]|exp", rules) else set()
        found |= {r"\pi"} if re.search(r"\\pi\b|π", rules) else set()
    if any(is_complex(node.dtype) for node in order if not isinstance(node, MultipleOutputs)):
        found.add("i")
    return found


def is_bare(node: Node) -> bool:
    """Whether the node is a literal number in an expression."""
    return isinstance(node, Constant) and node.scalar is not None


def expressions(
    order: Sequence[Node],
    names: Mapping[int, str],
    stops: Mapping[int, str],
    write: Writing = written,
) -> dict[int, Piece] | None:
    """Each node as an expression of leaves and of the nodes in `stops`; None if one is too long."""
    pieces: dict[int, Piece] = {}
    for node in order:
        name = stops.get(id(node)) or (None if node.inputs else names.get(id(node)))
        if name is not None:
            pieces[id(node)] = Piece(name, ATOM)
            continue
        if isinstance(node, Regional):
            return None  # its recurrence takes several lines
        piece = write(node, [pieces[id(x)] for x in node.inputs])
        if len(piece.latex) > 6 * _LINE or len(plain(piece.latex)) > _LINE:
            return None
        pieces[id(node)] = piece
    return pieces


def _broken(node: Node, order: Sequence[Node], names: Mapping[int, str], start: str) -> list[str]:
    """Equations for named intermediate nodes, and for others that are long or used repeatedly."""
    uses = Counter(id(x) for inner in order for x in inner.inputs)
    pieces: dict[int, Piece] = {}
    loops: dict[int, list[Piece]] = {}
    lines: list[str] = []
    letters = Letters(names.values())
    page = Page(lines.append, letters.new, taken=set(names.values()))
    for inner in order:
        known = names.get(id(inner))
        if not inner.inputs:
            pieces[id(inner)] = Piece(known) if known else written(inner, [])
            continue
        operands = [pieces[id(x)] for x in inner.inputs]
        if isinstance(inner, Regional):
            loops[id(inner)] = results_of(inner, operands, page, results_read(inner, order, names))
            pieces[id(inner)] = Piece("")
            continue
        of = loops.get(id(inner.inputs[0])) if isinstance(inner, Item) else None
        if of and isinstance(inner, Item):
            piece = of[inner.attributes["index"]]
        else:
            piece = written(inner, operands)
        if of and piece.latex == known:
            pieces[id(inner)] = piece
            continue
        size = len(plain(piece.latex))
        if known or inner is node or size > _TERM or (uses[id(inner)] > 1 and size > 3):
            name = known or letters.new()
            left = start if inner is node and start else f"{name} = "
            lines.append(left + _right(piece, left))
            piece = Piece(name)
        pieces[id(inner)] = piece
    return lines


def _right(piece: Piece, left: str) -> str:
    """The right side of an equation: a relation is put in brackets, e = (x = y)."""
    return piece.within(SUM) if left else piece.latex


class Letters:
    """Generates names v_1, v_2, …; uses the first of `letters` that is not among `taken` names."""

    def __init__(self, taken: Iterable[str], letters: str = "vuwstq") -> None:
        used = set(taken)
        free = (x for x in letters if not any(re.match(rf"{x}(_|$)", name) for name in used))
        self._letter = next(free, r"\xi")
        self._count = 0

    def new(self) -> str:
        """The next name."""
        self._count += 1
        text = str(self._count)
        return f"{self._letter}_{text}" if len(text) == 1 else f"{self._letter}_{{{text}}}"
