"""What is known of a node, in few words: its formula, its value, its gradient, its shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autodiff.reverse import pulled_back
from ...dtypes import Array, is_inexact
from ...errors import PalingradError
from ...graph.context import graph_scope
from ...graph.kinds import Custom
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import MultipleOutputs, Operation
from ...shapes import text
from ..names import number


def symbol(node: Node) -> str:
    """The sign between the operands, or '' where the operation has none."""
    return node.between if isinstance(node, Operation) else ""


def operation_text(node: Node) -> str:
    """The operation: its sign, or its name."""
    return symbol(node) or node.kind_name()


def function_text(node: Node) -> str:
    """The operation's name before its operands: σ for the sigmoid."""
    if isinstance(node, Operation) and node.symbol == "," and node.drawn:
        return node.drawn
    return node.kind_name()


def formula(node: Node, operands: list[str | None]) -> str:
    """The operation on its operands' names, such as A @ x or sigmoid(d); without the operands
    where one has no name or it gets long."""
    sign = symbol(node)
    names = [name for name in operands if name is not None and len(name) <= 8]
    if len(names) == len(operands) and isinstance(node, Operation):
        if sign and len(names) == 2:
            spelled = f"{names[0]} {sign} {names[1]}"
        else:
            spelled = f"{function_text(node)}({', '.join(names)})"
        if len(spelled) <= 22:
            return spelled
    return sign or node.kind_name()


def ordered(node: Node) -> bool:
    """Whether the operands can't change places: then the drawing numbers them."""
    return isinstance(node, Operation) and len(node.inputs) > 1 and not node.commutes


def shape_text(node: Node) -> str:
    """The shape, or '' for one number and where nothing is known."""
    shape = node.shape
    if isinstance(node, MultipleOutputs) or shape is None or shape == ():
        return ""
    return text(shape)


def preview(value: Array | None, most: int = 4) -> str:
    """A small array on one line, or ''."""
    if value is None or isinstance(value, tuple) or not 0 < value.size <= most:
        return ""
    if value.ndim == 0:
        return number(value.item())
    rows = [number(one) for one in value.ravel().tolist()]
    for size in reversed(value.shape):
        rows = [f"[{', '.join(rows[at : at + size])}]" for at in range(0, len(rows), size)]
    return rows[0] if len(rows[0]) <= 24 else ""


def gradient_of(node: Node) -> Array | None:
    """What `backward()` or `jacobians()` left on the node, as numbers."""
    if node.grad is not None and node.grad.value is not None:
        return node.grad.value
    return node.jacobian


def slopes(node: Node) -> list[float | None]:
    """∂node/∂operand for each operand, where all are one known number; else None."""
    unknown: list[float | None] = [None] * len(node.inputs)
    if not isinstance(node, Operation) or isinstance(node, (MultipleOutputs, Custom)):
        return unknown
    values: list[Any] = [x.value for x in node.inputs]
    if any(
        v is None or isinstance(v, tuple) or v.size != 1 or not is_inexact(v.dtype) for v in values
    ):
        return unknown
    try:
        with graph_scope(None, hidden=True):
            twin = node.rebuild([Constant(v) for v in values])
            g = Constant(np.ones(twin.numpy().shape, twin.dtype))
            found = pulled_back(twin, g, [True] * len(values))
    except PalingradError:  # an operation without a derivative
        return unknown
    return [None if one is None else float(one.item()) for one in found]
