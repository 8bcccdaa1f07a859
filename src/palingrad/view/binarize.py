"""Binarize: an equivalent graph in which no node has more than two inputs, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import GradientError
from ..graph.context import graph_scope
from ..graph.graph import Graph
from ..graph.kinds import AnonymousGraph, Composite, Control
from ..graph.leaves import Placeholder
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.registry import name_of, operations
from ..graph.traversal.order import postorder
from ..graph.traversal.replay import replay


class Pair(Control):
    """y = x, with the other operand beside it: what hands two operands on as one."""

    math = r"({x}, {o})"

    def f(m, x, other):
        return x

    def shape_rule(y, *shapes):
        return shapes[0]

    def vjp(y, g, x, other):
        return [g, None]


class Bundled(Composite):
    """The operation `whole` on an operand and a Pair of the others, which may hold pairs again."""

    promotes = False

    def expand(y, *x):
        return y.attributes["whole"].rebuild([x[0], *unpaired(x[1])])

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        return inputs

    def kind_name(self) -> str:
        return self.attributes["whole"].kind_name()

    def vjp(y, g, *x):
        raise GradientError(_FIRST)


for one in (Pair, Bundled):  # made here only: nothing that users, engines or the battery look for
    del operations[name_of(one)]

_FIRST = "a bundle of operands isn't differentiated; take the gradients first, then binarize"


def unpaired(node: Node) -> list[Node]:
    """The operands that a chain of pairs hands on."""
    found: list[Node] = []
    while isinstance(node, Pair):
        found.append(node.inputs[0])
        node = node.inputs[1]
    return [*found, node]


def binarized(graph: Graph) -> Graph:
    """A graph that computes the same with at most two inputs a node.

    What is associative, like concat, becomes a chain of pairs; any other operation takes
    an operand and a `pair` of the others. Nodes keep their names: `new["z"]` is z. Variables are
    the same ones; placeholders are new.
    """
    return _rebuilt(graph, _in_pairs)


def unbinarized(graph: Graph) -> Graph:
    """The graph that `binarize` was given."""
    return _rebuilt(graph, _together, skipped=lambda node: isinstance(node, Pair) or _inner(node))


def _in_pairs(node: Operation, inputs: list[Node]) -> Node:
    if len(inputs) <= 2:
        return node.rebuild(inputs)
    if node.associative:
        made: Any = node.rebuild(inputs[:2])
        for x in inputs[2:]:
            made._part = True  # of a chain: the whole is put together again without it
            made._name = None
            made = node.rebuild([made, x])
        made._whole = node
        return made
    rest = inputs[-1]
    for x in reversed(inputs[1:-1]):
        rest = Pair(x, rest)
    made = Bundled(inputs[0], rest, whole=node)
    made._name, made._unnamed = node._name, node._unnamed
    return made


def _inner(node: Node) -> bool:
    return getattr(node, "_part", False)


def _together(node: Operation, inputs: list[Node]) -> Node:
    if isinstance(node, Bundled):
        return node.attributes["whole"].rebuild([inputs[0], *inputs[1:]])
    whole = getattr(node, "_whole", None)
    return (node if whole is None else whole).rebuild(inputs)


def _operands(node: Node) -> list[Node]:
    """The inputs of a node, through pairs and through the parts of a chain."""
    if isinstance(node, Bundled):
        return [node.inputs[0], *unpaired(node.inputs[1])]
    if getattr(node, "_whole", None) is None:
        return list(node.inputs)
    found: list[Node] = []
    while True:
        first, other = node.inputs
        found.append(other)
        if not _inner(first):
            return [first, *reversed(found)]
        node = first


def _rebuilt(
    graph: Graph,
    rule: Callable[[Operation, list[Node]], Node],
    skipped: Callable[[Node], bool] = lambda node: False,
) -> Graph:
    """A new graph of what `rule` makes of each operation on its operands' counterparts."""
    order = [node for node in postorder(*graph.nodes) if not skipped(node)]
    fed: dict[Node, Any] = {
        node: node.clone(node.shape, node.dtype) for node in order if isinstance(node, Placeholder)
    }
    with graph_scope(AnonymousGraph(), hidden=True):
        built = replay(order, rule, fed, operands=_operands)
    new = Graph()
    held: set[Node] = set()
    for node in order:
        _join(new, built[node], held)
    return new


def _join(graph: Graph, made: Node, held: set[Node]) -> None:
    """Put a node, and what it was made with, into the graph; a name that was made up is so anew."""
    for node in postorder(made, inputs=lambda x: [y for y in x.inputs if y not in held]):
        if node in held:
            continue
        held.add(node)
        if isinstance(node, (Operation, Placeholder)):
            if node._unnamed:
                node._name = None
            graph.add(node)
        else:  # a Variable or a constant stays where it is, and is found here too
            graph.nodes.append(node)
            if node._name is not None:
                graph._names.setdefault(node._name, node)


def most_inputs(nodes: Sequence[Node]) -> int:
    """The largest number of inputs of a node among these and what they depend on."""
    return max((len(node.inputs) for node in postorder(*nodes)), default=0)
