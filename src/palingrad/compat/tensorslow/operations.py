"""TensorSlow's operations, as palingrad computes and differentiates them."""

from __future__ import annotations

from typing import Any

from ...dtypes import float64, is_integer
from ...graph.node import Node
from ...graph.registry import ops
from .graph import Operation


def _floating(x: Node) -> Node:
    """Integers as float64, as NumPy's functions convert them."""
    return ops.astype(x, float64) if x._dtype is not None and is_integer(x._dtype) else x


class add(Operation):
    """x + y, elementwise."""

    rule = staticmethod(ops.add)

    def __init__(self, x: Any, y: Any) -> None:
        super().__init__([x, y])


class matmul(Operation):
    """The product of two matrices, of a matrix and a vector, or of two vectors."""

    rule = staticmethod(ops.matmul)

    def __init__(self, a: Any, b: Any) -> None:
        super().__init__([a, b])


class sigmoid(Operation):
    """1 / (1 + exp(−a)), elementwise."""

    rule = staticmethod(ops.sigmoid)

    def __init__(self, a: Any) -> None:
        super().__init__([a])

    def node(self, *inputs: Node) -> Node:
        return ops.sigmoid(*map(_floating, inputs))


class softmax(Operation):
    """The softmax of each row of a matrix."""

    rule = staticmethod(ops.softmax)

    def __init__(self, a: Any) -> None:
        super().__init__([a])

    def node(self, *inputs: Node) -> Node:
        return ops.softmax(*map(_floating, inputs), axis=1)


class log(Operation):
    """The natural logarithm, elementwise."""

    rule = staticmethod(ops.log)

    def __init__(self, x: Any) -> None:
        super().__init__([x])

    def node(self, *inputs: Node) -> Node:
        return ops.log(*map(_floating, inputs))


class multiply(Operation):
    """x · y, elementwise."""

    rule = staticmethod(ops.multiply)

    def __init__(self, x: Any, y: Any) -> None:
        super().__init__([x, y])


class reduce_sum(Operation):
    """The sum along an axis, or of all elements if axis is None."""

    rule = staticmethod(ops.sum)

    def __init__(self, A: Any, axis: int | None = None) -> None:
        super().__init__([A])
        self.axis = axis

    def node(self, *inputs: Node) -> Node:
        return ops.sum(*inputs, axis=self.axis)


class negative(Operation):
    """−x, elementwise."""

    rule = staticmethod(ops.negative)

    def __init__(self, x: Any) -> None:
        super().__init__([x])
