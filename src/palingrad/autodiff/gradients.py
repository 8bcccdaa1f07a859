"""Gradients between nodes: `gradients`, `backward`, and `Gradient`, their deferred form."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, Literal, overload

import numpy as np

from ..dtypes import is_complex, is_floating, is_inexact
from ..errors import GradientError
from ..graph.context import built_at, context, graph_scope, level_of, mark_returned
from ..graph.derivatives.differentiated import arguments
from ..graph.kinds import AnonymousGraph, Control
from ..graph.leaves import Constant, Placeholder, Variable
from ..graph.node import Node
from ..graph.operation import Item, MultipleOutputs, Operation, is_known
from ..graph.promotion import as_node
from ..graph.registry import ops, register
from ..graph.state.observe import watching
from ..graph.traversal.order import postorder
from ..graph.traversal.replay import Rule
from ..messages.calls import public
from ..messages.checks import one_of
from ..shapes import size, text
from .reverse import has_forms, oldest, pulled, pulled_back, reverse, reverse_to_all

Missing = Literal["zeros", "raise"]


class Gradient(MultipleOutputs, Control):
    """∂y/∂x for each x, deferred: specialisation replaces it by nodes once all shapes are known.

    The inputs are y, the xs and, if `seeded`, the initial cotangent.
    """

    math = r"\frac{\partial {y}}{\partial {x}}"

    @property
    def count(self) -> int:
        return len(self.inputs) - 1 - self.attributes["seeded"]

    def _infer(self) -> None:
        xs = self.inputs[1 : 1 + self.count]
        self._shape = tuple(x.shape for x in xs)
        self._dtype = tuple(x.dtype for x in xs)

    def expanded(self, inputs: Sequence[Node]) -> list[Node]:
        """The gradients' nodes, given counterparts of the inputs with known shapes."""
        seed = inputs[-1] if self.attributes["seeded"] else None
        return _derive(inputs[0], inputs[1 : 1 + self.count], seed, self.attributes["missing"])


def expanding_gradients(rule: Rule) -> Rule:
    """A replay rule for graphs whose shapes are all known: it replaces a `Gradient` by a list with
    a node for each x, and applies `rule` to every other operation."""

    def expanded(node: Operation, inputs: list[Any]) -> Any:
        if type(node) is Item and isinstance(inputs[0], list):
            return inputs[0][node.attributes["index"]]
        return node.expanded(inputs) if type(node) is Gradient else rule(node, inputs)

    return expanded


@overload
def gradients(y: Node, xs: Node, *, gradient: Any = None, missing: Missing = "zeros") -> Node: ...
@overload
def gradients(
    y: Node, xs: Sequence[Node], *, gradient: Any = None, missing: Missing = "zeros"
) -> list[Node]: ...
@public
def gradients(y: Any, xs: Any, *, gradient: Any = None, missing: Missing = "zeros") -> Any:
    """∂y/∂x for a node x, or a list of gradients for several; each has its x's shape and dtype.

    `gradient` is the initial cotangent, of y's shape; a y of one element needs none. If y doesn't
    depend on an x, its gradient is zeros, or with missing="raise" a GradientError. The results are
    ordinary nodes and can be differentiated again. Of a complex x = a + ib the gradient is
    ∂y/∂a − i·∂y/∂b; a complex y needs an initial cotangent.

    >>> import palingrad as pg
    >>> x = pg.tensor(3.0)
    >>> first = pg.gradients(x**3, x)
    >>> second = pg.gradients(first, x)
    >>> float(first), float(second)
    (27.0, 18.0)
    """
    one_of("gradients: missing", missing, ("zeros", "raise"))
    targets = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    check_nodes(y, targets)
    if gradient is None:
        check_real(y)
    graph = context().graph
    if graph is not None:  # in a trace, a Variable's value is its latest assignment
        targets = list(graph.adopt(tuple(targets)))
    seed = None if gradient is None else as_node(gradient, y.dtype)
    # A derivative of a deferred node belongs to the node's graph, even if that is closed by now.
    reopens = graph is None and y.deferred and y.graph is not None
    with graph_scope(y.graph) if reopens else nullcontext():
        behind = since(targets, y, *targets)
        check_unassigned(behind)
        if all(map(is_known, behind)):
            results = _derive(y, targets, seed, missing)
        else:
            inputs = (y, *targets) if seed is None else (y, *targets, seed)
            results = list(Gradient(*inputs, seeded=seed is not None, missing=missing).items)
    single = isinstance(xs, Node)
    mark_returned(results, [None] if single else range(len(results)), 3)  # the caller of `public`
    return results[0] if single else results


def _derive(y: Node, xs: Sequence[Node], seed: Node | None, missing: Missing) -> list[Node]:
    _check_floats(y, xs)
    cotangents = reverse({y: _initial(y, seed)}, xs)
    for x in xs:
        if x not in cotangents and missing == "raise":
            read = [one for one in postorder(y) if not one.inputs and one._differentiable]
            names = [one.label() for one in read if one._name is not None]
            raise GradientError(
                f"{y.label()} doesn't depend on {x.label()}{x.built()}.",
                hint=f"It depends on {', '.join(names[:4])}." if names else "",
            )
    return [cotangents[x] if x in cotangents else ops.zeros_like(x) for x in xs]


def _initial(y: Node, seed: Node | None) -> Node:
    """The initial cotangent of the reverse pass: `seed`, or 1 for a y of one element."""
    if seed is not None:
        if seed.shape != y.shape:
            raise GradientError(
                f"gradient has shape {text(seed.shape)}, {y.label()} has {text(y.shape)}"
                f"{y.built()}.",
                hint="The initial gradient has one number for each element of y, such as "
                "pg.ones_like(y).",
            )
        return seed
    check_real(y)
    assert y.shape is not None
    if size(y.shape) != 1:
        raise GradientError(
            f"{y.label()} has shape {text(y.shape)}{y.built()}: only a scalar has a gradient.",
            hint="Sum it, pg.sum(y) or pg.mean(y), pass gradient=, or use pg.jacobian.",
        )
    with built_at(pulled(y._origin, 1 + level_of(y._origin))):
        return ops.ones_like(y)


def check_real(y: Node) -> None:
    """Raise GradientError if y is complex: it has no gradient without an initial cotangent."""
    if is_complex(y.dtype):
        raise GradientError(
            f"{y.label()} is {y.dtype}{y.built()}: only a real number has a gradient.",
            hint="Make it real: pg.real(y), pg.imag(y) or pg.abs(y). For the derivative of a "
            "holomorphic function write pg.grad(f, holomorphic=True), or pass gradient=1.",
        )


def since(xs: Sequence[Node], *ys: Node) -> list[Node]:
    """The nodes under the ys that may depend on the xs, and their inputs, in postorder."""
    first = oldest(xs)
    return postorder(*ys, inputs=lambda node: () if node._serial <= first else node.inputs)


def check_nodes(y: Any, xs: Sequence[Any]) -> None:
    """Raise GradientError unless y and all xs are nodes that can have a gradient."""
    for node in (y, *xs):
        if not isinstance(node, Node):
            raise GradientError(
                f"gradients: expected nodes, got {type(node).__name__} {node!r:.40}.",
                hint="Make x a node, pg.tensor(x), before y is computed from it; of a function, "
                "take pg.grad(f)(x).",
            )
    _check_floats(y, xs)


def _check_floats(y: Node, xs: Sequence[Node]) -> None:
    for node in (y, *xs):
        if isinstance(node, MultipleOutputs):
            raise GradientError(f"{node.label()} has several outputs; differentiate one of them")
        if node.dtype is not None and not is_inexact(node.dtype):
            hint = "Make it a float, as in pg.Variable(2.0) or dtype=pg.float32."
            if node.inputs:
                hint = (
                    "Make it a float, as in pg.Variable(2.0), or what it is computed from; an "
                    "index has no gradient: pg.max(x) has, pg.argmax(x) hasn't."
                )
            raise GradientError(
                f"{node.label()} is {node.dtype}{node.built()}: only floats have gradients.",
                hint=hint,
            )


def slopes_as_arrays(y: Node, xs: Sequence[Node], began: int) -> Sequence[Any] | None:
    """∂y/∂x for each x as arrays, for a y that was computed from the xs alone since `began`; None
    if the result may be differentiated again, or if only nodes can compute it."""
    value = y._value
    if (
        type(value) is not np.ndarray
        or value.size != 1
        or not is_floating(value.dtype)
        or watching
        or arguments
        or not context().eager
        or context().observers
    ):
        return None
    return ops.slopes_since(y, xs, began)


@register
def backward(y: Node, gradient: Any = None, *, create_graph: bool = False) -> None:
    """Set `.grad` on every node that y depends on; see `Node.backward`."""
    if gradient is None and not (create_graph or watching or arguments):
        value = y._value
        if type(value) is np.ndarray and value.size == 1 and is_floating(value.dtype):
            if ops.tape_differentiated(y):
                return
    _check_floats(y, [])
    if gradient is None:
        check_real(y)
    if y.deferred:
        nodes = [node for node in postorder(y) if takes_gradient(node)]
        groups = [nodes]
        if has_forms(postorder(y)):  # as in `reverse_to_all`
            groups = [[x for x in nodes if x.inputs], [x for x in nodes if not x.inputs]]
        for group in groups:
            for node, g in zip(group, gradients(y, group, gradient=gradient), strict=True):
                node.grad = g
        return
    check_unassigned(postorder(y))
    with graph_scope(None, hidden=True):
        seed = None if gradient is None else as_node(gradient, y.dtype)
        first = _initial(y, seed)
        observers = context().observers
        cotangents = reverse_to_all(y, first, traced=create_graph or bool(observers))
        nodes = [node for node in postorder(y) if takes_gradient(node)]
        for observer in observers:
            observer.differentiated(y, {x: cotangents[x] for x in nodes if x in cotangents})
        for node in nodes:
            g = cotangents.get(node)
            if g is None:
                node.grad = ops.zeros_like(node)
            else:  # without create_graph, a gradient drops its inputs
                node.grad = g if create_graph else _detached(g)


def check_unassigned(nodes: Sequence[Node]) -> None:
    """Raise GradientError if a Variable was assigned after an eager node was computed from it:
    the derivative at the value that the node saw can't be computed any more."""
    for node, x in assigned_since(nodes):
        raise GradientError(
            f"{x.label()} was assigned after {node.label()} was computed from it{node.built()}: "
            "the derivative at its old value is lost.",
            hint="Take the gradient before the assignment, or compute y again after it. What shall "
            "have no gradient goes through pg.stop_gradient.",
        )


def assigned_since(nodes: Sequence[Node]) -> Sequence[tuple[Node, Node]]:
    """The nodes that were computed from an older value of a Variable which their derivatives need,
    with that Variable."""
    old = [
        (node, x)
        for node in nodes
        for x in node.inputs
        if isinstance(x, Variable) and x._changed > node._serial and node._value is not None
    ]
    return old if not old or has_forms(nodes) else [pair for pair in old if needs_value(*pair)]


def needs_value(node: Node, x: Node) -> bool:
    """Whether the derivatives of the node depend on the value of its input x, rather than only on
    its own value and the other inputs."""
    if not (isinstance(node, Operation) and node._differentiable):
        return False
    if not node._shipped:
        return True  # a rule of the user's may read values
    wanted = [takes_gradient(one) for one in node.inputs]
    with graph_scope(AnonymousGraph(), hidden=True, observed=False):
        fed = {one: one if is_bare(one) else _without_value(one) for one in node.inputs}
        y = node.clone([fed[one] for one in node.inputs])
        g = (
            list(map(_without_value, y.items))
            if isinstance(y, MultipleOutputs)
            else _without_value(y)
        )
        found = [c for c in pulled_back(y, g, wanted) if c is not None]
    read = postorder(*found, inputs=lambda one: () if one is y else one.inputs)
    return any(one is fed[x] for one in read)


def _without_value(x: Node) -> Node:
    return Placeholder.unchecked({"_shape": x.shape, "_dtype": x.dtype})


def takes_gradient(node: Node) -> bool:
    """Whether `backward` sets the gradient: on nodes of floats, except numbers in expressions."""
    if isinstance(node, MultipleOutputs):
        return False
    return not is_bare(node) and (node.dtype is None or is_inexact(node.dtype))


def is_bare(node: Node) -> bool:
    """Whether the node is a number in an expression."""
    return isinstance(node, Constant) and node.scalar is not None


def _detached(g: Node) -> Node:
    result = Constant.holding(g._value)
    for observer in context().observers:
        observer.detached(g, result)
    return result
