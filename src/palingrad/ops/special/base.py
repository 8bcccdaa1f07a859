"""What special functions share: their dtype, why a result isn't finite, orders as attributes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import float16, float32
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
            "keeping the arguments inside the domain, the logarithm of the function, or float64",
        )


def single(m, x):
    """x, in float32 if it is float16: formulas of many steps overflow or round too often."""
    return m.cast(x, float32) if x.dtype == float16 else x


def like(m, y, x):
    """y, rounded to float16 if x is."""
    return m.cast(y, float16) if x.dtype == float16 else y


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
        call = f"pg.special.{what.partition(':')[0]}"
        hint = f"Write pg.stack([{call}(n, x) for n in orders])."
        raise ArgumentError(f"{what} must be {kind}, got {n!r:.60}.", hint=hint if several else "")
    return n
