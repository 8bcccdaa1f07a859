"""Runs graphs: values and Jacobians by palingrad's Programs, or, where a user's own classes take
part, one node after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ....autodiff.gradients import gradients
from ....autodiff.second import jacobian
from ....errors import GradientError, GraphError
from ....functions import function
from ....graph.node import Node as PalingradNode
from ....graph.promotion import tensor
from ....graph.traversal.order import postorder
from ....shapes import sizes

if TYPE_CHECKING:
    from .node import Node


class State:
    """Marks that differ whenever values have changed. `exact`: whether every value that a node has
    follows from its parents' values, so that nodes below one without a value have none."""

    def __init__(self) -> None:
        self.mark: object = object()
        self.exact = True

    def next(self, *, exact: bool = True) -> None:
        """Notes a change; one that wasn't computed or set by `set_value` isn't exact."""
        self.mark = object()
        self.exact = self.exact and exact


class Point(NamedTuple):
    """Where Jacobians of a result are computed: nodes in postorder, the Variables' values, and the
    number of the result's elements."""

    result: Node
    order: list[Node]
    values: list[Any]
    size: int
    mark: object


def as_matrix(value: Any) -> Any:
    """An array of two axes as a matrix."""
    return np.asarray(value).view(np.matrix)


def ancestors(node: Node) -> list[Node]:
    """The node and all that it depends on, each once, parents before children."""
    return postorder(node, inputs=lambda one: one.parents)


def _is_compiled(node: Node) -> bool:
    return node.compiled


def _leaves(order: Sequence[Node]) -> list[Node]:
    return [node for node in order if node.leaf]


def as_nodes(order: Sequence[Node], found: Mapping[Node, PalingradNode]) -> list[PalingradNode]:
    """Nodes in postorder as palingrad's, given some of them."""
    nodes = dict(found)
    for node in order:
        if node not in nodes:
            if not node.parents:
                raise GraphError(
                    f"{node.name} has no parent", hint="A Welding gets its parent by weld(node)."
                )
            nodes[node] = node.node(*(nodes[parent] for parent in node.parents))
    return [nodes[node] for node in order]


def _program(
    what: Any, root: Node, order: Sequence[Node], given: Sequence[Node],
    results: Callable[[dict[Node, PalingradNode]], Sequence[PalingradNode]],
) -> Any:  # fmt: skip
    """A compiled function of the values of `given`. `results` makes what it returns from the nodes;
    `what` names it in the cache of the root."""
    key: Any = [what, len(given), *given]
    for node in order:
        key.append(node)
        if not node.leaf:
            key += node.parents
            key.append(node.options())
    key = tuple(key)
    known = root._programs.get(key)
    if known is None:
        order, given = list(order), list(given)

        def run(*values: PalingradNode) -> Sequence[PalingradNode]:
            found = dict(zip(given, values, strict=True))
            return results(dict(zip(order, as_nodes(order, found), strict=True)))

        known = root._programs[key] = function(run)
    return known


# ---------------------------------------------------------------- values


def computed(node: Node) -> Any:
    """The node's value for its parents' values."""
    given = list(dict.fromkeys(node.parents))
    run = _program("value", node, [*given, node], given, lambda nodes: [nodes[node]])
    return run(*(one.array() for one in given))[0]


def forward(root: Node) -> None:
    """Computes the root's value, and those of ancestors that have none."""
    if not root.compiled:
        for parent in root.parents:
            if parent._value is None:
                parent.forward()
        root.compute()
        return

    def inputs(node: Node) -> Sequence[Node]:
        return node.parents if node is root or node._value is None else ()

    order = postorder(root, inputs=inputs)
    wanted = [node for node in order if node is root or (node._value is None and not node.leaf)]
    if all(map(_is_compiled, wanted)):
        chosen = set(wanted)
        given = [node for node in order if node not in chosen]
        arrays = [node.array() for node in given]
        run = _program("values", root, order, given, lambda nodes: [nodes[one] for one in wanted])
        for node, value in zip(wanted, run(*arrays), strict=True):
            node._value = value
        return
    chosen = set(wanted)
    for node in order:
        if node not in chosen:
            node.array()
        elif node is not root and "forward" in vars(type(node)):
            node.forward()
        else:
            node.compute()


def local_jacobian(node: Node, parent: Node) -> Any:
    """∂node/∂parent at the parents' values."""
    if parent not in node.parents:
        raise GraphError(f"{parent.name} isn't a parent of {node.name}")
    arrays = [tensor(one.array()) for one in node.parents]

    def f(x: Any) -> Any:
        return node.node(
            *(
                x if one is parent else array
                for one, array in zip(node.parents, arrays, strict=True)
            )
        )

    return as_matrix(np.array(jacobian(f)(parent.array())).reshape(-1, parent.dimension()))


# ---------------------------------------------------------------- Jacobians


def step(result: Node, wanted: Sequence[Node], mark: object) -> list[Any]:
    """The gradients of a result of one element by some nodes, as arrays of their shapes. Computes
    all values on the way, and keeps the Jacobians of these nodes."""
    order = ancestors(result)
    if not all(map(_is_compiled, order)):
        forward(result)
        _check_scalar(result, result.array().shape)
        _accumulate(wanted, result, order, mark)
        return [np.asarray(node.jacobi).reshape(node.shape()) for node in wanted]
    given, operations = _leaves(order), [node for node in order if not node.leaf]
    arrays = [node.array() for node in given]
    ancestry = set(order)
    found = {node: np.zeros(node.shape()) for node in wanted if node not in ancestry}
    on_path = [node for node in wanted if node in ancestry]

    def results(nodes: dict[Node, PalingradNode]) -> list[PalingradNode]:
        y = nodes[result]
        _check_scalar(result, sizes(y.shape))
        return [*(nodes[one] for one in operations), *_gradients(y, [nodes[n] for n in on_path])]

    outputs = _program(("step", *on_path), result, order, given, results)(*arrays)
    for node, value in zip(operations, outputs, strict=False):
        node._value = value
    found.update(zip(on_path, outputs[len(operations) :], strict=True))
    graph = result.graph
    graph.latest = Point(result, order, arrays, 1, mark)
    for node in wanted:
        node.graph.jacobians[node] = (result, mark, found[node].reshape(1, -1).view(np.matrix))
    return [found[node] for node in wanted]


def backward(node: Node, result: Node, mark: object) -> None:
    """Keeps ∂result/∂node; for a result of one element those by its trainable Variables too."""
    if result._value is None:
        raise GraphError(
            f"{result.name} has no value, so {node.name} has no Jacobian of it",
            hint="Run result.forward() first, and take all Jacobians before set_value.",
        )
    order = ancestors(result)
    if not all(map(_is_compiled, order)):
        _accumulate([node], result, order, mark)
        return
    values = [one.array() for one in _leaves(order)]
    point = node.graph.latest = Point(result, order, values, result.array().size, mark)
    fill(node, point)


def fill(node: Node, point: Point) -> None:
    """Keeps the Jacobian by a node at a point: zeros where the result doesn't depend on it, if the
    node has a value."""
    result, order, values, size, mark = point
    if node not in order:
        if node._value is not None:
            zeros = as_matrix(np.zeros((size, node.dimension())))
            node.graph.jacobians[node] = (result, mark, zeros)
        return
    given = _leaves(order)
    wanted = [node]
    if size == 1 and node.leaf:
        wanted = [one for one in given if one is node or getattr(one, "trainable", False)]

        def results(nodes: dict[Node, PalingradNode]) -> list[PalingradNode]:
            return _gradients(nodes[result], [nodes[one] for one in wanted])

    elif size == 1:

        def results(nodes: dict[Node, PalingradNode]) -> list[PalingradNode]:
            return _gradients(nodes[result], [nodes[node]])

    else:

        def results(nodes: dict[Node, PalingradNode]) -> list[PalingradNode]:
            others = {one: nodes[one] for one in given}

            def f(x: PalingradNode) -> PalingradNode:
                return as_nodes(order, {**others, node: x})[-1]

            return [jacobian(f)(nodes[node])]

    run = _program(("jacobi", *wanted), result, order, given, results)
    for one, array in zip(wanted, run(*values), strict=True):
        if one is not node and one in one.graph.jacobians:
            continue  # of another result, which was asked for
        one.graph.jacobians[one] = (result, mark, array.reshape(size, -1).view(np.matrix))


def _gradients(y: PalingradNode, xs: list[PalingradNode]) -> list[PalingradNode]:
    return list(gradients(y, xs)) if xs else []


def _check_scalar(result: Node, shape: tuple[int, ...]) -> None:
    if shape != (1, 1):
        raise GradientError(
            f"optimizers minimise a node of shape (1, 1), {result.name} is {shape}",
            hint="A mean of n elements: MatMul(B, loss), where B's n elements are 1/n.",
        )


def _accumulate(nodes: Sequence[Node], result: Node, order: Sequence[Node], mark: object) -> None:
    """Keeps the Jacobians of all nodes from the result to these, by those of each operation. A
    user's `get_jacobi` counts once for each time that a parent occurs, as in MatrixSlow."""
    result.graph.latest = None
    size = result.dimension()
    below = set(nodes)  # nodes that depend on them
    for one in order:
        if any(parent in below for parent in one.parents):
            below.add(one)
    sums = {one: np.zeros((size, one.dimension())) for one in below}
    sums[result] = np.eye(size)
    for one in reversed(order):
        if one in below:
            one.graph.jacobians[one] = (result, mark, as_matrix(sums[one]))
            parents = [parent for parent in one.parents if parent in below]
            if one.compiled and size == 1:
                parents = list(dict.fromkeys(parents))
                for parent, gradient in zip(parents, _pulled(one, sums[one], parents), strict=True):
                    sums[parent] = sums[parent] + gradient.reshape(1, -1)
                continue
            for parent in dict.fromkeys(parents) if one.compiled else parents:
                sums[parent] = sums[parent] + sums[one] @ np.asarray(one.get_jacobi(parent))
    for node in nodes:
        if node not in order:
            node.graph.jacobians[node] = (result, mark, as_matrix(sums[node]))


def _pulled(node: Node, row: Any, wanted: Sequence[Node]) -> list[Any]:
    """row · ∂node/∂parent for these parents, in their shapes."""
    given = list(dict.fromkeys(node.parents))
    if not given:
        return []
    key = ("pull", *node.parents, None, *wanted, node.options())
    known = node._programs.get(key)
    if known is None:

        def run(*arguments: PalingradNode) -> Sequence[PalingradNode]:
            found = dict(zip(given, arguments, strict=False))
            y = as_nodes([*given, node], found)[-1]
            return gradients(y, [found[one] for one in wanted], gradient=arguments[-1])

        known = node._programs[key] = function(run)
    return known(*(one.array() for one in given), row.reshape(node.shape()))
