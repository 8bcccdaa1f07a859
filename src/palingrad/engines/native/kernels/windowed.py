"""The family of convolutions and poolings: the kernel of each operation, and its result's view."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from ....dtypes import is_floating
from ....graph.node import Node
from ....graph.operation import Operation
from ....ops.window.convolution import Convolution, ConvolutionInput, ConvolutionWeight
from ....ops.window.pooling import MaxPool, MaxPoolPlace, MaxPoolSelect, SumPool, SumPoolSpread
from ....shapes import size, sizes
from ..llvm.strided_view import View
from .conv.forward import Convolve
from .conv.padded_images import channels_last, weight_layout
from .conv.pooling import PoolMax, PoolPlace, PoolSum, is_tiled
from .conv.weight_gradient import ConvolveWeight
from .family import Group, KernelFamily
from .kernel import Fused, Kernel, Views

# The overrides of this engine: operations with kernels of their own.
KERNELS: dict[type, Callable[[Fused, Views], Kernel]] = {
    Convolution: Convolve.of,
    ConvolutionInput: Convolve.of,
    ConvolutionWeight: ConvolveWeight.of,
    MaxPool: PoolMax.of,
    MaxPoolSelect: PoolMax.of,
    MaxPoolPlace: PoolPlace.of,
    SumPool: PoolSum.of,
    SumPoolSpread: PoolSum.of,
}


def fits(node: Operation) -> bool:
    """Whether there is a kernel for this node: one or two spatial axes, of floats; max pooling
    supports every dtype."""
    if type(node) not in KERNELS or node.dtype is None:
        return False
    if not is_floating(node.dtype) and not isinstance(node, MaxPool):
        return False
    spaces = len(sizes(node.shape)) - 2
    empty = any(size(x.shape) == 0 for x in (node, *node.inputs))
    return spaces in (1, 2) and not empty


def layout(node: Operation) -> View:
    """The view of the result."""
    if isinstance(node, ConvolutionWeight):
        return weight_layout(node)
    return channels_last(node, sizes(node.shape))


class WindowFamily(KernelFamily):
    """A convolution or a pooling, the first node, and elementwise nodes of the same shape."""

    reads_any_strides: ClassVar[bool] = False

    def takes_elementwise(self, group: Group, views: Views) -> bool:
        if isinstance(group.first, MaxPoolPlace):
            return is_tiled(group.first)
        return not isinstance(group.first, ConvolutionWeight)

    def writes_any_strides(self, group: Group, node: Node) -> bool:
        return node is not group.first

    def fixes_layout(self, group: Group, node: Node) -> bool:
        return node is group.first


def _kernel(fused: Fused, views: Views) -> Kernel:
    return KERNELS[type(fused.first)](fused, views)


WINDOW = WindowFamily(_kernel)
