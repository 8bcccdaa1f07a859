"""Special functions, elementwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class SpecialMaths(Protocol):
    """Special functions, elementwise."""


OWN: dict[str, Callable[..., Any]] = {}  # those that NumPy lacks or that are to be more exact
