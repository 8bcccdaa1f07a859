"""Bounds of the integers that can make a run fail: an index must name a row, and the exponent of an
integer must not be negative.

`prepare` (module.py) checks fed integers before the first kernel. A kernel of its own
(kernels/bounds_check.py) checks computed integers before any Variable is written over.
"""

from __future__ import annotations

from numpy import can_cast

from ....dtypes import is_integer, is_unsigned
from ....graph.declared.bounds import Bounds, explained
from ....graph.declared.strided import Strided
from ....graph.kinds import Elementwise, Layout
from ....graph.leaves import Constant, Placeholder
from ....graph.node import Node
from ....graph.operation import MultipleOutputs, Operation
from ....shapes import size, sizes
from ..kernels.formula import dtype_of
from ..llvm.strided_view import View


def checks_of(node: Node) -> list[Bounds]:
    """The bounds of the node's indices or exponents that a run can violate."""
    return [one for one in _bounds(node) if not isinstance(one.x, Constant)]


def is_wrong(node: Node) -> bool:
    """Whether the node always raises, such as a power of integers with a negative constant."""
    return any(
        not one.allow(int(one.x.numpy().min()), int(one.x.numpy().max()))
        for one in _bounds(node)
        if isinstance(one.x, Constant) and size(one.x.shape)
    )


def _bounds(node: Node) -> list[Bounds]:
    """The bounds that the node declares and that some integers violate; none if the node has no
    elements."""
    if not isinstance(node, Operation) or isinstance(node, MultipleOutputs):
        return []  # regions have checks of their own
    if not size(node.shape):
        return []
    found = [_before_casts(one) for one in explained(node)]
    return [one for one in found if one is not None and not _always_hold(one)]


def _always_hold(bounds: Bounds) -> bool:
    """Whether the integers are elements of an operation's whose values are within the bounds."""
    x = bounds.x
    while isinstance(x, Layout) and x._shipped:
        (given, *_) = x.inputs
        if x.view(Strided.contiguous(sizes(given.shape))) is None:
            break
        x = given
    below = x.below() if isinstance(x, Operation) and x._shipped else None
    return below is not None and bounds.allow(0, below - 1)


def hold_of(bounds: Bounds, x: Node) -> bool:
    """Whether all integers that x can have are within these bounds of another node."""
    found = _before_casts(bounds._replace(x=x))
    return found is None or _always_hold(found)


def _before_casts(found: Bounds) -> Bounds | None:
    """The bounds of the integers before a cast to a wider dtype; None if every integer is within
    them."""
    x = found.x
    while isinstance(x, Elementwise) and x.converts:
        (given,) = x.inputs
        if not can_cast(dtype_of(given), dtype_of(x)):
            break
        x = given
    unsigned = not is_integer(x.dtype) or is_unsigned(x.dtype)
    return None if unsigned and found.high is None and found.low <= 0 else found._replace(x=x)


def fed(x: Node, views: dict[Node, View]) -> Placeholder | None:
    """The placeholder whose elements x is, in the same order; None if x is computed."""
    base = views[x].base
    return base if isinstance(base, Placeholder) and views[x].plain else None
