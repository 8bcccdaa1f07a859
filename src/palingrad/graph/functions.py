"""Builds the functions that users call (`pg.exp`) from operation classes (`Exp`)."""

from __future__ import annotations

import inspect
from operator import index
from typing import Any, Protocol

from ..errors import ShapeError
from ..messages.calls import explains, misfit
from .node import Node
from .operation import Operation

_MISSING = object()


class Unary(Protocol):
    """A function of one array."""

    def __call__(self, x: Any, /, *, name: str | None = None) -> Node: ...


class Binary(Protocol):
    """A function of two arrays, which are broadcast against each other."""

    def __call__(self, x: Any, y: Any, /, *, name: str | None = None) -> Node: ...


def unary(operation: type[Operation], *, name: str | None = None) -> Unary:
    """The function of a unary operation, named after the operation unless `name` is given."""

    def function(x: Any, /, *more: Any, **options: Any) -> Node:
        if more or options:
            return operation(x, **_named(function, (x, *more), options))
        return operation(x)

    def lean(x: Any, *, name: str | None = None) -> Node:
        return operation(x) if name is None else operation(x, name=name)

    return _dressed(function, Unary.__call__, operation, name, lean)


def binary(operation: type[Operation], *, name: str | None = None) -> Binary:
    """The function of a binary operation, named after the operation unless `name` is given."""

    def function(x: Any, y: Any = _MISSING, /, *more: Any, **options: Any) -> Node:
        if more or options or y is _MISSING:
            inputs = (x,) if y is _MISSING else (x, y, *more)
            return operation(x, y, **_named(function, inputs, options))
        return operation(x, y)

    def lean(x: Any, y: Any, *, name: str | None = None) -> Node:
        return operation(x, y) if name is None else operation(x, y, name=name)

    return _dressed(function, Binary.__call__, operation, name, lean)


class Reduction(Protocol):
    """A function that reduces some axes of an array, all of them by default."""

    def __call__(
        self, x: Any, /, *, axis: Any = None, keepdims: bool = False, name: str | None = None
    ) -> Node: ...


def reduction(operation: type[Operation]) -> Reduction:
    """The function of a reduction, named after the operation."""

    def function(
        x: Any, /, *more: Any, axis: Any = None, keepdims: bool = False,
        name: str | None = None, **unknown: Any,
    ) -> Node:  # fmt: skip
        if more or unknown:
            raise misfit(function, (x, *more), unknown)
        return operation(x, axis=frozen(axis), keepdims=bool(keepdims), name=name)

    return _dressed(function, Reduction.__call__, operation, None)


def frozen(axis: Any) -> int | tuple[int, ...] | None:
    """`axis` as None, an int or a tuple of ints. Raises ShapeError for anything else."""
    if axis is None or type(axis) is int:
        return axis
    try:
        if isinstance(axis, (tuple, list)):
            return tuple(index(number) for number in axis)
        return index(axis)
    except TypeError:
        raise ShapeError(
            f"axis must be None, an integer or several, got {axis!r}",
            hint="Axes are numbered: axis=0 for the first, axis=-1 for the last.",
        ) from None


def _named(function: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    """The options if they are only a name and the inputs fit. Raises ArgumentError otherwise."""
    try:
        inspect.signature(function).bind(*inputs, **options)
    except TypeError:
        raise misfit(function, inputs, options) from None
    return options


def _dressed(
    function: Any, like: Any, operation: type[Operation], name: str | None, lean: Any = None
) -> Any:
    """The function with the name, documentation and signature that users see.

    `lean` is the same function for the library's own calls, which always fit.
    """
    function.lean = lean
    _, *parameters = inspect.signature(like).parameters.values()  # without self
    explains(function).__signature__ = inspect.Signature(parameters)
    function.__name__ = function.__qualname__ = name or operation._kind_name
    function.__doc__ = operation.__doc__
    function.__module__ = operation.__module__
    if lean is not None:
        lean.__name__ = lean.__qualname__ = function.__name__
    return function
