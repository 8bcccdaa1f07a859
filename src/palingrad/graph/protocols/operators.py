"""Operators between NumPy's arrays and nodes, which call ufuncs; other ufuncs are in `ufuncs.py`.

NumPy's functions of nodes are loaded when one is first called.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..registry import ops
from ..state.imports import imported

_HERE = __name__.rpartition(".")[0]

# The ufuncs that are operators of NumPy's arrays and numbers, and their functions here.
_OPERATORS: dict[Any, str] = {
    np.add: "add",
    np.subtract: "subtract",
    np.multiply: "multiply",
    np.divide: "divide",
    np.floor_divide: "floor_divide",
    np.remainder: "remainder",
    np.power: "pow",
    np.matmul: "matmul",
    np.bitwise_and: "bitwise_and",
    np.bitwise_or: "bitwise_or",
    np.bitwise_xor: "bitwise_xor",
    np.left_shift: "bitwise_left_shift",
    np.right_shift: "bitwise_right_shift",
    np.less: "less",
    np.less_equal: "less_equal",
    np.greater: "greater",
    np.greater_equal: "greater_equal",
    np.equal: "equal",
    np.not_equal: "not_equal",
}


def called_by_numpy(node: Any, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """array + node and NumPy's functions of single elements. Raises ArgumentError for those that
    don't exist here, or would write into an array."""
    name = _OPERATORS.get(ufunc)
    if name is not None and method == "__call__" and not options:
        return getattr(ops, name)(*inputs)
    return imported(f"{_HERE}.ufuncs").of_ufunc(ufunc, method, inputs, options)


class AskedOfTheClass:
    """`__array_ufunc__`: of the class, which NumPy's ufuncs ask, the function that they call; of a
    node, which masked arrays ask, None: they leave operators to the node."""

    def __get__(self, node: Any, cls: type[Any]) -> Any:
        return called_by_numpy if node is None else None


def called_for_numpy(
    kind: type[Any], function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What NumPy's `function(*args, **kwargs)` gives, called with nodes, of the class `kind`."""
    return imported(f"{_HERE}.functions").of_function(kind, function, types, args, kwargs)
