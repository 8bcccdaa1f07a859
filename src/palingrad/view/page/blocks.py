"""Blocks: how the page computes a node, and what it sends back to each of its inputs.

Forward, a block is the operation's formula; backward, the vector-Jacobian product that the
library's own derivative rule builds. Nodes of one operation, one set of attributes and one set of
shapes share a block, so that a graph of ten thousand nodes needs a handful.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...autodiff.gradients import Gradient
from ...autodiff.reverse import pulled_back
from ...dtypes import float64, is_inexact
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
    """All blocks of a page, each once."""

    def __init__(self) -> None:
        self.table: list[Block] = []
        self._known: dict[Any, int | str] = {}

    def of(self, node: Operation, values: Mapping[Node, Any]) -> int | str:
        """The number of the node's block, or why there is none."""
        arrays = [values[x] for x in node.inputs]
        if any(one is None for one in arrays):
            arrays = [_example(x, one) for x, one in zip(node.inputs, arrays, strict=True)]
        if any(one is None for one in arrays):
            return "the shapes aren't known yet"
        kinds = tuple(_signature(one) for one in arrays)
        key = (type(node), repr(sorted(_described(node).items())), kinds)
        if key not in self._known:
            self._known[key] = self._made(node, arrays)
        return self._known[key]

    def _made(self, node: Operation, arrays: Sequence[Any]) -> int | str:
        try:
            block = _block(node, arrays)
        except Unsupported as reason:
            return str(reason)
        except Exception:  # whatever a user's formula raises on what isn't an array
            return "its formula can't be written down"  # it wants more of NumPy than `m` has
        if block not in self.table:
            self.table.append(block)
        return self.table.index(block)


def _described(node: Operation) -> dict[str, str]:
    return {
        name: one.label() if isinstance(one, Node) else repr(one)
        for name, one in node.attributes.items()
    }


def _signature(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_signature, value))
    return np.shape(value), np.asarray(value).dtype.str


def _example(x: Node, value: Any) -> Any:
    """The value, or ones of its shape where a feed is still to come; None where that is unknown."""
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
        inputs = [_operand(one) for one in arrays]
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
        raise Unsupported("random numbers stay as they were drawn")
    if isinstance(node, Gradient):
        raise Unsupported("a promised gradient isn't computed here")
    if isinstance(node, Custom) or not (node._plain or isinstance(node, Composite)):
        raise Unsupported("its own Python code can't run here")
    for one in arrays:
        if not isinstance(one, tuple) and np.size(one) > WHOLE:
            raise Unsupported(f"an input has {np.size(one):,} elements, more than {WHOLE:,}")


def _operand(value: Any) -> Node:
    if isinstance(value, tuple):
        raise Unsupported("an input has several outputs")
    array = np.asarray(value)
    return Placeholder(array.shape, dtype=float64 if is_inexact(array.dtype) else array.dtype)


def _forward(y: Operation, inputs: Sequence[Node], arrays: Sequence[Any]) -> dict[str, Any]:
    tape = Tape(len(inputs))
    found = {x: Traced(tape, place, one) for place, (x, one) in enumerate(zip(inputs, arrays))}
    return {"s": tape.steps, "o": encode(_traced(tape, y, found))}


def _backward(
    y: Operation, inputs: Sequence[Node], arrays: Sequence[Any], wanted: Sequence[bool]
) -> dict[str, Any]:
    """Operands: the inputs, then y, then its cotangent (one for each output)."""
    many = isinstance(y, MultipleOutputs)
    shapes: Any = y.shape if many else (y.shape,)
    dtypes: Any = y.dtype if many else (y.dtype,)
    if any(not is_inexact(dtype) for dtype in dtypes):
        return {"s": [], "o": [None] * len(inputs)}
    cotangents = [Placeholder(shape, dtype=float64) for shape in shapes]
    sent = pulled_back(y, cotangents if many else cotangents[0], wanted)
    tape = Tape(len(inputs) + 1 + len(cotangents))
    found = {x: Traced(tape, place, one) for place, (x, one) in enumerate(zip(inputs, arrays))}
    if not many:
        found[y] = Traced(tape, len(inputs), np.ones(shapes[0]))
    for place, g in enumerate(cotangents):
        found[g] = Traced(tape, len(inputs) + 1 + place, np.ones(shapes[place]))
    ends = [None if c is None else encode(_traced(tape, c, found)) for c in sent]
    return {"s": tape.steps, "o": ends}


def _traced(tape: Tape, root: Node, found: dict[Node, Traced]) -> Traced:
    """The root's trace; `found` has the operands' and takes what is traced on the way."""
    for node in postorder(root, inputs=lambda x: () if x in found else _made_of(x)):
        if node in found:
            continue
        if isinstance(node, Constant) or node.value is not None:
            found[node] = tape.constant(node.value)
        elif isinstance(node, Composite):
            found[node] = found[node.expansion]
        elif isinstance(node, Operation) and node._plain:
            _check(node, ())
            inputs = [found[x] for x in node.inputs]
            result = node.f(tape, *inputs, **node.attributes)
            found[node] = result if isinstance(result, Traced) else tape.constant(result)
        else:
            raise Unsupported(f"{node.kind_name()} can't run here")
    return found[root]


def _made_of(node: Node) -> Sequence[Node]:
    if isinstance(node, Composite):
        return (node.expansion,)
    return () if node.value is not None else node.inputs
