"""Losses of tensors."""

from __future__ import annotations

from .core import Tensor, log

_EPSILON = 1e-16


def mean_squared_error(preds: Tensor, ys: Tensor) -> Tensor:
    """The mean of (prediction − y)²."""
    return ((preds - ys) ** 2).mean()


def binary_cross_entropy(preds: Tensor, ys: Tensor) -> Tensor:
    """The mean of −y·log p − (1 − y)·log(1 − p), for predictions between 0 and 1."""
    return -(ys * log(preds + _EPSILON) + (1 - ys) * log(1 - preds + _EPSILON)).mean()
