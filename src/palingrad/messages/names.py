"""Errors for names that don't exist here: misspelt ones, and those of other libraries."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, TypeVar

import numpy as np

from ..errors import ArgumentError, UnknownNameError
from .checks import nearest

C = TypeVar("C", bound=type[Any])
# Functions of NumPy that don't compute with arrays.
_NO_ARRAYS = frozenset(
    "get_printoptions set_printoptions printoptions geterr seterr geterrcall seterrcall errstate "
    "load loadtxt genfromtxt fromfile fromstring frombuffer fromregex issubdtype promote_types "
    "base_repr binary_repr iterable get_include info show_config show_runtime".split()
)
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def unknown_name(
    module: str, name: str, names: Iterable[str], elsewhere: Mapping[str, str]
) -> UnknownNameError:
    """The error for an attribute `name` that a module of palingrad doesn't have.

    `names` are those it has; `elsewhere` maps names of other libraries to what is written here.
    """
    fact = f"module {module!r} has no attribute {name!r}"
    if name.startswith("_"):  # tests of Python and of tools: nobody reads the message
        return UnknownNameError(fact)
    short = module.replace("palingrad", "pg", 1)
    instead = elsewhere.get(name)
    if instead is None:
        near = nearest(name, (one for one in names if not one.startswith("_")))
        if short == "pg" and (kept := vars(np).get(name)) is not None and callable(kept):
            hint = f"Write np.{name}" + (
                "." if isinstance(kept, type) or name in _NO_ARRAYS
                else ", of plain arrays: x.numpy() is one, without a derivative."
            )  # fmt: skip
        elif near is None:
            hint = f"dir({short}) lists its names"
            hint += "; docs/operations.md describes the operations." if short == "pg" else "."
        else:
            hint = f"Did you mean {short}.{near}?"
        return UnknownNameError(f"{fact}.", hint=hint)
    return UnknownNameError(f"{fact}.", hint=f"Write {instead}.")


class Elsewhere:
    """An attribute that objects have in other libraries; reading it raises UnknownNameError.

    It isn't a data descriptor: an attribute of the same name in an object is found first.
    """

    def __init__(self, instead: str) -> None:
        self.instead = instead
        self._name = ""

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type[Any]) -> NoReturn:
        raise self.error(owner)

    def error(self, owner: type[Any]) -> UnknownNameError:
        """What reading the attribute of an object of this class raises."""
        return UnknownNameError(
            f"{owner.__name__!r} object has no attribute {self._name!r}.",
            hint=f"Write {self.instead}.",
        )


class Assigned(Elsewhere):
    """The same, of a name that is assigned to in other libraries, which is refused too."""

    def __init__(self, instead: str, refuse: Callable[[Any, Any], NoReturn]) -> None:
        super().__init__(instead)
        self._refuse = refuse

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is not None and self._name in vars(instance):
            return vars(instance)[self._name]
        raise self.error(owner)

    def __set__(self, instance: Any, value: Any) -> NoReturn:
        self._refuse(instance, value)


def refusing_assignments(instead: Mapping[str, str]) -> Callable[[C], C]:
    """A decorator of classes of nodes: `x.shape = …` and its like raise ArgumentError, with what to
    write. The attributes are properties, or names of other libraries."""

    def decorate(cls: C) -> C:
        for name, hint in instead.items():
            known = inspect.getattr_static(cls, name)
            refuse = _refusal(name, hint)
            if isinstance(known, property):
                setattr(cls, name, known.setter(refuse))
            else:
                attribute = Assigned(known.instead, refuse)
                attribute.__set_name__(cls, name)
                setattr(cls, name, attribute)
        return cls

    return decorate


def _refusal(name: str, hint: str) -> Callable[[Any, Any], NoReturn]:
    def refuse(node: Any, value: Any) -> NoReturn:
        raise ArgumentError(
            f"{node.label()}: x.{name} = … would change a node{node.built()}; what a node computes "
            "is fixed.",
            hint=hint,
        )

    return refuse


def with_names_from(elsewhere: Mapping[str, str]) -> Callable[[C], C]:
    """A decorator of classes that explains these names of other libraries, each unless the class
    has such an attribute. `dir` leaves them out."""

    def decorate(cls: C) -> C:
        for name, instead in elsewhere.items():
            if not hasattr(cls, name):
                attribute = Elsewhere(instead)
                attribute.__set_name__(cls, name)
                setattr(cls, name, attribute)
        return cls

    return decorate


def without_names_from_elsewhere(names: Iterable[str], cls: type[Any]) -> list[str]:
    """The names without those that a class only explains."""
    found = {one: vars(base)[one] for base in reversed(cls.__mro__) for one in vars(base)}
    return [name for name in names if not isinstance(found.get(name), Elsewhere)]


def unknown_attribute(
    node: Any, name: str, functions: Mapping[str, Any], elsewhere: Mapping[str, str]
) -> AttributeError:
    """The error for an attribute `name` that a node doesn't have; `functions` are those of `pg`."""
    cls: type[Any] = type(node)
    fact = f"{cls.__name__!r} object has no attribute {name!r}"
    if name.startswith("_"):  # asked by Python and by tools: nobody reads the message
        return AttributeError(fact)
    explained = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
    if isinstance(explained, Elsewhere):
        return explained.error(cls)
    if name in functions:
        hint = f"Write pg.{name}({_arguments(functions[name])})."
    elif name in elsewhere:
        hint = f"Write {elsewhere[name]}."
    elif name.endswith("_"):
        hint = "Nodes don't change: functions without _ at the end make new ones."
    elif hasattr(np.ndarray, name):
        hint = f"Arrays have it: x.numpy().{name}, without a derivative."
    else:
        names = without_names_from_elsewhere(dir(cls), cls)
        near = nearest(name, (one for one in names if not one.startswith("_")))
        hint = "dir(x) lists its names." if near is None else f"Did you mean x.{near}?"
    return UnknownNameError(f"{fact}.", hint=hint)


def _arguments(function: Any) -> str:
    """How a function is called with a node x: "x", or "x, y" if it needs more."""
    parameters = inspect.signature(function).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in _VARIADIC]
    return ", ".join(["x", *needed[1:]])
