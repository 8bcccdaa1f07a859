"""Metrics of classification that count: accuracy, confusion, precision, recall, F1."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ...dtypes import Array
from ...errors import ArgumentError
from ...messages.checks import one_of, whole
from .base import Metric
from .exact import classes_of


class Accuracy(Metric):
    """The fraction of examples whose highest score is that of their class."""

    def __init__(self) -> None:
        self._right = self._seen = 0

    def _add(self, scores: Array, targets: Array) -> None:
        self._right += int(self._hits(scores, targets).sum())
        self._seen += targets.size

    def _hits(self, scores: Array, targets: Array) -> Array:
        found = scores.argmax(axis=-1) if scores.ndim > targets.ndim else scores > 0
        return found == targets

    def _merge(self, other: Self) -> None:
        self._right += other._right
        self._seen += other._seen

    def result(self) -> float:
        return self._right / self._seen if self._seen else float("nan")


class TopK(Accuracy):
    """The fraction of examples whose class is among the `k` with the highest scores.

    Of equal scores, those of the lower class numbers count as higher.
    """

    def __init__(self, k: int = 5) -> None:
        super().__init__()
        self.k = whole("TopK: k", k, least=1, like=5)

    def _hits(self, scores: Array, targets: Array) -> Array:
        own = np.take_along_axis(scores, targets[..., None], axis=-1)  # (…, 1)
        numbers = np.arange(scores.shape[-1])
        above = (scores > own) | ((scores == own) & (numbers < targets[..., None]))
        return above.sum(axis=-1) < self.k


class ConfusionMatrix(Metric):
    """How many examples of each class, the row, were taken for each class, the column."""

    def __init__(self) -> None:
        self._counts = np.zeros((0, 0), np.int64)

    def _add(self, scores: Array, targets: Array) -> None:
        found = classes_of(scores)
        size = max(int(max(found.max(initial=0), targets.max(initial=0))) + 1,
                   scores.shape[1] if scores.ndim > 1 else 2)  # fmt: skip
        self._grow(size)
        np.add.at(self._counts, (targets, found), 1)

    def _grow(self, size: int) -> None:
        more = size - len(self._counts)
        if more > 0:
            self._counts = np.pad(self._counts, ((0, more), (0, more)))

    def _merge(self, other: Self) -> None:
        self._grow(len(other._counts))
        counts = other._counts
        self._counts[: len(counts), : len(counts)] += counts

    def result(self) -> Any:
        return self._counts.copy()


class Precision(ConfusionMatrix):
    """Of the examples taken for a class, the fraction that are of it; 0 if there are none.

    average: 'macro', the mean over the classes that occur; 'micro', of all examples together;
    'binary', of class 1; None, an array with each class's.
    """

    def __init__(self, average: str | None = "macro") -> None:
        super().__init__()
        if average is not None:
            one_of(f"{type(self).__name__}: average", average, ("macro", "micro", "binary"))
        self.average = average

    def result(self) -> Any:
        counts = self._counts
        if not counts.sum():
            return float("nan")
        right, taken, there = np.diagonal(counts), counts.sum(axis=0), counts.sum(axis=1)
        if self.average == "micro":
            return float(self._ratio(right.sum(), taken.sum(), there.sum()))
        each = self._ratio(right, taken, there)
        if self.average == "binary":
            if len(each) != 2:
                raise ArgumentError(
                    f"{type(self).__name__}: average='binary' is for two classes, there are "
                    f"{len(each)}.", hint="Write average='macro'.",
                )  # fmt: skip
            return float(each[1])
        occurs = (taken + there) > 0
        return each if self.average is None else float(each[occurs].mean())

    @staticmethod
    def _ratio(right: Any, taken: Any, there: Any) -> Any:
        return right / np.maximum(taken, 1)


class Recall(Precision):
    """Of the examples of a class, the fraction that were taken for it; 0 if there are none.
    Averages are those of Precision."""

    @staticmethod
    def _ratio(right: Any, taken: Any, there: Any) -> Any:
        return right / np.maximum(there, 1)


class F1(Precision):
    """The harmonic mean of precision and recall, 2·right/(taken + there). Averages are those of
    Precision."""

    @staticmethod
    def _ratio(right: Any, taken: Any, there: Any) -> Any:
        return 2 * right / np.maximum(taken + there, 1)
