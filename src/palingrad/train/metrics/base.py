"""Metric: what all metrics do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np

from ...dtypes import Array
from ...errors import ArgumentError, ShapeError
from ...graph.node import Node
from ...shapes import text


class Metric(ABC):
    """A number, or an array, computed from predictions and targets that come batch by batch.

    The result doesn't depend on how the examples are split into batches, or on their order.

    >>> import numpy as np
    >>> from palingrad.train import metrics
    >>> accuracy = metrics.Accuracy()
    >>> accuracy.add(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
    >>> accuracy.result()
    0.5
    """

    def add(self, scores: Any, targets: Any) -> None:
        """Count a batch: scores (n, classes), logits (n,) or predictions, and n targets."""
        y, t = (np.asarray(x.numpy() if isinstance(x, Node) else x) for x in (scores, targets))
        if not y.ndim or not t.ndim or len(y) != len(t):
            raise ShapeError(
                f"{type(self).__name__}: scores {text(y.shape)} and targets {text(t.shape)} don't "
                "have the same number of examples."
            )
        self._add(y, t)

    def merge(self, other: Self) -> None:
        """Count what another metric of this kind has counted."""
        if type(other) is not type(self):
            raise ArgumentError(f"{type(self).__name__}: can't be merged with "
                                f"{type(other).__name__}.")  # fmt: skip
        self._merge(other)

    @abstractmethod
    def _add(self, scores: Array, targets: Array) -> None: ...

    @abstractmethod
    def _merge(self, other: Self) -> None: ...

    @abstractmethod
    def result(self) -> Any:
        """The value over all examples so far; NaN of none."""


def log_probabilities(scores: Array) -> Array:
    """log softmax of scores (n, classes), or of logits (n,) of class 1 against 0, in float64."""
    y = scores.astype(np.float64)
    if y.ndim == 1:
        y = np.stack([np.zeros_like(y), y], axis=1)
    y = y - y.max(axis=1, keepdims=True, initial=-np.inf)
    return y - np.log(np.exp(y).sum(axis=1, keepdims=True))
