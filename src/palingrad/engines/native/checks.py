"""What fed integers must be. They are looked at before anything runs, so that a run can't fail half
way: indices in their range, and exponents of integers that aren't negative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...dtypes import Array
from ...graph.leaves import Constant, Placeholder
from ...graph.node import Node
from ...graph.operation import Operation
from ...ops.arithmetic import Pow
from ...ops.discrete import Cast
from ...shapes import size
from .body import dtype_of
from .views import View


@dataclass(frozen=True, eq=False)
class Check:
    """Every element of `fed` is in low … high − 1; an exponent has no high."""

    fed: Placeholder
    low: int
    high: int | None = None

    def error(self, values: Array) -> Exception | None:
        """What is wrong with the values that were fed, if anything is."""
        least, most = values.min(), values.max()
        if self.high is None:
            words = "Integers to negative integer powers are not allowed."  # NumPy's
            return ValueError(words) if least < self.low else None
        if self.low <= least and most < self.high:
            return None
        return IndexError(f"take: indices {least} … {most} for {self.high} rows")


def fed(x: Node, views: dict[Node, View]) -> Placeholder | None:
    """The placeholder whose integers x shows, all of them."""
    if x not in views or not isinstance(views[x].base, Placeholder) or not views[x].plain:
        return None
    base = views[x].base
    return base if isinstance(base, Placeholder) and dtype_of(base).kind in "iu" else None


def takes_power(node: Operation, views: dict[Node, View]) -> bool:
    """Whether a power can be computed: with integers if the exponent is known not to be negative,
    or fed."""
    if type(node) is not Pow or dtype_of(node).kind != "i":
        return True
    y = _uncast(node.inputs[1])
    if isinstance(y, Constant):
        return bool((y.numpy() >= 0).all())
    return dtype_of(y).kind in "ub" or fed(y, views) is not None


def power_check(node: Operation, views: dict[Node, View]) -> Check | None:
    """What must hold of a fed exponent, if the node is a power with one."""
    if type(node) is not Pow or dtype_of(node).kind != "i" or not size(node.shape):
        return None
    base = fed(_uncast(node.inputs[1]), views)
    return None if base is None or dtype_of(base).kind == "u" else Check(base, 0)


def _uncast(x: Node) -> Node:
    """x before it was cast to wider integers."""
    while isinstance(x, Cast) and np.can_cast(dtype_of(x.inputs[0]), dtype_of(x)):
        x = x.inputs[0]
    return x
