"""The training loop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import Any

import numpy as np

from ..data.batching import shuffled
from ..dtypes import Array
from ..errors import ArgumentError
from ..messages.calls import public
from ..messages.checks import flag, whole, within
from ..optim.base import Optimizer
from ..view.training.recording import Recording
from .checks import check_callback, check_data, check_parts
from .history import History
from .loop import Loop, Options
from .problem import Problem, arrays_in, as_arrays, mapped
from .progress import Quiet, Reporter

Callbacks = Callable[[History], object] | Sequence[Callable[[History], object]] | None


@public(surplus="Inputs and labels are one tuple: fit(model, (x, y), optimizer=…).")
def fit(
    model: Any,
    train: Any,
    *,
    optimizer: Optimizer,
    test: tuple[Any, Any] | None = None,
    validation: float = 0.0,
    loss: str | Callable[[Any, Any], Any] = "cross_entropy",
    metrics: Iterable[Any] = (),
    class_weights: Any = None,
    epochs: int = 10,
    first_epoch: int = 1,
    batch_size: int = 64,
    accumulate: int = 1,
    patience: int | None = None,
    seed: int = 0,
    engine: str | None = None,
    reporter: Reporter | None = None,
    on_epoch: Callbacks = None,
    record: Recording | str | PathLike[str] | None = None,
    checkpoint: str | PathLike[str] | None = None,
    save_every: int | None = None,
    keep: int = 2,
    resume: bool = False,
) -> History:
    """Train a model on (inputs (n, …), targets (n, …)) and evaluate it after each epoch.

    Inputs are an array, a tuple of arrays, for model(*x), or a dict of them, for model(x); `train`
    may also be an iterable of such batches, or a function that returns one for each epoch.

    loss: 'cross_entropy' of class numbers, 'binary_cross_entropy' of logits, 'mse', 'mae', 'huber',
    or a function of outputs and targets. metrics: names, or classes of `train.metrics`, of the test
    data: `test`, or a fraction `validation` of the training data, drawn by `seed`.

    Mini-batches are shuffled by `seed`, differently in each epoch; all examples are used. The step
    is compiled once for each batch size. accumulate: batches whose mean gradient makes one step.
    first_epoch: the number of the first; epochs 1 and 2, then 3 and 4, are those of one training.
    patience: epochs without a smaller test loss after which the training ends; the parameters of
    the best epoch are put back.

    checkpoint: a folder for checkpoints, one after each epoch and, with save_every, each so many
    steps; the `keep` newest stay. resume=True goes on from the newest, to the same bits as a
    training that never stopped. record: the path of an HTML page, or a `view.Recording`.

    After each epoch come, in this order: evaluation, the reporter, `on_epoch`, a function or
    several of the history so far, early stopping, the checkpoint. Ctrl-C stops training after the
    current step, a second Ctrl-C at once.
    """
    problem = Problem.of(model, loss, class_weights)
    arrays = isinstance(train, (tuple, list)) and len(train) == 2
    check_parts("fit", model, optimizer, loss, as_arrays(train[0]) if arrays else None)
    classes = loss == "cross_entropy" or _is_cross_entropy(problem)
    if arrays or isinstance(train, (tuple, list, np.ndarray)):
        check_data("fit", "train", train, least=1, classes=classes)
    within("fit: validation", validation, "[0, 1)", like=0.1)
    if validation:
        if test is not None or not arrays:
            raise ArgumentError("fit: validation splits arrays, in the place of test.",
                                hint="Leave one of them out.")  # fmt: skip
        train, test = _split(train, validation, seed)
    if test is not None:
        check_data("fit", "test", test, classes=classes)
    callbacks = _callbacks(on_epoch)
    if patience is not None and test is None:
        raise ArgumentError("fit: patience looks at the test loss, but there is no test data.",
                            hint="Write validation=0.1, or test=(x, y).")  # fmt: skip
    if save_every is not None or resume:
        if checkpoint is None:
            raise ArgumentError("fit: resume and save_every need a folder of checkpoints.",
                                hint="Write checkpoint='checkpoints'.")  # fmt: skip
    options = Options(
        epochs=whole("fit: epochs", epochs, least=1),
        first_epoch=whole("fit: first_epoch", first_epoch, least=1),
        batch_size=whole("fit: batch_size", batch_size, least=1, like=64),
        accumulate=whole("fit: accumulate", accumulate, least=1, like=4),
        patience=patience, seed=seed, engine=engine, metrics=tuple(metrics), checkpoint=checkpoint,
        save_every=None if save_every is None else whole("fit: save_every", save_every, least=1,
                                                         like=100),
        keep=keep, resume=flag("fit: resume", resume), record=record, streaming=not arrays,
    )  # fmt: skip
    loop = Loop(problem, optimizer, train, test, options)
    with _interruptible() as interrupted:
        return loop.run(reporter or Quiet(), callbacks, interrupted)


def _is_cross_entropy(problem: Problem) -> bool:
    return getattr(problem.loss, "__name__", "") == "cross_entropy"


def _callbacks(given: Any) -> list[Callable[[History], object]]:
    """The functions to call after each epoch."""
    functions: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given]
    found = [one for one in functions if one is not None]
    for one in found:
        check_callback("fit", "on_epoch", one, "the history so far")
    return found


def _split(train: Any, fraction: float, seed: int) -> tuple[Any, Any]:
    """The training data without a fraction of the examples, and these."""
    x, y = as_arrays(train[0]), as_arrays(train[1])
    rows = len(arrays_in(y)[0])
    count = round(fraction * rows)
    if not 0 < count < rows:
        raise ArgumentError(f"fit: validation={fraction} of {rows} examples is {count} of them.",
                            hint="Both parts need one at least.")  # fmt: skip
    order = shuffled(rows, seed, 0)  # epochs are numbered from 1
    parts = np.sort(order[count:]), np.sort(order[:count])

    def chosen(which: Array) -> Any:
        return mapped(lambda a: a[which], x), mapped(lambda a: a[which], y)

    return chosen(parts[0]), chosen(parts[1])


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
