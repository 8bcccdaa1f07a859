"""Convolution layers over one, two and three axes, and their adjoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ...errors import ArgumentError
from ...graph.context import graph_scope
from ...graph.leaves import Variable
from ...graph.node import Node
from ...graph.registry import ops
from ...messages.checks import flag, whole
from ...ops.window.geometry import several
from ...shapes import Shape
from .. import init
from ..checks import check_initializer
from ..module import Module

Sizes = int | Sequence[int]


class Convolving(Module):
    """A convolution over `ndim` axes of space: what the layers of this file share."""

    ndim: ClassVar[int]
    transposed: ClassVar[bool] = False

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: Sizes,
        *,
        stride: Sizes = 1,
        padding: Any = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        initializer: init.Initializer = init.he_normal,
        seed: int | None = None,
        dtype: Any = None,
    ) -> None:
        name = type(self).__name__
        inputs = whole(f"{name}: inputs", inputs, least=1)
        outputs = whole(f"{name}: outputs", outputs, least=1)
        groups = whole(f"{name}: groups", groups, least=1)
        taps = several(size, self.ndim, f"{name}: size")
        if inputs % groups or outputs % groups:
            common = [n for n in range(2, inputs + 1) if inputs % n == 0 == outputs % n]
            raise ArgumentError(
                f"{name}: {groups} groups don't divide {inputs} inputs and {outputs} outputs.",
                hint=f"Write groups={common[0] if common else 1}.",
            )
        several(stride, self.ndim, f"{name}: stride")
        several(dilation, self.ndim, f"{name}: dilation")
        bias = flag(f"{name}: bias", bias)
        check_initializer(name, initializer)
        first, second = (inputs, outputs) if self.transposed else (outputs, inputs)
        with graph_scope(None):
            start = initializer((first, second // groups, *taps), seed=seed, dtype=dtype)
            zeros = init.zeros((outputs, *(1,) * self.ndim), dtype=dtype)
        self.weight = Variable(start, name="weight")
        self.bias = Variable(zeros, name="bias") if bias else None
        self.channels = inputs
        self.options: dict[str, Any] = dict(
            stride=stride, padding=padding, dilation=dilation, groups=groups
        )

    def _hint(self, shape: Shape) -> str:
        name, axes = type(self).__name__, self.ndim + 2
        if len(shape) == axes and shape[1] != self.channels == shape[-1]:
            order = ", ".join(map(str, (0, axes - 1, *range(1, axes - 1))))
            return f" The channels are axis 1: pg.permute_dims(x, ({order}))."
        if len(shape) == axes and shape[1] != self.channels:
            return f" It has {shape[1]} channels: pg.nn.{name}({shape[1]}, …)."
        if len(shape) == axes - 1:
            return " One example is a batch of one: x[None] has shape (1, …)."
        return ""

    def forward(self, x: Any, *, training: bool) -> Node:
        y: Any = self._convolved(x, self.weight)  # (n, outputs, *space)
        return y if self.bias is None else y + self.bias

    def _convolved(self, x: Any, weight: Node) -> Node:
        raise NotImplementedError


class Conv1D(Convolving):
    """y = x ∗ w + b: x (n, inputs, length) to y (n, outputs, …); weight (outputs, inputs/groups,
    size), bias (outputs, 1). stride, padding, dilation: as for `pg.conv1d`."""

    ndim = 1

    def _convolved(self, x: Any, weight: Node) -> Node:
        return ops.conv1d(x, weight, **self.options)


class Conv2D(Convolving):
    """y = x ∗ w + b: x (n, inputs, height, width) to y (n, outputs, …); weight (outputs,
    inputs/groups, kh, kw), bias (outputs, 1, 1). Options: as for `pg.conv2d`."""

    ndim = 2

    def _convolved(self, x: Any, weight: Node) -> Node:
        return ops.conv2d(x, weight, **self.options)


class Conv3D(Convolving):
    """y = x ∗ w + b: x (n, inputs, depth, height, width) to y (n, outputs, …); weight (outputs,
    inputs/groups, kd, kh, kw), bias (outputs, 1, 1, 1). Options: as for `pg.conv3d`."""

    ndim = 3

    def _convolved(self, x: Any, weight: Node) -> Node:
        return ops.conv3d(x, weight, **self.options)


class ConvTransposing(Convolving):
    """The adjoint of a convolution: what these layers share. The weight has shape (inputs,
    outputs/groups, *size); `output_padding` adds elements at the end of each axis."""

    transposed = True

    def __init__(
        self, inputs: int, outputs: int, size: Sizes, *, output_padding: Sizes = 0, **options: Any
    ) -> None:
        super().__init__(inputs, outputs, size, **options)
        several(output_padding, self.ndim, f"{type(self).__name__}: output_padding", least=0)
        self.options["output_padding"] = output_padding


class ConvTranspose1D(ConvTransposing):
    """y = x ∗ᵀ w + b, the adjoint of Conv1D(outputs, inputs, …): x (n, inputs, length)."""

    ndim = 1

    def _convolved(self, x: Any, weight: Node) -> Node:
        return ops.conv_transpose1d(x, weight, **self.options)


class ConvTranspose2D(ConvTransposing):
    """y = x ∗ᵀ w + b, the adjoint of Conv2D(outputs, inputs, …): x (n, inputs, height, width)."""

    ndim = 2

    def _convolved(self, x: Any, weight: Node) -> Node:
        return ops.conv_transpose2d(x, weight, **self.options)


class ConvTranspose3D(ConvTransposing):
    """y = x ∗ᵀ w + b, the adjoint of Conv3D(outputs, inputs, …): x (n, inputs, depth, height,
    width)."""

    ndim = 3

    def _convolved(self, x: Any, weight: Node) -> Node:
        return ops.conv_transpose3d(x, weight, **self.options)
