"""Derivatives as drawings and formulas show them: simplified graphs beside the user's nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..dtypes import is_inexact
from ..graph.context import graph_scope, level_of
from ..graph.kinds import AnonymousGraph
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.operation import MultipleOutputs, Operation
from ..graph.registry import ops
from ..graph.traversal.order import postorder
from ..ops.elementwise.arithmetic import Positive
from ..passes.program import Program
from ..shapes import known
from .derivatives import Derivative, derivatives_of
from .names import is_named, names_of
from .rewriting import PASSES, of_derivative, settled, shortened


@dataclass(frozen=True, eq=False)
class Simplified:
    """`roots` are the counterparts of the given roots, each another node; `counterpart` maps every
    node of the graph to the node that has its value, and to itself a node that stays; `names` are
    those of unnamed nodes whose copies had names, by id; `derivatives` are the gradients among
    the nodes that are shown."""

    roots: tuple[Node, ...]
    counterpart: dict[Node, Node]
    names: dict[int, str]
    derivatives: dict[Node, Derivative]


def simplified(roots: Sequence[Node]) -> Simplified | None:
    """The graph of these nodes with what the reverse pass built simplified.

    None if there is nothing to simplify: no node of a derivative, or sizes that aren't known yet.
    The user's nodes stay as they are; new nodes have values, gradients and names of those that they
    replace.
    """
    order = postorder(*roots)
    if not any(level_of(node._origin) for node in order) or not all(map(_settled, order)):
        return None
    # The user's nodes come first, so that equal ones of the derivative are replaced by them.
    before = (*(node for node in order if not of_derivative(node)), *order)
    passes = (*PASSES, shortened) if all(map(_is_finite, order)) else PASSES
    after = settled(Program((), before), passes).outputs
    counterpart = dict(zip(before, after, strict=True))
    with graph_scope(AnonymousGraph(), hidden=True, observed=False):
        new = _own_nodes(roots, counterpart)
    pairs = [*zip(new, roots, strict=True), *((counterpart[old], old) for old in order)]
    shown = postorder(*new)
    _describe(shown, pairs)
    names = _names_of_copies(shown, counterpart)
    return Simplified(new, counterpart, names, _derivatives(order, pairs))


def _settled(node: Node) -> bool:
    """Whether shape and dtype of the node are known."""
    if isinstance(node, MultipleOutputs):
        return node.shape is not None and all(one is not None and known(one) for one in node.shape)
    return node.shape is not None and known(node.shape) and node.dtype is not None


def _is_finite(node: Node) -> bool:
    """Whether all elements of the node are finite, if they are known."""
    value: Any = node._known()
    values = value if isinstance(value, tuple) else (value,)
    return all(
        one is None or not is_inexact(one.dtype) or bool(np.isfinite(one).all()) for one in values
    )


def _own_nodes(roots: Sequence[Node], counterpart: dict[Node, Node]) -> tuple[Node, ...]:
    """A node for each root: a copy, where its counterpart is another root's or one of the user."""
    taken = set(counterpart)
    new: list[Node] = []
    for root in roots:
        node = counterpart[root]
        if node is not root and node in taken:
            if isinstance(node, Constant):
                node = Constant.holding(node.numpy())
            elif isinstance(node, Operation) and of_derivative(node):
                node = node.clone(node.inputs)
            else:
                node = ops.positive(node)
            node._origin = root._origin
        taken.add(node)
        new.append(node)
    return tuple(new)


def _describe(order: Sequence[Node], pairs: Iterable[tuple[Node, Node]]) -> None:
    """Give each node of `order` the name, value and gradient of the nodes that it replaces, which
    are paired with it; nodes that stay are paired with themselves."""
    replaced: dict[Node, list[Node]] = {}
    for node, old in pairs:
        replaced.setdefault(node, []).append(old)
    new = [node for node in order if all(old is not node for old in replaced.get(node, ()))]
    olds = dict.fromkeys(old for node in new for old in replaced.get(node, ()))
    names = names_of(list(olds))
    for node in new:
        for old in replaced.get(node, ()):
            name = names[id(old)]
            if node._name is None and is_named(old, name) and not name.startswith("∂"):
                node._name = name
            _take(node, old)
        if node._value is None and isinstance(node, Operation):
            _evaluate(node)


def _derivatives(
    order: Sequence[Node], pairs: Sequence[tuple[Node, Node]]
) -> dict[Node, Derivative]:
    """The gradients among the nodes that are paired with those of the raw graph."""
    found = derivatives_of(order)
    counterpart = {old: node for node, old in reversed(pairs)}
    users = {node for node in order if not of_derivative(node)}
    derivatives: dict[Node, Derivative] = {}
    for node, old in pairs:
        if old in found and node not in derivatives and (node is old or node not in users):
            y, by = found[old]
            derivatives[node] = Derivative(y, tuple(counterpart.get(x, x) for x in by))
    return derivatives


def _names_of_copies(shown: Sequence[Node], counterpart: Mapping[Node, Node]) -> dict[int, str]:
    """The names of copies that were dropped, by the id of the unnamed node that was copied."""
    copies = [
        old for old, node in counterpart.items()
        if type(old) is Positive and node is not old and node._name is None
    ]  # fmt: skip
    taken = names_of([*shown, *(counterpart[copy] for copy in copies)])
    names: dict[int, str] = {}
    before = names_of(list(counterpart))
    for copy in copies:
        node, name = counterpart[copy], before[id(copy)]
        free = name not in taken.values() and name not in names.values()
        if free and is_named(copy, name) and not is_named(node, taken[id(node)]):
            names[id(node)] = name
    return names


def _take(node: Node, old: Node) -> None:
    value: Any = old._known()
    if node._value is None and value is not None:
        node._value = value
    if node._grad is None and old._grad is not None:
        node.grad = old.grad
    if node.jacobian is None:
        node.jacobian = old.jacobian


def _evaluate(node: Operation) -> None:
    """Compute the value of a node that replaces none, if its inputs have values."""
    values = [x._known() for x in node.inputs]
    if all(value is not None for value in values):
        node._value = node._evaluate(values)
