"""Calls that don't fit a signature: ArgumentError with what to write, not Python's TypeError.

A call that fits costs nothing more, or one more Python call for a function that isn't called often.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from typing import Any, TypeVar, overload

from ..errors import ArgumentError
from .checks import counted, nearest, shown
from .keywords import ADVICE, EXAMPLES, SYNONYMS

F = TypeVar("F", bound=Callable[..., Any])
# The classes that define the methods of nodes, which messages call by their names alone.
_OWNERS = ("Node", "Operators", "ReductionMethods", "ShapeMethods", "ElementwiseMethods")
_PACKAGE = __name__.partition(".")[0] + "."
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@overload
def public(function: F) -> F: ...
@overload
def public(function: F, *, surplus: str) -> F: ...
@overload
def public(*, surplus: str) -> Callable[[F], F]: ...
def public(function: Any = None, *, surplus: str = "") -> Any:
    """The function, which explains calls that don't fit its signature. A decorator.

    `surplus` says what to do with arguments beyond those it takes by position.
    """
    if function is None:
        return partial(public, surplus=surplus)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            if not _of_the_call(error):
                raise
            wrong = misfit(function, args, kwargs, surplus)
        raise wrong

    return call


def explains(function: F) -> F:
    """Mark a function that takes `*more` and `**unknown` to raise `misfit` of them: without the
    cost of `public`, for functions that are called often."""
    signature = inspect.signature(function)
    shown = [p for p in signature.parameters.values() if p.name not in ("more", "unknown")]
    vars(function)["__signature__"] = signature.replace(parameters=shown)
    vars(function)["explains"] = True
    return function


def called(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """f(*args, **kwargs) for a user's f: ArgumentError if its signature doesn't fit the call."""
    try:
        return f(*args, **kwargs)
    except TypeError as error:
        if not _of_the_call(error) or not (inspect.isfunction(f) or inspect.ismethod(f)):
            raise
        wrong = misfit(f, args, kwargs)
    raise wrong


def _of_the_call(error: TypeError) -> bool:
    """Whether the call itself failed, rather than the body of the function that was called."""
    trace = error.__traceback__
    return not isinstance(error, ArgumentError) and trace is not None and trace.tb_next is None


def publish(cls: type[Any], surplus: str = "") -> None:
    """Make the constructor of a class of the library explain calls that don't fit."""
    own = cls.__dict__.get("__init__")
    if own is not None and cls.__module__.startswith(_PACKAGE):
        cls.__init__ = public(own, surplus=surplus)


def misfit(
    f: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    surplus: str = "",
    name: str | None = None,
) -> ArgumentError:
    """The error for a call of f, which is called `name`, with arguments that its signature doesn't
    fit."""
    own, parameters, given = _callee(f, args)
    name = name or own
    if given is None:
        method = f.__name__
        return ArgumentError(
            f"{name} was called on the class, without an object.",
            hint=f"Make one first: write Adam().{method}(…), for example, not Adam.{method}(…).",
        )
    positional = [p for p in parameters if p.kind in _POSITIONAL]
    optional = [p for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "name"]
    names = {p.name for p in parameters if p.kind is not p.POSITIONAL_ONLY}
    unknown = [key for key in kwargs if key not in names]
    if unknown:
        return _unknown(name, unknown, kwargs, parameters)
    if len(given) > len(positional):
        return _surplus(name, given, positional, optional, surplus)
    missing = [
        p.name
        for number, p in enumerate(parameters)
        if p.default is p.empty
        and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        and p.name not in kwargs
        and not (p.kind in _POSITIONAL and number < len(given))
    ]
    if missing:
        examples = ", ".join(EXAMPLES.get(one, one) for one in missing)
        return ArgumentError(
            f"{name}: {_listed(missing)} {'is' if len(missing) == 1 else 'are'} missing.",
            hint=f"Add {examples}: {name}{_signature(parameters)}.",
        )
    twice = [p.name for p in positional[: len(given)] if p.name in kwargs]
    fact = f"{_listed(twice)} is given twice" if twice else "the arguments don't fit"
    return ArgumentError(f"{name}: {fact}.", hint=f"The call is {name}{_signature(parameters)}.")


def _callee(
    f: Callable[..., Any], args: Sequence[Any]
) -> tuple[str, list[inspect.Parameter], Sequence[Any] | None]:
    """f's name, its parameters and its arguments, both without self. The arguments are None if self
    is missing or isn't an object of f's class."""
    parameters = list(inspect.signature(f).parameters.values())
    if not parameters or parameters[0].name != "self":
        return f.__name__, parameters, args
    if f.__name__ == "__init__":
        cls: type[Any] = type(args[0])
        return cls.__name__, _constructor(cls), args[1:]
    owner = f.__qualname__.rpartition(".")[0]
    given = args[1:] if args and owner in {c.__qualname__ for c in type(args[0]).__mro__} else None
    own = "" if owner in _OWNERS else f"{owner}."
    name = owner if f.__name__ == "__call__" else f"{own}{f.__name__}"
    return name, parameters[1:], given


def _constructor(cls: type[Any]) -> list[inspect.Parameter]:
    """The parameters of a constructor, with those to which its **options are passed on."""
    found: dict[str, inspect.Parameter] = {}
    for base in cls.__mro__:
        own = base.__dict__.get("__init__")
        if own is None or base is object:
            continue
        _, *parameters = inspect.signature(own).parameters.values()
        for p in parameters:
            if p.kind is not p.VAR_KEYWORD:
                found.setdefault(p.name, p)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return list(found.values())


def _unknown(
    name: str, unknown: list[str], kwargs: Mapping[str, Any], parameters: list[inspect.Parameter]
) -> ArgumentError:
    takes = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.POSITIONAL_ONLY)]
    fact = f"{name}: no argument is called {_listed([repr(key) for key in unknown])}."
    hints: list[str] = []
    by_position = {p.name for p in parameters if p.kind is p.POSITIONAL_ONLY}
    for key in unknown:
        if key in by_position:
            hints.append(f"{key} is given by position, without its name.")
            continue
        synonym = next((one for one in SYNONYMS.get(key, ()) if one in takes), None)
        near = synonym or nearest(key, takes)
        if near is not None:
            text = shown(kwargs[key], 30)
            hints.append(f"Write {near}={'…' if text.endswith('…') else text}.")
        elif key in ADVICE:
            hints.append(ADVICE[key].format(name=name))
    if len(hints) < len(unknown):
        hints.append(f"The call is {name}{_signature(parameters)}.")
    return ArgumentError(fact, hint=" ".join(hints))


def _surplus(
    name: str,
    given: Sequence[Any],
    positional: list[inspect.Parameter],
    optional: list[inspect.Parameter],
    surplus: str,
) -> ArgumentError:
    more = given[len(positional) :]
    fact = f"{name}: {counted(len(positional), 'argument')} by position expected, got {len(given)}."
    numbers = all(isinstance(x, (int, float)) for x in given)
    hint = "" if numbers else surplus
    last = positional[-1].name if positional else ""
    integers = all(type(x) is int for x in given[len(positional) - 1 :])
    if not hint and integers and last in ("shape", "axes"):
        sizes = ", ".join(map(str, given[len(positional) - 1 :]))
        hint = f"Several numbers are one tuple: {last}=({sizes})."
    if not hint and [p.name for p in positional[:1]] == ["xs"]:
        hint = f"Put the arrays into a list: pg.{name}([x, y])."
    sized = [p.name for p in positional[:1]] == ["shape"]
    if not hint and sized and all(type(x) is int for x in given):
        hint = f"Several numbers are one tuple: {name}({tuple(given)})."
    if not hint and len(more) <= len(optional):
        hint = f"Options are written by name: {_by_name(more, optional)}."
    required = all(p.default is p.empty for p in positional)
    if not hint and len(positional) == 2 and required and not optional:
        hint = f"Nest two calls: pg.{name}(pg.{name}(x, y), z)."
    if not hint:
        hint = f"The call is {name}{_signature([*positional, *optional])}."
    return ArgumentError(fact, hint=hint)


def _by_name(values: Sequence[Any], options: Sequence[inspect.Parameter]) -> str:
    """Values written as options; a truth value belongs to the first option that is one."""
    left = list(options)
    parts: list[str] = []
    for value in values:
        flags = [p for p in left if isinstance(p.default, bool) and isinstance(value, bool)]
        option = (flags or left)[0]
        left.remove(option)
        parts.append(f"{option.name}={shown(value, 20)}")
    return ", ".join(parts)


def _signature(parameters: Sequence[inspect.Parameter]) -> str:
    """The parameters without types, from `(`, for messages."""
    parts: list[str] = []
    for p in sorted(parameters, key=lambda p: p.kind):
        if p.name == "name" or p.kind is p.VAR_KEYWORD:
            continue
        if p.kind is p.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        default = getattr(p.default, "__name__", None) or repr(p.default)
        star = "*" if p.kind is p.VAR_POSITIONAL else ""
        parts.append(f"{star}{p.name}" if p.default is p.empty else f"{p.name}={default}")
    return f"({', '.join(parts)})"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([*filter(None, [", ".join(names[:-1])]), names[-1]])


def user_level() -> int:
    """The `stacklevel` with which the caller's warning shows the user's line."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    return level
