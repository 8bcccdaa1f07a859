"""Fused elementwise operations: one loop, every intermediate value in a register."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from llvmlite import ir

from ...dtypes import DType
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import Operation
from .loops import collapsed, integer, nest, read, splatted, vectors, write
from .maths import NativeMaths
from .target import host
from .values import Value, supported, value_type
from .views import View, broadcast, row_major

_LONGEST = 64  # operations in one loop: more would spill registers and gain nothing


@dataclass
class Loop:
    """Elementwise nodes of one shape, computed together; `kept` ones are written to memory."""

    shape: tuple[int, ...]
    nodes: list[Operation] = field(default_factory=list[Operation])
    kept: list[Operation] = field(default_factory=list[Operation])

    @property
    def full(self) -> bool:
        """Whether no more operations should join."""
        return len(self.nodes) >= _LONGEST

    def emit(self, builder: Any, pointer: Any, views: dict[Node, View]) -> None:
        """The loop's code. `pointer(node)` gives the start of a node's buffer."""
        inputs = self.inputs(views)
        operands = [broadcast(views[node], self.shape) for node in inputs]
        order = row_major(self.shape)
        strides = [view.strides for view in operands] + [order] * len(self.kept)
        starts = [integer(view.offset) for view in operands] + [integer(0)] * len(self.kept)
        bases = [pointer(view.base) for view in operands] + [pointer(node) for node in self.kept]
        if 0 in self.shape:
            return
        extents, steps = collapsed(self.shape, strides)
        extents, steps = (extents or [1]), (steps if extents else [[1] for _ in steps])
        widest = max(dtype_of(node).itemsize for node in (*self.nodes, *inputs))
        lanes = host().lanes(widest) if extents[-1] >= host().lanes(widest) else 1
        last = [step[-1] for step in steps]

        def row(places: list[Any]) -> None:
            # What doesn't change along the row is read before it.
            fixed = {
                node: read(builder, base, dtype_of(node), place, 1, 0)
                for node, base, place, step in zip(inputs, bases, places, last, strict=False)
                if step == 0
            }

            def body(index: Any, width: int) -> None:
                values: dict[Node, Value] = {}
                for node, base, place, step in zip(inputs, bases, places, last, strict=False):
                    if node in fixed:
                        values[node] = fixed[node] if width == 1 else splatted(fixed[node], width)
                        continue
                    there = builder.add(place, builder.mul(index, integer(step)))
                    values[node] = read(builder, base, dtype_of(node), there, width, step)
                self._compute(builder, values, width)
                for node, base, place in zip(
                    self.kept, bases[len(inputs) :], places[len(inputs) :], strict=True
                ):
                    write(builder, base, values[node], builder.add(place, index))

            vectors(builder, extents[-1], lanes, body)

        nest(builder, extents[:-1], [step[:-1] for step in steps], starts, row)

    def inputs(self, views: dict[Node, View]) -> list[Node]:
        """What is read from memory: inputs that aren't computed here nor written in the code."""
        own = set(self.nodes)
        found = dict.fromkeys(x for node in self.nodes for x in node.inputs if x not in own)
        return [x for x in found if not is_number(x)]

    def _compute(self, builder: Any, values: dict[Node, Value], lanes: int) -> None:
        for node in self.nodes:
            arguments = [
                values[x] if x in values else _number(builder, x, lanes) for x in node.inputs
            ]
            values[node] = formula(node, arguments)


def formula(node: Operation, arguments: list[Value]) -> Value:
    """The node's own formula on values, in the node's dtype."""
    result = node.f(NativeMaths(), *arguments, **node.attributes)
    return result.cast(dtype_of(node))


def dtype_of(node: Node) -> DType:
    """The node's dtype, which is known in a program."""
    assert node.dtype is not None
    return node.dtype


def is_number(x: Node) -> bool:
    """Whether x is one constant number, which stands in the code itself."""
    return isinstance(x, Constant) and x.shape == ()


def _number(builder: Any, x: Node, lanes: int) -> Value:
    like = Value(builder, None, dtype_of(x), lanes)
    return like.number(x.numpy().item())


def fits(node: Operation) -> bool:
    """Whether generated code can compute the node: its dtypes, and every function it calls."""
    if not all(supported(x.dtype) for x in (node, *node.inputs)):
        return False
    return _formula_known(type(node), tuple(x.dtype for x in node.inputs), node)


_known: dict[Any, bool] = {}


def _formula_known(operation: type[Operation], dtypes: Any, node: Operation) -> bool:
    key = (operation, dtypes)
    if key not in _known:
        _known[key] = _tried(node)
    return _known[key]


def _tried(node: Operation) -> bool:
    """Emit the formula into a module that is thrown away."""
    types = [value_type(dtype_of(x), 1) for x in node.inputs]
    function = ir.Function(ir.Module(), ir.FunctionType(ir.VoidType(), types), "try")
    builder = ir.IRBuilder(function.append_basic_block())
    arguments = [
        Value(builder, code, dtype_of(x), 1)
        for code, x in zip(function.args, node.inputs, strict=True)
    ]
    try:
        formula(node, arguments)
        return True
    except (AttributeError, TypeError, NotImplementedError):
        return False
