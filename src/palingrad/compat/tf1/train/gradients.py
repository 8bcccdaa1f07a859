"""Derivatives of tensors with respect to tensors."""

from __future__ import annotations

from typing import Any

from ....autodiff.gradients import gradients as of_nodes
from ....dtypes import is_inexact
from ....graph.registry import ops
from ....graph.traversal.order import postorder
from ..framework.convert import node
from ..framework.graph import Operation, Tensor, building, get_default_graph


def gradients(
    ys: Any, xs: Any, grad_ys: Any = None, name: str = "gradients", **_: Any
) -> list[Tensor | None]:
    """The derivatives of the sum of the ys by each x; None for an x that no y depends on.

    grad_ys: the cotangents of the ys, by default ones.
    """
    targets = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    results = list(ys) if isinstance(ys, (list, tuple)) else [ys]
    seeds = grad_ys if isinstance(grad_ys, (list, tuple)) else [grad_ys] * len(results)
    graph = get_default_graph()
    full = graph.unique_name(name)
    found: list[Tensor | None] = [None] * len(targets)
    with building(graph, full):
        total = _total(results, seeds)
        behind = set(postorder(total))
        places = [i for i, x in enumerate(targets) if x.node in behind and is_inexact(x.node.dtype)]
        derived = of_nodes(total, [targets[i].node for i in places]) if places else []
    for i, one in zip(places, derived, strict=True):
        op = Operation(graph, f"{full}/{targets[i].op.name}_grad_{i}", "Gradient", one)
        found[i] = Tensor(op, one)
    return found


def _total(results: list[Any], seeds: Any) -> Any:
    """The sum of the products with the cotangents, a number."""
    total: Any = None
    for y, seed in zip(results, seeds, strict=True):
        term = y.node if seed is None else y.node * ops.stop_gradient(node(seed, y.node.dtype))
        term = term if term.shape == () else ops.sum(term)
        total = term if total is None else total + term
    return total
