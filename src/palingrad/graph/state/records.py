"""Data classes that are made quickly: `dataclass` does what that of `dataclasses` does.

Python's compiles the text of six methods for each class, which takes 0.5 ms: more than half of the
time in which the native engine's modules are imported. Here the methods are closures over the
fields. `dataclasses.fields` and `replace` know these classes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field as field
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(field_specifiers=(field,))
def dataclass(*, frozen: bool = False, eq: bool = True) -> Callable[[type[T]], type[T]]:
    """A decorator of classes with annotated fields. Instances of a frozen class can't be changed;
    with `eq` they are equal if their fields are, and frozen ones have a hash.

    >>> from palingrad.graph.state.records import dataclass
    >>> @dataclass(frozen=True)
    ... class Point:
    ...     x: float
    ...     y: float = 0.0
    >>> Point(1.0), Point(1.0) == Point(x=1.0)
    (Point(x=1.0, y=0.0), True)
    """

    def made(kind: type[T]) -> type[T]:
        kind = dataclasses.dataclass(init=False, repr=False, eq=False)(kind)
        own = vars(kind)
        fields = dataclasses.fields(kind)  # pyright: ignore[reportArgumentType]
        _add(kind, "__init__", _constructor(kind, fields))
        if "__repr__" not in own:
            _add(kind, "__repr__", _representation(fields))
        if eq:
            compared = tuple(one.name for one in fields if one.compare)
            if "__eq__" not in own:
                _add(kind, "__eq__", _equality(compared))
            if own.get("__hash__") is None:  # which Python sets to None beside an __eq__
                _add(kind, "__hash__", _hash(compared) if frozen else None)
        said: Any = kind
        said.__frozen__ = frozen  # `__dataclass_params__` knows only what Python has made
        if frozen:
            names = frozenset(one.name for one in fields)
            _add(kind, "__setattr__", _refusal(kind, names, "assign to"))
            _add(kind, "__delattr__", _refusal(kind, names, "delete"))
        return kind

    return made


def _add(kind: type[Any], name: str, method: Any) -> None:
    if method is not None:
        method.__qualname__ = f"{kind.__qualname__}.{name}"
    setattr(kind, name, method)


def _constructor(kind: type[Any], fields: tuple[dataclasses.Field[Any], ...]) -> Any:
    names = tuple(one.name for one in fields)
    count = len(names)
    missing = dataclasses.MISSING
    defaults = {one.name: one.default for one in fields if one.default is not missing}
    factories = {
        one.name: one.default_factory for one in fields if one.default_factory is not missing
    }
    finish: Any = getattr(kind, "__post_init__", None)

    def __init__(self: Any, *given: Any, **named: Any) -> None:
        values = self.__dict__  # which `__setattr__` of a frozen class doesn't guard
        values.update(zip(names, given))
        if named:
            values.update(named)
        if len(values) != count or len(given) + len(named) != count:
            for name in names:
                if name not in values:
                    if name in defaults:
                        values[name] = defaults[name]
                    elif name in factories:
                        values[name] = factories[name]()
            _check(kind, names, given, named, values)
        if finish is not None:
            finish(self)

    return __init__


def _check(
    kind: type[Any], names: tuple[str, ...], given: tuple[Any, ...], named: Any, values: Any
) -> None:
    """Raise TypeError unless each field has one value."""
    lacking = [name for name in names if name not in values]
    unknown = [name for name in values if name not in names]
    twice = [name for name in names[: len(given)] if name in named]
    if lacking or unknown or twice or len(given) > len(names):
        raise TypeError(
            f"{kind.__name__}({', '.join(names)}): {len(given)} values by position"
            + "".join(f"; {what} {which}" for what, which in (
                ("without", lacking), ("unknown", unknown), ("twice", twice)) if which)
        )  # fmt: skip


def _representation(fields: tuple[dataclasses.Field[Any], ...]) -> Any:
    shown = tuple(one.name for one in fields if one.repr)

    def __repr__(self: Any) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__qualname__}({values})"

    return __repr__


def _equality(names: tuple[str, ...]) -> Any:
    def __eq__(self: Any, other: object) -> Any:
        if type(other) is not type(self):
            return NotImplemented
        mine, its = self.__dict__, other.__dict__
        return tuple([mine[name] for name in names]) == tuple([its[name] for name in names])

    return __eq__


def _hash(names: tuple[str, ...]) -> Any:
    def __hash__(self: Any) -> int:
        mine = self.__dict__
        return hash(tuple([mine[name] for name in names]))

    return __hash__


def _refusal(kind: type[Any], names: frozenset[str], what: str) -> Any:
    method: Any = kind.__setattr__ if what == "assign to" else kind.__delattr__

    def refuse(self: Any, name: str, *value: Any) -> None:
        if type(self) is kind or name in names:
            raise FrozenInstanceError(f"cannot {what} field {name!r}")
        method(self, name, *value)

    return refuse
