"""Binarization: an equivalent graph whose nodes have at most two inputs, and its inverse."""

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
    """y = x; carries a second operand along, so that one edge passes two operands."""

    math = r"({x}, {o})"

    def f(m, x, other):
        return x

    def shape_rule(y, *shapes):
        return shapes[0]

    def vjp(y, g, x, other):
        return [g, None]


class Bundled(Composite):
    """The operation `whole` applied to one operand and to a nested Pair of the remaining ones."""

    promotes = False

    def expand(y, *x):
        return y.attributes["whole"].rebuild([x[0], *unpaired(x[1])])

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        return inputs

    def kind_name(self) -> str:
        return self.attributes["whole"].kind_name()

    def vjp(y, g, *x):
        raise GradientError(_FIRST)


for private in (Pair, Bundled):  # unregistered: only this module builds them
    del operations[name_of(private)]

_FIRST = "a binarized graph can't be differentiated; take the gradients first, then binarize"


def unpaired(node: Node) -> list[Node]:
    """The operands in a chain of pairs."""
    operands: list[Node] = []
    while isinstance(node, Pair):
        operands.append(node.inputs[0])
        node = node.inputs[1]
    return [*operands, node]


def binarized(graph: Graph) -> Graph:
    """Returns a graph that computes the same values with at most two inputs per node.

    An associative operation, such as concat, becomes a chain of binary operations; any other takes
    one operand and a `Pair` of the remaining ones. Nodes keep their names: `new["z"]` is z. The
    new graph shares the Variables and has placeholders of its own.
    """
    return _rebuilt(graph, _in_pairs)


def unbinarized(graph: Graph) -> Graph:
    """Returns the graph from which `binarized` built this one."""
    return _rebuilt(graph, _together, skipped=lambda node: isinstance(node, Pair) or _inner(node))


def _in_pairs(node: Operation, inputs: list[Node]) -> Node:
    if len(inputs) <= 2:
        return node.rebuild(inputs)
    if node.associative:
        chain: Any = node.rebuild(inputs[:2])
        for x in inputs[2:]:
            chain._part = True  # an inner link of the chain, which `unbinarized` skips
            chain._name = None
            chain = node.rebuild([chain, x])
        chain._whole = node
        return chain
    rest = inputs[-1]
    for x in reversed(inputs[1:-1]):
        rest = Pair(x, rest)
    bundled = Bundled(inputs[0], rest, whole=node)
    bundled._name, bundled._unnamed = node._name, node._unnamed
    return bundled


def _inner(node: Node) -> bool:
    return getattr(node, "_part", False)


def _together(node: Operation, inputs: list[Node]) -> Node:
    if isinstance(node, Bundled):
        return node.attributes["whole"].rebuild([inputs[0], *inputs[1:]])
    whole = getattr(node, "_whole", None)
    return (node if whole is None else whole).rebuild(inputs)


def _operands(node: Node) -> list[Node]:
    """The original operands of a node, read through pairs and chains."""
    if isinstance(node, Bundled):
        return [node.inputs[0], *unpaired(node.inputs[1])]
    if getattr(node, "_whole", None) is None:
        return list(node.inputs)
    operands: list[Node] = []
    while True:
        first, other = node.inputs
        operands.append(other)
        if not _inner(first):
            return [first, *reversed(operands)]
        node = first


def _rebuilt(
    graph: Graph,
    rule: Callable[[Operation, list[Node]], Node],
    skipped: Callable[[Node], bool] = lambda node: False,
) -> Graph:
    """A new graph in which each operation is `rule(operation, rebuilt operands)`."""
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


def _join(graph: Graph, built: Node, held: set[Node]) -> None:
    """Add a node and everything it depends on to the graph, with fresh automatic names."""
    for node in postorder(built, inputs=lambda x: [y for y in x.inputs if y not in held]):
        if node in held:
            continue
        held.add(node)
        if isinstance(node, (Operation, Placeholder)):
            if node._unnamed:
                node._name = None
            graph.add(node)
        else:  # a Variable or constant keeps its own graph; this graph only refers to it
            graph.nodes.append(node)
            if node._name is not None:
                graph._names.setdefault(node._name, node)


def most_inputs(nodes: Sequence[Node]) -> int:
    """The largest number of inputs among these nodes and everything they depend on."""
    return max((len(node.inputs) for node in postorder(*nodes)), default=0)
