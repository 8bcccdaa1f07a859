"""What integers must be, for a run not to fail: indices in their range, and exponents of integers
that aren't negative.

Those that are fed are checked before anything runs (`prepare` in module.py), computed ones by a
kernel of their own (kernels/bounds_check.py) before any Variable is written over.
"""

from __future__ import annotations

import numpy as np

from ....graph.leaves import Constant, Placeholder
from ....graph.node import Node
from ....graph.operation import Operation
from ....ops.arithmetic import Pow
from ....ops.discrete import Cast
from ....ops.take import Take, TakeAdd
from ....shapes import size
from ..kernels.bounds_check import Check
from ..kernels.formula import dtype_of
from ..kernels.movement.gather_scatter import rows_of
from ..llvm.strided_view import View


def check_of(node: Operation) -> Check | None:
    """What must hold of the node's indices or exponents, None if they can't be wrong."""
    if isinstance(node, (Take, TakeAdd)):
        return Check(node.inputs[1], -rows_of(node), rows_of(node))
    if type(node) is not Pow or dtype_of(node).kind != "i" or not size(node.shape):
        return None
    exponent = _uncast(node.inputs[1])
    if isinstance(exponent, Constant) or dtype_of(exponent).kind in "ub":
        return None
    return Check(exponent, 0)


def is_wrong(node: Operation) -> bool:
    """Whether the node is a power that always raises: of integers, with a negative constant."""
    if type(node) is not Pow or dtype_of(node).kind != "i":
        return False
    exponent = _uncast(node.inputs[1])
    return isinstance(exponent, Constant) and bool((exponent.numpy() < 0).any())


def fed(x: Node, views: dict[Node, View]) -> Placeholder | None:
    """The placeholder whose elements x shows, all of them in their order."""
    base = views[x].base
    return base if isinstance(base, Placeholder) and views[x].plain else None


def _uncast(x: Node) -> Node:
    """x before it was cast to wider integers."""
    while isinstance(x, Cast) and np.can_cast(dtype_of(x.inputs[0]), dtype_of(x)):
        x = x.inputs[0]
    return x
