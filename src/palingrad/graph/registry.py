"""Two tables filled at import: operation classes, and public functions by name.

Operators and methods of nodes, and derivative rules of every family, call functions as `ops.name`.
So `graph/` needs no import of what stands above it, and no family needs one of another.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from .operation import Operation

F = TypeVar("F", bound=Callable[..., Any])

operations: list[type[Operation]] = []
ops: Any = SimpleNamespace()


def register(function: F) -> F:
    """Make `function` known under its name in `ops`."""
    setattr(ops, function.__name__, function)
    return function
