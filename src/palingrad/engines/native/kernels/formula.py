"""Formulas in generated code: an elementwise node's own `f`, called on vectors in registers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from llvmlite import ir

from ....dtypes import DType, is_floating
from ....graph.leaves import Constant
from ....graph.node import Node
from ....graph.operation import Operation
from ..llvm.builder import Builder
from ..llvm.loops import splatted
from ..llvm.maths import CheckedMaths, NativeMaths
from ..llvm.target import host
from ..llvm.values import Value, supported, value_type


def formula(node: Operation, arguments: list[Value]) -> Value:
    """Emits the node's own formula on values; the result has the node's dtype."""
    checked = type(node).bounds is not Operation.bounds  # bounds are verified before it runs
    maths = CheckedMaths() if checked else NativeMaths()
    result = node.f(maths, *arguments, **node.attributes)
    return result.cast(dtype_of(node))


def dtype_of(node: Node) -> DType:
    """The node's dtype, which is known in a program."""
    assert node.dtype is not None
    return node.dtype


def is_number(x: Node) -> bool:
    """Whether x is a scalar constant, which becomes an immediate in the code."""
    return isinstance(x, Constant) and x.shape == ()


def number(builder: Any, x: Node, lanes: int) -> Value:
    """A constant number in every lane."""
    return Value(builder, None, dtype_of(x), lanes).number(x.numpy().item())


def compute(
    builder: Any, nodes: Iterable[Operation], values: dict[Node, Value], lanes: int,
    inner: Mapping[Node, Node],
) -> None:  # fmt: skip
    """Emits the formulas of the nodes, and adds each node's value to `values`."""
    for node in nodes:
        arguments = [
            number(builder, x, lanes) if is_number(x) else _as_wide(values[inner.get(x, x)], lanes)
            for x in node.inputs
        ]
        values[node] = formula(node, arguments)


def _as_wide(value: Value, lanes: int) -> Value:
    return value if value.lanes == lanes else splatted(value, lanes)


def outside(nodes: Iterable[Operation], inner: Mapping[Node, Node]) -> list[Node]:
    """The values that these nodes read from memory: inputs that none of them computes, except
    scalar constants. `inner` are layouts of the nodes, which are read from registers too."""
    listed = list(nodes)
    own = {*listed, *inner}
    inputs = dict.fromkeys(x for node in listed for x in node.inputs if x not in own)
    return [x for x in inputs if not is_number(x)]


def lanes_for(dtypes: Iterable[DType], length: int) -> int:
    """The number of lanes of a loop along an axis of `length`: a whole vector of the widest float,
    or fewer on a short axis."""
    listed = list(dtypes)
    floats = [dtype.itemsize for dtype in listed if is_floating(dtype)]
    most = host().lanes(max(floats or [dtype.itemsize for dtype in listed]))
    return min(most, 1 << max(length - 1, 0).bit_length())


_LONG = 24  # instructions of a formula that are mostly one chain


def overlapped(lanes: int, nodes: Iterable[Operation], length: int) -> int:
    """The number of lanes of a loop that computes these nodes: two vectors at a time if a formula
    is a long chain of instructions, each of which waits for the one before.

    A CPU reorders some hundred instructions, of which such a chain fills all. The bits of an
    element don't depend on it. Measured with vectors of 32 bytes (Zen 3): softplus takes 0.65 times
    as long, GELU with its slope 0.8. Vectors of 64 bytes have instructions of their own
    (`functions/avx512.py`), which are for one vector.
    """
    wide = host().vector_bytes == 32 and lanes > 1 and length >= 4 * lanes
    return 2 * lanes if wide and any((weight(node) or 0) >= _LONG for node in nodes) else lanes


def fits(node: Operation) -> bool:
    """Whether generated code supports the node's dtypes and every function that it calls."""
    return all(supported(x.dtype) for x in (node, *node.inputs)) and weight(node) is not None


def weight(node: Operation) -> int | None:
    """The number of instructions of the node's formula, None if it can't be compiled."""
    attributes = tuple((name, _described(one)) for name, one in node.attributes.items())
    key = (type(node), tuple(x.dtype for x in node.inputs), node.dtype, attributes)
    if key not in _known:
        if len(_known) >= _MOST:
            _known.clear()
        _known[key] = instructions(node.inputs, lambda *x: formula(node, [*x]))
    return _known[key]


_MOST = 4096  # cached weights
_known: dict[Hashable, int | None] = {}


def _described(value: Any) -> str:
    """An attribute as text that determines it; a node (also an input) as its class."""
    return type(value).__name__ if isinstance(value, Node) else repr(value)


def instructions(inputs: Sequence[Node], emit: Callable[..., Any]) -> int | None:
    """The number of instructions that `emit` emits into a temporary module, called on scalars of
    these nodes' dtypes; None if it needs a function without native code."""
    types = [value_type(dtype_of(x), 1) for x in inputs]
    function = ir.Function(ir.Module(), ir.FunctionType(ir.VoidType(), types), "try")
    builder = Builder(function.append_basic_block())
    arguments = [
        Value(builder, code, dtype_of(x), 1) for code, x in zip(function.args, inputs, strict=True)
    ]
    try:
        emit(*arguments)
    except (AttributeError, TypeError, NotImplementedError):
        return None
    return sum(len(block.instructions) for block in function.blocks)
