"""Activation functions of numbers, and their derivatives."""

from __future__ import annotations

from . import numpy as of_arrays


def sigmoid(x: float) -> float:
    """1 / (1 + exp(−x))."""
    return float(of_arrays.sigmoid(x))


def sigmoid_prime(x: float) -> float:
    """The derivative of `sigmoid`."""
    return float(of_arrays.sigmoid_prime(x))


def relu(x: float) -> float:
    """max(x, 0)."""
    return max(0, x)


def relu_prime(x: float) -> float:
    """The derivative of `relu`; 0 at 0."""
    return float(of_arrays.relu_prime(x))


def log_prime(x: float) -> float:
    """The derivative of log |x|; 0 at 0."""
    return 1 / abs(x) if x else 0


def tanh(x: float) -> float:
    """The hyperbolic tangent."""
    return float(of_arrays.tanh(x))


def tanh_prime(x: float) -> float:
    """The derivative of `tanh`."""
    return float(of_arrays.tanh_prime(x))
