"""Running sums and products, and their like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class ScanMaths(Protocol):
    """Running sums and products, and their like."""


OWN: dict[str, Callable[..., Any]] = {}  # those that NumPy lacks or that are to be more exact
