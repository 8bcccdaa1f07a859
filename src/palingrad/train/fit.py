"""The training loop for classifiers."""

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
from ..graph.registry import ops
from ..messages.calls import public
from ..messages.checks import whole
from ..messages.names import with_names_from
from ..optim.base import Optimizer
from ..view.training.recording import Recording, Unrecorded, recording_of
from .checks import check_data, check_parts, diverged
from .evaluate import Evaluator
from .progress import Quiet, Reporter
from .steps import Steps, Tally


@dataclass(frozen=True)
class Epoch:
    """The results of one pass over the training data: losses in nats, accuracies in [0, 1], time.

    `loss` and `accuracy` are means over the epoch's examples, each measured before its step.
    """

    number: int
    loss: float
    accuracy: float
    test_loss: float | None
    test_accuracy: float | None
    seconds: float


@with_names_from(
    {
        "losses": "[epoch.loss for epoch in history.epochs]",
        "loss": "history.epochs[-1].loss",
        "accuracy": "history.epochs[-1].accuracy",
        "history": "history.epochs",
    }
)
@dataclass
class History:
    """All epochs, and whether Ctrl-C stopped the training."""

    epochs: list[Epoch] = field(default_factory=list[Epoch])
    interrupted: bool = False


@public(surplus="Inputs and labels are one tuple: fit(model, (x, y), optimizer=…).")
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

    Mini-batches are shuffled by `seed`, differently in each epoch; all examples are used. The step
    is compiled once for each batch size. `on_epoch` is called with the history after each epoch.
    Ctrl-C stops training after the current step, a second Ctrl-C at once. `record` is the path of
    an HTML page to write, or a `view.Recording`: histograms of parameters, gradients and
    activations at each step.
    """
    check_parts("fit", model, optimizer, loss, on_epoch)
    check_data("fit", "train", train, least=1)
    if test is not None:
        check_data("fit", "test", test)
    epochs = whole("fit: epochs", epochs, least=1)
    batch_size = whole("fit: batch_size", batch_size, least=1, like=64)
    evaluator = Evaluator(model, loss, engine=engine)
    history = History()
    report = reporter or Quiet()
    steps = Steps(model, loss, optimizer, train, batch_size, epochs, engine)
    if test is not None:
        steps.tested = np.asarray(test[1])
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
                raise diverged(tally.loss, number)
            tested = None if test is None else evaluator(*test)
            scores = (None, None) if tested is None else (tested.loss, tested.accuracy)
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
    """The tally of one epoch, or of its steps until Ctrl-C."""
    tally = Tally()
    for means, hits, sizes in runs:
        tally.add(means, hits, sizes)
        watch.step_ends(float(means[-1]), int(hits[-1]) / sizes[-1])
        report.step_ends(tally.loss, tally.accuracy, len(means))
        if interrupted():
            break
    return tally


@contextmanager
def _interruptible() -> Generator[Callable[[], bool]]:
    """Until the end of the `with`, the first Ctrl-C only sets a flag, which the loop tests between
    steps; the value of the `with` is the function that returns the flag."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set  # only the main thread can handle signals
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
