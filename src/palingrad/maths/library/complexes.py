"""Complex numbers, their parts and bits of floats, elementwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class ComplexMaths(Protocol):
    """Complex numbers, their parts and bits of floats, elementwise."""


OWN: dict[str, Callable[..., Any]] = {}  # those that NumPy lacks or that are to be more exact
