"""NumPy's functions of nodes that aren't ufuncs: `np.sum(x, axis=0)`, `np.concatenate([x, y])`.

The arguments are bound to NumPy's signature. Those that differ from NumPy's defaults are passed to
the function of palingrad, which refuses what it doesn't know.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from ...errors import ArgumentError
from ...messages.calls import called
from ...trees import mapped
from .composed import ADAPTED, COMPOSED
from .interchange import namespace
from .tables import IN_PLACE, INPUTS, INSTEAD, OF_DTYPES, OF_VALUES, STORAGE
from .ufuncs import found, refusal

VAR_POSITIONAL = inspect.Parameter.VAR_POSITIONAL
VAR_KEYWORD = inspect.Parameter.VAR_KEYWORD


def of_function(
    kind: type[Any], function: Any, types: Collection[type[Any]], args: Any, kwargs: Any
) -> Any:
    """What NumPy's `function(*args, **kwargs)` means for nodes, of the class `kind`."""
    if not all(issubclass(one, (np.ndarray, kind)) for one in types):
        return NotImplemented
    name = _name_of(function)
    if name in IN_PLACE:
        raise ArgumentError(
            f"np.{name} would write into an array, in place.",
            hint="Make a new node: y = x.at[index].set(value).",
        )
    if name in OF_VALUES:
        return function(*_values(kind, args), **_values(kind, kwargs))
    if name in OF_DTYPES:
        return function(*mapped(lambda x: _dtype(kind, x), args), **kwargs)
    target = _target(name)
    if target is None:
        raise refusal(name, INSTEAD.get(name, ""))
    count = max(INPUTS.get(name, 1), _by_position(target))
    inputs, options = _bound(function, name, count, args, kwargs)
    return called(target, *inputs, **options)


def _name_of(function: Any) -> str:
    """The name below `np`, such as "sum" or "linalg.norm"."""
    module = function.__module__.partition(".")[2]
    return f"{module}.{function.__name__}" if module else function.__name__


def _target(name: str) -> Callable[..., Any] | None:
    """The library's function of the same mathematics, None if there is none: `np.emath.sqrt`, of
    another module, isn't `np.sqrt`."""
    part, _, short = name.rpartition(".")
    if part in ("linalg", "fft"):
        return getattr(getattr(namespace(), part, None), short, None)
    if part:
        return COMPOSED.get(name)
    return ADAPTED.get(name) or found(name) or COMPOSED.get(name)


@cache
def _signature(function: Any) -> inspect.Signature:
    return inspect.signature(function)


@cache
def _by_position(target: Any) -> int:
    """The number of parameters that a function of the library takes by position alone."""
    return sum(p.kind is p.POSITIONAL_ONLY for p in _signature(target).parameters.values())


def _bound(
    function: Callable[..., Any], name: str, count: int, args: Any, kwargs: Any
) -> tuple[list[Any], dict[str, Any]]:
    """The inputs, the first `count` parameters, by position and the options by name, without those
    that are NumPy's defaults."""
    if not kwargs and len(args) <= count:
        return list(args), {}
    inputs: list[Any] = []
    options: dict[str, Any] = {}
    for p, value in _assigned(function, args, kwargs):
        if p.kind is VAR_POSITIONAL:
            inputs += value
        elif p.kind is VAR_KEYWORD:
            options.update(value)
        elif p.name in ("out", "like") and value is not None:
            raise ArgumentError(
                f"np.{name} would write a node into {p.name}=, in place.",
                hint=f"Leave it out: y = np.{name}(x) is a new node.",
            )
        elif p.name == "order" and value in ("F", "A", "K") and name in ("ravel", "reshape"):
            raise ArgumentError(
                f"np.{name}: order={value!r} isn't supported: elements are in C's order.",
                hint="Transpose before and after: pg.reshape(x.T, shape[::-1]).T.",
            )
        elif p.place < count and len(inputs) == p.place:
            inputs.append(value)
        elif p.name not in STORAGE and not _is_default(value, p.default):
            options[p.name] = value
    return inputs, options


class _Parameter(NamedTuple):
    """A parameter of one of NumPy's functions. The attributes of `inspect` are slow to read."""

    name: str
    kind: Any
    default: Any
    place: int


@cache
def _parameters(function: Any) -> dict[str, _Parameter]:
    parameters = _signature(function).parameters.values()
    return {p.name: _Parameter(p.name, p.kind, p.default, n) for n, p in enumerate(parameters)}


def _assigned(function: Any, args: Any, kwargs: Any) -> list[tuple[_Parameter, Any]]:
    """The parameters that are given, in order, each with its argument."""
    sources = _sources(function, len(args), tuple(kwargs))
    if sources is not None:
        return [(p, args[n] if n >= 0 else kwargs[p.name]) for p, n in sources]
    bound = _signature(function).bind(*args, **kwargs).arguments
    return [(p, bound[name]) for name, p in _parameters(function).items() if name in bound]


@lru_cache(1024)
def _sources(
    function: Any, count: int, names: tuple[str, ...]
) -> tuple[tuple[_Parameter, int], ...] | None:
    """For each parameter that a call with so many positional arguments and these names gives, the
    number of the argument, -1 for one by name; None if it can't be said, or the call doesn't
    fit."""
    try:
        bound = _signature(function).bind(*range(count), **dict.fromkeys(names, -1)).arguments
    except TypeError:
        return None
    given = [(p, bound[name]) for name, p in _parameters(function).items() if name in bound]
    if any(p.kind in (VAR_POSITIONAL, VAR_KEYWORD) for p, _ in given):
        return None
    return tuple(given)


def _is_default(value: Any, default: Any) -> bool:
    if value is default:
        return True
    return (
        type(value) is type(default)
        and isinstance(value, (str, int, float, bool))
        and (value == default)
    )


def _values(kind: type[Any], tree: Any) -> Any:
    """The arguments with arrays for nodes. Raises GradientError where that cuts a gradient."""
    return mapped(lambda x: x.numpy() if isinstance(x, kind) else x, tree)


def _dtype(kind: type[Any], x: Any) -> Any:
    if not isinstance(x, kind):
        return x
    return x.dtype if x.weak is None else x.weak
