"""Reverse mode: one pass over the graph in reverse topological order.

The pass builds nodes: inside a graph it differentiates symbolically, eagerly it computes. Its
results can be differentiated again. Only this file reverses broadcasting, by summation.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..errors import GradientError
from ..graph.context import (
    Backward,
    SourceLocation,
    built_at,
    context,
    level_of,
    set_open,
)
from ..graph.describe.faults import defined
from ..graph.node import Node
from ..graph.operation import Item, MultipleOutputs, Operation
from ..graph.promotion import as_node
from ..graph.registry import ops, register
from ..graph.traversal.order import postorder
from ..ops.elementwise.discrete import OnesLike
from ..ops.stable import differentiable_form
from ..shapes import sizes, text

Cotangent = Any  # a Node; for a node with several outputs a list with a Node or None for each


def reverse(
    seeds: Mapping[Node, Node],
    xs: Sequence[Node] | None = None,
    *,
    through: bool = True,
    traced: bool = True,
) -> dict[Node, Node]:
    """The cotangents of `xs`, or of all nodes if xs is None, from those of the outputs in `seeds`.

    Returns a dict with the total cotangent of each node that is reached. Shapes must be known.
    With through=False the xs are leaves: no cotangent is propagated to the inputs of an x. Nodes
    older than all xs can't depend on them and aren't visited. With traced=False the nodes that are
    built don't record which node they differentiate.
    """
    resolve = Resolver(xs)
    roots = [resolve(root) for root in seeds]
    ends: set[Node] = set() if through or xs is None else set(map(resolve, xs))
    order = postorder(*roots, inputs=lambda node: () if node in ends else resolve.inputs(node))
    active = None if xs is None else _active(order, set(map(resolve, xs)), resolve)
    level = _level(order if active is None else active) if traced else 0
    result = _differentiated(seeds) if traced else None
    cotangents: dict[Node, Cotangent] = {}
    for root, (seed_of, seed) in zip(roots, seeds.items(), strict=True):
        _accumulate(cotangents, root, unbroadcast(seed, seed_of, "the initial gradient"))
    state = context()
    if not traced:  # any origin, so that none is looked for
        state = state.having(origin=state.origin or roots[0]._origin)
    before = set_open(state)
    try:
        for node in reversed(order):
            g = cotangents.get(node)
            if g is None or node in ends or not node.inputs:
                continue
            assert isinstance(node, Operation)
            place = None
            if traced and node._origin is not None:
                place = Backward.of(node._origin, level, pulled=type(node), result=result)
            if traced:
                set_open(state if place is None else state.having(origin=place))
            if type(node) is Item:
                _accumulate_item(cotangents, node, g)
                continue
            inputs = [resolve(x) for x in node.inputs]
            needed = [x._differentiable and (active is None or x in active) for x in inputs]
            if any(needed):
                for x, c in zip(inputs, pulled_back(node, g, needed), strict=True):
                    if c is not None:
                        _sign(c, x, place)
                        _accumulate(cotangents, x, c)
                        _sign(cotangents[x], x, place)
    finally:
        set_open(before)
    if xs is None:
        return cotangents
    return {x: cotangents[resolve(x)] for x in xs if resolve(x) in cotangents}


def reverse_to_all(y: Node, seed: Node, *, traced: bool = True) -> dict[Node, Node]:
    """The cotangents of all nodes that y depends on. Those of leaves are what they are if only
    leaves are asked for: an inner node isn't kept from being skipped by a stable form."""
    found = reverse({y: seed}, traced=traced)
    if has_forms(found):
        found.update(reverse({y: seed}, [x for x in found if not x.inputs], traced=traced))
    return found


def has_forms(nodes: Iterable[Node]) -> bool:
    """Whether one of the nodes is differentiated in another form than it is computed in."""
    return any(differentiable_form(node) is not None for node in nodes if node.inputs)


def pulled(
    place: SourceLocation | None, level: int, operation: type[Operation] | None = None
) -> SourceLocation | None:
    """The origin of a node of the backward pass, from `place`, that of the differentiated node."""
    return None if place is None else Backward.of(place, level, pulled=operation)


def _differentiated(seeds: Mapping[Node, Node]) -> weakref.ref[Node] | None:
    """The one result of the pass, if its initial cotangent is 1: then cotangents are gradients."""
    if len(seeds) != 1:
        return None
    ((y, seed),) = seeds.items()
    return weakref.ref(y) if type(seed) is OnesLike and seed.inputs[0] is y else None


def _sign(c: Cotangent, x: Node, place: SourceLocation | None) -> None:
    """Record x as the target of the cotangent c, if c was built at `place`."""
    if place is not None and not isinstance(c, list) and c._origin is place:
        c._origin = Backward.of(place, level_of(place), x)


def oldest(xs: Iterable[Node]) -> int:
    """The smallest serial number of the xs: nodes up to it, except an x, don't depend on the xs."""
    return min((x._serial for x in xs), default=0)


def _level(order: Iterable[Node]) -> int:
    """One more than the highest level in `order`: 1 for a first derivative.

    Inside a vjp that calls `pull_back`, it is at least the level of the surrounding pass.
    """
    return max(
        level_of(context().origin), 1 + max((level_of(node._origin) for node in order), default=0)
    )


def pulled_back(node: Operation, g: Cotangent, needed: Sequence[bool]) -> list[Node | None]:
    """The contributions of `node` to the cotangents of its inputs, each of its input's shape; None
    for those that aren't needed."""
    if isinstance(node, MultipleOutputs) and not node.selective:
        g = [item_g if item_g is not None else ops.zeros_like(item)
             for item, item_g in zip(node.items, g, strict=True)]  # fmt: skip
    if node.selective:
        contributions = node.vjp(g, *node.inputs, needed=needed)  # pyright: ignore[reportCallIssue]
    else:
        contributions = node.vjp(g, *node.inputs)
    if len(contributions) != len(node.inputs):
        raise GradientError(
            f"{node.label()}: vjp returned {len(contributions)} gradients for "
            f"{len(node.inputs)} inputs{_place(node)}",
            hint="It returns a list with one for each input, or None for a constant one.",
        )
    result: list[Node | None] = []
    for x, c, is_needed in zip(node.inputs, contributions, needed, strict=True):
        c = c() if callable(c) and is_needed else c
        result.append(None if c is None or not is_needed else unbroadcast(c, x, node))
    return result


def _place(node: Operation) -> str:
    """Where a user's operation defines its vjp, for messages."""
    return "" if node._shipped else f", by vjp{defined(type(node).vjp)}"


def unbroadcast(c: Any, x: Node, origin: Operation | str) -> Node:
    """The cotangent `c` in x's shape and dtype: summed over the axes along which x was broadcast.

    `origin` is the operation whose vjp returned it, or what it is, for error messages.
    """
    c = as_node(c)
    if c.shape == x.shape and c.dtype is x.dtype:
        return c
    shape, target = sizes(c.shape), sizes(x.shape)
    if shape != target:
        extra = len(shape) - len(target)
        if extra < 0 or any(b not in (1, a) for a, b in zip(shape[extra:], target, strict=True)):
            what, place = origin, ""
            if isinstance(origin, Operation):
                what, place = f"{origin.label()}: a gradient", _place(origin)
            raise GradientError(
                f"{what} has shape {text(shape)} for a node of shape {text(target)}{place}.",
                hint="It has the shape of the input: g * pg.ones_like(x) spreads a total's.",
            )
        c = ops.sum_to(c, target)
    return c if c.dtype == x.dtype else ops.like_input(c, x)


class Resolver:
    """Maps a node to the form in which it is differentiated, unless that would skip one of the xs.

    Nodes older than all xs can't depend on them and are mapped to themselves.
    """

    def __init__(self, xs: Sequence[Node] | None) -> None:
        self.forms: dict[Node, Node] = {}
        self.kept = None if xs is None else set(xs)
        self.oldest = 0 if xs is None else oldest(xs)

    def inputs(self, node: Node) -> Sequence[Node]:
        """The forms of the inputs; () for a node that is too old to depend on the xs."""
        return () if node._serial <= self.oldest else [self(x) for x in node.inputs]

    def __call__(self, node: Node) -> Node:
        if self.kept is None or node._serial <= self.oldest:
            return node
        if node not in self.forms:
            form = differentiable_form(node)
            if form is None or self.kept.intersection(form.skipped):
                self.forms[node] = node
            else:
                with built_at(node._origin):
                    self.forms[node] = form.build()
        return self.forms[node]


def _active(order: list[Node], xs: set[Node], resolve: Callable[[Node], Node]) -> set[Node]:
    """The nodes that depend on `xs`: only these need cotangents."""
    active: set[Node] = set()
    for node in order:
        if node in xs or any(resolve(x) in active for x in node.inputs):
            active.add(node)
    return active


def _accumulate(cotangents: dict[Node, Cotangent], node: Node, c: Node) -> None:
    before = cotangents.get(node)
    cotangents[node] = c if before is None else ops.add(before, c)


def _accumulate_item(cotangents: dict[Node, Cotangent], item: Item, g: Node) -> None:
    parent = item.inputs[0]
    assert isinstance(parent, MultipleOutputs)
    parts = cotangents.setdefault(parent, [None] * parent.count)
    index: int = item.attributes["index"]
    parts[index] = g if parts[index] is None else ops.add(parts[index], g)


@register
def pull_back(y: Node, xs: Sequence[Node], g: Node) -> list[Node | None]:
    """g·∂y/∂x for each x, where y is a function of the xs alone; None if there is no path.

    If an x occurs twice, its first occurrence gets the whole cotangent.
    """
    cotangents = reverse({y: g}, xs, through=False)
    return [cotangents.pop(x, None) for x in xs]
