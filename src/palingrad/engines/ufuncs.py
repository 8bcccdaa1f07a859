"""Which operations are a single NumPy ufunc, found by reading their formulas.

A ufunc can be called without the formula around it, and can write over an input that nobody needs
any more: for large arrays memory that is in the cache beats memory that isn't.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph.kinds import Contract, Elementwise, Reduce
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.operation import MultipleOutputs, Operation
from ..shapes import size
from .formulas import readable

_LARGE = 4096  # elements from which writing over an input pays


def single_ufunc(node: Operation) -> np.ufunc | None:
    """The ufunc that the node's formula is, applied to its inputs in order; else None."""
    if not isinstance(node, Elementwise) or node.attributes:
        return None
    if not node._shipped:
        return _ufunc_of(node)
    key = (type(node), tuple(x.dtype for x in node.inputs))
    if key not in _known:
        _known[key] = _ufunc_of(node)
    return _known[key]


# Of the library's own operations, whose formulas are the same whenever they are read.
_known: dict[tuple[type[Operation], tuple[Any, ...]], np.ufunc | None] = {}


def _ufunc_of(node: Elementwise) -> np.ufunc | None:
    formula = readable(node)
    if formula is None or len(formula.steps) != 1:
        return None
    (step,) = formula.steps
    order = tuple(range(len(node.inputs)))
    function = getattr(np, step.name, None)
    whole = step.operands == order and formula.result == len(order)
    return function if whole and isinstance(function, np.ufunc) else None


def reusable(order: list[Node], roots: set[Node]) -> set[Node]:
    """The large values that their last user may write over: fresh memory that nothing else sees.

    That is what a ufunc or a contraction made, if no consumer can return a view of it.
    """
    shared = set(roots)
    for node in order:
        if isinstance(node, Operation) and not makes_fresh(node):
            shared.update(node.inputs)
    return {
        node
        for node in order
        if isinstance(node, Operation)
        and node not in shared
        and makes_fresh(node)
        and not isinstance(node, Reduce)
        and is_large(node)
    }


def is_large(node: Node) -> bool:
    """Whether the value is so large that its memory matters more than the call."""
    return not isinstance(node, MultipleOutputs) and size(node.shape or ()) >= _LARGE


def makes_fresh(node: Operation) -> bool:
    """Whether the value is sure to be memory of its own, no view of an input."""
    if isinstance(node, Elementwise):
        return single_ufunc(node) is not None
    return node._shipped and isinstance(node, (Contract, Reduce))


def target(node: Operation, dying: list[Node], free: set[Node]) -> Node | None:
    """The dying input whose memory the node's ufunc may write its result to, if there is one."""
    for x in dying:
        if x in free and not isinstance(x, Constant):
            if (x.shape, x.dtype) == (node.shape, node.dtype):
                return x
    return None
