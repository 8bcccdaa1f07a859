"""Finds the operations that a user names on the command line."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import GraphError
from ..graph.operation import Operation
from ..messages.checks import did_you_mean
from ..view.script import names_in, split_place
from .battery import computes, shipped


class Found(NamedTuple):
    """An operation, and the statements with which a program gets it."""

    operation: type[Operation]
    imported: str


def find(places: Sequence[str]) -> list[Found]:
    """The operations of these names, `FILE.py`, `FILE.py:Class` or `module:Class`.

    Without any, those of the library that have samples. Raises GraphError for what isn't there.
    """
    if not places:
        return [_shipped(operation) for operation in shipped() if operation.samples]
    return [found for place in places for found in _at(place)]


def _at(place: str) -> list[Found]:
    path, name = split_place(place)
    if path.suffix == ".py":
        return _in_file(path, name)
    module, colon, name = place.partition(":")
    return [_in_module(module, name)] if colon else [_named(place)]


def _named(name: str) -> Found:
    known = {operation._kind_name: operation for operation in shipped() if operation.samples}
    by_class = {operation.__name__: operation for operation in known.values()}
    if name in known or name in by_class:
        return _shipped(known.get(name) or by_class[name])
    raise GraphError(
        f"no operation is called {name!r}.",
        hint=did_you_mean(name, known)
        or "FILE.py, FILE.py:Class and module:Class name operations of your own.",
    )


def _shipped(operation: type[Operation]) -> Found:
    return Found(operation, f"from {operation.__module__} import {operation.__name__}")


def _in_file(path: Path, name: str) -> list[Found]:
    space = names_in(path)
    own = {
        key: value
        for key, value in space.items()
        if _is_operation(value) and value.__module__ == "__palingrad__"
    }
    chosen = _chosen(space, own, name, path.name)
    text = str(path)
    return [
        Found(
            operation,
            f'import runpy\n{key} = runpy.run_path({text!r}, run_name="__palingrad__")[{key!r}]',
        )
        for key, operation in chosen.items()
    ]


def _in_module(module: str, name: str) -> Found:
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        space = vars(importlib.import_module(module))
    except ModuleNotFoundError as error:
        if error.name and not module.startswith(error.name):
            raise
        raise GraphError(
            f"there is no module {module!r}.",
            hint="Run the command in the folder that holds it, or name a file.",
        ) from error
    finally:
        sys.path.remove(here)
    own = {key: value for key, value in space.items() if _is_operation(value)}
    (key, operation), *_ = _chosen(space, own, name, module).items()
    return Found(operation, f"from {module} import {key}")


def _is_operation(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Operation) and computes(value)


def _chosen(
    space: dict[str, Any], own: dict[str, type[Operation]], name: str, place: str
) -> dict[str, type[Operation]]:
    if not name and own:
        return own
    if name and _is_operation(space.get(name)):
        return {name: space[name]}
    if own:
        fact = f"{place} has no operation {name!r}; its operations are {', '.join(own)}."
        raise GraphError(fact, hint=did_you_mean(name, own))
    raise GraphError(
        f"{place} has no operation{f' {name!r}, nor any other' if name else ''}.",
        hint="An operation is a class such as `class Cube(pg.Elementwise)`, with a formula f.",
    )
