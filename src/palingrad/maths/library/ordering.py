"""Sorting, searching, and what is made of sorted elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class OrderingMaths(Protocol):
    """Sorting, searching, and what is made of sorted elements."""

    def nanargmax(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The index of the first largest element that isn't NaN; ValueError if all are."""

    def nanargmin(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The index of the first smallest element that isn't NaN; ValueError if all are."""


OWN: dict[str, Callable[..., Any]] = {}  # those that NumPy lacks or that are to be more exact
