"""Checks of what a training is given, before its first step."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, is_floating, is_integer, is_supported
from ..errors import ArgumentError, DataError, DTypeError, ShapeError
from ..messages.checks import shown
from ..nn.module import Module
from ..ops.losses.cross_entropy import classes_hint
from ..optim.base import Optimizer
from ..shapes import Shape, text
from .step.problem import accepts, arrays_in, as_arrays

_AT_ONCE = 1 << 20  # elements that are searched for NaN together


def check_data(call: str, what: str, data: Any, *, least: int = 0, classes: bool = True) -> None:
    """Raise unless `data` is (inputs, targets) of at least `least` examples without NaN and
    infinities; with `classes`, targets are integers."""
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise ArgumentError(
            f"{call}: {what} is a {type(data).__name__}; expected inputs and labels.",
            hint="Write a tuple of both: (x, y).",
        )
    inputs, targets = arrays_in(as_arrays(data[0])), arrays_in(as_arrays(data[1]))
    rows = len(np.atleast_1d(targets[0])) if targets else 0
    for one in (*inputs, *targets[1:]):
        if one.ndim and len(one) != rows:
            raise ShapeError(
                f"{call}: {len(one)} inputs but {rows} labels in {what}.",
                hint=f"Cut both to one length: x[:{min(len(one), rows)}].",
            )
    if rows < least:
        raise ShapeError(f"{call}: no examples to train on.", hint="Check how they were selected.")
    if classes:
        _check_labels(call, what, targets)
    for one in (*inputs, *targets):
        if not is_supported(one.dtype):
            raise DTypeError(
                f"{call}: the inputs in {what} are {one.dtype}; expected numbers.",
                hint="Convert them: x.astype(float).",
            )
    for part, arrays in (("inputs", inputs), ("targets", targets)):
        for one in arrays:
            check_finite(call, what, one, part)


def _check_labels(call: str, what: str, targets: list[Array]) -> None:
    """Raise DTypeError unless the targets are one array of class numbers."""
    labels = targets[0]
    one_hot = labels.ndim == 2 and bool((labels.sum(axis=1) == 1).all()) and (
        labels.size and labels.min() == 0 and labels.max() == 1
    )  # fmt: skip
    if len(targets) == 1 and is_integer(labels.dtype) and labels.ndim and not one_hot:
        return
    kind = f"{labels.dtype} of shape {text(labels.shape)}"
    raise DTypeError(
        f"{call}: the labels in {what} are {kind}; expected one integer for each example.",
        hint=_labels_hint(labels),
    )


def _labels_hint(labels: Array) -> str:
    if labels.dtype.kind in "USO":
        return "Number them: y = np.unique(y, return_inverse=True)[1]."
    if labels.ndim == 2 and labels.shape[1] == 1:
        return "Drop the last axis: y[:, 0]."
    if labels.ndim == 2:
        return "Class numbers of one-hot rows are y.argmax(axis=1)."
    return "Class numbers are integers: y.astype(int)."


def check_finite(call: str, what: str, inputs: Array, part: str = "inputs") -> None:
    """Raise DataError, naming the first row, if a number is NaN or infinite."""
    if not is_floating(inputs.dtype) or not len(inputs):
        return
    rows = inputs.reshape(len(inputs), -1)
    step = max(_AT_ONCE // max(rows.shape[1], 1), 1)
    for start in range(0, len(rows), step):
        finite = np.isfinite(rows[start : start + step])
        if finite.all():
            continue
        row = start + int(np.argmin(finite.all(axis=1)))
        column = int(np.argmin(np.isfinite(rows[row])))
        index = tuple(int(i) for i in np.unravel_index(column, inputs.shape[1:] or (1,)))
        raise DataError(
            f"{call}: row {row} of the {part} in {what} is {rows[row, column]} at "
            f"{', '.join(map(str, index))}.",
            hint="Leave such rows out, or fill them: np.nan_to_num(x).",
        )


def check_classes(call: str, what: str, labels: Array, scores: Shape | None) -> None:
    """Raise unless the labels number the model's outputs, of which `scores` is the shape."""
    if scores is None or len(scores) != labels.ndim + 1:
        raise ShapeError(
            f"{call}: the model returns shape {text(scores)}; expected (examples, classes).",
            hint="End the model with a layer that has one output for each class, such as "
            "pg.nn.Linear(20, 10).",
        )
    classes = scores[-1]
    if not labels.size:
        return
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or (classes is not None and high >= classes):
        wrong = low if low < 0 else high
        row = int(np.argmax((labels == wrong).reshape(len(labels), -1).any(axis=1)))
        raise ShapeError(
            f"{call}: label {wrong} in {what} (row {row}) is no class: the model has {classes} "
            f"outputs, and the labels are {low} … {high}.",
            hint=classes_hint(low, high, classes),
        )


def check_parts(call: str, model: Any, optimizer: Any, loss: Any, inputs: Any = None) -> None:
    """Raise ArgumentError unless these can be called as a training does."""
    if not isinstance(optimizer, Optimizer):
        name = optimizer.__name__ if isinstance(optimizer, type) else "Adam"
        what = "the class " + name if isinstance(optimizer, type) else shown(optimizer)
        raise ArgumentError(f"{call}: optimizer is {what}; expected an optimizer.",
                            hint=f"Write optimizer=pg.optim.{name}().")  # fmt: skip
    if not callable(loss) and not isinstance(loss, str):
        raise ArgumentError(f"{call}: loss is {shown(loss)}; expected a function of the scores and "
                            "the labels.", hint="Write loss=pg.cross_entropy.")  # fmt: skip
    if isinstance(model, type) or not callable(model):
        raise ArgumentError(f"{call}: model is {shown(model)}; expected a pg.nn.Module.",
                            hint="Make one, such as pg.nn.Linear(4, 3).")  # fmt: skip
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    called = model.forward if isinstance(model, Module) else model
    if not accepts(called, *given, training=True):
        raise ArgumentError(
            f"{call}: the model isn't called model(x, training=True), as modules are.",
            hint="Write lambda x, training: … for a function, or a class of pg.nn.Module.",
        )


def check_callback(call: str, name: str, function: Any, what: str) -> None:
    """Raise ArgumentError unless a callback takes one argument."""
    if not callable(function) or not accepts(function, None):
        raise ArgumentError(
            f"{call}: {name} doesn't take one argument, {what}.",
            hint=f"Write {name}=lambda {what.split()[1].rstrip(',')}: ….",
        )


def diverged(loss: float, epoch: int) -> DataError:
    """The error for a loss that isn't finite, of data that were."""
    return DataError(
        f"fit: the loss became {loss} in epoch {epoch}: try a smaller learning rate.",
        hint="clip_norm=1.0, an option of the optimizer, bounds the steps too; pg.debug_nans finds "
        "the operation.",
    )
