"""Forward mode: tangents propagated through the graph in topological order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..dtypes import is_inexact
from ..graph.context import built_at
from ..graph.node import Node
from ..graph.operation import Item, MultipleOutputs, Operation
from ..graph.registry import ops
from ..graph.traversal.order import postorder
from .reverse import Resolver, pulled_back, reverse


def forward(ys: Sequence[Node], tangents: Mapping[Node, Node]) -> list[Node | None]:
    """Σ ∂y/∂x·t for each y, over the nodes x with a tangent; None where there is no path."""
    resolve = Resolver(list(tangents))
    known: dict[Node, Any] = {resolve(x): t for x, t in tangents.items()}
    for node in postorder(*map(resolve, ys), inputs=resolve.inputs):
        if node in known or not isinstance(node, Operation):
            continue
        incoming: list[Any] = [known.get(resolve(x)) for x in node.inputs]
        if all(t is None for t in incoming):
            continue
        with built_at(node._origin):
            if type(node) is Item:
                t = incoming[0][node.attributes["index"]]
            else:
                t = _pushed(node, incoming)
        if t is not None:
            known[node] = t
    return [known.get(resolve(y)) for y in ys]


def _pushed(node: Operation, tangents: list[Any]) -> Any:
    """The tangent of the output, of the output's shape and dtype."""
    if type(node).jvp is not Operation.jvp:
        t = node.jvp(tangents, *node.inputs)
    elif node.linear:
        filled = [ops.zeros_like(x) if t is None else t
                  for x, t in zip(node.inputs, tangents, strict=True)]  # fmt: skip
        pushed = node.rebuild(filled)
        t = list(pushed.items) if isinstance(pushed, MultipleOutputs) else pushed
    else:
        t = _double_vjp(node, tangents)
    if t is None or isinstance(t, list):
        return t
    t = t if t.shape == node.shape else ops.broadcast_to(t, node.shape)
    return t if t.dtype == node.dtype else ops.like_input(t, node)


def _double_vjp(node: Operation, tangents: list[Any]) -> Any:
    """∂y/∂x·t by two vjps: u ↦ u·∂y/∂x is linear in u, and its vjp with the cotangent t is the jvp.

    Source: J. Townsend, "A new trick for calculating Jacobian vector products", 2017.
    """
    many = isinstance(node, MultipleOutputs)
    outputs: Sequence[Node] = node.items if many else [node]
    floats = [is_inexact(y.dtype) for y in outputs]  # others, such as pivots, have no tangent
    if not any(floats):
        return None
    us = [ops.zeros_like(y) for y in outputs]
    needed = [t is not None for t in tangents]
    contributions = pulled_back(node, us if many else us[0], needed)
    seeds: dict[Node, Node] = {}
    for c, t in zip(contributions, tangents, strict=True):
        if c is not None and t is not None:
            seeds[c] = ops.add(seeds[c], t) if c in seeds else t
    cotangents = reverse(seeds, [u for u, is_float in zip(us, floats, strict=True) if is_float])
    result = [cotangents.get(u) for u in us]
    return result if many else result[0]
