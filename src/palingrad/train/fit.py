"""The training loop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np

from ..data.batching import shuffled
from ..dtypes import Array
from ..engines.placement import DATA, Mesh, Placement, current
from ..engines.selection import precise
from ..errors import ArgumentError, ShapeError
from ..graph.registry import ops
from ..messages.calls import public
from ..messages.checks import flag, within
from ..nn.module import Module
from ..optim.base import Optimizer
from ..processes import count
from ..scale.mesh import mesh as mesh_of
from ..scale.processes import initialize_if_launched
from ..scale.using import placed, using
from ..view.training.recording import Recording
from .checks import check_callback, check_data, check_parts
from .history import History
from .loop import Loop, Options
from .progress import Quiet, Reporter
from .saving import Checkpoints
from .step.problem import Problem, arrays_in, as_arrays, mapped

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
    precision: str | None = None,
    mesh: Mesh | None = None,
    sharding: Any = None,
    deterministic: bool = False,
    reporter: Reporter | None = None,
    on_epoch: Callbacks = None,
    record: Recording | str | PathLike[str] | None = None,
    checkpoint: Checkpoints | str | PathLike[str] | None = None,
    resume: bool = False,
) -> History:
    """Train a model on (inputs (n, …), targets (n, …)) and evaluate it after each epoch.

    Inputs are an array, a tuple of arrays, for model(*x), or a dict of them, for model(x); `train`
    may also be an iterable of such batches, or a function that returns one, called anew for each
    epoch, with its number if it takes one.

    loss: 'cross_entropy' of class numbers, 'binary_cross_entropy' of logits, 'mse', 'mae', 'huber',
    or a function of outputs and targets. metrics: names, or classes of `train.metrics`, of the test
    data: `test`, or a fraction `validation` of the training data, drawn by `seed`. accumulate:
    batches whose mean gradient makes one step. first_epoch: epochs 1 and 2, then 3 and 4, are those
    of one training. patience: epochs without a smaller test loss that end the training; the best
    epoch's parameters are put back. checkpoint: a folder, or `train.Checkpoints`; resume=True goes
    on from the newest, to the same bits as if it had never stopped. mesh: devices to train on, of
    `pg.scale.mesh`, with sharding and deterministic of `pg.scale.use`; several processes all call
    fit. record: the path of an HTML page, or a `view.Recording`. precision: "bfloat16", of xla.

    Batches are shuffled by `seed`, differently in each epoch. After each epoch come evaluation, the
    reporter, `on_epoch`, one or more functions of the history so far, early stopping, and the
    checkpoint. Ctrl-C stops training after the current step, a second Ctrl-C at once.
    """
    initialize_if_launched()
    problem = Problem.of(model, loss, class_weights)
    check_parts("fit", model, optimizer, loss, as_arrays(train[0]) if _of_arrays(train) else None)
    parts = _data(train, test, validation, seed, classes=problem.loss is ops.cross_entropy)
    options = Options(
        epochs, first_epoch, batch_size, accumulate, patience, seed, engine, tuple(metrics),
        _checkpoints(checkpoint, resume), resume, record, streaming=not _of_arrays(train),
    )  # fmt: skip
    callbacks = _callbacks(on_epoch)
    with _on(model, mesh, sharding, deterministic, batch_size, accumulate):
        loop = Loop(problem, optimizer, *parts, replace(options, engine=_engine(engine, precision)))
        with _interruptible() as interrupted:
            return loop.run(reporter or Quiet(), callbacks, interrupted)


def _on(
    model: Any,
    mesh: Mesh | None,
    sharding: Any,
    deterministic: bool,
    batch_size: int,
    accumulate: int,
) -> AbstractContextManager[None]:
    """The mesh in use during a training: the given one, or the one in use already."""
    found = current()
    if mesh is None and found is None and count() > 1:
        mesh = mesh_of({DATA: -1})
    if mesh is None:
        if sharding is not None or flag("fit: deterministic", deterministic):
            hint = 'Write mesh=pg.scale.mesh({"data": 4}), or --mesh data=4 on the command line.'
            if found is not None:
                hint = "Write them in use(…), whose mesh is in use."
            raise ArgumentError("fit: sharding and deterministic are for a mesh.", hint=hint)
        if found is None:
            return nullcontext()
        found = replace(found, uneven=True)
    else:
        found = placed(mesh, sharding=sharding or "replicated", deterministic=deterministic,
                       model=model if isinstance(model, Module) else None, uneven=True,
                       )  # fmt: skip
    if found.blocks is not None and accumulate != 1:
        raise ArgumentError("fit: deterministic=True computes a batch in blocks, and accumulate "
                            "several batches.", hint="Write a larger batch_size.")  # fmt: skip
    _check_divides(found, batch_size)
    return using(found, instead=mesh is None)


def _engine(engine: str | None, precision: str | None) -> str | None:
    found, placement = precise(engine, precision), current()
    if found != engine and placement is not None and placement.blocks is not None:
        raise ArgumentError("fit: deterministic=True adds up blocks in float64, and "
                            f"precision={precision!r} is for float32.",
                            hint="Leave one of them out.")  # fmt: skip
    return found


def _check_divides(placement: Placement, batch_size: int) -> None:
    """Raise ShapeError unless whole batches can be cut; the rest of the data is kept whole."""
    parts = placement.blocks or placement.mesh.along("data")
    if batch_size % parts:
        what = "blocks" if placement.blocks else f"devices along 'data' in {placement.mesh}"
        raise ShapeError(
            f"fit: batch_size={batch_size} isn't a multiple of the {parts} {what}.",
            hint=f"Write batch_size={-(-batch_size // parts) * parts}.",
        )


def _of_arrays(train: Any) -> bool:
    return isinstance(train, (tuple, list)) and len(train) == 2  # pyright: ignore


def _data(train: Any, test: Any, validation: float, seed: int, *, classes: bool) -> tuple[Any, Any]:
    """Training and test data, checked and split."""
    if _of_arrays(train) or isinstance(train, (tuple, list, np.ndarray)):
        check_data("fit", "train", train, least=1, classes=classes)
    within("fit: validation", validation, "[0, 1)", like=0.1)
    if validation:
        if test is not None or not _of_arrays(train):
            raise ArgumentError("fit: validation splits arrays, in the place of test.",
                                hint="Leave one of them out.")  # fmt: skip
        train, test = _split(train, validation, seed)
    if test is not None:
        check_data("fit", "test", test, classes=classes)
    return train, test


def _checkpoints(given: Any, resume: bool) -> Checkpoints | None:
    if flag("fit: resume", resume) and given is None:
        raise ArgumentError("fit: resume needs the folder of the checkpoints.",
                            hint="Write checkpoint='checkpoints'.")  # fmt: skip
    return given if given is None or isinstance(given, Checkpoints) else Checkpoints(given)


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
