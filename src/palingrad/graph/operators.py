"""Python's operators and the array methods of nodes, each calling a function in the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import is_array_like
from ..errors import ArgumentError
from ..messages.calls import public
from ..messages.elsewhere import FUNCTIONS
from .methods.elementwise import ElementwiseMethods
from .methods.reductions import ReductionMethods
from .methods.shapes import ShapeMethods
from .registry import ops

if TYPE_CHECKING:
    from .node import Node


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


def called_by_numpy(node: Any, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Node:
    """array + node, and other operators. Raises ArgumentError for NumPy's functions."""
    name = _OPERATORS.get(ufunc)
    if name is not None and method == "__call__" and not options:
        return getattr(ops, name)(*inputs)
    raise _numpy_function(ufunc.__name__, method, options)


class AskedOfTheClass:
    """`__array_ufunc__`: of the class, which NumPy's ufuncs ask, the function that they call; of a
    node, which masked arrays ask, None: they leave operators to the node."""

    def __get__(self, node: Any, cls: type[Any]) -> Any:
        return called_by_numpy if node is None else None


def _has_numbers(other: Any) -> bool:
    """Whether a node can be compared with it by value: not with None, text, sets, …."""
    return isinstance(other, (Operators, int, float, list, tuple)) or is_array_like(other)


class Operators(ReductionMethods, ShapeMethods, ElementwiseMethods):
    """Python's operators and NumPy's methods for nodes, with NumPy's semantics."""

    __array_ufunc__: Any = AskedOfTheClass()

    def __add__(self, other: Any) -> Node:
        return ops.add(self, other)

    def __radd__(self, other: Any) -> Node:
        return ops.add(other, self)

    def __sub__(self, other: Any) -> Node:
        return ops.subtract(self, other)

    def __rsub__(self, other: Any) -> Node:
        return ops.subtract(other, self)

    def __mul__(self, other: Any) -> Node:
        return ops.multiply(self, other)

    def __rmul__(self, other: Any) -> Node:
        return ops.multiply(other, self)

    def __truediv__(self, other: Any) -> Node:
        return ops.divide(self, other)

    def __rtruediv__(self, other: Any) -> Node:
        return ops.divide(other, self)

    def __floordiv__(self, other: Any) -> Node:
        return ops.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Node:
        return ops.floor_divide(other, self)

    def __mod__(self, other: Any) -> Node:
        return ops.remainder(self, other)

    def __rmod__(self, other: Any) -> Node:
        return ops.remainder(other, self)

    def __pow__(self, other: Any) -> Node:
        return ops.pow(self, other)

    def __rpow__(self, other: Any) -> Node:
        return ops.pow(other, self)

    def __matmul__(self, other: Any) -> Node:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Node:
        return ops.matmul(other, self)

    def __and__(self, other: Any) -> Node:
        return ops.bitwise_and(self, other)

    def __rand__(self, other: Any) -> Node:
        return ops.bitwise_and(other, self)

    def __or__(self, other: Any) -> Node:
        return ops.bitwise_or(self, other)

    def __ror__(self, other: Any) -> Node:
        return ops.bitwise_or(other, self)

    def __xor__(self, other: Any) -> Node:
        return ops.bitwise_xor(self, other)

    def __rxor__(self, other: Any) -> Node:
        return ops.bitwise_xor(other, self)

    def __lshift__(self, other: Any) -> Node:
        return ops.bitwise_left_shift(self, other)

    def __rlshift__(self, other: Any) -> Node:
        return ops.bitwise_left_shift(other, self)

    def __rshift__(self, other: Any) -> Node:
        return ops.bitwise_right_shift(self, other)

    def __rrshift__(self, other: Any) -> Node:
        return ops.bitwise_right_shift(other, self)

    def __invert__(self) -> Node:
        return ops.bitwise_invert(self)

    def __neg__(self) -> Node:
        return ops.negative(self)

    def __pos__(self) -> Node:
        return ops.positive(self)

    def __abs__(self) -> Node:
        return ops.abs(self)

    def __lt__(self, other: Any) -> Node:
        return ops.less(self, other)

    def __le__(self, other: Any) -> Node:
        return ops.less_equal(self, other)

    def __gt__(self, other: Any) -> Node:
        return ops.greater(self, other)

    def __ge__(self, other: Any) -> Node:
        return ops.greater_equal(self, other)

    # Nothing that has no numbers equals a node: Python then answers x == None by False.
    def __eq__(self, other: Any) -> Any:
        return ops.equal(self, other) if _has_numbers(other) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        return ops.not_equal(self, other) if _has_numbers(other) else NotImplemented

    def __contains__(self, value: Any) -> bool:
        return bool(ops.any(ops.equal(self, value)))

    # Identity, not value: `==` compares elementwise, while sets and dicts hold nodes themselves.
    __hash__ = object.__hash__

    def __getitem__(self, index: Any) -> Node:
        return ops.getitem(self, index)

    # With __getitem__ alone, iteration over a node of unknown length would never end.
    def __iter__(self) -> Any:
        return ops.iterate(self)

    @property
    def at(self) -> Any:
        """`x.at[index].set(values)`, `.add(values)`, …: x with other elements at an index."""
        return ops.at(self)

    @public
    def backward(self, gradient: Any = None, *, create_graph: bool = False) -> None:
        """Set `.grad` on every node this one depends on to ∂(this)/∂(node).

        `gradient` is the initial cotangent, of this node's shape; a scalar needs none. A second
        call overwrites the gradients and doesn't add to them. With `create_graph` the gradients
        keep their inputs, so that they can be differentiated again.
        """
        ops.backward(self, gradient, create_graph=create_graph)


def _numpy_function(name: str, method: str, options: Mapping[str, Any]) -> ArgumentError:
    """The error for a ufunc of NumPy that is called with a node."""
    if method == "__call__" and getattr(np, name, None) in _OPERATORS and "out" in options:
        return ArgumentError(
            f"np.{name} would write a node into an array of NumPy, in place.",
            hint="Make a new node instead: total = total + x, not total += x.",
        )
    if method != "__call__":
        return ArgumentError(f"np.{name}.{method} takes arrays, not nodes.",
                             hint="Write it with functions of pg, or take x.numpy().")  # fmt: skip
    here = name if hasattr(ops, name) else None
    instead = FUNCTIONS.get(name) if here is None else f"pg.{here}"
    constant = f"np.{name}(x.numpy()), which has no derivative"
    hint = f"Write {constant}." if instead is None else f"Write {instead} instead of np.{name}."
    return ArgumentError(f"np.{name} takes arrays, not nodes.", hint=hint)
