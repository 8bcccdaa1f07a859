"""The equation pane: equations of the graph in MathML, in which each node's term is marked.

The LaTeX of an equation is written as `pg.latex` does. Then the operands' LaTeX is found in it,
token by token, so that marking a term never changes how it is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ....graph.describe.notation import ATOM, PRODUCT, Piece
from ....graph.node import Node
from ....graph.operation import Item
from ....ops.control.branch import Switch
from ...derivatives import as_latex
from ...drawing.model import Picture
from ...names import subscript
from ...reading.mathematics.expression import written
from ...reading.mathematics.latex import Letters, is_bare, user_names
from ...reading.mathematics.loops import Page, results_of
from ...reading.mathematics.mathml import FormulaReader
from ...reading.mathematics.symbols import symbol

LARGEST = 400  # nodes of the largest graph whose equations are exported; the page writes others
TERM = 64  # tokens of the longest nested term; a longer one is an equation of its own
_WORDS = {"\\mathrm", "\\mathbf", "\\operatorname", "\\text", "\\mathcal", "\\begin", "\\end"}

Range = tuple[int, int]  # from a token up to another
Part = tuple[Node, int, int]  # a node's term: from a token up to another


class Term(NamedTuple):
    """A node's expression as tokens, and the terms in it of the nodes that it is made of."""

    piece: Piece
    tokens: list[str]
    parts: list[Part]


def called(picture: Picture) -> dict[int, str]:
    r"""The names of cards that aren't the user's as LaTeX, by the node's id: v_1, v_2, … of unnamed
    operations (`calledAs` in text.js), \frac{\partial y}{\partial x} of gradients."""
    taken, names, n = {item.label for item in picture.items}, dict[int, str](), 0
    for item in picture.items:
        if item.node in picture.derivatives and not item.derivative:
            y, by = picture.derivatives[item.node]
            names[id(item.node)] = as_latex(symbol(y), [symbol(x) for x in by])
        if item.kind != "operation" or item.label != item.node.kind_name():
            continue
        n += 1
        while taken & {f"v{n}", f"v{subscript(n)}"}:
            n += 1
        names[id(item.node)] = f"v_{n}" if n < 10 else f"v_{{{n}}}"
    return names


def equations(order: Sequence[Node], others: Mapping[int, str] | None = None) -> list[list[Any]]:
    """[place, MathML] of each equation: of the named nodes, the long ones, those that are used more
    than once, and the results. `place` is the node's place in `order`. Empty for a large graph."""
    if len(order) > LARGEST:
        return []
    places = {node: place for place, node in enumerate(order)}
    names = user_names(order)
    uses = Counter(id(x) for node in order for x in node.inputs)
    letters = Letters([*names.values(), *(others or {}).values()])
    terms: dict[Node, Term] = {}
    cases: dict[Node, list[Piece]] = {}
    found: list[list[Any]] = []
    for node in order:
        if isinstance(node, Switch):  # its results have terms
            lines: list[str] = []
            page = Page(lines.append, letters.new, taken=set(names.values()))
            cases[node] = results_of(node, [terms[x].piece for x in node.inputs], page, {})
            found += [[places[node], _marked(_whole(node, Piece(line)), places)] for line in lines]
            terms[node] = _whole(node, Piece(""))
            continue
        of = node.inputs[0] if node.inputs else node
        if isinstance(node, Item) and of in cases:
            term = _term_of(node, cases[of][node.attributes["index"]], of.inputs, terms)
            term.parts.append((of, 0, len(term.tokens)))
        else:
            term = _term(node, terms, names.get(id(node)))
        if node.inputs and _stands_alone(node, term, names, uses):
            name = names.get(id(node)) or (others or {}).get(id(node)) or letters.new()
            found.append([places[node], _marked(_equation(node, name, term), places)])
            term = _named(node, name)
        terms[node] = term
    return found


def _stands_alone(
    node: Node, term: Term, names: Mapping[int, str], uses: Mapping[int, int]
) -> bool:
    used = uses[id(node)]
    return id(node) in names or used != 1 or len(term.tokens) > TERM


def _term(node: Node, terms: Mapping[Node, Term], name: str | None) -> Term:
    if not node.inputs:
        if name is not None and not is_bare(node):
            return _named(node, name)
        return _whole(node, written(node, []))
    piece = written(node, [terms[x].piece for x in node.inputs])
    return _term_of(node, piece, node.inputs, terms)


def _whole(node: Node, piece: Piece) -> Term:
    """A term of which no part is marked."""
    tokens = _tokens(piece.latex)
    return Term(piece, tokens, [(node, 0, len(tokens))])


def _term_of(
    node: Node, piece: Piece, operands: Sequence[Node], terms: Mapping[Node, Term]
) -> Term:
    """The term of an expression of operands, in which theirs are marked."""
    tokens = _tokens(piece.latex)
    parts: list[Part] = [(node, 0, len(tokens))]
    taken: list[Range] = []
    for x in dict.fromkeys(operands):
        parts += _parts(terms[x], tokens, taken)
    found = {part[0] for part in parts}
    for x in operands:  # what was rewritten has the whole expression as its term
        lost = dict.fromkeys(part[0] for part in terms[x].parts if part[0] not in found)
        parts += [(inner, 0, len(tokens)) for inner in lost]
        found.update(lost)
    return Term(piece, tokens, parts)


def _parts(term: Term, tokens: Sequence[str], taken: list[Range]) -> list[Part]:
    """The term and its parts where they are found in `tokens`, the largest first."""
    found: list[Part] = []
    done: set[int] = set()
    order = sorted(range(len(term.parts)), key=lambda n: term.parts[n][1] - term.parts[n][2])
    for number in order:
        _, first, last = term.parts[number]
        if number in done or (at := _find(term.tokens[first:last], tokens, taken)) is None:
            continue
        taken.append((at, at + last - first))
        for other, (inner, start, end) in enumerate(term.parts):
            if other not in done and first <= start and end <= last:
                found.append((inner, start - first + at, end - first + at))
                done.add(other)
    return found


def _named(node: Node, name: str) -> Term:
    return _whole(node, Piece(name, PRODUCT if name.startswith(r"\frac") else ATOM))


def _equation(node: Node, name: str, term: Term) -> Term:
    """name = term; the whole equation belongs to the node."""
    start = [*_tokens(name), "="]
    tokens = [*start, *term.tokens]
    parts = [(x, a + len(start), b + len(start)) for x, a, b in term.parts if x is not node]
    return Term(term.piece, tokens, [(node, 0, len(tokens)), *parts])


def _tokens(latex: str) -> list[str]:
    return FormulaReader(latex).tokens


def _find(part: Sequence[str], whole: Sequence[str], taken: Sequence[Range]) -> int | None:
    """Where `part` is in `whole` as a term of its own: not inside a word, an index or a term that
    was found before."""
    size = len(part)
    for at in range(len(whole) - size + 1):
        end = at + size
        if list(whole[at:end]) != list(part) or any(a < end and at < b for a, b in taken):
            continue
        before = list(whole[max(0, at - 2) : at])
        is_index = before[-1:] == ["_"] or before == ["_", "{"]
        extends = end < len(whole) and whole[end] == "_" and part[-1] != "}"
        if not (is_index or extends or _in_word(whole, at)):
            return at
    return None


def _in_word(tokens: Sequence[str], at: int) -> bool:
    """Whether the token is a letter of a word such as \\operatorname{gradient}."""
    depth = 0
    for place in range(at - 1, 0, -1):
        if tokens[place] == "}":
            depth += 1
        elif tokens[place] == "{":
            if not depth:
                return tokens[place - 1] in _WORDS
            depth -= 1
    return False


class _MarkedReader(FormulaReader):
    """Reads tokens among which "<7>" and "</7>" enclose the term of node 7."""

    def atom(self) -> str:
        token = self.peek()
        if token.startswith("<") and token != "<":
            self.next()
            inside = self.row(f"</{token[1:]}")
            self.next()
            return f'<mrow data-n="{token[1:-1]}">{inside}</mrow>'
        return super().atom()


def _marked(term: Term, places: Mapping[Node, int]) -> str:
    """The MathML of a term with all its parts marked."""
    opening: dict[int, list[int]] = {}
    closing: dict[int, list[int]] = {}
    # Outer terms open first and close last; of equal ones, the later node is the outer one.
    for node, start, end in sorted(term.parts, key=lambda one: (one[1] - one[2], -places[one[0]])):
        opening.setdefault(start, []).append(places[node])
        closing.setdefault(end, []).insert(0, places[node])
    tokens: list[str] = []
    for at in range(len(term.tokens) + 1):
        tokens += [f"</{place}>" for place in closing.get(at, ())]
        tokens += [f"<{place}>" for place in opening.get(at, ())]
        tokens += term.tokens[at : at + 1]
    reader = _MarkedReader("")
    reader.tokens = tokens
    return reader.row()
