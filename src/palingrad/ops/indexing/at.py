"""x.at[index]: new arrays in which the elements at an index are others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from ...dtypes import is_boolean, is_inexact
from ...errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError, UnknownNameError
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.promotion import as_node, as_nodes
from ...graph.registry import ops, register
from ...messages.calls import public
from ...shapes import known, same, size, sizes, text
from .index import element
from .parts import is_fixed, parsed
from .update import IndexUpdate, as_dtype_of, combined


class At:
    """x.at; `x.at[index]` names the elements, and its methods make new arrays.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> x = pg.tensor(np.zeros(4))
    >>> x.at[[0, 2, 2]].add([1.0, 2.0, 3.0]).numpy()
    array([1., 0., 5., 0.])
    """

    def __init__(self, x: Any) -> None:
        self._x = as_node(x)

    def __getitem__(self, index: Any) -> Updates:
        return Updates(self._x, index)

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise ArgumentError("x.at takes an index in brackets.", hint="Write x.at[i].set(value).")

    def __setitem__(self, index: Any, value: Any) -> None:
        raise ArgumentError("x.at[i] = value would change a node; what it computes is fixed.",
                            hint="Write y = x.at[i].set(value).")  # fmt: skip

    def __repr__(self) -> str:
        return f"At({self._x!r})"


class Updates:
    """x.at[index]. Each method but `get` gives x with other elements there: y = x otherwise.

    The values broadcast to x[index] and become x's dtype. If the index names an element more than
    once, `set` leaves the last value in row-major order, and the others combine all values with it.
    Derivatives flow to x and to the values.
    """

    def __init__(self, x: Node, index: Any) -> None:
        self._x, self._index = x, index

    def __getattr__(self, name: str) -> NoReturn:
        raise UnknownNameError(
            f"x.at[…] has no method {name!r}.",
            hint="It has get, set, add, subtract, multiply, divide, power, min, max and apply.",
        )

    @public
    def get(self, *, name: str | None = None) -> Node:
        """x[index]."""
        return element(self._x, self._index, name=name)

    @public
    def set(self, values: Any) -> Node:
        """y[index] = values, converted to x's dtype as by `cast`."""
        return self._updated("set", values)

    @public
    def add(self, values: Any) -> Node:
        """y[index] = x[index] + values, as by `np.add.at`."""
        return self._updated("add", values)

    @public
    def subtract(self, values: Any) -> Node:
        """y[index] = x[index] − values."""
        if is_boolean(self._x.dtype):
            raise DTypeError("at: booleans can't be subtracted", hint="Use x ^ y.")
        return self._updated(
            "add", ops.negative(as_dtype_of(self._x, self._node(values), "subtract"))
        )

    @public
    def multiply(self, values: Any) -> Node:
        """y[index] = x[index] · values."""
        return self._updated("multiply", values)

    @public
    def divide(self, values: Any) -> Node:
        """y[index] = x[index] / values, of floats."""
        if self._x.dtype is not None and not is_inexact(self._x.dtype):
            raise DTypeError(
                f"at: quotients are floats, and x is {self._x.dtype}",
                hint="Convert it first: x.astype(float).",
            )
        return self._updated("divide", values)

    @public
    def min(self, values: Any) -> Node:
        """y[index] = min(x[index], values)."""
        return self._updated("minimum", values)

    @public
    def max(self, values: Any) -> Node:
        """y[index] = max(x[index], values)."""
        return self._updated("maximum", values)

    @public
    def power(self, values: Any, *, unique_indices: bool = False) -> Node:
        """y[index] = x[index] to the power of values.

        The index must not name an element twice, which `unique_indices` promises where it isn't
        known when the graph is built.
        """
        if not unique_indices:
            self._check_unique()
        exponents = as_dtype_of(self._x, self._node(values), "power")
        return self._replaced(lambda part: ops.pow(part, exponents), exponents.ndim)

    @public
    def apply(self, function: Callable[[Node], Any]) -> Node:
        """y[index] = function(x[index]), a function of arrays, once for each element."""
        return self._replaced(function, 0)

    # ---------------------------------------------------------------- machinery

    def _node(self, values: Any) -> Node:
        """The values as a node, a list of floats in x's dtype; a number stays weak."""
        listed = isinstance(values, (list, tuple))
        return as_nodes(self._x, values)[1] if listed else as_node(values)

    def _updated(self, how: str, values: Any) -> Node:
        x, value = self._x, as_dtype_of(self._x, self._node(values), how)
        mask = self._unknown_mask(value.ndim)
        if mask is not None:
            return ops.where(mask, combined(how, x, value), x)
        parts, arrays = parsed(self._index)
        return IndexUpdate(x, value, *arrays, index=parts, how=how)

    def _replaced(self, function: Callable[[Node], Any], rank: int | None) -> Node:
        """x with function(x[index]), of values with this many axes, at the index."""
        mask = self._unknown_mask(rank)
        if mask is not None:
            return ops.where(mask, function(self._x), self._x)
        return self._updated("set", function(self._x[self._index]))

    def _unknown_mask(self, rank: int | None) -> Node | None:
        """The index if it is a mask whose value is known in a run only, with an axis for each of
        x's axes. The values, with `rank` axes, must be the same for all its elements."""
        mask, x = self._index, self._x
        if not isinstance(mask, Node) or not is_boolean(mask.dtype) or is_fixed(mask):
            return None
        if mask.shape is None or x.shape is None:
            raise ShapeError("at: the shapes of x and of the mask aren't known yet",
                             hint="Write pg.where(mask, value, x).")  # fmt: skip
        rest = len(x.shape) - len(mask.shape)
        if rest < 0 or not all(map(same, mask.shape, x.shape)):
            raise OutOfRangeError(
                f"at: a mask of shape {text(mask.shape)} for an array of {text(x.shape)}"
            )
        if rank is None or rank > rest:
            raise ShapeError(
                "at: where a mask is known in a run only, all its elements take the same value",
                hint="Write pg.where(mask, values, x), with values in x's shape.",
            )
        return ops.expand_dims(mask, axis=tuple(range(len(mask.shape), len(x.shape))))

    def _check_unique(self) -> None:
        """Raise ArgumentError if the index may name an element twice."""
        _, arrays = parsed(self._index)
        if not arrays:
            return
        if not known(self._x.shape) or not all(map(is_fixed, arrays)):
            raise ArgumentError(
                "at: whether the index names an element twice is known in a run only.",
                hint="If it doesn't, write x.at[i].power(p, unique_indices=True).",
            )
        numbers = np.arange(size(self._x.shape)).reshape(sizes(self._x.shape))
        chosen = Constant(numbers)[self._index].numpy()
        if len(np.unique(chosen)) < chosen.size:
            raise ArgumentError(
                "at: the index names an element twice, whose powers would be taken in turn.",
                hint="Multiply the exponents: x ** pg.at(np.ones(n))[i].multiply(p).",
            )


@register
def at(x: Any) -> At:
    """x.at: `pg.at(x)[index].set(value)` is x with other elements at an index."""
    return At(x)
