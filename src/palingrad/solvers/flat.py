"""Arguments of any structure as one vector of float64, and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array, is_complex, is_floating, is_supported
from ..errors import ArgumentError
from ..graph.node import Node
from ..graph.registry import ops
from ..messages.checks import shown
from ..trees import leaves, rebuilt


class Flat:
    """The structure of an array, or of lists, tuples and dicts of arrays, as parts of a vector."""

    def __init__(self, what: str, tree: Any) -> None:
        self._tree = tree
        arrays = [np.asarray(_value(leaf)) for leaf in leaves(tree)]
        for array in arrays:
            if not is_supported(array.dtype) or is_complex(array.dtype):
                raise ArgumentError(
                    f"{what} is {shown(tree)}; expected real numbers, in arrays, lists or dicts."
                )
        self.shapes = [array.shape for array in arrays]
        self.dtypes = [one.dtype if is_floating(one.dtype) else np.dtype(float) for one in arrays]
        sizes = [math.prod(shape) for shape in self.shapes]
        self._ends = np.cumsum([0, *sizes]).tolist()
        flat = [array.astype(np.float64).ravel() for array in arrays]
        self.vector: Array = np.concatenate(flat) if flat else np.zeros(0)

    def tree(self, vector: Any) -> Any:
        """The structure with the parts of this vector, an array or a node."""
        return rebuilt(self._tree, iter(self.parts(vector)))

    def parts(self, vector: Any) -> list[Any]:
        """The parts of the vector, in their shapes."""
        ends = zip(self._ends, self._ends[1:], self.shapes, strict=False)
        if isinstance(vector, Node):
            return [ops.reshape(vector[low:high], shape) for low, high, shape in ends]
        return [vector[low:high].reshape(shape) for low, high, shape in ends]


def _value(leaf: Any) -> Any:
    return leaf.numpy() if isinstance(leaf, Node) else leaf
