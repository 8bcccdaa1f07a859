"""The training loop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np

from ..data.batching import shuffled
from ..dtypes import Array, float32
from ..errors import DataError, ShapeError
from ..function import function
from ..graph.registry import ops
from ..optim.base import Optimizer
from ..view.training.recording import Recording, recording_of
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
    steps = _Steps(model, loss, optimizer, train, batch_size, epochs, engine)
    watch = recording_of(record)
    watch.starts(model.variables() if record is not None else {}, steps.count * epochs)
    with _interruptible() as interrupted, report, watch:
        for number in range(1, epochs + 1):
            start = time.perf_counter()
            report.epoch_starts(number, epochs, steps.count)
            at_once = 1 if record is not None else None
            tally = _Tally()
            for means, hits, sizes in steps.run(shuffled(steps.rows, seed, number), at_once, watch):
                tally.add(means, hits, sizes)
                watch.step_ends(float(means[-1]), int(hits[-1]) / sizes[-1])
                report.step_ends(tally.loss, tally.accuracy, len(means))
                if interrupted():
                    break
            if not np.isfinite(tally.loss):
                raise DataError(
                    f"the loss became {tally.loss} in epoch {number}: try a smaller learning rate"
                )
            found = None if test is None else evaluator(*test)
            epoch = Epoch(
                number,
                tally.loss,
                tally.accuracy,
                None if found is None else found.loss,
                None if found is None else found.accuracy,
                time.perf_counter() - start,
            )
            history.epochs.append(epoch)
            report.epoch_ends(epoch)
            watch.epoch_ends(epoch.test_loss, epoch.test_accuracy)
            if on_epoch is not None:
                on_epoch(history)
            if interrupted():
                history.interrupted = True
                break
    return history


class _Tally:
    """Loss and accuracy over the examples so far."""

    def __init__(self) -> None:
        self._total, self._right, self._seen = 0.0, 0, 0

    def add(self, means: Array, hits: Array, sizes: Array) -> None:
        """Steps with these mean losses and right answers, of so many examples each."""
        for mean, right, size in zip(means.tolist(), hits.tolist(), sizes.tolist(), strict=True):
            self._total += mean * size
            self._right += right
            self._seen += size

    @property
    def loss(self) -> float:
        """The mean loss of an example."""
        return self._total / self._seen

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return self._right / self._seen


_UPDATES = 50  # how often an epoch tells how it goes, at least, if it has as many steps


class _Steps:
    """The steps of an epoch: many in one call, which takes its batches from the data itself."""

    def __init__(
        self, model: Any, loss: Any, optimizer: Optimizer, train: tuple[Array, Array],
        batch_size: int, epochs: int, engine: str | None,
    ) -> None:  # fmt: skip
        self._inputs = np.ascontiguousarray(train[0], float32)
        self._labels = np.ascontiguousarray(train[1])
        self.rows = len(self._labels)
        self._size = batch_size
        self._whole = self.rows // batch_size
        self.count = -(-self.rows // batch_size)

        def step(inputs: Any, labels: Any, rows: Any) -> Any:
            x, y = ops.take(inputs, rows), ops.take(labels, rows)
            scores = model(x, training=True)  # (batch, classes)
            mean = loss(scores, y)
            optimizer.minimize(mean)
            return mean, ops.sum(ops.argmax(scores, axis=-1) == y)

        self._step = function(step, engine=engine, runs=self._whole * epochs)
        self._last = function(step, engine=engine, runs=epochs)

    def run(
        self, order: Array, at_once: int | None, watch: Any
    ) -> Generator[tuple[Array, Array, Array]]:
        """(mean losses, right answers, sizes) of some steps at a time, in this order of rows."""
        size = self._size
        many = at_once or max(self.count // _UPDATES, 1)
        whole = order[: self._whole * size].reshape(self._whole, size)
        for first in range(0, self._whole, many):
            rows = whole[first : first + many]
            with watch.step():
                if len(rows) == 1:
                    mean, hits = self._step(self._inputs, self._labels, rows[0])
                    mean, hits = mean.reshape(1), hits.reshape(1)
                else:
                    mean, hits = self._step.repeat(self._inputs, self._labels, rows, along=(2,))
            yield mean, hits, np.full(len(rows), size)
        rest = order[self._whole * size :]
        if len(rest):
            with watch.step():
                mean, hits = self._last(self._inputs, self._labels, rest)
            yield mean.reshape(1), hits.reshape(1), np.full(1, len(rest))


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
