"""Metrics of binary classification over all thresholds: ROC, precision and recall, calibration.

Scores are logits (n,) of class 1, or scores (n, 2); only their order counts, but for Calibration.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from ...dtypes import Array
from ...errors import ArgumentError, ShapeError
from ...messages.checks import whole
from .base import Metric, log_probabilities


class Curve(NamedTuple):
    """The points of a curve, and the score from which on an example counts as positive."""

    x: Array
    y: Array
    thresholds: Array


class _Ranked(Metric):
    """Keeps all scores, by which examples are ranked."""

    def __init__(self) -> None:
        self._scores: list[Array] = []
        self._targets: list[Array] = []

    def _add(self, scores: Array, targets: Array) -> None:
        y = scores.astype(np.float64)
        if y.ndim == 2 and y.shape[1] == 2:
            y = y[:, 1] - y[:, 0]
        if y.ndim != 1:
            raise ShapeError(f"{type(self).__name__}: scores are logits (n,) or (n, 2), got "
                             f"{scores.shape}.", hint="It is for two classes.")  # fmt: skip
        if np.isnan(y).any():
            raise ArgumentError(f"{type(self).__name__}: a score is NaN.")
        if ((targets != 0) & (targets != 1)).any():
            raise ArgumentError(f"{type(self).__name__}: targets are 0 and 1.")
        self._scores.append(y)
        self._targets.append(targets.astype(bool))

    def _merge(self, other: Self) -> None:
        self._scores += other._scores
        self._targets += other._targets

    def _steps(self) -> tuple[Array, Array, Array]:
        """Thresholds, falling, and how many positives and negatives score at least as much."""
        scores = np.concatenate([np.zeros(0), *self._scores])
        positive = np.concatenate([np.zeros(0, bool), *self._targets])
        order = np.argsort(-scores, kind="stable")
        scores, positive = scores[order], positive[order]
        last = np.flatnonzero(np.append(scores[1:] != scores[:-1], True)[: len(scores)])
        hits = np.cumsum(positive)[last]
        return scores[last], hits, last + 1 - hits


class ROC(_Ranked):
    """The area under the curve of true positives over false ones: the probability that a positive
    scores higher than a negative, with ½ for equal ones (Fawcett 2006). NaN without both."""

    def curve(self) -> Curve:
        """False positive rates x, true positive rates y, thresholds from ∞ down."""
        thresholds, hits, errors = self._steps()
        positives, negatives = (int(n[-1]) if len(n) else 0 for n in (hits, errors))
        return Curve(np.append(0, errors) / max(negatives, 1), np.append(0, hits) /
                     max(positives, 1), np.append(np.inf, thresholds))  # fmt: skip

    def result(self) -> float:
        _, hits, errors = self._steps()
        if not len(hits) or not hits[-1] or not errors[-1]:
            return float("nan")
        before = np.append(0, hits[:-1])
        area = (np.diff(errors, prepend=0) * (before + hits)).sum()  # twice, in whole numbers
        return int(area) / (2 * int(hits[-1]) * int(errors[-1]))


class AveragePrecision(_Ranked):
    """Σ (recallₙ − recallₙ₋₁)·precisionₙ over falling thresholds: the area under the curve of
    precision over recall. NaN without positives."""

    def curve(self) -> Curve:
        """Recalls x, precisions y, thresholds falling."""
        thresholds, hits, errors = self._steps()
        total = max(int(hits[-1]) if len(hits) else 0, 1)
        return Curve(hits / total, hits / np.maximum(hits + errors, 1), thresholds)

    def result(self) -> float:
        _, hits, errors = self._steps()
        if not len(hits) or not hits[-1]:
            return float("nan")
        gains = np.diff(hits, prepend=0) / hits[-1]
        return float((gains * (hits / (hits + errors))).sum())


class Calibration(Metric):
    """The expected calibration error: the mean over examples of |accuracy − confidence| of their
    bin, with `bins` equal bins of the confidence, the highest probability (Guo et al. 2017)."""

    def __init__(self, bins: int = 10) -> None:
        self._count = whole("Calibration: bins", bins, least=1, like=10)
        self._parts: list[tuple[Array, Array]] = []

    def _add(self, scores: Array, targets: Array) -> None:
        log = log_probabilities(scores)
        self._parts.append((np.exp(log.max(axis=1)), log.argmax(axis=1) == targets))

    def _merge(self, other: Self) -> None:
        self._parts += other._parts

    def curve(self) -> Curve:
        """Mean confidences x and accuracies y of the bins that have examples, their lower edges."""
        confident = np.concatenate([np.zeros(0), *(part[0] for part in self._parts)])
        right = np.concatenate([np.zeros(0, bool), *(part[1] for part in self._parts)])
        order = np.argsort(confident, kind="stable")  # so that sums don't depend on batches
        confident, right = confident[order], right[order]
        places = np.clip(np.ceil(confident * self._count).astype(int) - 1, 0, self._count - 1)
        seen = np.bincount(places, minlength=self._count)
        filled = seen > 0
        self._shares = seen[filled] / max(len(right), 1)
        x = np.bincount(places, confident, self._count)[filled] / seen[filled]
        y = np.bincount(places, right, self._count)[filled] / seen[filled]
        return Curve(x, y, np.flatnonzero(filled) / self._count)

    def result(self) -> float:
        if not sum(len(part[1]) for part in self._parts):
            return float("nan")
        x, y, _ = self.curve()
        return float((np.abs(x - y) * self._shares).sum())
