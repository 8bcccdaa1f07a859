"""Pooling layers: the largest element or the mean of each window."""

from __future__ import annotations

from typing import Any, ClassVar

from ...graph.node import Node
from ...graph.registry import ops
from ...messages.checks import flag
from ...ops.window.geometry import several
from ...shapes import Shape
from ..module import Module


class Pooling(Module):
    """What the layers of windows of a given size share."""

    ndim: ClassVar[int]

    def __init__(self, size: Any = 2, *, stride: Any = None, padding: Any = 0) -> None:
        self.size = several(size, self.ndim, f"{type(self).__name__}: size")
        self.stride = None
        if stride is not None:
            self.stride = several(stride, self.ndim, f"{type(self).__name__}: stride")
        self.padding = padding

    def _hint(self, shape: Shape) -> str:
        if len(shape) == self.ndim + 2:
            space = " × ".join(map(str, shape[2:]))
            return f" The space is {space}: take a smaller window, such as 2."
        if len(shape) == self.ndim + 1:
            return " One example is a batch of one: x[None] has shape (1, …)."
        return ""

    def _options(self) -> list[str]:
        same = len(set(self.size)) == 1
        return [str(self.size[0] if same else self.size)]


class MaxPool1D(Pooling):
    """The largest element of each window of x (n, c, length)."""

    ndim = 1

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.max_pool(x, self.size, stride=self.stride, padding=self.padding)


class MaxPool2D(MaxPool1D):
    """The largest element of each window of x (n, c, height, width)."""

    ndim = 2


class MaxPool3D(MaxPool1D):
    """The largest element of each window of x (n, c, depth, height, width)."""

    ndim = 3


class AveragePool1D(Pooling):
    """The mean of each window of x (n, c, length); padding counts as zeros."""

    ndim = 1

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.average_pool(x, self.size, stride=self.stride, padding=self.padding)


class AveragePool2D(AveragePool1D):
    """The mean of each window of x (n, c, height, width); padding counts as zeros."""

    ndim = 2


class AveragePool3D(AveragePool1D):
    """The mean of each window of x (n, c, depth, height, width); padding counts as zeros."""

    ndim = 3


class AdaptiveMaxPool(Module):
    """The largest of each of the windows that divide x (n, c, *space) into `size` places."""

    def __init__(self, *size: int) -> None:
        self.size = several(size, len(size), f"{type(self).__name__}: size")

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.adaptive_max_pool(x, self.size)

    def _options(self) -> list[str]:
        return list(map(str, self.size))


class AdaptiveAveragePool(AdaptiveMaxPool):
    """The mean of each of the windows that divide x (n, c, *space) into `size` places."""

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.adaptive_average_pool(x, self.size)


class GlobalMaxPool(Module):
    """The largest element of each channel: x (n, c, *space) to (n, c), or with keepdims (n, c, 1,
    …)."""

    def __init__(self, *, keepdims: bool = False) -> None:
        self.keepdims = flag(f"{type(self).__name__}: keepdims", keepdims)

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.global_max_pool(x, keepdims=self.keepdims)


class GlobalAveragePool(GlobalMaxPool):
    """The mean of each channel: x (n, c, *space) to (n, c), or with keepdims (n, c, 1, …)."""

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.global_average_pool(x, keepdims=self.keepdims)
