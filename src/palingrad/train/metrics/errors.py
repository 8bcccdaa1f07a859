"""Metrics that are means: log-loss, perplexity, and the errors of regression."""

from __future__ import annotations

import math
from typing import Self

import numpy as np

from ...dtypes import Array
from ...errors import ShapeError
from ...shapes import text
from .base import Metric, log_probabilities
from .exact import ExactSum, mean


class _Mean(Metric):
    """The mean of a number for each example or element."""

    def __init__(self) -> None:
        self._total, self._seen = ExactSum(), 0

    def _add(self, scores: Array, targets: Array) -> None:
        numbers = self._each(scores, targets)
        self._total.add(numbers)
        self._seen += numbers.size

    def _each(self, scores: Array, targets: Array) -> Array:
        raise NotImplementedError

    def _merge(self, other: Self) -> None:
        self._total.merge(other._total)
        self._seen += other._seen

    def result(self) -> float:
        return mean(self._total, self._seen)


class LogLoss(_Mean):
    """The mean of −log of the probability of the true class, in nats. Scores are logits, (…,
    classes), or (n,) of class 1; targets are class numbers."""

    def _each(self, scores: Array, targets: Array) -> Array:
        flat = scores.reshape(-1, scores.shape[-1]) if scores.ndim > targets.ndim else scores
        log = log_probabilities(flat)
        return -np.take_along_axis(log, targets.reshape(-1, 1), axis=1)[:, 0]


class Perplexity(LogLoss):
    """e to the log-loss: the number of equally likely classes with that loss."""

    def result(self) -> float:
        return math.exp(super().result())


class MSE(_Mean):
    """The mean of (prediction − target)²."""

    def _each(self, scores: Array, targets: Array) -> Array:
        return _apart(self, scores, targets) ** 2


class MAE(_Mean):
    """The mean of |prediction − target|."""

    def _each(self, scores: Array, targets: Array) -> Array:
        return np.abs(_apart(self, scores, targets))


class R2(MSE):
    """1 − Σ(prediction − target)² / Σ(target − mean target)²: the coefficient of determination.

    NaN for fewer than two targets, and where all targets are equal.
    """

    def __init__(self) -> None:
        super().__init__()
        self._targets, self._squares = ExactSum(), ExactSum()

    def _add(self, scores: Array, targets: Array) -> None:
        super()._add(scores, targets)
        t = targets.astype(np.float64)
        scaled = t * (2.0**27 + 1)
        high = scaled - (scaled - t)  # 26 bits (Veltkamp 1968): the products are exact
        low = t - high
        self._targets.add(t)
        for part in (high * high, 2 * high * low, low * low):
            self._squares.add(part)

    def _merge(self, other: Self) -> None:
        super()._merge(other)
        self._targets.merge(other._targets)
        self._squares.merge(other._squares)

    def result(self) -> float:
        if self._seen < 2 or not math.isfinite(float(self._total)):
            return float("nan")
        around = self._squares.fraction() - self._targets.fraction() ** 2 / self._seen
        return float(1 - self._total.fraction() / around) if around > 0 else float("nan")


def _apart(metric: Metric, scores: Array, targets: Array) -> Array:
    y, t = scores.astype(np.float64), targets.astype(np.float64)
    if y.shape != t.shape:
        raise ShapeError(
            f"{type(metric).__name__}: predictions {text(y.shape)} for targets {text(t.shape)}.",
            hint="Drop an axis of size 1: y[:, 0].",
        )
    return y - t
