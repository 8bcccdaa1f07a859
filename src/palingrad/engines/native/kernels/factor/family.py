"""Which nodes the kernels of this folder compute: factors of single matrices, and solutions."""

from __future__ import annotations

from typing import ClassVar

from .....dtypes import float32, float64
from .....graph.node import Node
from .....graph.operation import Item, MultipleOutputs, Operation
from .....shapes import sizes
from ..family import KernelFamily
from .cholesky import Symmetrized
from .lu import Columns
from .slope import Halves
from .solution import LuSolution, Solution

_MOST = 1 << 24  # numbers of a matrix


class FactorFamily(KernelFamily):
    """A node that is computed in panels, or a matrix refused."""

    may_fail: ClassVar[bool] = True


class LuFamily(KernelFamily):
    """LU factors and exchanges of rows, which every matrix has."""


def family_of(node: Operation) -> KernelFamily | None:
    """The family of what is computed in panels; None for any other node."""
    kernel = _KERNELS.get(node._library)
    if kernel is None or not _is_square(node.inputs[0]):
        return None
    if isinstance(node, MultipleOutputs):
        return LuFamily(kernel)
    if node._library == "lu_solve":  # exchanges of rows that were given may be no rows
        pivots = node.inputs[1]
        maker = pivots.inputs[0] if isinstance(pivots, Item) else None
        if not isinstance(maker, Operation) or maker._library != "lu_factor":
            return None
    given = node.inputs[-1]
    if not (given.ndim == 1 or _is_matrix(given)):
        return None
    if any(x.dtype != node.inputs[0].dtype for x in (node, given)):
        return None
    return FactorFamily(kernel)


# By the name that the operation gives.
_KERNELS = {
    "cholesky": Symmetrized.of,
    "cholesky_slope": Halves.of,
    "lu_factor": Columns.of,
    "lu_solve": LuSolution.of,
    "solve_triangular": Solution.of,
}


def _is_matrix(node: Node) -> bool:
    """Whether the node is a matrix, and neither empty nor huge."""
    if node.dtype not in (float32, float64):
        return False
    shape = sizes(node.shape)
    return len(shape) == 2 and 0 < shape[0] * shape[1] <= _MOST


def _is_square(node: Node) -> bool:
    return _is_matrix(node) and sizes(node.shape)[0] == sizes(node.shape)[1]
