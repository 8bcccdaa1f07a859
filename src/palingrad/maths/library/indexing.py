"""Reading and writing at arrays of indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class IndexingMaths(Protocol):
    """Reading and writing at arrays of indices."""


OWN: dict[str, Callable[..., Any]] = {}  # those that NumPy lacks or that are to be more exact
