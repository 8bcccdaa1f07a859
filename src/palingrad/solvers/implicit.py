"""What solutions with derivatives of their own share: their arguments, and what f may read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import is_complex, is_floating
from ..errors import ArgumentError, GradientError, ShapeError
from ..graph.context import graph_scope
from ..graph.kinds import AnonymousGraph
from ..graph.leaves import Placeholder
from ..graph.node import Node, next_serial
from ..graph.promotion import tensor
from ..graph.traversal.order import postorder
from ..messages.checks import shown
from ..trees import leaves, rebuilt

_PARTS = (
    "Write a complex unknown as two real ones: x = pg.stack([z.real, z.imag]), and in f "
    "z = x[0] + 1j * x[1]."
)


class Parameters:
    """The arguments of f after the unknown: their real arrays are inputs of the solution's node."""

    def __init__(self, args: Sequence[Any]) -> None:
        self._args = list(args)
        self._given = leaves(self._args)
        self._floats = [_is_real(leaf) for leaf in self._given]
        self.nodes = [
            leaf if isinstance(leaf, Node) else tensor(leaf)
            for leaf, real in zip(self._given, self._floats)
            if real
        ]

    def arguments(self, values: Sequence[Any]) -> Any:
        """The arguments with these values, or nodes, of the real arrays."""
        given = iter(values)
        pairs = zip(self._given, self._floats)
        return rebuilt(self._args, iter([next(given) if real else leaf for leaf, real in pairs]))


def _is_real(leaf: Any) -> bool:
    if isinstance(leaf, Node):
        return is_floating(leaf.dtype)
    return type(leaf) is float or (
        isinstance(leaf, (np.ndarray, np.floating)) and is_floating(leaf.dtype)
    )


def unknown(what: str, x0: Any) -> Node:
    """The start of the unknown, one array of floats, as a node."""
    node = x0 if isinstance(x0, Node) else tensor(np.asarray(x0))
    if is_complex(node.dtype):
        raise ArgumentError(f"{what} is {node.dtype}; expected one array of floats.", hint=_PARTS)
    if not is_floating(node.dtype):
        raise ArgumentError(
            f"{what} is {shown(x0)}; expected one array of floats.",
            hint="Write np.array([1.0, 2.0]).",
        )
    return node


def check_closed(what: str, f: Callable[..., Any], inputs: Sequence[Node], result: Node) -> None:
    """Raise unless f, of nodes like `inputs`, returns an array like `result` and reads nothing else
    that may be differentiated."""
    began = next_serial()
    with graph_scope(AnonymousGraph(), hidden=True):
        given = [Placeholder(x.shape, dtype=x.dtype) for x in inputs]
        y = f(*given)
    if not isinstance(y, Node) or y.shape != result.shape:
        found = f"shape {y.shape}" if isinstance(y, Node) else type(y).__name__
        raise ShapeError(f"{what}: f returned {found} for an unknown of shape {result.shape}.")
    if is_complex(y.dtype):
        raise ArgumentError(
            f"{what}: f returned {y.dtype} for an unknown of {result.dtype}.", hint=_PARTS
        )
    for node in postorder(y):
        outer = node._serial < began and node._differentiable
        if outer and getattr(node, "scalar", None) is None:
            raise GradientError(
                f"{what}: f reads {node.label()}, which isn't an argument: the solution would have "
                "no derivative in it.",
                hint=f"Pass it: pg.{what}(f, x0, a), where f(x, a). A constant may be a NumPy "
                "array.",
            )
