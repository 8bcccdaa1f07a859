"""Factorisations of matrices, and solutions of linear systems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class LinalgMaths(Protocol):
    """Factorisations of matrices, and solutions of linear systems."""


OWN: dict[str, Callable[..., Any]] = {}  # those that NumPy lacks or that are to be more exact
