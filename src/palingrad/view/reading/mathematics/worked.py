"""The graph of a derivation: copies of its nodes with symbols and, if known, values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ....autodiff.gradients import expanding_gradients
from ....autodiff.reverse import pulled_back, reverse
from ....dtypes import Array, is_inexact, is_integer
from ....errors import GraphError
from ....graph.context import built_at, graph_scope, level_of
from ....graph.describe.notation import SUM, Piece
from ....graph.kinds import AnonymousGraph
from ....graph.leaves import Constant, Placeholder
from ....graph.node import Node
from ....graph.operation import Item, MultipleOutputs, Operation
from ....graph.regions.regional import Regional
from ....graph.registry import ops
from ....graph.traversal.order import postorder
from ....graph.traversal.replay import replay
from ....passes.common_subexpressions import common_subexpressions
from ....passes.fold_constants import fold
from ....passes.program import Program
from ....passes.simplify import simplify
from ....shapes import size
from ...rewriting import settled, tidied
from .expression import needs_symbol, written, written_unguarded
from .latex import Letters, expressions, user_names
from .loops import Page, results_of, results_read
from .plain import plain
from .symbols import is_small, value_of

Named = dict[int, str]
_PAGE = 4000  # the largest number of characters of LaTeX of one expression
_REPEATED = (
    12  # the largest number of plain-text characters of a term that is repeated in a cotangent
)
_SHORT = 100  # the largest number of nodes for which the derivative is tried as one expression


class Worked:
    """A copy of the graph of y in which each leaf that is a quantity is a placeholder.

    `order` lists the nodes, inputs first; `active` holds the ids of those that depend on x; `names`
    maps ids to LaTeX; `known` maps ids to eager nodes, or is None if a leaf has no value.
    """

    def __init__(
        self, y: Node, x: Node, feeds: Mapping[Any, Any], *, simplified: bool = True
    ) -> None:
        original = postorder(y, x)
        shown = user_names(original)
        given = {node: _given(node, feeds) for node in original if not node.inputs}
        shadows: dict[Node, Any] = {}
        placeholders: dict[Node, Any] = {}
        with graph_scope(AnonymousGraph(), hidden=True, observed=False):
            for node, value in given.items():
                kept = isinstance(node, Constant) and id(node) not in shown and node is not x
                shadows[node] = node if kept else _placeholder(node, value)
                placeholders[shadows[node]] = value
            if x.inputs:  # if x is computed, a placeholder replaces it and its inputs
                shadows[x] = _placeholder(x, x.value)
            shadows = replay(original, expanding_gradients(Operation.rebuild), shadows)
            if simplified and any(level_of(node._origin) for node in original):
                (shadows[y],) = _simple([shadows[y]])
        self.y, self.x = shadows[y], shadows[x]
        self.order = postorder(self.y)
        self.active = self._depending()
        self.originals: dict[int, Node] = {
            id(shadow): node for node, shadow in shadows.items() if isinstance(shadow, Node)
        }
        self.known = self._values(placeholders, x)
        self.names = self._named(shown, original, shadows)
        self.symbols = {id(shadows[x]) for x in original if needs_symbol(x, original)}

    def _depending(self) -> set[int]:
        """The ids of the nodes that depend on x."""
        active = {id(self.x)}
        for node in self.order:
            if any(id(x) in active for x in node.inputs):
                active.add(id(node))
        return active

    def _values(self, placeholders: Mapping[Node, Any], x: Node) -> dict[int, Any] | None:
        """An eager copy of each node, by id; None if a leaf has no value."""
        values = dict(placeholders)
        if x.inputs:
            values[self.x] = x.value
        leaves = [node for node in self.order if not node.inputs]
        if any(values.get(node) is None and not isinstance(node, Constant) for node in leaves):
            return None
        eager: dict[Node, Any] = {
            node: node if isinstance(node, Constant) else Constant(values[node]) for node in leaves
        }
        with graph_scope(None, hidden=True, observed=False):
            eager = replay(self.order, Operation.rebuild, eager)
        return {id(node): shadow for node, shadow in eager.items()}

    def _named(self, given: Named, original: Sequence[Node], shadows: Mapping[Node, Any]) -> Named:
        """The names of leaves and of all nodes that depend on x, as LaTeX by id."""
        names = {
            id(shadows[node]): name
            for node, name in ((node, given.get(id(node))) for node in original)
            if name is not None and isinstance(shadows[node], Node)
        }
        letters = Letters(names.values())
        if id(self.y) not in names:
            names[id(self.y)] = "y" if "y" not in names.values() else letters.new()
        if id(self.x) not in names:
            names[id(self.x)] = "x" if "x" not in names.values() else letters.new()
        for node in self.order:
            if isinstance(node, Regional):
                continue  # its results have names
            if id(node) in self.active and id(node) not in names and is_float(node):
                names[id(node)] = letters.new()
        self._letters = letters
        self.aside: list[str] = []  # equations of recurrences that cotangents are written with
        return names

    # ---------------------------------------------------------------- the forward computation

    def equations(self) -> list[tuple[Node, str]]:
        """An equation for each active node, and for other nodes too long to be nested."""
        pieces: dict[int, Piece] = {}
        loops: dict[int, list[Piece]] = {}
        result: list[tuple[Node, str]] = []
        for node in self.order:
            name = self.names.get(id(node))
            piece = Piece(name) if name and not node.inputs else None
            if piece is None:
                write = written_unguarded if level_of(node._origin) > 0 else written
                operands = [pieces[id(x)] for x in node.inputs]
                if isinstance(node, Regional):
                    page = self._page(lambda line, of=node: result.append((of, line)))
                    named = results_read(node, self.order, self.names)
                    loops[id(node)] = results_of(node, operands, page, named)
                    pieces[id(node)] = Piece("")
                    continue
                of = loops.get(id(node.inputs[0])) if isinstance(node, Item) else None
                if of and isinstance(node, Item):
                    piece = of[node.attributes["index"]]
                else:
                    piece = write(node, operands)
                if of and piece.latex == name:
                    pieces[id(node)] = piece
                    continue
                active = id(node) in self.active and node is not self.x and is_float(node)
                if active or (node.inputs and len(piece.latex) > 90):
                    name = self.names.setdefault(id(node), name or self._letters.new())
                    result.append((node, f"{name} = {piece.within(SUM)}"))
                    piece = Piece(name)
                elif name:
                    piece = Piece(name)
            pieces[id(node)] = piece
        self.pieces = pieces
        return result

    def _page(self, line: Callable[[str], None]) -> Page:
        """Where the recurrences of loops are written."""
        taken = set(self.names.values())
        return Page(line, self._letters.new, written_unguarded, taken)

    def arrays(self) -> list[tuple[Node, str, Array]]:
        """The small constant arrays that have a symbol, as labels have: their values."""
        found: list[tuple[Node, str, Array]] = []
        for node in self.order:
            original = self.originals.get(id(node))
            if isinstance(original, Constant) and original._name is None and node is not self.x:
                array = original.numpy()
                if array.ndim and is_small(array) and id(node) in self.symbols:
                    found.append((node, self.names[id(node)], array))
        return found

    def value(self, node: Node) -> Array | None:
        """The node's value, or None if it is unknown."""
        if self.known is None or isinstance(node, MultipleOutputs):
            return None
        return self.known[id(node)].numpy()

    def with_value(self, text: str, node: Node) -> str:
        """The equation followed by the node's value, if that is known and not yet its end."""
        value = self.value(node)
        if value is None or isinstance(node, MultipleOutputs):
            return text
        shown = value_of(value)
        return text if text.endswith(f"= {shown}") else f"{text} = {shown}"

    def user(self, *nodes: Node) -> tuple[Node, ...]:
        """The user's nodes of which these are copies."""
        return tuple(self.originals.get(id(node), node) for node in nodes)

    # ---------------------------------------------------------------- vjp rules as LaTeX

    def pulled(
        self, node: Operation, seeds: Sequence[str | None], *, names_terms: bool = False
    ) -> list[Piece | None]:
        """The contribution of `node` to the cotangent of each input, as LaTeX.

        `seeds` are the cotangents of its outputs. None means 1 for a single output, and no
        cotangent for one of several outputs. With `names_terms` terms that are used repeatedly have
        names, whose equations are added to `aside`.
        """
        placeholders: dict[Node, Any] = {}
        pieces: dict[int, Piece] = {}
        with graph_scope(AnonymousGraph(), hidden=True, observed=False):
            for x in node.inputs:
                if x not in placeholders:
                    placeholders[x] = x if isinstance(x, Constant) else _placeholder(x, None)
                    pieces[id(placeholders[x])] = self.pieces[id(x)]
            local = node.rebuild([placeholders[x] for x in node.inputs])
            if id(node) in self.names:
                pieces[id(local)] = Piece(self.names[id(node)])
            g = _seeds(local, seeds, pieces)
            wanted = [id(x) in self.active and is_float(x) for x in node.inputs]
            cotangents = pulled_back(local, g, wanted)
            simple = _simple([c for c in cotangents if c is not None])
        found = iter(_written(simple, pieces, self._page(self.aside.append), names_terms))
        return [None if c is None else next(found) for c in cotangents]

    def simplified(self) -> str:
        """The whole derivative as one expression, or "" if it is too long."""
        if len(self.order) > _SHORT or not is_number_like(self.y):
            return ""
        with graph_scope(AnonymousGraph(), hidden=True, observed=False):
            gradients = reverse({self.y: ops.ones_like(self.y)}, [self.x])
            if self.x not in gradients:
                return ""
            (simple,) = _simple([gradients[self.x]])
        whole = expressions(postorder(simple), {}, self.names, written_unguarded)
        return "" if whole is None else whole[id(simple)].latex


def readable(latex: str) -> str:
    """The expression, or … where it is longer than a page."""
    return latex if len(latex) <= _PAGE else r"\dots"


def _simple(nodes: Sequence[Node]) -> Sequence[Node]:
    """The nodes after simplification, constant folding and sharing of equal nodes."""
    passes = (simplify, fold, common_subexpressions, tidied)
    return settled(Program((), tuple(nodes)), passes).outputs


def is_float(node: Node) -> bool:
    """Whether the node is differentiable: it has an output of inexact dtype."""
    if isinstance(node, MultipleOutputs):
        return any(is_inexact(dtype) for dtype in node.dtype)
    return is_inexact(node.dtype)


def is_number_like(node: Node) -> bool:
    """Whether the node has exactly one element."""
    return not isinstance(node, MultipleOutputs) and size(node.shape) == 1


def _written(
    nodes: Sequence[Node], pieces: dict[int, Piece], page: Page, names_terms: bool
) -> list[Piece]:
    """The nodes as expressions; recurrences of loops are on the page before, and with `names_terms`
    the terms that are used more than once. All stay in `pieces`, since the cotangents of a loop's
    operands come from one recurrence."""
    known = pieces
    order = postorder(*nodes, inputs=lambda x: () if id(x) in pieces else x.inputs)
    uses = Counter(id(x) for inner in order if id(inner) not in known for x in inner.inputs)
    for inner in order:
        if id(inner) in known:
            continue
        operands = [known[id(x)] for x in inner.inputs]
        if isinstance(inner, Regional):
            read = dict.fromkeys(range(inner.count))
            for n, piece in enumerate(results_of(inner, operands, page, read)):
                page.results[id(inner), n] = piece
            known[id(inner)] = Piece("")
        elif (
            type(inner) is Item and (id(inner.inputs[0]), inner.attributes["index"]) in page.results
        ):
            known[id(inner)] = page.results[id(inner.inputs[0]), inner.attributes["index"]]
        else:
            piece = written_unguarded(inner, operands)
            repeated = names_terms and uses[id(inner)] > 1 and _is_term(inner)
            if repeated and len(plain(piece.latex)) > _REPEATED:
                name = page.new()
                page.line(f"{name} = {piece.within(SUM)}")
                piece = Piece(name)
            known[id(inner)] = piece
    return [known[id(node)] for node in nodes]


def _is_term(node: Node) -> bool:
    """Whether the node is an array of numbers or of conditions, not of indices."""
    return not isinstance(node, MultipleOutputs) and not is_integer(node.dtype)


def _seeds(local: Node, seeds: Sequence[str | None], pieces: dict[int, Piece]) -> Any:
    """The cotangents of a node's outputs: placeholders for symbols, or 1."""
    if not isinstance(local, MultipleOutputs):
        (seed,) = seeds
        if seed is None:
            return ops.ones_like(local)
        g = Placeholder(local.shape, dtype=local.dtype)
        pieces[id(g)] = Piece(seed)
        return g
    cotangents: list[Node | None] = []
    for seed, shape, dtype in zip(seeds, local.shape, local.dtype, strict=True):
        cotangents.append(None if seed is None else Placeholder(shape, dtype=dtype))
        if seed is not None:
            pieces[id(cotangents[-1])] = Piece(seed)
    return cotangents


def _given(node: Node, feeds: Mapping[Any, Any]) -> Array | None:
    """The value of a leaf: its feed, or its own value."""
    if isinstance(node, Placeholder) and node in feeds:
        return node.accept(feeds[node])
    return node.value


def _placeholder(node: Node, value: Array | None) -> Placeholder:
    """A placeholder with the shape and dtype of the value or, without a value, of the node."""
    shape = node.shape if value is None else value.shape
    dtype = node.dtype if value is None else value.dtype
    if shape is None or None in shape or dtype is None:
        raise GraphError(
            f"derivation: shape and dtype of {node.label()} aren't known{node.built()}.",
            hint="Give feeds, as for a run: pg.derivation(y, x, feeds={x: array}).",
        )
    with built_at(node._origin):
        placeholder = Placeholder(shape, dtype=dtype)
    placeholder.weak = node.weak
    return placeholder
