"""What special functions share: their dtype, why a result isn't finite, orders as attributes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...graph.describe.nonfinite import Reason, number
from ...graph.kinds import Elementwise
from ...graph.node import Node


class Special(Elementwise):
    """A function of floats; integers are converted to the default float."""

    floats = True

    def nonfinite(y, value, *x):
        at = ", ".join(map(number, x))
        return Reason(
            f"{y.kind_name()} of {at} is {number(value)}: a pole, the end of its domain, or too "
            f"large for {y.dtype}",
            "keep the arguments inside the domain, use the logarithm of the function, or float64",
        )


def order_of(what: str, n: Any, *, least: int | None = None, whole: bool = True) -> Any:
    """The order n of a function as a Python number. Raises ArgumentError for anything else."""
    if isinstance(n, (np.integer, np.floating)):
        n = n.item()
    if type(n) is float and n == int(n) and abs(n) < 1e15:
        n = int(n)
    fits = type(n) is int or (type(n) is float and not whole and np.isfinite(n))
    if not fits or (least is not None and n < least):
        kind = "an integer" if whole else "a number"
        kind += f" of at least {least}" if least is not None else ""
        several = isinstance(n, (Node, np.ndarray, list, tuple))
        hint = "An order is fixed when the node is made: stack one result for each order."
        raise ArgumentError(f"{what} must be {kind}, got {n!r:.60}.", hint=hint if several else "")
    return n
