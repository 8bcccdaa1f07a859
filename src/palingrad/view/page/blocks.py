"""Blocks: the steps by which the page computes a node, and its vector-Jacobian product.

The forward steps are the operation's formula; the backward steps are the vector-Jacobian product
that the library's vjp rule builds. Nodes with the same operation, attributes, shapes and dtypes
share a block, so a graph of ten thousand nodes needs only a few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...autodiff.gradients import Gradient
from ...autodiff.reverse import pulled_back
from ...dtypes import float64, is_complex, is_inexact
from ...graph.context import graph_scope
from ...graph.kinds import AnonymousGraph, Composite, Custom, Random
from ...graph.leaves import Constant, Placeholder
from ...graph.node import Node
from ...graph.operation import Item, MultipleOutputs, Operation
from ...graph.traversal.order import postorder
from .arrays import WHOLE
from .trace import Tape, Traced, Unsupported, encode

Block = dict[str, Any]


class Blocks:
    """The table of all distinct blocks of a page."""

    def __init__(self) -> None:
        self.table: list[Block] = []
        self._known: dict[Any, int | str] = {}

    def of(self, node: Operation, values: Mapping[Node, Any]) -> int | str:
        """The number of the node's block, or the reason why the page can't compute the node."""
        arrays = [values[x] for x in node.inputs]
        if any(array is None for array in arrays):
            arrays = [_example(x, array) for x, array in zip(node.inputs, arrays, strict=True)]
        if any(array is None for array in arrays):
            return "the shapes aren't known yet"
        kinds = tuple(map(_signature, arrays))
        key = (type(node), repr(sorted(_described(node).items())), kinds)
        if key not in self._known:
            self._known[key] = self._added(node, arrays)
        return self._known[key]

    def _added(self, node: Operation, arrays: Sequence[Any]) -> int | str:
        try:
            block = _block(node, arrays)
        except Unsupported as reason:
            return str(reason)
        except Exception:  # a user's formula may raise anything when it is traced
            return "its formula can't be traced"
        if block not in self.table:
            self.table.append(block)
        return self.table.index(block)


def _described(node: Operation) -> dict[str, str]:
    return {
        name: value.label() if isinstance(value, Node) else repr(value)
        for name, value in node.attributes.items()
    }


def _signature(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_signature, value))
    return np.shape(value), np.asarray(value).dtype.str


def _example(x: Node, value: Any) -> Any:
    """The value, or ones if a feed is missing; None if the shape is unknown or too large."""
    shape: Any = x.shape
    if value is not None or isinstance(x, MultipleOutputs):
        return value
    if shape is None or x.dtype is None or None in shape:
        return None
    return np.ones(shape, x.dtype) if np.prod(shape) <= WHOLE else None


def _block(node: Operation, arrays: Sequence[Any]) -> Block:
    _check(node, arrays)
    if type(node) is Item:
        return {"item": node.attributes["index"]}
    with graph_scope(AnonymousGraph(), hidden=True):
        inputs = [_operand(array) for array in arrays]
        y = node.clone(inputs)
        y._infer()
        forward = _forward(y, inputs, arrays)
        block: Block = {"f": forward}
        wanted = [is_inexact(x.dtype) for x in inputs]
        if any(wanted):
            block["b"] = _backward(y, inputs, arrays, wanted)
    return block


def _check(node: Operation, arrays: Sequence[Any]) -> None:
    if isinstance(node, Random):
        raise Unsupported("the page doesn't draw random numbers again")
    if isinstance(node, Gradient):
        raise Unsupported("the page doesn't compute unexpanded gradients")
    if isinstance(node, Custom) or not (node._plain or isinstance(node, Composite)):
        raise Unsupported("its own Python code can't run in the page")
    for one in (*arrays, node):
        dtype = getattr(one, "dtype", None)
        if any(map(is_complex, dtype if isinstance(dtype, tuple) else (dtype,))):
            raise Unsupported("the page doesn't compute with complex numbers")
    for array in arrays:
        if not isinstance(array, tuple) and np.size(array) > WHOLE:
            raise Unsupported(f"an input has {np.size(array):,} elements, more than {WHOLE:,}")


def _operand(value: Any) -> Node:
    if isinstance(value, tuple):
        raise Unsupported("an input has several outputs")
    array = np.asarray(value)
    return Placeholder(array.shape, dtype=float64 if is_inexact(array.dtype) else array.dtype)


def _forward(y: Operation, inputs: Sequence[Node], arrays: Sequence[Any]) -> dict[str, Any]:
    tape = Tape(len(inputs))
    traces = {x: Traced(tape, n, array) for n, (x, array) in enumerate(zip(inputs, arrays))}
    return {"s": tape.steps, "o": encode(_traced(tape, y, traces))}


def _backward(
    y: Operation, inputs: Sequence[Node], arrays: Sequence[Any], wanted: Sequence[bool]
) -> dict[str, Any]:
    """The steps of the vector-Jacobian product. Its operands are the inputs, y, and one cotangent
    per output."""
    many = isinstance(y, MultipleOutputs)
    shapes: Any = y.shape if many else (y.shape,)
    dtypes: Any = y.dtype if many else (y.dtype,)
    if any(not is_inexact(dtype) for dtype in dtypes):
        return {"s": [], "o": [None] * len(inputs)}
    cotangents = [Placeholder(shape, dtype=float64) for shape in shapes]
    products = pulled_back(y, cotangents if many else cotangents[0], wanted)
    tape = Tape(len(inputs) + 1 + len(cotangents))
    traces = {x: Traced(tape, n, array) for n, (x, array) in enumerate(zip(inputs, arrays))}
    if not many:
        traces[y] = Traced(tape, len(inputs), np.ones(shapes[0]))
    for place, g in enumerate(cotangents):
        traces[g] = Traced(tape, len(inputs) + 1 + place, np.ones(shapes[place]))
    ends = [None if c is None else encode(_traced(tape, c, traces)) for c in products]
    return {"s": tape.steps, "o": ends}


def _traced(tape: Tape, root: Node, traces: dict[Node, Traced]) -> Traced:
    """The trace of `root`. `traces` holds those of the operands; intermediate ones are added."""
    for node in postorder(root, inputs=lambda x: () if x in traces else _dependencies(x)):
        if node in traces:
            continue
        if isinstance(node, Constant) or node.value is not None:
            traces[node] = tape.constant(node.value)
        elif isinstance(node, Composite):
            traces[node] = traces[node.expansion]
        elif isinstance(node, Operation) and node._plain:
            _check(node, ())
            inputs = [traces[x] for x in node.inputs]
            result = node.f(tape, *inputs, **node.attributes)
            traces[node] = result if isinstance(result, Traced) else tape.constant(result)
        else:
            raise Unsupported(f"{node.kind_name()} can't run in the page")
    return traces[root]


def _dependencies(node: Node) -> Sequence[Node]:
    if isinstance(node, Composite):
        return (node.expansion,)
    return () if node.value is not None else node.inputs
