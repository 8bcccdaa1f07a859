"""Formulas in generated code: an elementwise node's own `f`, on vectors of values."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from llvmlite import ir

from ....dtypes import DType, is_floating
from ....graph.leaves import Constant
from ....graph.node import Node
from ....graph.operation import Operation
from ..llvm.builder import Builder
from ..llvm.maths import CheckedMaths, NativeMaths
from ..llvm.target import host
from ..llvm.values import Value, supported, value_type


def formula(node: Operation, arguments: list[Value]) -> Value:
    """The node's own formula on values, in the node's dtype."""
    checked = type(node).bounds is not Operation.bounds  # before it is computed
    maths = CheckedMaths() if checked else NativeMaths()
    result = node.f(maths, *arguments, **node.attributes)
    return result.cast(dtype_of(node))


def dtype_of(node: Node) -> DType:
    """The node's dtype, which is known in a program."""
    assert node.dtype is not None
    return node.dtype


def is_number(x: Node) -> bool:
    """Whether x is one constant number, which stands in the code itself."""
    return isinstance(x, Constant) and x.shape == ()


def number(builder: Any, x: Node, lanes: int) -> Value:
    """A constant number in every lane."""
    return Value(builder, None, dtype_of(x), lanes).number(x.numpy().item())


def outside(nodes: Iterable[Operation], inner: Mapping[Node, Node]) -> list[Node]:
    """What these nodes read from memory: inputs not computed among them nor written in the code.

    `inner` are moves of nodes among them, which are read where those are.
    """
    listed = list(nodes)
    own = {*listed, *inner}
    found = dict.fromkeys(x for node in listed for x in node.inputs if x not in own)
    return [x for x in found if not is_number(x)]


def lanes_for(dtypes: Iterable[DType], length: int) -> int:
    """How many neighbours are computed at once along an axis of `length`: whole vectors of the
    widest float, or fewer where there are no more."""
    listed = list(dtypes)
    floats = [dtype.itemsize for dtype in listed if is_floating(dtype)]
    most = host().lanes(max(floats or [dtype.itemsize for dtype in listed]))
    return min(most, 1 << max(length - 1, 0).bit_length())


def fits(node: Operation) -> bool:
    """Whether generated code can compute the node: its dtypes, and every function it calls."""
    return all(supported(x.dtype) for x in (node, *node.inputs)) and weight(node) is not None


def weight(node: Operation) -> int | None:
    """How many instructions the node's formula takes, None if generated code can't compute it."""
    attributes = tuple((name, _described(one)) for name, one in node.attributes.items())
    key = (type(node), tuple(x.dtype for x in node.inputs), node.dtype, attributes)
    if key not in _known:
        if len(_known) >= _MOST:
            _known.clear()
        _known[key] = _tried(node)
    return _known[key]


_MOST = 4096  # answers that are remembered
_known: dict[Hashable, int | None] = {}


def _described(value: Any) -> str:
    """An attribute in words that tell it from others; a node, an input too, by its kind."""
    return type(value).__name__ if isinstance(value, Node) else repr(value)


def _tried(node: Operation) -> int | None:
    """Emit the formula into a module that is thrown away, and count."""
    types = [value_type(dtype_of(x), 1) for x in node.inputs]
    function = ir.Function(ir.Module(), ir.FunctionType(ir.VoidType(), types), "try")
    builder = Builder(function.append_basic_block())
    arguments = [
        Value(builder, code, dtype_of(x), 1)
        for code, x in zip(function.args, node.inputs, strict=True)
    ]
    try:
        formula(node, arguments)
        return sum(len(block.instructions) for block in function.blocks)
    except (AttributeError, TypeError, NotImplementedError):
        return None
