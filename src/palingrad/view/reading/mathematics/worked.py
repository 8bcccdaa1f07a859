"""A graph made ready to be derived by hand: symbols for its leaves, values where they are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....autodiff.gradients import expanding_gradients
from ....autodiff.reverse import pulled_back, reverse
from ....dtypes import Array, is_inexact
from ....errors import GraphError
from ....graph.context import built_at, graph_scope, level_of
from ....graph.describe.notation import Piece
from ....graph.kinds import AnonymousGraph
from ....graph.leaves import Constant, Placeholder
from ....graph.node import Node
from ....graph.operation import MultipleOutputs, Operation
from ....graph.registry import ops
from ....graph.traversal.order import postorder
from ....graph.traversal.replay import replay
from ....passes.common_subexpressions import common_subexpressions
from ....passes.fold_constants import fold
from ....passes.program import Program
from ....passes.simplify import simplify
from ....shapes import size
from .expression import written, written_unguarded
from .latex import Letters, expressions, user_names
from .symbols import value_of

Named = dict[int, str]
_SHORT = 100  # nodes up to which the whole derivative is tried as one expression


class Worked:
    """The graph under y on placeholders, one for each leaf that stands for a quantity.

    `order` has inputs first; `active` are the nodes that depend on x; `names` their LaTeX by id;
    `known` their values, where all leaves have one.
    """

    def __init__(self, y: Node, x: Node, feeds: Mapping[Any, Any]) -> None:
        original = postorder(y, x)
        shown = user_names(original)
        given = {node: _given(node, feeds) for node in original if not node.inputs}
        shadows: dict[Node, Any] = {}
        stands: dict[Node, Any] = {}
        with graph_scope(AnonymousGraph(), hidden=True, observed=False):
            for node, value in given.items():
                plain = isinstance(node, Constant) and id(node) not in shown and node is not x
                shadows[node] = node if plain else _stand_in(node, value)
                stands[shadows[node]] = value
            if x.inputs:  # x is computed itself: it stands for all that it is made of
                shadows[x] = _stand_in(x, x.value)
            shadows = replay(original, expanding_gradients(Operation.rebuild), shadows)
            if any(level_of(node._origin) for node in original):  # a gradient has its rules' guards
                (shadows[y],) = _simple([shadows[y]])
        self.y, self.x = shadows[y], shadows[x]
        self.order = postorder(self.y)
        self.active = self._depending()
        self.of: dict[int, Node] = {
            id(shadow): node for node, shadow in shadows.items() if isinstance(shadow, Node)
        }
        self.known = self._values(stands, x)
        self.names = self._named(shown, original, shadows)

    def _depending(self) -> set[int]:
        """The nodes, by id, that x reaches."""
        found = {id(self.x)}
        for node in self.order:
            if any(id(one) in found for one in node.inputs):
                found.add(id(node))
        return found

    def _values(self, stands: Mapping[Node, Any], x: Node) -> dict[int, Any] | None:
        """Eager twins of all nodes, by id, or None where a leaf has no value."""
        values = dict(stands)
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
        """Names for the leaves, and for all that depends on x."""
        found = {
            id(shadows[node]): name
            for node, name in ((node, given.get(id(node))) for node in original)
            if name is not None and isinstance(shadows[node], Node)
        }
        letters = Letters(found.values())
        if id(self.y) not in found:
            found[id(self.y)] = "y" if "y" not in found.values() else letters.new()
        if id(self.x) not in found:
            found[id(self.x)] = "x" if "x" not in found.values() else letters.new()
        for node in self.order:
            if id(node) in self.active and id(node) not in found and is_float(node):
                found[id(node)] = letters.new()
        self._letters = letters
        return found

    # ---------------------------------------------------------------- the computation, written

    def equations(self) -> list[tuple[Node, str]]:
        """What each active node is, and what others are that are too long to stand inside."""
        found: dict[int, Piece] = {}
        result: list[tuple[Node, str]] = []
        for node in self.order:
            name = self.names.get(id(node))
            piece = Piece(name) if name and not node.inputs else None
            if piece is None:
                write = written_unguarded if level_of(node._origin) > 0 else written
                piece = write(node, [found[id(one)] for one in node.inputs])
                stands = id(node) in self.active and node is not self.x and is_float(node)
                if stands or (node.inputs and len(piece.latex) > 90):
                    name = self.names.setdefault(id(node), name or self._letters.new())
                    result.append((node, f"{name} = {piece.latex}"))
                    piece = Piece(name)
                elif name:
                    piece = Piece(name)
            found[id(node)] = piece
        self.pieces = found
        return result

    def value(self, node: Node) -> Array | None:
        """The node's value, if it is known."""
        if self.known is None or isinstance(node, MultipleOutputs):
            return None
        return self.known[id(node)].numpy()

    def with_value(self, text: str, node: Node) -> str:
        """The equation with the node's value behind it, if it is known and says more."""
        value = self.value(node)
        if value is None or isinstance(node, MultipleOutputs):
            return text
        shown = value_of(value)
        return text if text.endswith(f"= {shown}") else f"{text} = {shown}"

    def user(self, *nodes: Node) -> tuple[Node, ...]:
        """The user's nodes that these stand for."""
        return tuple(self.of.get(id(node), node) for node in nodes)

    # ---------------------------------------------------------------- rules, written

    def pulled(self, node: Operation, seeds: Sequence[str | None]) -> list[Piece | None]:
        """What `node` sends to each of its inputs, written; `seeds` are the cotangents of its
        outputs, None for one that is 1 (or, of several outputs, that nothing flows into)."""
        stands: dict[Node, Any] = {}
        pieces: dict[int, Piece] = {}
        with graph_scope(AnonymousGraph(), hidden=True, observed=False):
            for one in node.inputs:
                if one not in stands:
                    stands[one] = one if isinstance(one, Constant) else _stand_in(one, None)
                    pieces[id(stands[one])] = self.pieces[id(one)]
            local = node.rebuild([stands[one] for one in node.inputs])
            if id(node) in self.names:
                pieces[id(local)] = Piece(self.names[id(node)])
            g = _seeds(local, seeds, pieces)
            wanted = [id(one) in self.active and is_float(one) for one in node.inputs]
            found = pulled_back(local, g, wanted)
            after = iter(_simple([one for one in found if one is not None]))
        return [None if one is None else _written(next(after), pieces) for one in found]

    def simplified(self) -> str:
        """The whole derivative as one expression, or "" where it is too long."""
        if len(self.order) > _SHORT or not is_number_like(self.y):
            return ""
        with graph_scope(AnonymousGraph(), hidden=True, observed=False):
            found = reverse({self.y: ops.ones_like(self.y)}, [self.x])
            if self.x not in found:
                return ""
            (simple,) = _simple([found[self.x]])
        whole = expressions(postorder(simple), {}, self.names, written_unguarded)
        return "" if whole is None else whole[id(simple)].latex


def _simple(nodes: Sequence[Node]) -> Sequence[Node]:
    """The nodes without what changes nothing."""
    program = Program((), tuple(nodes))
    for _ in range(4):
        before = len(program.order)
        for one in (simplify, fold, common_subexpressions):
            program = one(program)
        if len(program.order) == before:
            break
    return program.outputs


def is_float(node: Node) -> bool:
    """Whether gradients can reach the node."""
    if isinstance(node, MultipleOutputs):
        return any(is_inexact(dtype) for dtype in node.dtype)
    return is_inexact(node.dtype)


def is_number_like(node: Node) -> bool:
    """Whether the node is one number."""
    return not isinstance(node, MultipleOutputs) and size(node.shape) == 1


def _written(node: Node, pieces: dict[int, Piece]) -> Piece:
    found = dict(pieces)
    for one in postorder(node, inputs=lambda x: () if id(x) in pieces else x.inputs):
        if id(one) not in found:
            found[id(one)] = written_unguarded(one, [found[id(x)] for x in one.inputs])
    return found[id(node)]


def _seeds(local: Node, seeds: Sequence[str | None], pieces: dict[int, Piece]) -> Any:
    """Cotangents of a node that are symbols, or 1."""
    if not isinstance(local, MultipleOutputs):
        (seed,) = seeds
        if seed is None:
            return ops.ones_like(local)
        g = Placeholder(local.shape, dtype=local.dtype)
        pieces[id(g)] = Piece(seed)
        return g
    found: list[Node | None] = []
    for seed, shape, dtype in zip(seeds, local.shape, local.dtype, strict=True):
        found.append(None if seed is None else Placeholder(shape, dtype=dtype))
        if seed is not None:
            pieces[id(found[-1])] = Piece(seed)
    return found


def _given(node: Node, feeds: Mapping[Any, Any]) -> Array | None:
    """The value that a leaf is fed or has."""
    if isinstance(node, Placeholder) and node in feeds:
        return node.accept(feeds[node])
    return node.value


def _stand_in(node: Node, value: Array | None) -> Placeholder:
    """A placeholder of the node's shape and dtype, or of the value's."""
    shape = node.shape if value is None else value.shape
    dtype = node.dtype if value is None else value.dtype
    if shape is None or None in shape or dtype is None:
        raise GraphError(
            f"derivation: shape and dtype of {node.label()} aren't known{node.built()}.",
            hint="Give feeds, as for a run: pg.derivation(y, x, feeds={x: array}).",
        )
    with built_at(node._origin):
        made = Placeholder(shape, dtype=dtype)
    made.weak = node.weak
    return made
