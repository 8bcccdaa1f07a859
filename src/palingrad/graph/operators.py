"""Python's operators and the array methods of nodes, each calling a function in the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..messages.calls import explains, misfit, public
from .protocols.operators import AskedOfTheClass, called_for_numpy
from .registry import ops

if TYPE_CHECKING:
    from .node import Node


class Operators:
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

    def __eq__(self, other: Any) -> Node:  # pyright: ignore[reportIncompatibleMethodOverride]
        return ops.equal(self, other)

    def __ne__(self, other: Any) -> Node:  # pyright: ignore[reportIncompatibleMethodOverride]
        return ops.not_equal(self, other)

    # Identity, not value: `==` compares elementwise, while sets and dicts hold nodes themselves.
    __hash__ = object.__hash__

    def __getitem__(self, index: Any) -> Node:
        return ops.getitem(self, index)

    # With __getitem__ alone, iteration over a node of unknown length would never end.
    def __iter__(self) -> Any:
        return ops.iterate(self)

    @property
    def mT(self) -> Node:
        """The matrices on the last two axes, transposed."""
        return ops.matrix_transpose(self)

    @property
    def T(self) -> Node:
        """All axes in reverse order."""
        return ops.permute_dims(self)

    @explains
    def sum(self, *more: Any, axis: Any = None, keepdims: bool = False, **unknown: Any) -> Node:
        """The sum over `axis`, or over all axes."""
        if more or unknown:
            raise misfit(Operators.sum, (self, *more), unknown)
        return ops.sum(self, axis=axis, keepdims=keepdims)

    @explains
    def mean(self, *more: Any, axis: Any = None, keepdims: bool = False, **unknown: Any) -> Node:
        """The arithmetic mean over `axis`, or over all axes."""
        if more or unknown:
            raise misfit(Operators.mean, (self, *more), unknown)
        return ops.mean(self, axis=axis, keepdims=keepdims)

    @explains
    def max(self, *more: Any, axis: Any = None, keepdims: bool = False, **unknown: Any) -> Node:
        """The largest element over `axis`, or over all axes."""
        if more or unknown:
            raise misfit(Operators.max, (self, *more), unknown)
        return ops.max(self, axis=axis, keepdims=keepdims)

    @explains
    def min(self, *more: Any, axis: Any = None, keepdims: bool = False, **unknown: Any) -> Node:
        """The smallest element over `axis`, or over all axes."""
        if more or unknown:
            raise misfit(Operators.min, (self, *more), unknown)
        return ops.min(self, axis=axis, keepdims=keepdims)

    @explains
    def reshape(self, *shape: Any, **unknown: Any) -> Node:
        """The same elements in another shape; one size may be -1."""
        if unknown:
            raise misfit(Operators.reshape, (self, *shape), unknown)
        return ops.reshape(self, shape[0] if len(shape) == 1 else shape)

    @public
    def astype(self, dtype: Any) -> Node:
        """The elements in another dtype."""
        return ops.cast(self, dtype)

    @public
    def backward(self, gradient: Any = None, *, create_graph: bool = False) -> None:
        """Set `.grad` on every node this one depends on to ∂(this)/∂(node).

        `gradient` is the initial cotangent, of this node's shape; a scalar needs none. A second
        call overwrites the gradients and doesn't add to them. With `create_graph` the gradients
        keep their inputs, so that they can be differentiated again.
        """
        ops.backward(self, gradient, create_graph=create_graph)
