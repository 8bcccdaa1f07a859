"""Convolutions, interpolation and differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...classes import Protocol


class SignalMaths(Protocol):
    """Convolutions, interpolation and differences."""

    def convolve(self, x: Any, y: Any, mode: Any = "full") -> Any:
        """Σᵢ xᵢ·yₙ₋ᵢ of two vectors for all n, or for mode 'valid' where all of y's elements, which
        aren't more than x's, meet elements of x."""

    def interval(self, x: Any, knots: Any) -> Any:
        """The last i in 0 … n − 2 with knotsᵢ ≤ x, 0 if there is none, n − 2 for NaN; raises
        ValueError where the n knots decrease or are NaN."""


def _interval(x: Any, knots: Any) -> Any:
    if not (knots[1:] >= knots[:-1]).all():
        raise ValueError("the points xp aren't in ascending order")
    places = np.searchsorted(knots, x, side="right") - 1
    return np.clip(places, 0, max(len(knots) - 2, 0))


OWN: dict[str, Callable[..., Any]] = {"interval": _interval}
