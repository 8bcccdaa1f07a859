"""Tables in CSV files: classification or regression from numbers and categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ... import models, nn
from ...data.table import Columns, Table, read_rows, read_table
from ...dtypes import Array
from ...errors import DataError
from ...graph.leaves import Variable
from ...graph.node import Node
from ...graph.registry import ops
from ...nn.module import Module

MODELS = ("mlp", "linear", "fm", "wide-deep", "deepfm")


def begin(settings: dict[str, Any], folder: str | None) -> dict[str, Any]:
    """The settings with what the columns hold."""
    target = settings.get("target")
    if target is None:
        raise DataError("train csv needs the column to predict.", hint="Write --target COLUMN.")
    columns = read_table(settings["source"], target, seed=settings["seed"]).columns
    classes = None if columns.classes is None else len(columns.classes)
    if settings["model"] in ("fm", "wide-deep", "deepfm") and classes not in (None, 2):
        raise DataError(f"{settings['model']} predicts a number or one of two classes; {target} "
                        f"has {classes}.", hint="Take --model mlp.")  # fmt: skip
    return {
        **settings,
        "columns": asdict(columns),
        "epochs": settings["epochs"] or 20,
        "optimizer": settings["optimizer"] or "adam",
        "learning_rate": 1e-3 if settings["learning_rate"] is None else settings["learning_rate"],
        "batch_size": settings["batch_size"] or 64,
    }


def columns_of(settings: Mapping[str, Any]) -> Columns:
    """The columns of a run."""
    given = dict(settings["columns"])
    given["scale"] = tuple(given["scale"])
    given["numbers"] = {name: tuple(pair) for name, pair in given["numbers"].items()}
    return Columns(**given)


class Scores(nn.Module):
    """A model of fields whose layers give `outputs` scores: a perceptron of the vectors, or one
    matrix for all fields without hidden layers."""

    def __init__(self, sizes: list[int], numbers: int, outputs: int, hidden: tuple[int, ...]):
        size = 8 if hidden else outputs
        self.fields = models.recommenders.Fields(sizes, numbers, size, spread=0.3)
        self.inner = self.bias = None
        if hidden:
            self.inner = models.mlp((len(sizes) + numbers) * size, *hidden, outputs)
        else:
            self.bias = Variable(nn.init.zeros((outputs,)), name="bias")

    def forward(self, categories: Any, numbers: Any, *, training: bool) -> Node:
        vectors = self.fields(categories, numbers, training=training)  # (n, fields, size)
        if self.inner is not None:
            return self.inner(vectors, training=training)
        return ops.sum(vectors, axis=1) + self.bias


class Single(nn.Module):
    """Another model's single score (n, 1) as (n,)."""

    def __init__(self, inner: nn.Module) -> None:
        self.inner = inner

    def forward(self, categories: Any, numbers: Any, *, training: bool) -> Node:
        y: Any = self.inner(categories, numbers, training=training)
        return y[:, 0]


def build(settings: Mapping[str, Any]) -> Module:
    """The model of a run: scores (n, classes), or logits or numbers (n,)."""
    columns, name = columns_of(settings), settings["model"]
    sizes, numbers = columns.sizes, len(columns.numbers)
    many = columns.classes is not None and len(columns.classes) > 2
    if name in ("fm", "wide-deep", "deepfm"):
        make = {"fm": models.fm, "wide-deep": models.wide_deep, "deepfm": models.deepfm}[name]
        return make(sizes, numbers=numbers)
    outputs = len(columns.classes or ()) if many else 1
    inner = Scores(sizes, numbers, outputs, (64, 32) if name == "mlp" else ())
    return inner if many else Single(inner)


def load(settings: Mapping[str, Any], folder: str | None) -> Table:
    """The table, as the run's columns read it."""
    found = read_table(settings["source"], settings["target"], seed=settings["seed"])
    if asdict(found.columns) != asdict(columns_of(settings)):
        raise DataError(f"{settings['source']} has changed since the run began.",
                        hint="Start a new run, or restore the file.")  # fmt: skip
    if _binary(settings):
        return Table(found.columns, *((x, y.astype(np.float32)) for x, y in
                                      (found.train, found.test)))  # fmt: skip
    return found


def _binary(settings: Mapping[str, Any]) -> bool:
    classes = settings["columns"]["classes"]
    return classes is not None and len(classes) == 2


def loss(settings: Mapping[str, Any]) -> Any:
    """Cross-entropy of classes, or the mean squared error."""
    if settings["columns"]["classes"] is None:
        return "mse"
    return "binary_cross_entropy" if _binary(settings) else "cross_entropy"


def metrics(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Those that suit the target."""
    if settings["columns"]["classes"] is None:
        return ("r2",)
    return ("auc", "accuracy") if _binary(settings) else ()


def describe(loaded: Table) -> str:
    """What the table holds."""
    columns = loaded.columns
    what = "a number" if columns.classes is None else f"{len(columns.classes)} classes"
    return (
        f"{len(loaded.train[1]):,} training rows and {len(loaded.test[1]):,} test rows: "
        f"{len(columns.numbers)} numbers, {len(columns.categories)} categories, target "
        f"{columns.target}, {what}"
    )


def predicted(model: Any, settings: Mapping[str, Any], path: str) -> list[dict[str, Any]]:
    """A row for each row of a CSV file: the predicted number, or class and its probability."""
    columns = columns_of(settings)
    rows = read_rows(path)
    missing = [name for name in (*columns.numbers, *columns.categories) if rows and
               name not in rows[0]]  # fmt: skip
    if missing:
        raise DataError(f"{path} has no column {', '.join(map(repr, missing))}.")
    return predicted_rows(model, settings, rows, path)


def predicted_rows(
    model: Any, settings: Mapping[str, Any], rows: Sequence[Mapping[str, str]], where: str
) -> list[dict[str, Any]]:
    """The same for rows, texts by column."""
    columns = columns_of(settings)
    scores: Array = model(*columns.inputs(rows, where)).numpy().astype(np.float64)
    if columns.classes is None:
        mean, deviation = columns.scale
        return [{columns.target: float(y * deviation + mean)} for y in scores]
    if scores.ndim == 1:
        scores = np.stack([np.zeros_like(scores), scores], axis=1)
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    best = shares.argmax(axis=1)
    return [{columns.target: columns.classes[k], "probability": float(row[k])}
            for k, row in zip(best, shares, strict=True)]  # fmt: skip
