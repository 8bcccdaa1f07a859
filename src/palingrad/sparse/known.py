"""Values that a graph's constants determine, whatever it is fed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array
from ..graph.kinds import Composite, Custom, Random
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.operation import Item, MultipleOutputs, Operation
from ..graph.traversal.order import postorder


class Known:
    """The value of a node that depends on constants alone; None for all others."""

    def __init__(self) -> None:
        self._values: dict[Node, Any] = {}

    def __call__(self, node: Any) -> Array | None:
        if not isinstance(node, Node):
            return None if node is None else np.asarray(node)
        if node not in self._values:
            for one in postorder(node, inputs=self._unknown):
                if one not in self._values:
                    self._values[one] = self._value(one)
        return self._values[node]

    def _unknown(self, node: Node) -> Any:
        return () if node in self._values else node.inputs

    def _value(self, node: Node) -> Any:
        if isinstance(node, Constant):
            return node.value
        if not isinstance(node, Operation) or isinstance(node, (Random, Custom, Composite)):
            return None
        values = [self._values[x] for x in node.inputs]
        if any(value is None for value in values) or not values:
            return None
        if type(node) is Item:
            return values[0][node.attributes["index"]]
        with np.errstate(all="ignore"):
            found = node.compute(*values)
        return found if isinstance(node, MultipleOutputs) else np.asarray(found)
