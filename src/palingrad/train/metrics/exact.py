"""Sums of float64 numbers without rounding, so that they don't depend on order or on batches."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from ...dtypes import Array

_EXPONENTS = 2100  # frexp's of float64 run from −1073 to 1024
_LEAST = -1074
_HALF = 26  # bits of a mantissa's lower half, so that 2³⁶ of them can be added


class ExactSum:
    """A sum of numbers: for each exponent, the sums of the mantissas' halves, as integers."""

    def __init__(self) -> None:
        self._high = np.zeros(_EXPONENTS, np.int64)
        self._low = np.zeros(_EXPONENTS, np.int64)
        self._infinite = 0.0  # the sum of those that aren't finite

    def add(self, numbers: Any) -> None:
        """Add all elements of an array."""
        values = np.asarray(numbers, np.float64).ravel()
        finite = np.isfinite(values)
        if not finite.all():
            with np.errstate(invalid="ignore"):
                self._infinite += float(values[~finite].sum())
            values = values[finite]
        fractions, exponents = np.frexp(values)
        mantissas = np.ldexp(fractions, 53).astype(np.int64)
        places = exponents - _LEAST
        np.add.at(self._high, places, mantissas >> _HALF)
        np.add.at(self._low, places, mantissas & (1 << _HALF) - 1)

    def merge(self, other: ExactSum) -> None:
        """Add the numbers of another sum."""
        self._high += other._high
        self._low += other._low
        self._infinite += other._infinite

    def fraction(self) -> Fraction:
        """The sum of the finite numbers."""
        places = np.flatnonzero(self._high | self._low)
        total = sum(((int(self._high[i]) << _HALF) + int(self._low[i])) << int(i) for i in places)
        return Fraction(total, 1 << (53 - _LEAST))

    def __float__(self) -> float:
        if self._infinite:  # NaN is true
            return self._infinite
        return float(self.fraction())


def mean(total: ExactSum, count: int) -> float:
    """total/count, rounded once; NaN of nothing."""
    if not count:
        return float("nan")
    number = float(total)
    return float(total.fraction() / count) if np.isfinite(number) else number


def classes_of(scores: Array) -> Array:
    """The predicted class of each row: of scores (n, classes), or of logits (n,) of class 1."""
    return scores.argmax(axis=-1) if scores.ndim > 1 else (scores > 0).astype(np.int64)
