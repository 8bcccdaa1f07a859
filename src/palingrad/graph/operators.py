"""Python's operators and the array methods of nodes, each calling a function in the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dtypes import is_array_like
from ..messages.calls import public
from .methods.elementwise import ElementwiseMethods
from .methods.reductions import ReductionMethods
from .methods.shapes import ShapeMethods
from .protocols.operators import AskedOfTheClass, called_for_numpy
from .registry import ops

if TYPE_CHECKING:
    from .node import Node


def _has_numbers(other: Any) -> bool:
    """Whether a node can be compared with it by value: not with None, text, sets, …."""
    return isinstance(other, (Operators, int, float, list, tuple)) or is_array_like(other)


class Operators(ReductionMethods, ShapeMethods, ElementwiseMethods):
    """Python's operators and NumPy's methods for nodes, with NumPy's semantics."""

    __array_ufunc__: Any = AskedOfTheClass()
    __array_priority__ = 1000.0  # before NumPy's subclasses, for what has no __array_ufunc__
    __pandas_priority__ = 5000  # before Series and DataFrame, which leave operators to the node

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return called_for_numpy(Operators, function, types, args, kwargs)

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
