"""Elements repeated, reversed, rolled and padded, and parts of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...classes import Protocol


class PieceMaths(Protocol):
    """Elements repeated, reversed, rolled and padded, and parts of matrices."""


OWN: dict[str, Callable[..., Any]] = {}  # those that NumPy lacks or that are to be more exact
