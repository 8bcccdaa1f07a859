"""Sorting, searching, and what is made of sorted elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class OrderingMaths(Protocol):
    """Sorting, searching, and what is made of sorted elements."""


OWN: dict[str, Callable[..., Any]] = {}  # those that NumPy lacks or that are to be more exact
