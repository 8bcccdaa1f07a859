"""Short texts about a node: its formula, value, gradient and shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autodiff.gradients import takes_gradient
from ...autodiff.reverse import pulled_back
from ...dtypes import Array, is_floating
from ...errors import PalingradError
from ...graph.context import graph_scope
from ...graph.kinds import Custom
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import MultipleOutputs, Operation
from ...shapes import text
from ..names import number


def symbol(node: Node) -> str:
    """The infix sign of the operation, or ''."""
    return node.between if isinstance(node, Operation) else ""


def operation_text(node: Node) -> str:
    """The operation's infix sign, or its name."""
    return symbol(node) or node.kind_name()


def function_text(node: Node) -> str:
    """The operation's name in prefix notation: σ for the sigmoid."""
    if isinstance(node, Operation) and node.symbol == "," and node.drawn:
        return node.drawn
    return node.kind_name()


def formula(node: Node, operands: list[str | None]) -> str:
    """The operation applied to its operands' names, such as A @ x or sigmoid(d); the operation
    alone if an operand has no name or the formula is long."""
    sign = symbol(node)
    names = [name for name in operands if name is not None and len(name) <= 8]
    if len(names) == len(operands) and isinstance(node, Operation):
        if sign and len(names) == 2:
            applied = f"{names[0]} {sign} {names[1]}"
        else:
            applied = f"{function_text(node)}({', '.join(names)})"
        if len(applied) <= 22:
            return applied
    return sign or node.kind_name()


def ordered(node: Node) -> bool:
    """Whether the order of the operands matters; the drawing numbers them if so."""
    return isinstance(node, Operation) and len(node.inputs) > 1 and not node.commutes


def shape_text(node: Node) -> str:
    """The shape, or '' for a scalar or an unknown shape."""
    shape = node.shape
    if isinstance(node, MultipleOutputs) or shape is None or shape == ():
        return ""
    return text(shape)


def preview(value: Array | None, most: int = 4) -> str:
    """An array of at most `most` elements on one line, or '' for a larger one."""
    if value is None or isinstance(value, tuple) or not 0 < value.size <= most:
        return ""
    if value.ndim == 0:
        return number(value.item())
    rows = [number(element) for element in value.ravel().tolist()]
    for size in reversed(value.shape):
        rows = [f"[{', '.join(rows[at : at + size])}]" for at in range(0, len(rows), size)]
    return rows[0] if len(rows[0]) <= 24 else ""


def gradient_of(node: Node) -> Array | None:
    """The gradient or Jacobian that `backward()` or `jacobians()` stored on the node."""
    if node.grad is not None and node.grad.value is not None:
        return node.grad.value
    return node.jacobian


def slopes(node: Node) -> list[float | None]:
    """∂node/∂operand for each operand that takes a gradient, if all operands are known scalars;
    otherwise None."""
    unknown: list[float | None] = [None] * len(node.inputs)
    if not isinstance(node, Operation) or isinstance(node, (MultipleOutputs, Custom)):
        return unknown
    values: list[Any] = [x.value for x in node.inputs]
    if any(
        v is None or isinstance(v, tuple) or v.size != 1 or not is_floating(v.dtype) for v in values
    ):
        return unknown
    try:
        with graph_scope(None, hidden=True):
            copy = node.rebuild([Constant(v) for v in values])
            g = Constant(np.ones(copy.numpy().shape, copy.dtype))
            cotangents = pulled_back(copy, g, [takes_gradient(x) for x in node.inputs])
    except PalingradError:  # an operation without a derivative
        return unknown
    return [None if c is None else float(c.item()) for c in cotangents]
