"""Convolution, pooling and reshaping layers for images."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError
from ..graph.context import graph_scope
from ..graph.leaves import Variable
from ..graph.node import Node
from ..graph.registry import ops
from ..messages.checks import flag, shown, whole
from ..ops.window.geometry import several
from ..shapes import Shape
from . import init
from .checks import check_initializer
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
        inputs = whole("Conv2D: inputs", inputs, least=1)
        outputs = whole("Conv2D: outputs", outputs, least=1)
        groups = whole("Conv2D: groups", groups, least=1)
        taps = several(size, 2, "Conv2D: size")
        if inputs % groups or outputs % groups:
            common = [n for n in range(2, inputs + 1) if inputs % n == 0 == outputs % n]
            raise ArgumentError(
                f"Conv2D: {groups} groups don't divide {inputs} inputs and {outputs} outputs.",
                hint=f"Write groups={common[0] if common else 1}.",
            )
        several(stride, 2, "Conv2D: stride")
        several(dilation, 2, "Conv2D: dilation")
        bias = flag("Conv2D: bias", bias)
        check_initializer("Conv2D", initializer)
        with graph_scope(None):
            start = initializer((outputs, inputs // groups, *taps), seed=seed, dtype=dtype)
            zeros = init.zeros((outputs, 1, 1), dtype=dtype)
        self.weight = Variable(start, name="weight")
        self.bias = Variable(zeros, name="bias") if bias else None
        self.options = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)

    def _hint(self, shape: Shape) -> str:
        channels = (self.weight.numpy().shape[1]) * self.options["groups"]
        if len(shape) == 4 and shape[1] != channels == shape[3]:
            return " The channels are axis 1: pg.permute_dims(x, (0, 3, 1, 2))."
        if len(shape) == 4 and shape[1] != channels:
            return f" It has {shape[1]} channels: pg.nn.Conv2D({shape[1]}, …)."
        if len(shape) == 3:
            return " One image is a batch of one: x[None] has shape (1, …)."
        return ""

    def forward(self, x: Any, *, training: bool) -> Node:
        y: Any = ops.conv2d(x, self.weight, **self.options)  # (n, outputs, out height, out width)
        return y if self.bias is None else y + self.bias


class MaxPool2D(Module):
    """The largest element of each window of x (n, c, height, width)."""

    def __init__(self, size: Any = 2, *, stride: Any = None, padding: Any = 0) -> None:
        several(size, 2, f"{type(self).__name__}: size")
        if stride is not None:
            several(stride, 2, f"{type(self).__name__}: stride")
        self.size, self.stride, self.padding = size, stride, padding

    def _hint(self, shape: Shape) -> str:
        if len(shape) == 4:
            return f" The images are {shape[2]} × {shape[3]}: take a smaller window, such as 2."
        return " One image is a batch of one: x[None] has shape (1, …)." if len(shape) == 3 else ""

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
        for size in shape:
            if not isinstance(size, int) or size < -1:  # pyright: ignore
                inner = ", ".join(map(str, size)) if isinstance(size, (tuple, list)) else "3, 4"
                raise ArgumentError(
                    f"Reshape: a size is {shown(size)}; expected an integer ≥ 0, or -1.",
                    hint=f"Write pg.nn.Reshape({inner}).",
                )
        self.shape = shape

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.reshape(x, (-1, *self.shape))

    def _options(self) -> list[str]:
        return [str(self.shape)]
