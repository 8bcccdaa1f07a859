"""What the derivatives of loops and branches share: specialising, pulling back and pushing forward
regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import is_inexact
from ...graph.context import graph_scope
from ...graph.kinds import AnonymousGraph, Layout
from ...graph.leaves import Constant, Placeholder
from ...graph.node import Node
from ...graph.operation import Item, MultipleOutputs, Operation, is_known
from ...graph.regions.region import Form, Region
from ...graph.registry import ops, register
from ...graph.traversal.order import postorder
from ...graph.traversal.replay import replay
from ...ops.elementwise.discrete import OnesLike, ZerosLike
from ...shapes import sizes
from ..forward import forward
from ..gradients import expanding_gradients
from ..reverse import reverse


@register
def specialised_region(region: Region, forms: Sequence[Form]) -> Region:
    """The region of a template for parameters of these shapes and dtypes, all of them known."""

    def specialised(node: Operation, inputs: list[Any]) -> Any:
        unchanged = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
        return node if unchanged and is_known(node) else node.rebuild(inputs)

    return region.with_rule(expanding_gradients(specialised), forms)


def hidden_graph() -> Any:
    """The scope in which a derivative's region is built."""
    return graph_scope(AnonymousGraph(), hidden=True, observed=False)


def zeros(shape: Any, dtype: Any) -> Node:
    """Zeros, as a constant that takes no memory."""
    return ops.broadcast_to(Constant(np.zeros((), dtype)), sizes(shape))


def activity(region: Region, carries: int, starts: Sequence[bool]) -> set[Node]:
    """The nodes of a loop's body on which derivatives depend, if those parameters do that are
    marked in `starts`: a carry does so too if what it becomes does."""
    parameters = region.parameters
    assert region.is_concrete, "a template is specialised before it is differentiated"
    active: set[Node] = {x for x, yes in zip(parameters, starts, strict=True) if yes and _floats(x)}
    while True:
        for node in region.order:
            if node.inputs and _floats(node) and any(x in active for x in node.inputs):
                active.add(node)
        more = {
            x for x, y in zip(parameters[:carries], region.results[:carries], strict=True)
            if y in active and x not in active
        }  # fmt: skip
        if not more:
            return active
        active |= more


def _floats(node: Node) -> bool:
    dtype: Any = node.dtype
    return any(map(is_inexact, dtype)) if isinstance(node, MultipleOutputs) else is_inexact(dtype)


def pulled(
    region: Region, seeds: Sequence[tuple[Node, Node]], xs: Sequence[Node]
) -> list[Node | None]:
    """The cotangents of the parameters `xs`, from those of results: pairs of result and seed."""
    total: dict[Node, Node] = {}
    for result, seed in seeds:
        total[result] = ops.add(total[result], seed) if result in total else seed
    if not total or not xs:
        return [None] * len(xs)
    found = reverse(total, xs, traced=False)
    return [found.get(x) for x in xs]


def pushed(results: Sequence[Node], tangents: dict[Node, Node]) -> list[Node | None]:
    """The tangents of results, None where they are zero."""
    return forward(results, tangents)


class Frontier:
    """Cuts the graph of a body's cotangents from the body: what it reads of the body becomes a
    parameter, saved by the forward loop or passed again.

    What is cheap to compute again, layouts of what is there anyway, isn't saved; nothing but
    parameters is if `recompute`.
    """

    def __init__(self, region: Region, cotangents: Sequence[Node], recompute: bool) -> None:
        self._primal = set(region.order)
        self._given = set(region.parameters)
        self._recompute = recompute
        self.read: list[Node] = []  # parameters and other nodes of the body that are passed
        self.order = self._cut(cotangents)

    def _cut(self, cotangents: Sequence[Node]) -> list[Node]:
        passed: dict[Node, None] = {}

        def inputs(node: Node) -> Sequence[Node]:
            if type(node) in (ZerosLike, OnesLike):  # only the shape is read
                return ()
            if self._is_passed(node):
                passed[node] = None
                return ()
            return node.inputs

        order = postorder(*cotangents, inputs=inputs)
        self.read = list(passed)
        return order

    def _is_passed(self, node: Node) -> bool:
        if node in self._given:
            return True
        primal = node in self._primal or (type(node) is Item and node.inputs[0] in self._primal)
        if not primal or self._recompute or not node.inputs or isinstance(node, MultipleOutputs):
            return False
        return not self._is_cheap(node)

    def _is_cheap(self, node: Node) -> bool:
        """Whether the node is the same elements as a parameter or constant, elsewhere."""
        while isinstance(node, Layout) and node._shipped and len(node.inputs) == 1:
            node = node.inputs[0]
        return node in self._given or not node.inputs

    def rebuilt(self, roots: Sequence[Node], parameters: dict[Node, Placeholder]) -> list[Node]:
        """The roots as functions of parameters, one for each node of `read` and each seed."""

        def rule(node: Operation, inputs: list[Any]) -> Node:
            if type(node) in (ZerosLike, OnesLike):
                number = Constant(np.asarray(int(type(node) is OnesLike), node.dtype))
                return ops.broadcast_to(number, sizes(node.shape))
            return node.rewired(inputs)

        def operands(node: Node) -> Sequence[Node]:
            return () if type(node) in (ZerosLike, OnesLike) else node.inputs

        with hidden_graph():
            built = replay(self.order, rule, dict(parameters), operands=operands)
        return [built[root] for root in roots]
