"""Which nodes the kernels of this folder compute."""

from __future__ import annotations

from typing import ClassVar

from .....dtypes import float32, float64
from .....graph.operation import Operation
from .....shapes import sizes
from ..family import KernelFamily
from .cholesky import Symmetrized

_LEAST = 65  # rows of a matrix; SciPy's LAPACK factors smaller ones
_MOST = 4096


class FactorFamily(KernelFamily):
    """A node that is computed in panels, or a matrix refused."""

    may_fail: ClassVar[bool] = True


def family_of(node: Operation) -> KernelFamily | None:
    """The family of what is computed in panels of single matrices; None for any other node."""
    if node.dtype not in (float32, float64) or any(x.dtype != node.dtype for x in node.inputs):
        return None
    if node._library == "cholesky":
        shape = sizes(node.shape)
        if len(shape) == 2 and _LEAST <= shape[0] <= _MOST:
            return FactorFamily(Symmetrized.of)
    return None
