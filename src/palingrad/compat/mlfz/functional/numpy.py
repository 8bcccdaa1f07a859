"""Activation functions of arrays, and their derivatives."""

from __future__ import annotations

from typing import Any

from ....autodiff.gradients import gradients
from ....graph.node import Node
from ....graph.promotion import tensor
from ....graph.registry import ops
from ...arrays import floating


def _value(rule: Any, x: Any) -> Any:
    return rule(tensor(floating(x))).numpy()


def _slope(rule: Any, x: Any) -> Any:
    node = tensor(floating(x))
    y: Node = rule(node)
    return gradients(y, node, gradient=ops.ones_like(y)).numpy()


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(−x))."""
    return _value(ops.sigmoid, x)


def sigmoid_prime(x: Any) -> Any:
    """The derivative of `sigmoid`."""
    return _slope(ops.sigmoid, x)


def relu(x: Any) -> Any:
    """max(x, 0)."""
    return _value(ops.relu, x)


def relu_prime(x: Any) -> Any:
    """The derivative of `relu`; 0 at 0."""
    return _slope(ops.relu, x)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return _value(ops.tanh, x)


def tanh_prime(x: Any) -> Any:
    """The derivative of `tanh`."""
    return _slope(ops.tanh, x)
