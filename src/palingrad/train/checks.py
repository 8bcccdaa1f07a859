"""Checks of what a training is given, before its first step."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array, is_floating, is_integer, is_supported
from ..errors import ArgumentError, DataError, DTypeError, ShapeError
from ..messages.checks import shown
from ..ops.losses.cross_entropy import classes_hint
from ..optim.base import Optimizer
from ..shapes import Shape, text

_AT_ONCE = 1 << 20  # elements that are searched for NaN together


def check_data(call: str, what: str, data: Any, *, least: int = 0) -> None:
    """Raise unless `data` is (inputs (n, …), integer labels (n,)) of at least `least` examples,
    without NaN and infinities."""
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise ArgumentError(
            f"{call}: {what} is a {type(data).__name__}; expected inputs and labels.",
            hint="Write a tuple of both: (x, y).",
        )
    inputs, labels = np.asarray(data[0]), np.asarray(data[1])
    if inputs.ndim and len(inputs) != len(np.atleast_1d(labels)):
        raise ShapeError(
            f"{call}: {len(inputs)} inputs but {len(np.atleast_1d(labels))} labels in {what}.",
            hint=f"Cut both to one length: x[:{min(len(inputs), labels.size)}].",
        )
    if labels.size < least:
        raise ShapeError(f"{call}: no examples to train on.", hint="Check how they were selected.")
    if not is_integer(labels.dtype) or labels.ndim != 1:
        kind = f"{labels.dtype} of shape {text(labels.shape)}"
        raise DTypeError(
            f"{call}: the labels in {what} are {kind}; expected one integer for each example.",
            hint=_labels_hint(labels),
        )
    if not is_supported(inputs.dtype):
        raise DTypeError(
            f"{call}: the inputs in {what} are {inputs.dtype}; expected numbers.",
            hint="Convert them: x.astype(float).",
        )
    _check_finite(call, what, inputs)


def _labels_hint(labels: Array) -> str:
    if labels.dtype.kind in "USO":
        return "Number them: y = np.unique(y, return_inverse=True)[1]."
    if labels.ndim == 2 and labels.shape[1] == 1:
        return "Drop the last axis: y[:, 0]."
    if labels.ndim == 2:
        return "Class numbers of one-hot rows are y.argmax(axis=1)."
    return "Class numbers are integers: y.astype(int)."


def _check_finite(call: str, what: str, inputs: Array) -> None:
    """Raise DataError, naming the first row, if an input is NaN or infinite."""
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
            f"{call}: row {row} of the inputs in {what} is {rows[row, column]} at "
            f"{', '.join(map(str, index))}.",
            hint="Leave such rows out, or fill them: np.nan_to_num(x).",
        )


def check_classes(call: str, what: str, labels: Array, scores: Shape | None) -> None:
    """Raise unless the labels number the model's outputs, of which `scores` is the shape."""
    if scores is None or len(scores) != 2:
        raise ShapeError(
            f"{call}: the model returns shape {text(scores)}; expected (examples, classes).",
            hint="End the model with a layer that has one output for each class, such as "
            "pg.nn.Linear(20, 10).",
        )
    classes = scores[1]
    if not labels.size:
        return
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or (classes is not None and high >= classes):
        wrong = low if low < 0 else high
        row = int(np.argmax(labels == wrong))
        raise ShapeError(
            f"{call}: label {wrong} in {what} (row {row}) is no class: the model has {classes} "
            f"outputs, and the labels are {low} … {high}.",
            hint=classes_hint(low, high, classes),
        )


def check_parts(call: str, model: Any, optimizer: Any, loss: Any, on_epoch: Any) -> None:
    """Raise ArgumentError unless these can be called as a training does."""
    if not isinstance(optimizer, Optimizer):
        name = optimizer.__name__ if isinstance(optimizer, type) else "Adam"
        what = "the class " + name if isinstance(optimizer, type) else shown(optimizer)
        raise ArgumentError(f"{call}: optimizer is {what}; expected an optimizer.",
                            hint=f"Write optimizer=pg.optim.{name}().")  # fmt: skip
    if not callable(loss):
        raise ArgumentError(f"{call}: loss is {shown(loss)}; expected a function of the scores and "
                            "the labels.", hint="Write loss=pg.cross_entropy.")  # fmt: skip
    if isinstance(model, type) or not callable(model):
        raise ArgumentError(f"{call}: model is {shown(model)}; expected a pg.nn.Module.",
                            hint="Make one, such as pg.nn.Linear(4, 3).")  # fmt: skip
    if not _accepts(model, None, training=True):
        raise ArgumentError(
            f"{call}: the model isn't called model(x, training=True), as modules are.",
            hint="Write lambda x, training: … for a function, or a class of pg.nn.Module.",
        )
    if on_epoch is not None and not _accepts(on_epoch, None):
        raise ArgumentError(
            f"{call}: on_epoch doesn't take one argument, the history so far.",
            hint="Write on_epoch=lambda history: ….",
        )


def _accepts(f: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
    try:
        inspect.signature(f).bind(*args, **kwargs)
    except TypeError:
        return False
    except ValueError:  # a builtin function without a signature
        return True
    return True


def diverged(loss: float, epoch: int) -> DataError:
    """The error for a loss that isn't finite, of data that were."""
    return DataError(
        f"fit: the loss became {loss} in epoch {epoch}: try a smaller learning rate.",
        hint="clip_norm=1.0, an option of the optimizer, bounds the steps too; pg.debug_nans finds "
        "the operation.",
    )
