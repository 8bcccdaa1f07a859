"""Reasons for elements that aren't finite, each with a rewrite that avoids them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ...classes import NamedTuple
from ...dtypes import DType


class Reason(NamedTuple):
    """Why an element isn't finite, and a rewrite that stays finite."""

    what: str
    rewrite: str


def number(x: complex) -> str:
    """A number with 3 significant digits, the minus sign U+2212, and ∞."""
    if isinstance(x, complex):
        sign = "" if number(x.imag).startswith("−") else "+"
        return f"{number(x.real)}{sign}{number(x.imag)}i"
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    return f"{x:.3g}".replace("-", "−").replace("e+", "e")


def overflow(dtype: DType | None, sign: str, *terms: float) -> Reason:
    """The result of `terms` joined by the operator `sign` is too large for the dtype."""
    what = f" {sign} ".join(map(number, terms)) + f" overflows {dtype}"
    return Reason(what, "scaling the numbers down, adding logarithms instead, or float64")


def too_steep(
    kind: str, dtype: DType | None, x: float, inverse: Callable[[float], float]
) -> Reason:
    """A function that grows like eˣ overflows at x.

    `inverse` is the function's inverse: of the dtype's largest number it is the largest safe x.
    """
    assert dtype is not None  # because the element has a value
    largest = inverse(float(np.finfo(dtype).max))
    end = math.floor(largest)
    bounded = f"pg.minimum(x, {end})" if x > 0 else f"pg.maximum(x, -{end})"
    return Reason(
        f"{kind} overflows at {number(x)} in {dtype} (the limit is {largest:.4g})",
        f"bounding the argument, as in pg.{kind}({bounded})",
    )


def total_overflow(dtype: DType | None, what: str) -> Reason:
    """A sum or product over many elements is too large for the dtype."""
    return Reason(
        f"the {what} overflows {dtype}",
        "scaling the numbers down, means instead of sums, or float64",
    )
