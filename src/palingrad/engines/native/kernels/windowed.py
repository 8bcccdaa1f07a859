"""Which kernels compute convolutions and poolings, and where their results lie."""

from __future__ import annotations

from typing import Any

from ....graph.node import Node
from ....graph.operation import Operation
from ....ops.convolution import Convolution, ConvolutionInput, ConvolutionWeight
from ....ops.pooling import MaxPool, MaxPoolPlace, MaxPoolSelect, SumPool, SumPoolSpread
from ....shapes import size, sizes
from ..llvm.strided_view import View
from .conv.forward import Convolve
from .conv.padded_images import channels_last
from .conv.pooling import PoolMax, PoolPlace, PoolSum, is_tiled
from .conv.weight_gradient import ConvolveWeight, weight_layout

# The overrides of this engine: operations with kernels of their own.
KERNELS: dict[type, Any] = {
    Convolution: Convolve,
    ConvolutionInput: Convolve,
    ConvolutionWeight: ConvolveWeight,
    MaxPool: PoolMax,
    MaxPoolSelect: PoolMax,
    MaxPoolPlace: PoolPlace,
    SumPool: PoolSum,
    SumPoolSpread: PoolSum,
}


def fits(node: Operation) -> bool:
    """Whether there is a kernel for this node: one or two axes of space, and floats
    or, to find the largest, anything."""
    if type(node) not in KERNELS or node.dtype is None:
        return False
    if node.dtype.kind != "f" and not isinstance(node, MaxPool):
        return False
    spaces = len(sizes(node.shape)) - 2
    empty = any(size(x.shape) == 0 for x in (node, *node.inputs))
    return spaces in (1, 2) and not empty


def layout(node: Operation) -> View:
    """Where the result lies."""
    if isinstance(node, ConvolutionWeight):
        return weight_layout(node)
    return channels_last(node, sizes(node.shape))


def takes_epilogue(node: Node) -> bool:
    """Whether elementwise nodes can be computed with the result."""
    if isinstance(node, MaxPoolPlace):
        return is_tiled(node)
    return not isinstance(node, ConvolutionWeight)


def unit(nodes: list[Operation]) -> Any:
    """The kernel of a group whose first node is a window operation."""
    return KERNELS[type(nodes[0])](nodes)
