"""Discrete Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class FourierMaths(Protocol):
    """Discrete Fourier transforms."""


OWN: dict[str, Callable[..., Any]] = {}  # those that NumPy lacks or that are to be more exact
