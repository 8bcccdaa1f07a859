"""Nodes of one example rebuilt for many: the machinery of `vmap`.

A function is traced on one example, whose nodes are then rebuilt in topological order by their
batching rules (`graph/batching/`). What doesn't depend on the examples is computed once.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..classes import NamedTuple
from ..errors import ArgumentError, GraphError
from ..graph.batching.batch import Batch, Shared
from ..graph.context import context, graph_scope, set_open
from ..graph.kinds import AnonymousGraph, Assign, Composite, Random
from ..graph.leaves import Placeholder
from ..graph.node import Node
from ..graph.operation import Item, MultipleOutputs, Operation
from ..graph.registry import ops, register
from ..graph.samples import case
from ..graph.traversal.order import postorder
from ..messages.calls import user_level
from ..ops.losses.cross_entropy import CrossEntropy
from ..ops.reduction.statistics import Std
from ..shapes import sizes, text


class OneExample(AnonymousGraph):
    """The graph in which a function is traced on one example, by the transform `what`."""

    def __init__(self, what: str = "pg.vmap") -> None:
        super().__init__()
        self.what = what

    def add(self, node: Node) -> None:
        if isinstance(node, Assign):
            raise GraphError(
                f"{self.what}: {node.attributes['variable'].label()} would be assigned once for "
                "each example, or each evaluation, in no order.",
                hint="Return the new values, and assign them, or their mean, afterwards.",
            )

    def value_hint(self, node: Node) -> str:
        """For messages: one node stands for all examples."""
        return (
            f"inside {self.what} it stands for all examples and has no single value. Compute with "
            "the node itself, by functions of pg; pg.where(condition, x, y) chooses for each one"
        )


class Rebuilt(NamedTuple):
    """The counterpart of a node of one example; a list for a node with several outputs. If it is
    `mapped`, its first axis is that of the examples; of outputs some may be `Shared`."""

    node: Any
    mapped: bool


class Examples:
    """Nodes of one example, rebuilt for `size` of them in the current context."""

    def __init__(
        self, size: int, given: Mapping[Node, Rebuilt], began: int, randomness: str = "error"
    ) -> None:
        self.size = size
        self.built: dict[Node, Rebuilt] = dict(given)
        self.began = began  # the serial number after which nodes of the examples were made
        self.randomness = randomness
        self._known: dict[Any, Any] = {}  # of the rules

    def of(self, roots: Sequence[Node]) -> list[Rebuilt]:
        """The counterparts of these nodes."""
        built = self.built
        outside = context()
        inside = outside.having()
        before = set_open(inside)
        try:
            for node in postorder(*roots, inputs=self._inputs):
                if node in built:
                    continue
                if not isinstance(node, Operation) or node._serial <= self.began:
                    built[node] = Rebuilt(node, mapped=False)
                    continue
                inside.origin = node._origin or outside.origin
                built[node] = self._rebuilt(node, [built[x] for x in node.inputs])
        finally:
            set_open(before)
        return [built[root] for root in roots]

    def front(self, one: Rebuilt) -> Any:
        """The counterpart with the axis of the examples, also if it is the same for all."""
        return one.node if one.mapped else Batch(self.size, [one.node], [False]).front(0)

    def _inputs(self, node: Node) -> Sequence[Node]:
        return () if node in self.built or node._serial <= self.began else node.inputs

    def _rebuilt(self, node: Operation, inputs: Sequence[Rebuilt]) -> Rebuilt:
        if type(node) is Item:
            (whole,) = inputs
            items = whole.node if isinstance(whole.node, list) else whole.node.items
            item = items[node.attributes["index"]]
            if isinstance(item, Shared):
                return Rebuilt(item.node, mapped=False)
            return Rebuilt(item, whole.mapped)
        xs = [x.node for x in inputs]
        if isinstance(node, Random):
            return self._drawn(node, xs)
        if not any(x.mapped for x in inputs):
            return Rebuilt(node.rebuild(xs), mapped=False)
        batch = Batch(self.size, xs, [x.mapped for x in inputs], self._known)
        if isinstance(node, Composite):
            result = self._composite(node, batch)
        else:
            result = None if node.batched is None else node.batched(batch)
        if result is None:
            result = _one_by_one(node, batch)
        result = list(result) if isinstance(result, (list, tuple)) else result
        _check(node, result, self.size)
        return Rebuilt(result, mapped=True)

    def _composite(self, node: Composite, batch: Batch) -> Any:
        """By its rule if it has one; else what it is made of, for all examples, with its own
        derivative if it has one."""
        result = None if node.batched is None else node.batched(batch)
        if result is not None:
            return result
        if type(node).vjp is not Composite.vjp:
            return Mapped.of(node, batch)
        given = {
            x: Rebuilt(new, mapped)
            for x, new, mapped in zip(node.inputs, batch.xs, batch.mapped, strict=True)
        }
        inner = Examples(self.size, given, self.began, self.randomness)
        (found,) = inner.of([node.expansion])
        return self.front(found)

    def _drawn(self, node: Random, xs: list[Any]) -> Rebuilt:
        """Random numbers: an error unless the user says whether examples share them."""
        if self.randomness == "same":
            return Rebuilt(node.rebuild(xs), mapped=False)
        if self.randomness == "different":
            shape = (self.size, *node.attributes["shape"])
            return Rebuilt(type(node).applied(xs, {**node.attributes, "shape": shape}), mapped=True)
        raise ArgumentError(
            f"vmap: {node.label()} draws random numbers{node.built()}: other ones for each "
            "example, or the same?",
            hint="Say so, pg.vmap(f, randomness='different') or 'same'; or draw them before, "
            "and pass them as an argument.",
        )


def _check(node: Operation, result: Any, size: int) -> None:
    """Raise GraphError unless the result of a rule has the shapes and dtypes of all examples."""
    if not isinstance(node, MultipleOutputs):
        if result.shape == (size, *sizes(node.shape)) and result.dtype == node.dtype:
            return
        expected, found = [((size, *sizes(node.shape)), node.dtype)], [(result.shape, result.dtype)]
    else:
        items = result if isinstance(result, list) else result.items
        pairs = zip(node.shape, node.dtype, strict=True)
        shared = [isinstance(one, Shared) for one in items]
        expected = [
            (shape if of else (size, *sizes(shape)), dtype)
            for (shape, dtype), of in zip(pairs, shared, strict=True)
        ]
        items = [one.node if isinstance(one, Shared) else one for one in items]
        found = [(one.shape, one.dtype) for one in items]
    if found != expected:
        (shape, dtype), (wanted, of) = next(
            pair for pair in zip(found, expected, strict=False) if pair[0] != pair[1]
        )
        raise GraphError(
            f"vmap: the batching rule of {node.kind_name()} gave {dtype} of shape {text(shape)}, "
            f"not {of} of {text(wanted)}{node.built()}.",
            hint="It returns y for all examples, whose axis comes first.",
        )


_announced: set[type[Operation]] = set()


def _one_by_one(node: Operation, batch: Batch) -> Any:
    """The examples computed one after the other, and stacked; the first time with a warning."""
    if type(node) not in _announced:
        _announced.add(type(node))
        warnings.warn(
            f"vmap: {node.kind_name()} has no batching rule{node.built()}: it is computed once for "
            f"each of {batch.size} examples. A class of your own gets one by "
            "batched(y, batch), see docs/transforms.md.",
            RuntimeWarning,
            stacklevel=user_level(),
        )
    found = [
        node.rebuild([x[number] if mapped else x for x, mapped in zip(batch.xs, batch.mapped)])
        for number in range(batch.size)
    ]
    if isinstance(node, MultipleOutputs):
        return [ops.stack([one.items[place] for one in found]) for place in range(node.count)]
    if not found:
        return ops.broadcast_to(ops.cast(np.zeros(()), node.dtype), (0, *sizes(node.shape)))
    return ops.stack(found)


_COLUMNS: dict[str, Any] = dict(axis=0, keepdims=False, correction=0.0)


def _like(*shapes: tuple[int, ...]) -> Any:
    return tuple((shape, np.dtype(np.float64)) for shape in shapes)


class Mapped(Composite):
    """A composite with a derivative of its own, applied to many examples: what it is made of, with
    that derivative, for each of them."""

    math = r"\operatorname{vmap}({x}, \dots)"
    promotes = False
    complexes = True
    samples = [
        case((2, 3, 4), operation=Std, options=_COLUMNS, like=_like((3, 4)), mapped=(True,),
             examples=2),
        case((2, 3, 4), (3, 4), operation=CrossEntropy, options={}, like=_like((3, 4), (3, 4)),
             mapped=(True, False), examples=2),
        case((3, 4), np.array([[0, 1, 3], [2, 2, 0]]), operation=CrossEntropy, options={},
             like=_like((3, 4), (3,)), mapped=(False, True), examples=2),
    ]  # fmt: skip

    @classmethod
    def of(cls, node: Composite, batch: Batch) -> Mapped:
        """The node applied to a batch."""
        like = tuple((x.shape, x.dtype) for x in node.inputs)
        return cls(
            *batch.xs, operation=type(node), options=dict(node.attributes), like=like,
            mapped=tuple(batch.mapped), examples=batch.size,
        )  # fmt: skip

    def expand(y, *x: Node) -> Node:
        node, given, began = y._example(x)
        examples = Examples(y.examples, given, began, "same")
        return examples.front(*examples.of([node.expansion]))

    def vjp(y, g: Any, *x: Node) -> Sequence[Any]:
        node, given, began = y._example(x)
        with graph_scope(AnonymousGraph(), hidden=True):
            seed = Placeholder(node.shape, dtype=node.dtype)
            pulled = ops.pull_back(node, list(given), seed)
        examples = Examples(y.examples, {**given, seed: Rebuilt(g, mapped=True)}, began, "same")
        found = iter(examples.of([c for c in pulled if c is not None]))
        # Of inputs that all examples share, the pass sums over examples, as over broadcast axes.
        return [None if c is None else examples.front(next(found)) for c in pulled]

    def _example(y, xs: Sequence[Node]) -> tuple[Any, dict[Node, Rebuilt], int]:
        """The composite on one example, the counterparts of its inputs, and when it was made."""
        dtypes = [x.dtype for x in xs]
        with graph_scope(AnonymousGraph(), hidden=True):
            inputs = [Placeholder(shape, dtype=dtype)
                      for (shape, _), dtype in zip(y.like, dtypes, strict=True)]  # fmt: skip
            began = inputs[-1]._serial
            node = y.operation.applied(inputs, y.options)
        pairs = zip(inputs, map(Rebuilt, xs, y.mapped), strict=True)
        return node, dict(pairs), began


@register
def over_examples(
    roots: Sequence[Node],
    given: Mapping[Node, Node],
    size: int,
    began: int,
    randomness: str = "error",
) -> list[Any]:
    """Nodes that were made after `began` from those in `given`, rebuilt on counterparts of these
    for `size` examples; each with the axis of the examples, which is the first."""
    mapping = {x: Rebuilt(new, mapped=True) for x, new in given.items()}
    examples = Examples(size, mapping, began, randomness)
    return [examples.front(one) for one in examples.of(roots)]


@register
def on_inputs(roots: Sequence[Node], given: Mapping[Node, Node], began: int) -> list[Any]:
    """Nodes that were made after `began` from those in `given`, rebuilt on counterparts of these in
    the current context."""
    mapping = {x: Rebuilt(new, mapped=False) for x, new in given.items()}
    examples = Examples(1, mapping, began, "same")
    return [one.node for one in examples.of(roots)]
