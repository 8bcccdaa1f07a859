"""Nodes whose derivative is a rule of its own: what custom rules, checkpoints and implicit
differentiation are made of.

`RuledBackward` and `RuledForward` pass on results that ordinary nodes have computed. No derivative
flows through these: it goes straight to the other inputs, as the rule says. Programs don't contain
them, because the rules have been applied when a Program is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from ..errors import GradientError
from ..graph.batching.batch import Batch
from ..graph.context import context, graph_scope
from ..graph.derivatives.differentiated import dependencies
from ..graph.kinds import Control, Elementwise
from ..graph.leaves import Constant, Placeholder, Variable
from ..graph.node import Node
from ..graph.operation import MultipleOutputs
from ..graph.registry import ops
from ..graph.samples import case
from ..graph.state.records import dataclass
from ..graph.traversal.order import postorder
from ..shapes import sizes
from .batching import OneExample, over_examples
from .reverse import reverse


class Rule(Protocol):
    """What a derivative of its own is made of; all of its arguments and results are nodes."""

    def __call__(
        self, given: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any]
    ) -> Sequence[Any]:
        """For cotangents of the outputs those of the inputs, or for tangents of the inputs those of
        the outputs; None for zero."""
        ...


def _passed_on(m: Any, *values: Any, results: int, rule: Any) -> Any:
    return values[:results]


class Ruled(MultipleOutputs, Control):
    """The first `results` inputs, passed on."""

    math = "{x}"

    @property
    def count(self) -> int:
        return self.attributes["results"]

    def shape_rule(y, *shapes: Any) -> Any:
        return shapes[: y.attributes["results"]]

    def dtype_rule(y, *dtypes: Any) -> Any:
        return dtypes[: y.attributes["results"]]

    def passed(self, index: int) -> Node:
        """The input that an output is."""
        return self.inputs[index]

    def batched(y, batch: Batch) -> Any:
        """The rule, applied to each example."""
        like = [(x.shape, x.dtype) for x in y.inputs]
        rule = _OfExamples(y.rule, like, y.results, batch.size, type(y) is RuledForward)
        return y.applied(batch.fronts(), {"results": y.results, "rule": rule})


class RuledBackward(Ruled):
    """Results, whose cotangents the rule turns into those of the inputs behind them."""

    f = _passed_on

    def vjp(y, g: Any, *x: Node) -> Sequence[Any]:
        found = y.rule(g, x[y.results :], y.items)
        return [*[None] * y.results, *found]


class RuledForward(Ruled):
    """Results, whose tangents the rule gives for those of the inputs behind them."""

    f = _passed_on

    def jvp(y, tangents: Sequence[Any], *x: Node) -> Any:
        xs = x[y.results :]
        ts = [
            ops.zeros_like(x) if t is None else t
            for x, t in zip(xs, tangents[y.results :], strict=True)
        ]
        return list(y.rule(ts, xs, y.items))

    def vjp(y, g: Any, *x: Node) -> Sequence[Any]:
        """The transpose of the rule, which is linear in the tangents."""
        xs = x[y.results :]
        zeros = [ops.zeros_like(x) for x in xs]
        pushed = y.rule(zeros, xs, y.items)
        seeds: dict[Node, Node] = {}
        for t, c in zip(pushed, g, strict=True):
            if t is not None and t._differentiable:
                seeds[t] = ops.add(seeds[t], c) if t in seeds else c
        found = reverse(seeds, zeros) if seeds else {}
        return [*[None] * y.results, *(found.get(zero) for zero in zeros)]


RuledBackward._shipped = RuledForward._shipped = False  # the rule is the user's code


class Again(Elementwise):
    """y = x, once the number `after` is known: what is computed of y isn't shared with what was
    computed of x before."""

    math = "{x}"
    promotes = False
    stays_finite = True
    complexes = True
    samples = [case((3,), ()), case((2, 3), ())]

    def f(m, x, after):
        return m.where(after == after, x, x)

    def d(y, x, after):
        return [1, None]


def again(x: Node, gs: Sequence[Node]) -> Node:
    """x, behind the first number of cotangents."""
    for g in gs:
        if 0 not in sizes(g.shape):
            return Again(x, ops.reshape(g, (-1,))[0])
    return x


@dataclass(frozen=True, eq=False)
class _OfExamples:
    """A rule of one example, applied to many."""

    rule: Any
    like: Sequence[Any]  # shape and dtype of each input of one example
    results: int
    size: int
    forward: bool

    def __call__(
        self, given: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any]
    ) -> Sequence[Any]:
        of_outputs, of_inputs = self.like[: self.results], self.like[self.results :]
        with graph_scope(OneExample(), hidden=True):
            made = [
                [Placeholder(shape, dtype=dtype) for shape, dtype in like]
                for like in (of_inputs if self.forward else of_outputs, of_inputs, of_outputs)
            ]
            began = made[-1][-1]._serial
            found = self.rule(*made)
        new = [*given, *inputs, *outputs]
        mapping: dict[Node, Any] = dict(
            zip((one for part in made for one in part), new, strict=True)
        )
        roots = [one for one in found if one is not None]
        nodes = iter(over_examples(roots, mapping, self.size, began))
        return [None if one is None else next(nodes) for one in found]


def closed_over(ys: Sequence[Node], own: Sequence[Node], began: int) -> list[Node]:
    """The nodes made before `began` on which derivatives of the ys may depend, except `own`."""
    seen = set(own)
    found: list[Node] = []
    for node in dependencies([y for y in ys if y not in seen], began):
        bare = isinstance(node, Constant) and node.scalar is not None
        if node._serial < began and node not in seen and not bare:
            found.append(node)
    return sorted(found, key=lambda node: node._serial)


def outside(ys: Sequence[Node], own: Sequence[Node], since: int) -> list[Node]:
    """The nodes not made after `since` that the ys are computed from and that may differ when they
    are computed again: Variables, nodes without values, and what may be differentiated, but not
    `own`."""
    order = postorder(*ys, inputs=lambda node: () if node._serial <= since else node.inputs)
    inner = set(own)

    def varies(node: Node) -> bool:
        bare = isinstance(node, Constant) and node.scalar is not None
        return isinstance(node, Variable) or node.deferred or (node._differentiable and not bare)

    return [x for x in order if x._serial <= since and x not in inner and varies(x)]


def detached(ys: Sequence[Node]) -> list[Node]:
    """Nodes of the same values without their history, where they have values."""
    if context().graph is not None:
        return list(ys)
    return [y if y._value is None else Constant.holding(y._value) for y in ys]


def fitting(what: str, c: Any, x: Node) -> Any:
    """A cotangent or tangent that a user's rule gave, in x's dtype; None for zero. Raises
    GradientError unless it has x's shape."""
    if c is None:
        return None
    c = c if isinstance(c, Node) else Constant(np.asarray(c))
    if c.shape != x.shape:
        raise GradientError(
            f"{what} has shape {c.shape} for a node of shape {x.shape}.",
            hint="A cotangent has the shape of its argument, a tangent that of its result.",
        )
    return c if c.dtype == x.dtype else ops.like_input(c, x)
