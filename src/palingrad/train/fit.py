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

from ..data.batching import shuffled
from ..dtypes import Array
from ..errors import DataError, ShapeError
from ..graph.registry import ops
from ..optim.base import Optimizer
from ..view.training.recording import Recording, Unrecorded, recording_of
from .evaluate import Evaluator
from .progress import Quiet, Reporter
from .steps import Steps, Tally


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
    steps = Steps(model, loss, optimizer, train, batch_size, epochs, engine)
    watch = recording_of(record)
    watch.starts(model.variables() if record is not None else {}, steps.count * epochs)
    with _interruptible() as interrupted, report, watch:
        for number in range(1, epochs + 1):
            start = time.perf_counter()
            report.epoch_starts(number, epochs, steps.count)
            order = shuffled(steps.rows, seed, number)
            at_once = None if record is None else 1
            tally = _epoch(steps.run(order, at_once, watch), report, watch, interrupted)
            if not np.isfinite(tally.loss):
                raise DataError(
                    f"the loss became {tally.loss} in epoch {number}: try a smaller learning rate"
                )
            found = None if test is None else evaluator(*test)
            scores = (None, None) if found is None else (found.loss, found.accuracy)
            seconds = time.perf_counter() - start
            epoch = Epoch(number, tally.loss, tally.accuracy, *scores, seconds)
            history.epochs.append(epoch)
            report.epoch_ends(epoch)
            watch.epoch_ends(*scores)
            if on_epoch is not None:
                on_epoch(history)
            if interrupted():
                history.interrupted = True
                break
    return history


def _epoch(
    runs: Iterable[tuple[Array, Array, Array]],
    report: Reporter,
    watch: Recording | Unrecorded,
    interrupted: Callable[[], bool],
) -> Tally:
    """What one pass gave, or what Ctrl-C left of it."""
    tally = Tally()
    for means, hits, sizes in runs:
        tally.add(means, hits, sizes)
        watch.step_ends(float(means[-1]), int(hits[-1]) / sizes[-1])
        report.step_ends(tally.loss, tally.accuracy, len(means))
        if interrupted():
            break
    return tally


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
