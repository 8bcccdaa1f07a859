"""∂result/∂node for every node, and the local derivative of an edge, by the library's own rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...autodiff.jacobians import one_hot_like
from ...autodiff.reverse import pulled_back, reverse
from ...dtypes import Array, is_inexact
from ...errors import PalingradError
from ...graph.context import graph_scope
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import MultipleOutputs, Operation

ROWS = 16  # elements of a result of which each has its own row in the total Jacobians
ENTRIES = 4096  # of a Jacobian that is given whole
CORNER = 12  # rows and columns shown of a larger one


def totals(result: Node, shadows: Mapping[Node, Node]) -> dict[Node, Array]:
    """∂result/∂node as a matrix (result's size, node's size) for every node that is reached.

    Nothing where the result has no value, isn't of floats, or has more than `ROWS` elements.
    """
    y = shadows.get(result)
    if y is None or not is_inexact(y.dtype) or y.numpy().size > ROWS:
        return {}
    rows: dict[Node, list[Array]] = {}
    back = {id(shadow): node for node, shadow in shadows.items()}
    with graph_scope(None, hidden=True):
        for place in range(y.numpy().size):
            for shadow, g in reverse({y: one_hot_like(y, place)}).items():
                if id(shadow) in back and not isinstance(shadow, MultipleOutputs):
                    found = rows.setdefault(back[id(shadow)], [])
                    found += [np.zeros(shadow.numpy().size)] * (place - len(found))
                    found.append(g.numpy().ravel())
    size = y.numpy().size
    return {
        node: np.stack([*found, *[np.zeros(found[0].size)] * (size - len(found))])
        for node, found in rows.items()
    }


def local(shadow: Operation, position: int) -> tuple[Array, bool] | None:
    """∂y/∂x of one operand as a matrix (y's size, x's size), and whether that is all of it.

    Of a large one only a corner; None where there is no derivative, or no end of work.
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
    return all(is_inexact(node.dtype) for node in nodes)


def takes_gradient(node: Node, value: Any) -> bool:
    """Whether a gradient is shown: nodes of floats, but not the bare numbers in expressions."""
    bare = isinstance(node, Constant) and node.scalar is not None
    if bare or isinstance(node, MultipleOutputs):
        return False
    return is_inexact(node.dtype if value is None else value.dtype)


def structure(node: Operation, position: int, sizes: Sequence[int], out: int) -> str:
    """What is known of ∂y/∂x from the operation alone, in a word."""
    size = sizes[position]
    return "number" if size == out == 1 else node.structure(position, size, out)
