"""Zeros that stay zeros: carries of loops, and what is made of them.

A reverse pass carries a cotangent for each carry, which begins as 0 and often stays 0: nothing that
is asked for depends on that carry. So do tangents. These carries, and what only they are added to,
are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ...dtypes import Array, is_floating
from ...graph.context import graph_scope
from ...graph.kinds import AnonymousGraph, Layout
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import Item, MultipleOutputs, Operation
from ...graph.regions.region import Region, form_of, parameter
from ...graph.regions.regional import Regional
from ...graph.registry import ops
from ...graph.traversal.replay import replay
from ...ops.control.branch import Switch
from ...ops.control.loop import Loop
from ...ops.control.while_loop import WhileLoop
from ...ops.elementwise.absorbing import AbsorbingProduct, DoublyAbsorbingProduct
from ...ops.elementwise.arithmetic import Add, Multiply, Negative, Positive, Subtract
from ...ops.elementwise.discrete import Cast, StopGradient, ZerosLike
from ...ops.elementwise.selection import Where
from ...ops.reduction.reduce import Sum
from ..program import Program
from .loops import replayed, rewired

EITHER = 0


def drop_zeros(program: Program) -> Program:
    """The program with zeros in place of what control flow computes as 0 in each run."""
    if not program.has(Regional):
        return program
    zeros = _Zeros(program.order, {})
    given: dict[Any, dict[int, int]] = {
        node: _parameters(node, zeros.inputs_of(node), found)
        for node, found in zeros.results.items()
    }
    if not any(zeros.results.values()) and not any(given.values()):
        return program

    def rule(node: Operation, inputs: list[Any]) -> Node:
        if isinstance(node, Item) and node in zeros.signs:
            return zero_like(node, zeros.signs[node])
        if isinstance(node, Regional) and given[node]:
            regions = [_with_zeros(region, given[node]) for region in node.regions]
            return type(node).applied(inputs, {**node.attributes, "regions": tuple(regions)})
        return rewired(node, inputs)

    return replayed(program, rule)


def zero_like(x: Node, sign: int) -> Node:
    """Zeros of the shape and dtype of a node."""
    zero = -0.0 if sign == -1 else 0.0
    return ops.broadcast_to(Constant(np.array(zero, x.dtype)), x.shape)


def _parameters(node: Regional, inputs: dict[int, int], results: dict[int, int]) -> dict[int, int]:
    """The parameters of the regions that are 0 in every run of them, and their signs."""
    if isinstance(node, Switch):
        return {n - 1: sign for n, sign in inputs.items() if n}
    carries: int = node.attributes["carries"]
    return {
        n: sign if n >= carries else results[n]
        for n, sign in inputs.items()
        if n >= carries or n in results
    }


def _with_zeros(region: Region, parameters: dict[int, int]) -> Region:
    """The region with zeros in place of these parameters, and of what follows from them."""
    signs = _Zeros(region.order, {region.parameters[n]: one for n, one in parameters.items()}).signs
    with graph_scope(AnonymousGraph(), hidden=True):
        own = tuple(parameter(form_of(x), like=x) for x in region.parameters)
        given: dict[Node, Any] = {
            x: zero_like(y, signs[x]) if n in parameters else y
            for n, (x, y) in enumerate(zip(region.parameters, own, strict=True))
        }

        def rule(node: Operation, inputs: list[Any]) -> Node:
            return zero_like(node, signs[node]) if node in signs else rewired(node, inputs)

        built = replay(region.order, rule, given)
    return Region(own, tuple(built[y] for y in region.results))


class _Zeros:
    """Which nodes are 0 if some of their leaves are, with the sign of that 0: 1, −1, or `EITHER`
    for a derivative's, whose sign doesn't count. Of control flow, which results are."""

    def __init__(self, order: Iterable[Node], assumed: Mapping[Node, int]) -> None:
        self.signs = dict(assumed)
        self.results: dict[Any, dict[int, int]] = {}
        for node in order:
            if isinstance(node, Regional):
                self.results[node] = results_of(node, self.inputs_of(node))
            elif node not in self.signs and (sign := self._sign(node)) is not None:
                self.signs[node] = sign

    def inputs_of(self, node: Node) -> dict[int, int]:
        """The numbers of its inputs that are 0, and their signs."""
        return {n: self.signs[x] for n, x in enumerate(node.inputs) if x in self.signs}

    def _sign(self, node: Any) -> int | None:
        """The sign of the node, if it is 0."""
        if isinstance(node, MultipleOutputs) or node.shape is None or not is_floating(node.dtype):
            return None
        if isinstance(node, Constant):
            return _sign_of(node.numpy())
        if isinstance(node, Item):
            return self.results.get(node.inputs[0], {}).get(node.attributes["index"])
        if not isinstance(node, Operation):
            return None
        rule = RULES.get(type(node))
        if rule is None and isinstance(node, Layout) and node._shipped:
            rule = _same
        return None if rule is None else rule(*map(self.signs.get, node.inputs))


def _sign_of(value: Array) -> int | None:
    if value.any():
        return None
    negative = np.signbit(value)
    return 1 if not negative.any() else -1 if negative.all() else None


Sign = int | None  # None: not 0, as far as is known


def _same(*signs: Sign) -> Sign:
    """The common sign; `EITHER` if one's sign doesn't count."""
    if None in signs or not signs:
        return None
    if EITHER in signs:
        return EITHER
    return signs[0] if len(set(signs)) == 1 else None


def _added(x: Sign, y: Sign) -> Sign:
    if x is None or y is None:
        return None
    return EITHER if EITHER in (x, y) else max(x, y)


def _negative(x: Sign) -> Sign:
    return None if x is None else -x


def _multiplied(x: Sign, y: Sign) -> Sign:
    return None if x is None or y is None else x * y


# The sign of an operation of these inputs. A cotangent of 0 absorbs any slope.
RULES: dict[type, Callable[..., Sign]] = {
    **dict.fromkeys((Positive, Cast, StopGradient), _same),
    Negative: _negative,
    Add: _added,
    Subtract: lambda x, y: _added(x, _negative(y)),
    Multiply: _multiplied,
    Sum: lambda x: None if x == -1 else x,  # an engine's sum may begin with 0
    AbsorbingProduct: lambda x, y: None if x is None else EITHER,
    DoublyAbsorbingProduct: lambda x, y: None if x is None and y is None else EITHER,
    Where: lambda condition, x, y: _same(x, y),
    ZerosLike: lambda x: 1,
}


def results_of(node: Regional, inputs: dict[int, int]) -> dict[int, int]:
    """The numbers of the results that are 0 if these inputs are, and their signs."""
    if isinstance(node, Switch):
        chosen = {n - 1: sign for n, sign in inputs.items() if n}
        found = [_results(region, chosen) for region in node.regions]
        signs = {n: _same(*(one.get(n) for one in found)) for n in range(node.count)}
        return {n: sign for n, sign in signs.items() if sign is not None}
    if not isinstance(node, (Loop, WhileLoop)) or not inputs:
        return {}
    body, carries = node.regions[-1], node.attributes["carries"]
    while True:  # drop carries that don't stay 0, until all do
        found = _results(body, inputs)
        left = {n: sign if n >= carries else _same(sign, found.get(n))
                for n, sign in inputs.items()}  # fmt: skip
        kept = {n: sign for n, sign in left.items() if sign is not None}
        if kept == inputs:
            return {n: sign for n, sign in found.items() if n >= carries or n in inputs}
        inputs = kept


def _results(region: Region, parameters: dict[int, int]) -> dict[int, int]:
    zeros = _Zeros(region.order, {region.parameters[n]: sign for n, sign in parameters.items()})
    signs = {n: zeros.signs.get(y) for n, y in enumerate(region.results)}
    return {n: sign for n, sign in signs.items() if sign is not None}
