"""Metrics: nodes of predictions and labels, which count the samples since the last `reset`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import GradientError, ShapeError
from ..core.node import Node

__all__ = ["ROC", "ROC_AUC", "Accuracy", "F1Score", "Metrics", "Precision", "Recall"]


class Metrics(Node):
    """A metric of predictions, the first parent, and labels, the second. A subclass defines `init`,
    which resets its counts, and `compute`, which adds the parents' values."""

    def __init__(self, *parents: Any, **kargs: Any) -> None:
        kargs.setdefault("need_save", False)
        super().__init__(*parents, **kargs)
        self.init()

    def reset(self) -> None:
        """Forgets all samples."""
        self.reset_value()
        self.init()

    def init(self) -> None:
        """Resets the counts."""

    @staticmethod
    def prob_to_label(prob: Any, thresholds: float = 0.5) -> Any:
        """A column of one 1, at the largest of several probabilities; or 1 and −1, for those from
        the threshold on and below it."""
        prob = np.asarray(prob)
        if prob.shape[0] > 1:
            labels = np.zeros((prob.shape[0], 1))
            labels[np.argmax(prob, axis=0)] = 1
            return labels
        return np.where(prob < thresholds, -1, 1)

    def get_jacobi(self, parent: Any = None) -> Any:
        raise GradientError(f"{self.name}: a metric has no derivative")

    def value_str(self) -> str:
        """As "Accuracy: 0.9500 "."""
        return f"{type(self).__name__}: {self._value:.4f} "

    def _pair(self) -> tuple[Any, Any]:
        predictions, labels = (np.asarray(parent.value) for parent in self.parents)
        if predictions.shape != labels.shape:
            raise ShapeError(f"{self.name}: predictions {predictions.shape}, labels {labels.shape}")
        return predictions, labels

    def _positives(self) -> tuple[Any, Any]:
        """Which predictions, and which labels, are positive."""
        predictions, labels = self._pair()
        return Metrics.prob_to_label(predictions) == 1, labels == 1


def _quotient(a: Any, b: Any) -> float:
    return float(a) / float(b) if b else 0.0


class Accuracy(Metrics):
    """The fraction of samples whose label is predicted."""

    def init(self) -> None:
        self.correct_num: Any = 0
        self.total_num = 0

    def compute(self) -> None:
        predictions, labels = self._pair()
        predicted = Metrics.prob_to_label(predictions)
        if predicted.shape[0] > 1:
            self.correct_num += np.sum(predicted * labels)
            self.total_num += predicted.shape[1]
        else:
            self.correct_num += np.sum(predicted == labels)
            self.total_num += predicted.size
        self._value = _quotient(self.correct_num, self.total_num)


class Precision(Metrics):
    """The fraction of the predicted positives that are positive; 0 if there are none."""

    def init(self) -> None:
        self.true_pos_num: Any = 0
        self.pred_pos_num: Any = 0

    def compute(self) -> None:
        predicted, positive = self._positives()
        self.pred_pos_num += predicted.sum()
        self.true_pos_num += (predicted & positive).sum()
        self._value = _quotient(self.true_pos_num, self.pred_pos_num)


class Recall(Metrics):
    """The fraction of the positives that are predicted; 0 if there are none."""

    def init(self) -> None:
        self.true_pos_num: Any = 0
        self.gt_pos_num: Any = 0

    def compute(self) -> None:
        predicted, positive = self._positives()
        self.gt_pos_num += positive.sum()
        self.true_pos_num += (predicted & positive).sum()
        self._value = _quotient(self.true_pos_num, self.gt_pos_num)


class F1Score(Metrics):
    """The harmonic mean of precision and recall; 0 if there are no true positives."""

    def init(self) -> None:
        self.true_pos_num: Any = 0
        self.pred_pos_num: Any = 0
        self.gt_pos_num: Any = 0

    def compute(self) -> None:
        predicted, positive = self._positives()
        self.gt_pos_num += positive.sum()
        self.pred_pos_num += predicted.sum()
        self.true_pos_num += (predicted & positive).sum()
        self._value = _quotient(2 * self.true_pos_num, self.gt_pos_num + self.pred_pos_num)


class ROC(Metrics):
    """The true and false positive rates `tpr` and `fpr` at the thresholds 0.01, …, 0.99, and (0, 0)
    at the end."""

    def init(self) -> None:
        self.count = 100
        self.gt_pos_num: Any = 0
        self.gt_neg_num: Any = 0
        self.true_pos_num = np.zeros(self.count, int)
        self.false_pos_num = np.zeros(self.count, int)
        self.tpr = np.zeros(self.count)
        self.fpr = np.zeros(self.count)

    def compute(self) -> None:
        probabilities, labels = (one.ravel() for one in self._pair())
        positive = labels == 1
        self.gt_pos_num += positive.sum()
        self.gt_neg_num += (labels == -1).sum()
        over = probabilities >= np.arange(1, self.count)[:, None] / self.count
        self.true_pos_num[:-1] += (over & positive).sum(axis=1)
        self.false_pos_num[:-1] += (over & (labels == -1)).sum(axis=1)
        if self.gt_pos_num and self.gt_neg_num:
            self.tpr = self.true_pos_num / self.gt_pos_num
            self.fpr = self.false_pos_num / self.gt_neg_num

    def value_str(self) -> str:
        """Nothing: the curve is in `fpr` and `tpr`."""
        return ""


class ROC_AUC(Metrics):
    """The area under the ROC curve: the fraction of pairs of a positive and a negative sample in
    which the positive's prediction is larger; equal ones count half. NaN without pairs."""

    def init(self) -> None:
        self.gt_pos_preds: list[float] = []
        self.gt_neg_preds: list[float] = []
        self.total = 0

    def compute(self) -> None:
        for prediction, label in zip(*(one.ravel() for one in self._pair()), strict=True):
            (self.gt_pos_preds if label == 1 else self.gt_neg_preds).append(float(prediction))
        self.total = len(self.gt_pos_preds) * len(self.gt_neg_preds)

    def value_str(self) -> str:
        """Computes the value; as "ROC_AUC: 0.9500 "."""
        negative = np.sort(self.gt_neg_preds)
        below = np.searchsorted(negative, self.gt_pos_preds, "left").sum()
        up_to = np.searchsorted(negative, self.gt_pos_preds, "right").sum()
        self._value = float(below + up_to) / 2 / self.total if self.total else float("nan")
        return super().value_str()
