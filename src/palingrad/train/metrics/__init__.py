"""Metrics: streaming, and independent of how the examples are split into batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import ArgumentError
from ...messages.checks import nearest
from .base import Metric
from .counts import F1, Accuracy, ConfusionMatrix, Precision, Recall, TopK
from .curves import ROC, AveragePrecision, Calibration
from .errors import MAE, MSE, R2, LogLoss, Perplexity

NAMES: dict[str, Callable[[], Metric]] = {
    "accuracy": Accuracy,
    "top5": lambda: TopK(5),
    "precision": Precision,
    "recall": Recall,
    "f1": F1,
    "auc": ROC,
    "average_precision": AveragePrecision,
    "log_loss": LogLoss,
    "calibration": Calibration,
    "confusion": ConfusionMatrix,
    "perplexity": Perplexity,
    "mse": MSE,
    "mae": MAE,
    "r2": R2,
}

__all__ = [
    "F1",
    "MAE",
    "MSE",
    "NAMES",
    "R2",
    "ROC",
    "Accuracy",
    "AveragePrecision",
    "Calibration",
    "ConfusionMatrix",
    "LogLoss",
    "Metric",
    "Perplexity",
    "Precision",
    "Recall",
    "TopK",
    "made",
]


def made(metric: Any) -> Metric:
    """A new metric of this name, or made by this class or function."""
    if isinstance(metric, str):
        if metric not in NAMES:
            close = nearest(metric, NAMES)
            hint = f"Did you mean {close!r}?" if close else f"There are {', '.join(NAMES)}."
            raise ArgumentError(f"metrics: there is no metric {metric!r:.60}.", hint=hint)
        return NAMES[metric]()
    found = metric() if callable(metric) else metric
    if not isinstance(found, Metric):
        raise ArgumentError(f"metrics: {metric!r:.60} isn't a metric.",
                            hint="Write metrics=['accuracy'], or a class of metrics.Metric.",
                            )  # fmt: skip
    return found
