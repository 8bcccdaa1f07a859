"""The report of a training: one HTML page in the run folder, that needs nothing but a browser."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from ..data.dataset import Dataset
from ..dtypes import Array
from ..graph.context import graph_scope
from ..graph.leaves import Constant
from ..graph.registry import ops
from ..io.atomic import write_atomically
from ..nn.module import Module
from ..view.page import html
from ..view.training.charts import Series, curves
from ..view.training.document import document, grey_png, section, table
from .evaluate import Evaluation, Evaluator
from .fit import History
from .runs import Run

NAME = "report.html"
SHOWN = 48  # misclassified pictures
_GRAPH_BYTES = 600_000  # of numbers in the living graph


@contextmanager
def reported(
    run: Run, model: Module, data: Dataset, *, engine: str | None = None
) -> Generator[Callable[[History], None]]:
    """Save the run after each epoch, by the function that this gives, and write the report in the
    end: also when an error or a second Ctrl-C ends the training."""
    latest = History()

    def on_epoch(history: History) -> None:
        nonlocal latest
        latest = history
        run.save(model, history)

    try:
        yield on_epoch
    except BaseException:
        latest.interrupted = True
        raise
    finally:
        if latest.epochs:
            write_report(run, model, latest, data, engine=engine)


def write_report(
    run: Run, model: Module, history: History, data: Dataset, *, engine: str | None = None
) -> Path:
    """Write report.html into the run folder; returns where it is.

    Curves of loss and accuracy, the confusion matrix and misclassified pictures of the test part,
    the settings, and the living graph of the trained network on one picture.
    """
    evaluator = Evaluator(model, run.recipe.loss, engine=engine)
    found = evaluator(data.test.inputs, data.test.labels)
    body = "".join(
        [
            _header(run, model, history, data, found),
            "<main>\n",
            section("Loss", _curve(history, "loss"), note="nats for each example"),
            section("Accuracy", _curve(history, "accuracy"), note="share of right answers"),
            section("Confusion", _confusion(data, found.predictions),
                    note="what the test part holds (rows), and what the network says (columns)"),
            section("Settings", table(_settings(run, history))),
            section("Misread", _misread(model, data, found.predictions), wide=True,
                    note=_misread_note(data, found.predictions)),
            section("The network, alive", _graph(model, run, data), wide=True,
                    note="its graph for one picture of the test part, forwards and backwards: "
                    "values, gradients, every path of the chain rule"),
            "</main>",
        ]
    )  # fmt: skip
    path = run.folder / NAME
    title = f"{run.settings['dataset']}, {run.settings['model']}: {found.accuracy:.2%}"
    write_atomically(path, document(title, body).encode())
    return path


def _header(run: Run, model: Module, history: History, data: Dataset, found: Evaluation) -> str:
    count = sum(int(np.size(v.numpy())) for v in model.parameters().values())
    seconds = sum(epoch.seconds for epoch in history.epochs)
    numbers = [
        (f"{found.accuracy:.2%}", "test accuracy"),
        (f"{found.loss:.4f}", "test loss"),
        (f"{len(history.epochs)}", "epoch" if len(history.epochs) == 1 else "epochs"),
        (_duration(seconds), "of training"),
        (f"{count:,}", "parameters"),
    ]
    cells = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in numbers)
    stopped = '<p class="warning">Stopped by Ctrl-C: this is what was learnt so far.</p>'
    return (
        f"<header><h1>{escape(run.settings['model'])} on {escape(data.name)}</h1>"
        f'<p class="lead">{len(data.train):,} examples to train on, {len(data.test):,} to test on'
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
    rows = [(name.replace("_", " "), value) for name, value in run.settings.items()]
    return [*rows, ("interrupted", "yes")] if history.interrupted else rows


# ---------------------------------------------------------------- what was misread


def confusion(labels: Array, predictions: Array, classes: int) -> Array:
    """How many examples of each class (rows) were taken for each (columns)."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (labels, predictions), 1)
    return table


def _confusion(data: Dataset, predictions: Array) -> str:
    names = [escape(name) for name in data.classes]
    counts = confusion(data.test.labels, predictions, len(names))
    most = max(1, int((counts - np.diag(np.diag(counts))).max()))
    head = "".join(f'<th scope="col" title="{name}">{name}</th>' for name in names)
    rows: list[str] = []
    for true, name in enumerate(names):
        total = max(1, int(counts[true].sum()))
        cells: list[str] = []
        for said, count in enumerate(counts[true]):
            kind = "right" if true == said else "wrong" if count else ""
            share = count / total if true == said else count / most
            text = f"{name} read as {names[said]}: {count} of {total}"
            shown = int(count) if count or true == said else "·"
            cells.append(
                f'<td class="{kind}" style="--share:{share:.3f}" title="{text}">{shown}</td>'
            )
        rows.append(f'<tr><th scope="row" title="{name}">{name}</th>{"".join(cells)}</tr>')
    return f'<table class="matrix"><tr><th></th>{head}</tr>{"".join(rows)}</table>'


def _misread_note(data: Dataset, predictions: Array) -> str:
    count = int((predictions != data.test.labels).sum())
    more = f", the {SHOWN} that the network is surest of" if count > SHOWN else ""
    return f"{count:,} of {len(data.test):,} pictures{more}"


def _misread(model: Module, data: Dataset, predictions: Array) -> str:
    """The misclassified pictures, the surest mistakes first."""
    wrong = np.flatnonzero(predictions != data.test.labels)
    if not len(wrong):
        return "<p>None: every picture of the test part is read right.</p>"
    with graph_scope(None, observed=False):
        scores = model(Constant(data.test.inputs[wrong]), training=False)  # (wrong, classes)
        chances = ops.softmax(scores, axis=-1).numpy()
    sure = chances[np.arange(len(wrong)), predictions[wrong]]
    items: list[str] = []
    for place in np.argsort(-sure, kind="stable")[:SHOWN]:
        at = wrong[place]
        ink = data.test.images[at].astype(np.float64) / data.test.peak
        true, said = (escape(data.classes[k]) for k in (data.test.labels[at], predictions[at]))
        picture = grey_png(np.round(255 * ink).astype(np.uint8))
        items.append(
            f'<li><figure><img src="{picture}" alt="number {at}, a {true}">'
            f"<figcaption>is {true}, read <b>{said}</b><br>{sure[place]:.0%} sure</figcaption>"
            "</figure></li>"
        )
    return f'<ul class="digits">{"".join(items)}</ul>'


# ---------------------------------------------------------------- the living graph


def _graph(model: Module, run: Run, data: Dataset) -> str:
    """The page of the network's loss on one picture, inside this one."""
    if not len(data.test):
        return ""
    with graph_scope(None, observed=False):
        x = Constant(data.test.inputs[:1], name="picture")
        label = Constant(data.test.labels[:1], name="label")
        loss = run.recipe.loss(model(x, training=False), label)
    loss._name = "loss"
    text = html(loss, title=f"{run.settings['model']} on one picture", budget=_GRAPH_BYTES)
    return (
        f'<iframe title="The living graph of the network" loading="lazy" '
        f'sandbox="allow-scripts allow-downloads" srcdoc="{escape(text)}"></iframe>'
    )


def uri(path: Path) -> str:
    """Where a browser finds the file."""
    return Path(os.path.abspath(path)).as_uri()
