"""The training loop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np

from ..data.batching import batches
from ..dtypes import Array, float32
from ..errors import DataError, ShapeError
from ..function import function
from ..graph.registry import ops
from ..optim.base import Optimizer
from ..view.training.recording import Recording, Unrecorded, recording_of
from .evaluate import Evaluator
from .progress import Quiet, Reporter


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training data gave: losses in nats, accuracies as shares, seconds.

    `loss` and `accuracy` are means over the epoch's mini-batches while the model changed.
    """

    number: int
    loss: float
    accuracy: float
    test_loss: float | None
    test_accuracy: float | None
    seconds: float


@dataclass
class History:
    """All epochs, and whether Ctrl-C ended the training."""

    epochs: list[Epoch] = field(default_factory=list[Epoch])
    interrupted: bool = False


def fit(
    model: Any,
    train: tuple[Array, Array],
    *,
    optimizer: Optimizer,
    test: tuple[Array, Array] | None = None,
    loss: Callable[[Any, Any], Any] = ops.cross_entropy,
    epochs: int = 10,
    batch_size: int = 64,
    seed: int = 0,
    engine: str | None = None,
    reporter: Reporter | None = None,
    on_epoch: Callable[[History], None] | None = None,
    record: Recording | str | PathLike[str] | None = None,
) -> History:
    """Train a classifier on (inputs (n, …), integer labels (n,)) and evaluate after each epoch.

    Mini-batches are shuffled by `seed`, another way in each epoch; all examples are used. The
    step is compiled once for each size of batch. `on_epoch` is called with the history after
    each epoch. Ctrl-C ends training after the step that runs; a second one ends it at once.
    `record` is a path for a page that goes through the steps, or a `view.Recording`: parameters,
    gradients and activations as histograms.
    """
    _check(train, epochs, batch_size)
    evaluator = Evaluator(model, loss, engine=engine)
    history = History()
    report = reporter or Quiet()
    step = _step_of(model, loss, optimizer, engine)
    inputs, labels = np.asarray(train[0], float32), train[1]
    steps = -(-len(labels) // batch_size)
    watch = recording_of(record)
    watch.starts(model.variables() if record is not None else {}, steps * epochs)
    with _interruptible() as interrupted, report, watch:
        for number in range(1, epochs + 1):
            start = time.perf_counter()
            report.epoch_starts(number, epochs, steps)
            mini = batches((inputs, labels), batch_size, seed=seed, epoch=number)
            mean, accuracy = _epoch(step, mini, report, watch, interrupted)
            if not np.isfinite(mean):
                raise DataError(
                    f"the loss became {mean} in epoch {number}: try a smaller learning rate"
                )
            found = None if test is None else evaluator(*test)
            scores = (None, None) if found is None else (found.loss, found.accuracy)
            epoch = Epoch(number, mean, accuracy, *scores, time.perf_counter() - start)
            history.epochs.append(epoch)
            report.epoch_ends(epoch)
            watch.epoch_ends(*scores)
            if on_epoch is not None:
                on_epoch(history)
            if interrupted():
                history.interrupted = True
                break
    return history


def _step_of(
    model: Any, loss: Callable[[Any, Any], Any], optimizer: Optimizer, engine: str | None
) -> Any:
    """The compiled training step: the mean loss of a mini-batch, and how many answers are right."""

    @function(engine=engine)
    def step(x: Any, y: Any) -> Any:
        scores = model(x, training=True)  # (batch, classes)
        mean = loss(scores, y)
        optimizer.minimize(mean)
        return mean, ops.sum(ops.argmax(scores, axis=-1) == y)

    return step


def _epoch(
    step: Callable[[Array, Array], Any],
    mini_batches: Iterable[tuple[Array, ...]],
    report: Reporter,
    watch: Recording | Unrecorded,
    interrupted: Callable[[], bool],
) -> tuple[float, float]:
    """Mean loss and share of right answers over one pass, or over what Ctrl-C left of it."""
    total, right, seen = 0.0, 0, 0
    for x, y in mini_batches:
        with watch.step():
            mean, hits = step(x, y)
        watch.step_ends(float(mean), int(hits) / len(y))
        total, right, seen = total + float(mean) * len(y), right + int(hits), seen + len(y)
        report.step_ends(total / seen, right / seen)
        if interrupted():
            break
    return total / seen, right / seen


def _check(train: tuple[Array, Array], epochs: int, batch_size: int) -> None:
    if len(train[0]) != len(train[1]):
        raise ShapeError(f"fit: {len(train[0])} inputs but {len(train[1])} labels")
    if not len(train[1]):
        raise ShapeError("fit: no examples to train on")
    if epochs < 1 or batch_size < 1:
        raise ShapeError(f"fit: epochs and batch_size must be positive, got {epochs}, {batch_size}")


@contextmanager
def _interruptible() -> Generator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a question that the loop asks between steps."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set  # only the main thread can take signals
        return
    before = signal.getsignal(signal.SIGINT)

    def handle(number: int, frame: Any) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    signal.signal(signal.SIGINT, handle)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
