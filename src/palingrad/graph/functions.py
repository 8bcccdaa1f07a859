"""Builds the functions that users call (`pg.exp`) from operation classes (`Exp`)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from operator import index
from typing import Any, TypeVar, overload

from ..classes import Protocol
from ..errors import ShapeError
from ..messages.calls import misfit
from .eager import (
    MISSING,
    binary_function,
    short_path,
    takes_short_path,
    unary_function,
)
from .node import Node
from .operation import Operation


class Unary(Protocol):
    """A function of one array."""

    def __call__(self, x: Any, /, *, name: str | None = None) -> Node: ...


class Binary(Protocol):
    """A function of two arrays, which are broadcast against each other."""

    def __call__(self, x: Any, y: Any, /, *, name: str | None = None) -> Node: ...


_UNNAMED = {"name": None}  # what a function passes on that was given no name


def unary(operation: type[Operation], *, name: str | None = None) -> Unary:
    """The function of a unary operation, named after the operation unless `name` is given."""

    def general(*inputs: Any, **options: Any) -> Node:
        if options == _UNNAMED and len(inputs) == 1:
            return function(*inputs)
        inputs = tuple(x for x in inputs if x is not MISSING)
        if len(inputs) != 1 or options:
            return operation(*inputs[:1], **_named(function, inputs, options))
        return operation(*inputs)

    short = takes_short_path(operation)
    function = unary_function(operation, general) if short else general
    return _dressed(function, Unary.__call__, operation, name)


def binary(operation: type[Operation], *, name: str | None = None) -> Binary:
    """The function of a binary operation, named after the operation unless `name` is given."""

    def general(*inputs: Any, **options: Any) -> Node:
        if options == _UNNAMED and len(inputs) == 2:
            return function(*inputs)
        inputs = tuple(x for x in inputs if x is not MISSING)
        if len(inputs) != 2 or options:
            return operation(*inputs[:2], **_named(function, inputs, options))
        return operation(*inputs)

    short = takes_short_path(operation)
    function = binary_function(operation, general) if short else general
    return _dressed(function, Binary.__call__, operation, name)


class Reduction(Protocol):
    """A function that reduces some axes of an array, all of them by default."""

    def __call__(
        self, x: Any, /, axis: Any = None, *, keepdims: bool = False, name: str | None = None
    ) -> Node: ...


class MaskedReduction(Protocol):
    """A reduction of the elements that a mask `where` selects."""

    def __call__(
        self, x: Any, /, axis: Any = None, *, keepdims: bool = False, where: Any = None,
        name: str | None = None,
    ) -> Node: ...  # fmt: skip


class Averaging(Protocol):
    """A reduction of the elements that a mask `where` selects, computed in `dtype`."""

    def __call__(
        self, x: Any, /, axis: Any = None, *, dtype: Any = None, keepdims: bool = False,
        where: Any = None, name: str | None = None,
    ) -> Node: ...  # fmt: skip


class ExtremeReduction(Protocol):
    """A reduction of `initial` and of the elements that a mask `where` selects."""

    def __call__(
        self, x: Any, /, axis: Any = None, *, keepdims: bool = False, initial: Any = None,
        where: Any = None, name: str | None = None,
    ) -> Node: ...  # fmt: skip


class Accumulation(Protocol):
    """A reduction of `initial` and of the elements that a mask `where` selects, in `dtype`."""

    def __call__(
        self, x: Any, /, axis: Any = None, *, dtype: Any = None, keepdims: bool = False,
        initial: Any = None, where: Any = None, name: str | None = None,
    ) -> Node: ...  # fmt: skip


# What `help` says of the options of reductions.
_OPTIONS: dict[str, str] = {
    "axis": "axis: an axis or several, by default all; with keepdims they stay, of size 1.",
    "dtype": "dtype: that of the result.",
    "initial": "initial: what the elements are combined with.",
    "where": "where: a mask of the elements that count.",
}

R = TypeVar("R", bound=Callable[..., Node])


@overload
def reduction(operation: type[Operation]) -> Reduction: ...
@overload
def reduction(operation: type[Operation], like: type[R], composed: Callable[..., Any]) -> R: ...
def reduction(
    operation: type[Operation], like: Any = Reduction, composed: Callable[..., Any] | None = None
) -> Any:
    """The function of a reduction, named after the operation; `axis` may be positional.

    `like` is the protocol that shows its signature. A call with options beyond axis and keepdims is
    built by `composed(operation, x, axis=…, keepdims=…, name=…, **options)`.
    """
    options = _signature_of(like.__call__).parameters.keys() - {"x", "axis", "keepdims", "name"}
    short = short_path(operation) if takes_short_path(operation) else None

    def function(
        x: Any = MISSING, /, axis: Any = None, *more: Any, keepdims: bool = False,
        name: str | None = None, **unknown: Any,
    ) -> Node:  # fmt: skip
        if more or x is MISSING or not unknown.keys() <= options:
            raise misfit(function, () if x is MISSING else (x, axis, *more), unknown)
        if unknown and composed is not None:
            where = unknown.get("where")
            unknown["where"] = None if where is True else where  # NumPy's default
            given = {key: value for key, value in unknown.items() if value is not None}
            if given:
                plain = dict(axis=frozen(axis), keepdims=bool(keepdims), name=name)
                return composed(operation, x, **plain, **given)
        if short is not None and name is None and isinstance(x, Node):
            if (axis is None or type(axis) is int) and type(keepdims) is bool:
                node = short(x, {"axis": axis, "keepdims": keepdims})
                if node is not None:
                    return node
        return operation(x, axis=frozen(axis), keepdims=bool(keepdims), name=name)

    dressed = _dressed(function, like.__call__, operation, None)
    explained = [text for one, text in _OPTIONS.items() if one in {*options, "axis"}]
    dressed.__doc__ = "\n    ".join([f"{operation.__doc__}\n", *explained, ""])
    return dressed


def frozen(axis: Any) -> int | tuple[int, ...] | None:
    """`axis` as None, an int or a tuple of ints. Raises ShapeError for anything else."""
    if axis is None or type(axis) is int:
        return axis
    try:
        if isinstance(axis, (tuple, list)):
            return tuple(index(number) for number in axis)
        if isinstance(axis, bool):  # keepdims, say, in its place
            raise TypeError
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


@cache
def _signature_of(like: Any) -> inspect.Signature:
    """The signature of the method of a protocol, without self."""
    _, *parameters = inspect.signature(like).parameters.values()
    return inspect.Signature(parameters)


def _dressed(function: Any, like: Any, operation: type[Operation], name: str | None) -> Any:
    """The function with the name, documentation and signature that users see."""
    function.explains, function.__signature__ = True, _signature_of(like)
    function.__name__ = function.__qualname__ = name or operation._kind_name
    function.__doc__ = operation.__doc__
    function.__module__ = operation.__module__
    return function
