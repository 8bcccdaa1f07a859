"""Parts of floats, neighbouring floats, and divisors of integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...classes import Protocol


class NumberMaths(Protocol):
    """Parts of floats, neighbouring floats, and divisors of integers."""

    def nextafter(self, x: Any, y: Any) -> Any:
        """The float next to x in the direction of y; y where x = y."""

    def ldexp(self, x: Any, n: Any) -> Any:
        """x·2ⁿ for integers n, without overflow in between."""

    def exponent(self, x: Any) -> Any:
        """The integer n (int32) with x = m·2ⁿ and ½ ≤ |m| < 1; 0 for 0, ±∞ and NaN."""

    def gcd(self, x: Any, y: Any) -> Any:
        """The greatest common divisor of integers, at least 0; gcd(0, 0) = 0."""

    def lcm(self, x: Any, y: Any) -> Any:
        """The least common multiple of integers, at least 0; 0 if either is 0."""

    def bitwise_count(self, x: Any) -> Any:
        """The number of ones among the bits of |x|, as uint8."""


def _exponent(x: Any) -> Any:
    return np.where(np.isfinite(x), np.frexp(x)[1], np.int32(0))


OWN: dict[str, Callable[..., Any]] = {"exponent": _exponent}
