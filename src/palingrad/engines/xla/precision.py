"""bfloat16 compute with float32 state: which float32 values of a Program are held as bfloat16.

Matrix products and convolutions take bfloat16 and add in float32. An elementwise operation, a
layout, a gather or a pooling gives bfloat16 if an input is bfloat16 and none is a value that stays
float32. float32 stay: sums, means, maxima and everything computed from them (losses, softmax,
norms), loops' results, and what leads to the new value of a Variable, back to the products and sums
of which it is made: gradients and the state of optimizers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...dtypes import float32, float64
from ...errors import EngineError
from ...graph.kinds import Contract, Elementwise, Gather, Layout, Reduce, Window
from ...graph.node import Node
from ...graph.operation import MultipleOutputs, Operation
from ...graph.regions.regional import Regional
from ...passes.program import Program
from .jaxlib import jnp
from .kinds import convolves

bfloat16: Any = np.dtype(jnp.bfloat16)


class Mixed:
    """The forms of the values of a Program, or of a region, whose `results` stay float32."""

    def __init__(self, results: Iterable[Node]) -> None:
        self._kept = _leading_to(results)
        self._high: set[Node] = set()  # float32 because of what it is computed from

    def taken(self, node: Node, arrays: Sequence[Any], *, multiplies: bool) -> list[Any]:
        """Arrays as the node's function takes them, which may be another than its own product."""
        if multiplies or _is_product(node):
            return [x.astype(bfloat16) if x.dtype == float32 else x for x in arrays]
        return wide(arrays)

    def held(self, node: Node, value: Any, values: dict[Node, Any]) -> Any:
        """A node's value as it is held for the nodes that read it."""
        if isinstance(node, MultipleOutputs) or node.dtype != float32:
            return value
        if node in self._kept:
            self._high.add(node)
            return value
        if _is_product(node):
            return value.astype(bfloat16)
        if not isinstance(node, (Elementwise, Layout, Gather, Window)):
            self._high.add(node)
            return value
        if any(x in self._high for x in node.inputs):
            self._high.add(node)
            return value
        low = any(getattr(values[x], "dtype", None) == bfloat16 for x in node.inputs)
        return value.astype(bfloat16) if low else value


def wide(arrays: Sequence[Any]) -> list[Any]:
    """Arrays, with float32 in the place of bfloat16."""
    return [x.astype(float32) if getattr(x, "dtype", None) == bfloat16 else x for x in arrays]


def _is_product(node: Node) -> bool:
    if node.dtype != float32 or not (isinstance(node, Operation) and node._shipped):
        return False
    return isinstance(node, Contract) or convolves(node)


def _leading_to(results: Iterable[Node]) -> set[Node]:
    """The results and the nodes that lead to them, back to products and sums."""
    found: set[Node] = set()
    waiting = list(results)
    while waiting:
        node = waiting.pop()
        if node in found:
            continue
        found.add(node)
        if not (_is_product(node) or isinstance(node, (Reduce, Regional))):
            waiting.extend(node.inputs)
    return found


def check_dtypes(program: Program) -> None:
    """Raise EngineError for arrays of float64."""
    for node in (*program.feeds, *program.reads, *program.order):
        if not isinstance(node, MultipleOutputs) and node.dtype == float64 and node.shape:
            raise EngineError(
                f'precision="bfloat16": {node.label()} is float64{node.built()}, and bfloat16 is '
                "for float32.",
                hint='Cast it: x.astype("float32"); or leave precision out.',
            )
