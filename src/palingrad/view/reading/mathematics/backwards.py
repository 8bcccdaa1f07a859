"""Derivations through arrays: cotangents from the result back to x, one node at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....autodiff.jacobians import one_hot_like
from ....autodiff.reverse import pulled_back, reverse
from ....dtypes import Array
from ....graph.context import graph_scope
from ....graph.describe.notation import Piece, added
from ....graph.node import Node
from ....graph.operation import Item, MultipleOutputs, Operation
from ....graph.registry import ops
from ....graph.traversal.order import postorder
from ....ops.elementwise.absorbing import AbsorbingProduct, DoublyAbsorbingProduct
from ....shapes import size, sizes
from .paths import ABSORBED, Steps
from .steps import Step
from .symbols import bar, value_of
from .worked import Worked, is_float, is_number_like, readable

_MATRIX = 64  # elements of a Jacobian that is computed


def backwards(worked: Worked, title: str) -> Steps | None:
    """The steps of a derivation by cotangents; None if y doesn't depend on x."""
    state = Backwards(worked)
    for node in reversed(worked.order):
        if id(node) in worked.active:
            state.visit(node)
    if worked.y is worked.x or id(worked.x) not in state.parts:
        return None
    name = bar(worked.names[id(worked.x)])
    if is_number_like(worked.y):
        total = state.total(worked.x)
        sides = [title, name, *([] if total is None else [value_of(total)])]
        simple = worked.simplified()
        if simple and len(simple) < 200:
            sides.insert(2, simple)
        last = Step("result", " = ".join(dict.fromkeys(sides)), total, worked.user(worked.x))
        return [*state.steps, last], total, simple
    matrix = _jacobian(worked)
    if matrix is None:
        return state.steps, None, ""
    text = f"{title} = {value_of(matrix)}"
    return [*state.steps, Step("result", text, matrix, worked.user(worked.x))], matrix, ""


class Backwards:
    """The cotangents accumulated so far: their terms as LaTeX, and their sums as numbers."""

    def __init__(self, worked: Worked) -> None:
        self.worked = worked
        self.steps: list[Step] = []
        self.parts: dict[int, list[Piece]] = {}
        self._items: dict[int, dict[int, Item]] = {}  # the outputs with a cotangent, by index
        self._totals: dict[int, Any] = {}
        self._absorbed: set[int] = set()  # nodes a part of whose cotangent would be 0 · ∞
        self._counts = worked.known is not None and is_number_like(worked.y)

    def total(self, node: Node) -> Array | None:
        """The value of the node's cotangent, or None if it is unknown."""
        total = self._totals.get(id(node))
        return None if total is None else total.numpy()

    def visit(self, node: Node) -> None:
        """Write the node's cotangent, and add its contributions to the inputs' cotangents."""
        worked = self.worked
        if node is worked.y:
            self._start()
        elif isinstance(node, MultipleOutputs):
            if id(node) not in self._items:
                return
        elif id(node) not in self.parts:
            return
        else:
            self._write(node)
        if node is worked.x or not isinstance(node, Operation):
            return
        if type(node) is Item:
            index: int = node.attributes["index"]
            self._items.setdefault(id(node.inputs[0]), {})[index] = node
            return
        self._pull(node)

    def _start(self) -> None:
        y, worked = self.worked.y, self.worked
        name = bar(worked.names[id(y)])
        value = None
        if is_number_like(y):
            text = f"{name} = 1"
            if self._counts and worked.known is not None:
                with graph_scope(None, hidden=True, observed=False):
                    self._totals[id(y)] = ops.ones_like(worked.known[id(y)])
                value = self.total(y)
        else:
            text = rf"{name} = \frac{{\partial L}}{{\partial {worked.names[id(y)]}}}"
        self.steps.append(Step("adjoint", text, value, worked.user(y)))

    def _write(self, node: Node) -> None:
        parts = self.parts[id(node)]
        text = readable(added(parts).latex)
        value = self.total(node)
        text = f"{bar(self.worked.names[id(node)])} = {text}"
        if value is not None:
            shown = value_of(value)
            text += f" = {shown}" if not text.endswith(f"= {shown}") else ""
        text += ABSORBED * (id(node) in self._absorbed)
        self.steps.append(Step("adjoint", text, value, self.worked.user(node)))

    def _pull(self, node: Operation) -> None:
        worked = self.worked
        items = self._items.get(id(node), {})
        if isinstance(node, MultipleOutputs):
            seeds = [
                bar(worked.names[id(items[index])]) if index in items else None
                for index in range(node.count)
            ]
        else:
            seeds = [None if node is worked.y and self._ends() else bar(worked.names[id(node)])]
        pulled = worked.pulled(node, seeds, names_terms=True)
        for line in worked.aside:
            self.steps.append(Step("adjoint", line, None, worked.user(node)))
        worked.aside.clear()
        for x, piece in zip(node.inputs, pulled, strict=True):
            if piece is not None:
                self.parts.setdefault(id(x), []).append(piece)
        if self._counts and worked.known is not None:
            self._pull_numbers(node, worked.known[id(node)], items)

    def _ends(self) -> bool:
        return is_number_like(self.worked.y)

    def _pull_numbers(self, node: Operation, shadow: Any, items: dict[int, Item]) -> None:
        totals = self._totals
        g: Any = totals.get(id(node))
        if isinstance(node, MultipleOutputs):
            g = [totals.get(id(items[n])) if n in items else None for n in range(node.count)]
        wanted = [id(x) in self.worked.active and is_float(x) for x in node.inputs]
        with graph_scope(None, hidden=True, observed=False):
            for x, c in zip(node.inputs, pulled_back(shadow, g, wanted), strict=True):
                if c is not None:
                    if _absorbs(c, g):
                        self._absorbed.add(id(x))
                    before = totals.get(id(x))
                    totals[id(x)] = c if before is None else before + c


def _absorbs(cotangent: Node, g: Any) -> bool:
    """Whether a 0 of g, or of what is computed of it, is multiplied by an infinite slope or NaN."""
    ends = {id(one) for one in (g if isinstance(g, list) else [g])}
    order = postorder(cotangent, inputs=lambda x: () if id(x) in ends else x.inputs)
    for node in order:
        if isinstance(node, (AbsorbingProduct, DoublyAbsorbingProduct)):
            x, slope = (one.numpy() for one in node.inputs)
            if ((x == 0) & ~np.isfinite(slope)).any():
                return True
    return False


def _jacobian(worked: Worked) -> Array | None:
    """The value of ∂y/∂x, or None if it is unknown or has more than _MATRIX elements."""
    known = worked.known
    if known is None or size(worked.y.shape) * size(worked.x.shape) > _MATRIX:
        return None
    y, x = known[id(worked.y)], known[id(worked.x)]
    rows: list[Array] = []
    with graph_scope(None, hidden=True, observed=False):
        for place in range(y.value.size):
            gradients = reverse({y: one_hot_like(y, place)}, [x])
            rows.append(gradients[x].numpy() if x in gradients else np.zeros(x.shape, x.dtype))
    shape = sizes(y.shape) + sizes(x.shape)
    return np.stack(rows).reshape(shape) if rows else np.zeros(shape, y.dtype)
