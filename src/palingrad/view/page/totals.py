"""∂result/∂node for every node, and the local derivatives of edges, by the library's vjp rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...autodiff.jacobians import one_hot_like
from ...autodiff.reverse import pulled_back, reverse
from ...dtypes import Array, is_complex, is_floating
from ...errors import PalingradError
from ...graph.context import graph_scope
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import MultipleOutputs, Operation

ROWS = 16  # the largest number of elements of a result that has total Jacobians
ENTRIES = 4096  # the largest number of elements of a local Jacobian that is exported whole
CORNER = 12  # rows and columns exported of a larger one


def totals(result: Node, shadows: Mapping[Node, Node]) -> dict[Node, Array]:
    """∂result/∂node as a matrix (result's size, node's size), for every node with a gradient.

    Empty if the result has no value, is not real floating-point, or has more than `ROWS` elements.
    """
    y = shadows.get(result)
    if y is None or not is_floating(y.dtype) or y.numpy().size > ROWS:
        return {}
    rows: dict[Node, list[Array]] = {}
    originals = {id(shadow): node for node, shadow in shadows.items()}
    with graph_scope(None, hidden=True):
        for place in range(y.numpy().size):
            for shadow, g in reverse({y: one_hot_like(y, place)}).items():
                shown = id(shadow) in originals and not isinstance(shadow, MultipleOutputs)
                if shown and is_floating(shadow.dtype):
                    matrix = rows.setdefault(originals[id(shadow)], [])
                    matrix += [np.zeros(shadow.numpy().size)] * (place - len(matrix))
                    matrix.append(g.numpy().ravel())
    size = y.numpy().size
    return {
        node: np.stack([*matrix, *[np.zeros(matrix[0].size)] * (size - len(matrix))])
        for node, matrix in rows.items()
    }


def complex_totals(result: Node | None, shadows: Mapping[Node, Node]) -> dict[Node, Array]:
    """The gradients of complex nodes, ∂L/∂a − i·∂L/∂b for a + ib, if the result is one real number.

    Empty if no node is complex.
    """
    y = None if result is None else shadows.get(result)
    wanted = {id(x): node for node, x in shadows.items() if _is_complex(x)}
    if y is None or not wanted or not is_floating(y.dtype) or y.numpy().size != 1:
        return {}
    with graph_scope(None, hidden=True):
        found = reverse({y: one_hot_like(y, 0)})
    return {wanted[id(x)]: g.numpy() for x, g in found.items() if id(x) in wanted}


def _is_complex(node: Node) -> bool:
    return not isinstance(node, MultipleOutputs) and is_complex(node.dtype)


def local(shadow: Operation, position: int) -> tuple[Array, bool] | None:
    """∂y/∂x for one operand as a matrix (y's size, x's size), and whether the matrix is whole.

    A large Jacobian is cut to its upper left corner. None if there is no derivative, or if the
    computation would be too expensive.
    """
    x, y = shadow.inputs[position], shadow
    if isinstance(y.value, tuple) or isinstance(x.value, tuple) or not _floats(x, y):
        return None
    m, n = y.numpy().size, x.numpy().size
    whole = m * n <= ENTRIES
    rows = m if whole else min(m, CORNER)
    if max(m, n) * rows > 4_000_000:
        return None
    wanted = [place == position for place in range(len(y.inputs))]
    result = np.zeros((rows, n if whole else min(n, CORNER)))
    try:
        with graph_scope(None, hidden=True):
            for row in range(rows):
                c = pulled_back(y, one_hot_like(y, row), wanted)[position]
                if c is not None:
                    result[row] = c.numpy().ravel()[: result.shape[1]]
    except PalingradError:  # an operation without a derivative
        return None
    return result, whole


def _floats(*nodes: Node) -> bool:
    return all(is_floating(node.dtype) for node in nodes)


def takes_gradient(node: Node, value: Any) -> bool:
    """Whether a gradient is shown: for floating-point nodes other than literals in expressions."""
    bare = isinstance(node, Constant) and node.scalar is not None
    if bare or isinstance(node, MultipleOutputs):
        return False
    return is_floating(node.dtype if value is None else value.dtype)


def structure(node: Operation, position: int, sizes: Sequence[int], out: int) -> str:
    """The structure of ∂y/∂x in a word, as far as the operation determines it."""
    size = sizes[position]
    return "number" if size == out == 1 else node.structure(position, size, out)
