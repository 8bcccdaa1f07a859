"""Contractions that aren't one matrix product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...classes import Protocol


class ContractionMaths(Protocol):
    """Contractions that aren't one matrix product."""


OWN: dict[str, Callable[..., Any]] = {}  # those that NumPy lacks or that are to be more exact
