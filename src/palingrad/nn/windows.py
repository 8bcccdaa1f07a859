"""Convolution, pooling and reshaping layers for images."""

from __future__ import annotations

from typing import Any

from ..graph.context import graph_scope
from ..graph.leaves import Variable
from ..graph.node import Node
from ..graph.registry import ops
from . import init
from .module import Module


class Conv2D(Module):
    """y = x ∗ w + b: x (n, inputs, height, width) to (n, outputs, …); weight (outputs,
    inputs/groups, kh, kw), bias (outputs,)."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int | tuple[int, int],
        *,
        stride: int | tuple[int, int] = 1,
        padding: Any = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        initializer: init.Initializer = init.he_normal,
        seed: int | None = None,
        dtype: Any = None,
    ) -> None:
        taps = size if isinstance(size, tuple) else (size, size)
        with graph_scope(None):
            start = initializer((outputs, inputs // groups, *taps), seed=seed, dtype=dtype)
            zeros = init.zeros((outputs, 1, 1), dtype=dtype)
        self.weight = Variable(start, name="weight")
        self.bias = Variable(zeros, name="bias") if bias else None
        self.options = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)

    def forward(self, x: Any, *, training: bool) -> Node:
        y: Any = ops.conv2d(x, self.weight, **self.options)  # (n, outputs, out height, out width)
        return y if self.bias is None else y + self.bias


class MaxPool2D(Module):
    """The largest element of each window of x (n, c, height, width)."""

    def __init__(self, size: Any = 2, *, stride: Any = None, padding: Any = 0) -> None:
        self.size, self.stride, self.padding = size, stride, padding

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.max_pool(x, self.size, stride=self.stride, padding=self.padding)

    def _options(self) -> list[str]:
        return [str(self.size)]


class AveragePool2D(MaxPool2D):
    """The mean of each window of x (n, c, height, width); padding counts as zeros."""

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.average_pool(x, self.size, stride=self.stride, padding=self.padding)


class Reshape(Module):
    """y = x with each example reshaped: (batch, …) to (batch, *shape)."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.reshape(x, (-1, *self.shape))

    def _options(self) -> list[str]:
        return [str(self.shape)]
