"""The report of a training: a self-contained HTML page in the run folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from ..data.dataset import Dataset
from ..dtypes import Array
from ..errors import WriteError
from ..files.atomic import write_atomically
from ..graph.context import graph_scope
from ..graph.leaves import Constant
from ..graph.registry import ops
from ..nn.module import Module
from ..processes import busy, count, index
from ..view.page import html
from ..view.training.charts import Series, curves
from ..view.training.document import document, grey_png, section, table
from .evaluate import Evaluation, Evaluator
from .history import History
from .metric_sections import Decisions, by_epoch, decided
from .runs import Run, simple_settings

NAME = "report.html"
SHOWN = 48  # maximum number of misclassified images
_GRAPH_BYTES = 600_000  # budget of the numbers embedded with the trained graph


@contextmanager
def reported(
    run: Run, model: Module, data: Any, *, engine: str | None = None
) -> Generator[Callable[[History], None]]:
    """The value of the `with` is a callback that saves the run after each epoch. The report is
    written at the end of the `with`, even after an error or a second Ctrl-C; of several processes
    the first one writes it."""
    latest = History()

    def on_epoch(history: History) -> None:
        nonlocal latest
        latest = history
        run.save(model, history)

    try:
        yield on_epoch
    except BaseException:
        latest.interrupted = True
        if latest.epochs and index() == 0:
            with suppress(WriteError):  # what stopped the training is the error to report
                write_report(run, model, latest, data, engine=engine)
        raise
    if count() > 1:
        for variable in model.variables().values():  # all processes read what is cut over them
            variable.numpy()
    if latest.epochs and index() == 0:
        with busy("the report"):
            write_report(run, model, latest, data, engine=engine)


def write_report(
    run: Run, model: Module, history: History, data: Any, *, engine: str | None = None
) -> Path:
    """Write report.html into the run folder; returns its path.

    It contains curves of loss and accuracy; for classifiers the confusion matrix, the ROC curve,
    precision and recall, and calibration on the test data; the settings; for images those that were
    misclassified, and the trained graph for one.
    """
    if not isinstance(data, Dataset):
        return _plain_report(run, model, history, data, engine)
    decisions = Decisions()
    evaluator = Evaluator(model, run.recipe.loss, metrics=[lambda: decisions], engine=engine)
    result = evaluator(data.test.inputs, data.test.labels)
    body = "".join(
        [
            _header(run, model, history, data, result),
            "<main>\n",
            section("Loss", _curve(history, "loss"), note="mean per example, in nats"),
            section("Accuracy", _curve(history, "accuracy"), note="correctly classified examples"),
            decided(data.classes, decisions),
            section("Settings", table(_settings(run, history))),
            section("Misclassified", _misclassified(model, data, result.predictions), wide=True,
                    note=_misclassified_note(data, result.predictions)),
            section("The trained network", _graph(model, run, data), wide=True,
                    note="its graph for one test image, with the forward and the backward pass: "
                    "values, gradients, every path of the chain rule"),
            "</main>",
        ]
    )  # fmt: skip
    path = run.folder / NAME
    title = f"{run.settings['dataset']}, {run.settings['model']}: {result.accuracy:.2%}"
    write_atomically(path, document(title, body))
    return path


def _plain_report(run: Run, model: Module, history: History, data: Any, engine: str | None) -> Path:
    """The report for data that aren't a set of small images: curves, results, settings."""
    last, path = history.epochs[-1], run.folder / NAME
    count = sum(int(np.size(v.numpy())) for v in model.parameters().values())
    results = {"test loss": last.test_loss, "test accuracy": last.test_accuracy, **last.metrics}
    rows = [(name, f"{x:.4f}") for name, x in results.items() if isinstance(x, float)]
    body = [
        f"<header><h1>{escape(run.settings['model'])} on {escape(run.settings['dataset'])}</h1>"
        f'<p class="lead">{escape(run.task.describe(data))}</p></header>\n<main>\n',
        section("Loss", _curve(history, "loss"), note="mean per example"),
        section("Accuracy", _curve(history, "accuracy")) if last.accuracy is not None else "",
        by_epoch(history),
        _decisions(run, model, data, engine),
        section("Results", table([("parameters", f"{count:,}"), *rows])),
        section("Settings", table(_settings(run, history))),
        "</main>",
    ]
    title = f"{run.settings['dataset']}, {run.settings['model']}"
    write_atomically(path, document(title, "".join(body)))
    return path


def _decisions(run: Run, model: Module, data: Any, engine: str | None) -> str:
    """The sections on the decisions of a classifier."""
    test, names = run.parts(data)[1], run.class_names(data)
    if not names:
        return ""
    decisions = Decisions()
    evaluator = Evaluator(model, run.task.loss(run.settings), metrics=[lambda: decisions],
                          engine=engine)  # fmt: skip
    evaluator(*test)
    return decided(names, decisions)


def _header(run: Run, model: Module, history: History, data: Dataset, result: Evaluation) -> str:
    count = sum(int(np.size(v.numpy())) for v in model.parameters().values())
    seconds = sum(epoch.seconds for epoch in history.epochs)
    numbers = [
        (f"{result.accuracy:.2%}", "test accuracy"),
        (f"{result.loss:.4f}", "test loss"),
        (f"{len(history.epochs)}", "epoch" if len(history.epochs) == 1 else "epochs"),
        (_duration(seconds), "of training"),
        (f"{count:,}", "parameters"),
    ]
    cells = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in numbers)
    stopped = '<p class="warning">Stopped by Ctrl-C: results of the epochs so far.</p>'
    return (
        f"<header><h1>{escape(run.settings['model'])} on {escape(data.name)}</h1>"
        f'<p class="lead">{len(data.train):,} training examples, {len(data.test):,} test examples'
        f"</p>{stopped if history.interrupted else ''}</header>"
        f'<div class="headline">{cells}</div>\n'
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _curve(history: History, what: str) -> str:
    epochs = history.epochs
    numbers = [epoch.number for epoch in epochs]
    test: Sequence[float | None] = [getattr(epoch, f"test_{what}") for epoch in epochs]
    return curves(
        [
            Series("train", numbers, [getattr(epoch, what) for epoch in epochs], "train"),
            Series("test", numbers, [y for y in test if y is not None], "test"),
        ],
        title=f"{what} by epoch",
        x_label="epoch",
        percent=what == "accuracy",
        floor=what == "loss",
    )


def _settings(run: Run, history: History) -> list[tuple[str, Any]]:
    rows = [(name.replace("_", " "), x) for name, x in simple_settings(run.settings).items()]
    return [*rows, ("interrupted", "yes")] if history.interrupted else rows


# ---------------------------------------------------------------- misclassified images


def _misclassified_note(data: Dataset, predictions: Array) -> str:
    count = int((predictions != data.test.labels).sum())
    more = f", the {SHOWN} with the highest confidence" if count > SHOWN else ""
    return f"{count:,} of {len(data.test):,} images{more}"


def _misclassified(model: Module, data: Dataset, predictions: Array) -> str:
    """The misclassified images, in order of decreasing confidence."""
    wrong = np.flatnonzero(predictions != data.test.labels)
    if not len(wrong):
        return "<p>None: every test image is classified correctly.</p>"
    with graph_scope(None, observed=False):
        scores = model(Constant(data.test.inputs[wrong]), training=False)  # (wrong, classes)
        probabilities = ops.softmax(scores, axis=-1).numpy()
    confidence = probabilities[np.arange(len(wrong)), predictions[wrong]]
    items: list[str] = []
    for rank in np.argsort(-confidence, kind="stable")[:SHOWN]:
        row = wrong[rank]
        grey = data.test.images[row].astype(np.float64) / data.test.peak
        labels = data.test.labels[row], predictions[row]
        true, predicted = (escape(data.classes[label]) for label in labels)
        image = grey_png(np.round(255 * grey).astype(np.uint8))
        items.append(
            f'<li><figure><img src="{image}" alt="number {row}, a {true}">'
            f"<figcaption>{true}, predicted <b>{predicted}</b><br>{confidence[rank]:.0%} confidence"
            "</figcaption></figure></li>"
        )
    return f'<ul class="digits">{"".join(items)}</ul>'


# ---------------------------------------------------------------- the trained graph


def _graph(model: Module, run: Run, data: Dataset) -> str:
    """The page of the network's loss on one image, embedded in the report."""
    if not len(data.test):
        return ""
    with graph_scope(None, observed=False):
        x = Constant(data.test.inputs[:1], name="image")
        label = Constant(data.test.labels[:1], name="label")
        loss = run.recipe.loss(model(x, training=False), label)
    loss._name = "loss"
    text = html(loss, title=f"{run.settings['model']} on one image", budget=_GRAPH_BYTES)
    return (
        f'<iframe title="The graph of the trained network" loading="lazy" '
        f'sandbox="allow-scripts allow-downloads" srcdoc="{escape(text)}"></iframe>'
    )


def uri(path: Path) -> str:
    """The file's URI, for a browser."""
    return Path(os.path.abspath(path)).as_uri()
