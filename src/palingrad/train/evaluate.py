"""Evaluation of a classifier: mean loss, accuracy, predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.batching import batches
from ..dtypes import Array, float32
from ..function import function
from ..graph.registry import ops
from ..messages.calls import public
from .checks import check_classes, check_data


@dataclass(frozen=True)
class Evaluation:
    """Mean loss in nats, accuracy in [0, 1], and the predicted class of each example."""

    loss: float
    accuracy: float
    predictions: Array


class Evaluator:
    """A model and a loss compiled for evaluation, to be called after every epoch."""

    def __init__(self, model: Any, loss: Any, *, engine: str | None = None) -> None:
        self.labels: Array | None = None  # to check when it is traced

        def measure(x: Any, y: Any) -> Any:
            scores = model(x, training=False)  # (batch, classes)
            if self.labels is not None:
                check_classes("evaluate", "data", self.labels, scores.shape)
            return loss(scores, y), ops.argmax(scores, axis=-1)

        self._measure = function(measure, engine=engine)

    def __call__(self, x: Array, y: Array, *, batch_size: int = 1000) -> Evaluation:
        """Evaluate on inputs x (n, …) with integer labels y (n,)."""
        total, parts = 0.0, [np.zeros(0, np.int64)]
        for inputs, labels in batches((x, y), batch_size):
            mean, predicted = self._measure(np.asarray(inputs, float32), labels)
            total += float(mean) * len(labels)
            parts.append(predicted)
        predictions = np.concatenate(parts)
        return Evaluation(
            total / max(len(y), 1), float(np.mean(predictions == y)) if len(y) else 0.0, predictions
        )


@public(surplus="Inputs and labels are one tuple: evaluate(model, (x, y)).")
def evaluate(
    model: Any,
    data: tuple[Array, Array],
    *,
    loss: Any = ops.cross_entropy,
    engine: str | None = None,
) -> Evaluation:
    """Mean loss and accuracy of `model` on (inputs, integer labels), in evaluation mode."""
    check_data("evaluate", "data", data)
    evaluator = Evaluator(model, loss, engine=engine)
    evaluator.labels = np.asarray(data[1])
    return evaluator(*data)
