"""The sections of a training's report on its metrics: confusion matrix, ROC, precision over recall,
calibration, and each metric by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from ..dtypes import Array
from ..view.training.charts import Series, curves
from ..view.training.document import section
from .history import History
from .metrics import ROC, AveragePrecision, Calibration, ConfusionMatrix, Metric
from .metrics.base import log_probabilities

_CLASSES = 40  # more make no table that can be read
_POINTS = 300  # of a curve


class Decisions(Metric):
    """The curves of all decisions of a classifier: of two classes for the second; of more for each
    class against the rest, all examples and classes together (micro-averaged)."""

    def __init__(self) -> None:
        self.roc, self.precision, self.calibration = ROC(), AveragePrecision(), Calibration()
        self.confusion, self.finite = ConfusionMatrix(), True

    def _add(self, scores: Array, targets: Array) -> None:
        self.finite = self.finite and bool(np.isfinite(scores).all())  # not of a loss that diverged
        if scores.ndim > 2 or targets.ndim != 1 or not self.finite:
            return
        classes = np.asarray(targets).astype(np.int64)
        self.confusion.add(scores, classes)
        self.calibration.add(scores, classes)
        if scores.ndim == 2 and scores.shape[1] != 2:
            classes = (classes[:, None] == np.arange(scores.shape[1])).ravel()
            scores = log_probabilities(scores).ravel()
        for metric in (self.roc, self.precision):
            metric.add(scores, classes)

    def _merge(self, other: Decisions) -> None:
        self.finite = self.finite and other.finite
        for name in ("roc", "precision", "calibration", "confusion"):
            getattr(self, name).merge(getattr(other, name))

    def result(self) -> Any:
        return None

    @property
    def counts(self) -> Array:
        """The confusion matrix."""
        return self.confusion.result()


def decided(names: Sequence[str], decisions: Decisions) -> str:
    """The sections of a classifier's decisions on the test data."""
    counts = decisions.counts
    if not counts.sum() or not decisions.finite:
        return ""
    more = "" if len(names) == 2 else ", each class against the rest, all together"
    roc, precision = decisions.roc, decisions.precision
    share = float(counts[1].sum() / counts.sum()) if len(names) == 2 else 1 / len(names)
    return "".join([
        section("Confusion matrix", confusion_table(names, counts),
                note="test examples by true class (rows) and predicted class (columns)"),
        section("ROC", _unit_chart(
            _thinned("test", *roc.curve()[:2]), Series("chance", [0, 1], [0, 1], "even"),
            title="true positive rate by false positive rate", x_label="false positive rate"),
            note=f"true positive rate; area {roc.result():.4f}{more}"),
        section("Precision and recall", _unit_chart(
            _thinned("test", *precision.curve()[:2]),
            Series("chance", [0, 1], [share, share], "even"),
            title="precision by recall", x_label="recall"),
            note=f"precision; average precision {precision.result():.4f}{more}"),
        section("Calibration", _calibration(decisions.calibration),
                note="accuracy by confidence, in tenths of it; expected calibration error "
                f"{decisions.calibration.result():.4f}"),
    ])  # fmt: skip


def _calibration(metric: Calibration) -> str:
    x, y, _ = metric.curve()
    return _unit_chart(Series("test", x.tolist(), y.tolist(), "test"),
                       Series("ideal", [0, 1], [0, 1], "even"),
                       title="accuracy by confidence", x_label="confidence")  # fmt: skip


def _unit_chart(*series: Series, title: str, x_label: str) -> str:
    return curves(series, title=title, x_label=x_label, fractions=True)


def _thinned(name: str, x: Array, y: Array) -> Series:
    """A curve of at most `_POINTS` points, which are about equally far apart along it."""
    if len(x) > _POINTS:
        steps = np.abs(np.diff(x)) + np.abs(np.diff(y))
        along = np.append(0, np.cumsum(steps))
        chosen = np.searchsorted(along, np.linspace(0, along[-1], _POINTS))
        x, y = x[chosen], y[chosen]
    return Series(name, x.tolist(), y.tolist(), "test")


def by_epoch(history: History) -> str:
    """A chart for each metric that is one number."""
    names = history.epochs[-1].metrics if history.epochs else {}
    return "".join([
        section(name.replace("_", " "), _metric_by_epoch(history, name), note="of the test data")
        for name, value in names.items() if isinstance(value, float)
    ])  # fmt: skip


def _metric_by_epoch(history: History, name: str) -> str:
    values = [(one.number, one.metrics[name]) for one in history.epochs if name in one.metrics]
    x, y = map(list, zip(*values, strict=True))
    return curves([Series("test", x, y, "test")], title=f"{name} by epoch", x_label="epoch")


def confusion_table(names: Sequence[str], counts: Array) -> str:
    """The confusion matrix as a table; "" for more classes than can be read."""
    names = [escape(name) for name in names]
    if len(names) > _CLASSES:
        return ""
    most = max(1, int((counts - np.diag(np.diag(counts))).max()))
    head = "".join(f'<th scope="col" title="{name}">{name}</th>' for name in names)
    rows: list[str] = []
    for true, name in enumerate(names):
        total = max(1, int(counts[true].sum()))
        cells: list[str] = []
        for predicted, count in enumerate(counts[true]):
            kind = "right" if true == predicted else "wrong" if count else ""
            share = count / total if true == predicted else count / most
            text = f"{name} classified as {names[predicted]}: {count} of {total}"
            shown = int(count) if count or true == predicted else "·"
            cells.append(
                f'<td class="{kind}" style="--share:{share:.3f}" title="{text}">{shown}</td>'
            )
        rows.append(f'<tr><th scope="row" title="{name}">{name}</th>{"".join(cells)}</tr>')
    return f'<table class="matrix"><tr><th></th>{head}</tr>{"".join(rows)}</table>'
