"""Convolutions, interpolation and differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class SignalMaths(Protocol):
    """Convolutions, interpolation and differences."""


OWN: dict[str, Callable[..., Any]] = {}  # those that NumPy lacks or that are to be more exact
