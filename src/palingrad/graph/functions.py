"""Builds the functions that users call (`pg.exp`) from operation classes (`Exp`)."""

from __future__ import annotations

from operator import index
from typing import Any, Protocol

from ..errors import ShapeError
from .node import Node
from .operation import Operation


class Unary(Protocol):
    """A function of one array."""

    def __call__(self, x: Any, /, *, name: str | None = None) -> Node: ...


class Binary(Protocol):
    """A function of two arrays, which are broadcast against each other."""

    def __call__(self, x: Any, y: Any, /, *, name: str | None = None) -> Node: ...


def unary(operation: type[Operation], *, name: str | None = None) -> Unary:
    """The function of a unary operation, named after the operation unless `name` is given."""

    def function(x: Any, /, *, name: str | None = None) -> Node:
        return operation(x) if name is None else operation(x, name=name)

    return _dressed(function, operation, name)


def binary(operation: type[Operation], *, name: str | None = None) -> Binary:
    """The function of a binary operation, named after the operation unless `name` is given."""

    def function(x: Any, y: Any, /, *, name: str | None = None) -> Node:
        return operation(x, y) if name is None else operation(x, y, name=name)

    return _dressed(function, operation, name)


class Reduction(Protocol):
    """A function that reduces some axes of an array, all of them by default."""

    def __call__(
        self, x: Any, /, *, axis: Any = None, keepdims: bool = False, name: str | None = None
    ) -> Node: ...


def reduction(operation: type[Operation]) -> Reduction:
    """The function of a reduction, named after the operation."""

    def function(
        x: Any, /, *, axis: Any = None, keepdims: bool = False, name: str | None = None
    ) -> Node:
        return operation(x, axis=frozen(axis), keepdims=bool(keepdims), name=name)

    return _dressed(function, operation, None)


def frozen(axis: Any) -> int | tuple[int, ...] | None:
    """`axis` as None, an int or a tuple of ints. Raises ShapeError for anything else."""
    try:
        if isinstance(axis, (tuple, list)):
            return tuple(index(number) for number in axis)
        return None if axis is None else index(axis)
    except TypeError:
        raise ShapeError(f"axis must be None, an integer or several, got {axis!r}") from None


def _dressed(function: Any, operation: type[Operation], name: str | None) -> Any:
    function.__name__ = function.__qualname__ = name or operation._kind_name
    function.__doc__ = operation.__doc__
    function.__module__ = operation.__module__
    return function
