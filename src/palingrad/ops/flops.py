"""The floating-point operations of the mathematics: two for each product that a matrix product or a
convolution adds up, one for each element of the rest."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..graph.kinds import Composite, Contract, Elementwise, Reduce, Scan
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.regions.regional import Regional
from ..graph.traversal.order import postorder
from ..shapes import size, sizes
from .window.convolution import Convolution, ConvolutionInput, ConvolutionWeight


def flops(node: Operation) -> int:
    """Those of one operation of a Program. Its shapes must be known."""
    if isinstance(node, Contract):
        return 2 * size(sizes(node.shape)) * sizes(node.inputs[0].shape)[-1]
    if isinstance(node, (Convolution, ConvolutionInput, ConvolutionWeight)):
        return _convolution(node)
    if isinstance(node, Elementwise):
        return size(sizes(node.shape))
    return size(sizes(node.inputs[0].shape)) if isinstance(node, (Reduce, Scan)) else 0


def total_flops(nodes: Iterable[Node]) -> int:
    """Those of all these nodes, with what composites expand to and regions repeat."""
    total, left = 0, [(node, 1) for node in nodes]
    while left:
        node, times = left.pop()
        if isinstance(node, Composite):
            left += [(x, times) for x in _expanded(node)]
        elif isinstance(node, Regional):
            times *= node.iterations()
            left += [(x, times) for region in node.regions for x in region.order]
        elif isinstance(node, Operation):
            total += times * flops(node)
    return total


def _expanded(node: Composite) -> list[Node]:
    """The nodes to which a composite expands."""
    outside = set(node.inputs)
    found = postorder(node.expansion, inputs=lambda x: () if x in outside else x.inputs)
    return [x for x in found if x not in outside]


def _convolution(node: Operation) -> int:
    """2 · places · channels · taps, the same for the convolution and for both its adjoints."""
    image, weight = node.inputs
    if isinstance(node, Convolution):
        places: Node = node
    elif isinstance(node, ConvolutionInput):
        places = image
    else:
        places, weight = weight, node
    outputs, *each = sizes(weight.shape)
    return 2 * size(sizes(places.shape)) * math.prod(each) if outputs else 0
