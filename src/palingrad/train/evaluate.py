"""Evaluation: the mean loss, metrics and predictions of a model on data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..data.batching import batches
from ..dtypes import Array
from ..functions import function
from ..graph.node import Node
from ..graph.registry import ops
from ..messages.calls import public
from .checks import check_classes, check_data
from .metrics import Metric, made
from .step.problem import Problem, arrays_in, classifies, mapped, prepared


@dataclass(frozen=True)
class Evaluation:
    """Mean loss, in nats for cross-entropy; accuracy in [0, 1], or None without classes; the
    predicted class of each example, or the prediction; the values of metrics by name."""

    loss: float
    accuracy: float | None
    predictions: Array
    metrics: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Evaluator:
    """A model and a loss compiled for evaluation, to be called after every epoch."""

    def __init__(
        self,
        model: Any,
        loss: Any,
        *,
        metrics: Iterable[Any] = (),
        engine: str | None = None,
    ) -> None:
        self.labels: Array | None = None  # to check when it is traced
        self._metrics = list(metrics)
        self._scored = bool(self._metrics)
        for metric in self._metrics:
            made(metric)  # raises at once
        problem = loss if isinstance(loss, Problem) else Problem.of(model, loss)
        self._classes = False

        def measure(x: Any, y: Any) -> Any:
            outputs = problem.outputs(x, training=False)
            self._classes = classifies(outputs, y)
            if self.labels is not None and (self._classes or problem.loss is ops.cross_entropy):
                check_classes("evaluate", "data", self.labels, outputs.shape)
            mean = problem.mean(outputs, y)
            if not isinstance(outputs, Node):
                return mean, np.zeros(0), ()
            found = ops.argmax(outputs, axis=-1) if self._classes else outputs
            return mean, found, (outputs if self._scored else ())

        self._measure = function(measure, engine=engine)

    def __call__(self, x: Any, y: Any, *, batch_size: int = 1000) -> Evaluation:
        """Evaluate on inputs x and targets y, arrays of n examples."""
        inputs, targets = prepared(x), prepared(y)
        found = [made(metric) for metric in self._metrics]
        total, parts = 0.0, list[Array]()
        every = arrays_in(inputs), arrays_in(targets)
        rows = len(every[1][0])
        for rows_of in batches((*every[0], *every[1]), batch_size):
            left = iter(rows_of)
            some = mapped(lambda _, left=left: next(left), inputs)
            wanted = mapped(lambda _, left=left: next(left), targets)
            mean, predicted, scores = self._measure(some, wanted)
            total += float(mean) * len(rows_of[0])
            parts.append(np.asarray(predicted))
            for metric in found:
                metric.add(scores, wanted)
        predictions = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        accuracy = None
        if self._classes or not parts:
            accuracy = float(np.mean(predictions == targets)) if rows else 0.0
        return Evaluation(
            total / max(rows, 1), accuracy, predictions, _values(self._metrics, found)
        )


def _values(given: list[Any], found: list[Metric]) -> dict[str, Any]:
    """The metrics' values, by the names that were given or by class."""
    names = [one if isinstance(one, str) else type(metric).__name__
             for one, metric in zip(given, found, strict=True)]  # fmt: skip
    return {name: metric.result() for name, metric in zip(names, found, strict=True)}


@public(surplus="Inputs and labels are one tuple: evaluate(model, (x, y)).")
def evaluate(
    model: Any,
    data: tuple[Any, Any],
    *,
    loss: Any = "cross_entropy",
    metrics: Iterable[Any] = (),
    engine: str | None = None,
) -> Evaluation:
    """The loss and metrics of `model` on (inputs, targets), in evaluation mode.

    loss: 'cross_entropy', 'binary_cross_entropy', 'mse', 'mae', 'huber', or a function of outputs
    and targets. metrics: names of `train.metrics.NAMES`, or classes of metrics.
    """
    problem = Problem.of(model, loss)
    check_data("evaluate", "data", data, classes=problem.loss is ops.cross_entropy)
    evaluator = Evaluator(model, problem, metrics=metrics, engine=engine)
    evaluator.labels = np.asarray(data[1]) if not isinstance(data[1], (dict, tuple)) else None
    return evaluator(*data)
