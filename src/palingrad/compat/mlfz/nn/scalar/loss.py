"""Losses of lists of scalars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .functional import log

_EPSILON = 1e-16


def mean_squared_error(preds: Sequence[Any], ys: Sequence[Any]) -> Any:
    """The mean of (prediction − y)²."""
    return sum((p - y) ** 2 for p, y in zip(preds, ys, strict=True)) / len(preds)


def binary_cross_entropy(preds: Sequence[Any], ys: Sequence[Any]) -> Any:
    """The mean of −y·log p − (1 − y)·log(1 − p), for predictions between 0 and 1."""
    terms = (
        y * log(p + _EPSILON) + (1 - y) * log(1 - p + _EPSILON)
        for p, y in zip(preds, ys, strict=True)
    )
    return -sum(terms) / len(preds)
