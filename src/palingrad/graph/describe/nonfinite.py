"""What an operation says of an element that isn't finite: what happened, and a safe way."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...dtypes import DType


class Reason(NamedTuple):
    """What happened, and a way to write it that stays finite."""

    what: str
    rewrite: str


def number(x: float) -> str:
    """A number as people write it: 3 digits, a true minus, ∞."""
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    return f"{x:.3g}".replace("-", "−").replace("e+", "e")


def overflow(dtype: DType | None, sign: str, *terms: float) -> Reason:
    """Terms that `sign` stands between are together too large for the dtype."""
    what = f" {sign} ".join(map(number, terms)) + f" overflows {dtype}"
    return Reason(what, "scale the numbers down, add logarithms instead, or use float64")


def too_steep(
    kind: str, dtype: DType | None, x: float, inverse: Callable[[float], float]
) -> Reason:
    """A function that grows like eˣ, beyond the x that `inverse` gives for the largest number."""
    assert dtype is not None  # the element has a value
    largest = inverse(float(np.finfo(dtype).max))
    end = math.floor(largest)
    bounded = f"pg.minimum(x, {end})" if x > 0 else f"pg.maximum(x, -{end})"
    return Reason(
        f"{kind} overflows at {number(x)} in {dtype} (it ends at {largest:.4g})",
        f"bound the argument, as in pg.{kind}({bounded})",
    )


def total_overflow(dtype: DType | None, what: str) -> Reason:
    """A sum or product of many elements is too large for the dtype."""
    return Reason(
        f"the {what} overflows {dtype}",
        "scale the numbers down, take means for sums, or use float64",
    )
