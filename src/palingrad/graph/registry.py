"""Two tables filled at import: operation classes, and public functions by name.

Operators and methods of nodes, and derivative rules of every family, call functions as `ops.name`.
So `graph/` needs no import of what stands above it, and no family needs one of another. `view` is
the part of the package that shows nodes, imported when a node is first shown.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from .operation import Operation

F = TypeVar("F", bound=Callable[..., Any])

operations: list[type[Operation]] = []
ops: Any = SimpleNamespace()


class Later:
    """A part of the package that stands above, imported when something of it is first used."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._module), name)


view: Any = Later("palingrad.view")


def register(function: F) -> F:
    """Make `function` known under its name in `ops`."""
    setattr(ops, function.__name__, function)
    return function
