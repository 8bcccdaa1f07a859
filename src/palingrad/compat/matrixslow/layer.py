"""Layers: functions that make the nodes of a layer from its input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ArgumentError
from ...messages.checks import shown
from .core import Node, Variable
from .ops import Add, Convolve, Logistic, MatMul, MaxPooling, ReLU, ScalarMultiply

__all__ = [
    "Add",
    "Convolve",
    "Logistic",
    "MatMul",
    "MaxPooling",
    "Node",
    "ReLU",
    "ScalarMultiply",
    "Variable",
    "conv",
    "fc",
    "pooling",
]


def _activated(affine: Node, activation: str | None) -> Node:
    if activation == "ReLU":
        return ReLU(affine)
    if activation == "Logistic":
        return Logistic(affine)
    if activation not in (None, "", "None"):
        raise ArgumentError(
            f"activation is 'ReLU', 'Logistic' or None, got {shown(activation)}",
            hint="Another one is a node of its own: Step(fc(x, …, None)).",
        )
    return affine


def conv(
    feature_maps: Sequence[Node],
    input_shape: tuple[int, int],
    kernels: int,
    kernel_shape: tuple[int, int],
    activation: str | None,
) -> list[Node]:
    """`kernels` maps, each the sum of a convolution of every map given, a bias, and an activation:
    "ReLU" (with nslope below 0), "Logistic" or None. input_shape: that of the maps."""
    ones = Variable(input_shape, init=False, trainable=False)
    ones.set_value(np.ones(input_shape))
    outputs = []
    for _ in range(kernels):
        channels = [
            Convolve(one, Variable(kernel_shape, init=True, trainable=True)) for one in feature_maps
        ]
        total = Add(*channels)
        bias = ScalarMultiply(Variable((1, 1), init=True, trainable=True), ones)
        outputs.append(_activated(Add(total, bias), activation))
    return outputs


def pooling(
    feature_maps: Sequence[Node], kernel_shape: tuple[int, int], stride: tuple[int, int]
) -> list[Node]:
    """The maps, each reduced to the largest elements of windows."""
    return [MaxPooling(one, size=kernel_shape, stride=stride) for one in feature_maps]


def fc(input: Node, input_size: int, size: int, activation: str | None) -> Node:
    """activation(W · input + b): `input_size` rows to `size` rows. activation: as for `conv`."""
    weights = Variable((size, input_size), init=True, trainable=True)
    bias = Variable((size, 1), init=True, trainable=True)
    return _activated(Add(MatMul(weights, input), bias), activation)
