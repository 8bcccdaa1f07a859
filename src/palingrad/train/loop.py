"""The loop of a training: epochs of steps, what follows each, and its place, which it records."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np

from ..data.batching import shuffled
from ..errors import ArgumentError
from ..graph.leaves import Variable
from ..messages.checks import whole
from ..nn.module import Module
from ..optim.base import Optimizer
from ..processes import alike, busy, count, first, some
from ..view.training.recording import Recording, Unrecorded, recording_of
from .checks import diverged
from .evaluate import Evaluation, Evaluator
from .history import Epoch, History
from .progress import Reporter
from .saving import Checkpoints, put_back
from .step.batches import Means, Step, Steps, StreamSteps, Tally
from .step.problem import Problem, arrays_in, as_arrays
from .step.streams import Streams
from .stopping import Patience


@dataclass(frozen=True)
class Options:
    """The options of `fit` that its loop reads. Raises ArgumentError for wrong ones."""

    epochs: int
    first_epoch: int
    batch_size: int
    accumulate: int
    patience: int | None
    seed: int
    engine: str | None
    metrics: tuple[Any, ...]
    checkpoints: Checkpoints | None
    resume: bool
    record: Any
    streaming: bool

    def __post_init__(self) -> None:
        for name, like in (("epochs", 10), ("first_epoch", 1), ("batch_size", 64),
                           ("accumulate", 4)):  # fmt: skip
            whole(f"fit: {name}", getattr(self, name), least=1, like=like)
        if self.record is not None and count() > 1:
            raise ArgumentError("fit: record isn't there for several processes.",
                                hint="Record a short training in one process.")  # fmt: skip


@dataclass
class Place:
    """Where a training is: an epoch, the steps of it that are done, and their tally."""

    epoch: int
    done: int = 0
    total_steps: int = 0
    saved: int = -1


class Loop:
    """A training with all its parts."""

    def __init__(
        self, problem: Problem, optimizer: Optimizer, train: Any, test: Any, options: Options
    ) -> None:
        _check_alike(train, test, options)
        self._options, self._test, self._optimizer = options, test, optimizer
        model = problem.model
        self._variables: dict[str, Variable] = {}
        parameters: dict[str, Variable] = {}
        if isinstance(model, Module):
            self._variables, parameters = model.variables(), model.parameters()
        self._streams = Streams(model)
        self._step = step = Step(problem, optimizer, self._streams, options.accumulate)
        self._steps: Steps | StreamSteps
        if options.streaming:
            self._steps = StreamSteps(step, optimizer, train, options.engine, options.accumulate)
        else:
            self._steps = Steps(step, optimizer, train, options.batch_size, options.epochs,
                                options.engine, options.accumulate)  # fmt: skip
        if test is not None and not isinstance(test[1], (dict, tuple)):
            self._steps.tested = np.asarray(test[1])
        self._evaluator = Evaluator(model, problem, metrics=options.metrics, engine=options.engine)
        if options.patience is not None and test is None:
            raise ArgumentError("fit: patience looks at the test loss, but there is no test data.",
                                hint="Write validation=0.1, or test=(x, y).")  # fmt: skip
        self._patience = Patience(options.patience, self._variables)
        self._history, self._tally = History(), Tally()
        self._place = Place(options.first_epoch)
        self._checkpoints = options.checkpoints
        self._every = None if self._checkpoints is None else self._checkpoints.every
        if self._checkpoints is not None:
            self._state = self._named_state(parameters)
            if options.resume:
                self._go_on()

    # ---------------------------------------------------------------- checkpoints

    def _named_state(self, parameters: Mapping[str, Variable]) -> dict[str, Variable]:
        """All Variables that a step changes, by name."""
        optimizer = self._optimizer.variables(parameters)
        return {
            **{f"model.{name}": v for name, v in self._variables.items()},
            **{f"optimizer.{name}": v for name, v in optimizer.items()},
            "random.default": self._streams.default,
        }

    def _settings(self) -> dict[str, Any]:
        """What must be the same when a training goes on."""
        o = self._options
        return {"batch_size": o.batch_size, "accumulate": o.accumulate, "seed": o.seed,
                "examples": self._steps.rows, "optimizer": type(self._optimizer).__name__,
                "patience": o.patience}  # fmt: skip

    def _save(self) -> None:
        """Write a checkpoint of this place, once."""
        place = self._place
        if self._checkpoints is None or place.saved == place.total_steps:
            return
        history = self._history
        meta = {
            "settings": self._settings(),
            "place": {"epoch": place.epoch, "done": place.done, "steps": place.total_steps},
            "tally": asdict(self._tally),
            "streams": self._streams.first,
            "patience": self._patience.state(),
            "history": {**asdict(history), "epochs": [one.as_json() for one in history.epochs]},
        }
        best = {f"best.{name}": x for name, x in self._patience.best.items()}
        self._checkpoints.save(place.total_steps, {**self._state, **best}, meta)
        place.saved = place.total_steps

    def _go_on(self) -> None:
        """Restore the newest checkpoint, if there is one."""
        assert self._checkpoints is not None
        found = self._checkpoints.newest()
        if found is None:
            return
        meta = put_back(self._state, found, self._settings())
        where = meta["place"]
        self._place = Place(where["epoch"], where["done"], where["steps"], where["steps"])
        self._tally = Tally(**meta["tally"])
        self._streams.first = list(meta["streams"])
        self._patience.restore(meta["patience"], meta["best"])
        past = meta["history"]
        epochs = [Epoch(**one) for one in past.pop("epochs")]
        self._history = History(epochs, **past)
        self._history.interrupted = False

    # ---------------------------------------------------------------- epochs

    def run(
        self,
        report: Reporter,
        callbacks: Sequence[Callable[[History], object]],
        interrupted: Callable[[], bool],
    ) -> History:
        """Train to the last epoch, or until something stops it: in all processes, where there are
        several, at the same step."""
        options, history = self._options, self._history
        last = options.first_epoch + options.epochs - 1
        watch = recording_of(options.record)
        recorded = self._variables if options.record is not None else {}
        watch.starts(recorded, max(self._steps.count, 1) * options.epochs)
        with report, watch:
            while self._place.epoch <= last and not history.stopped_early:
                number = self._place.epoch
                start = time.perf_counter()
                report.epoch_starts(number, last, self._steps.count)
                finished = self._epoch(report, watch, interrupted)
                tally = self._tally
                if not np.isfinite(tally.loss):
                    raise diverged(tally.loss, number)
                tested = None if self._test is None else self._evaluator(*self._test)
                epoch = _epoch_of(number, tally, tested, time.perf_counter() - start)
                history.epochs.append(epoch)
                report.epoch_ends(epoch)
                watch.epoch_ends(epoch.test_loss, epoch.test_accuracy)
                with busy("what follows an epoch"):
                    for callback in callbacks:
                        callback(history)
                if not finished:  # the checkpoint is of the place before this epoch's evaluation
                    history.epochs.pop()
                    self._save()
                    history.epochs.append(epoch)
                    history.interrupted = True
                    break
                # Processors of two kinds may compute test losses that differ in the last bits.
                epoch = replace(epoch, test_loss=first("the test loss", epoch.test_loss))
                history.stopped_early = self._patience.passed(epoch, history)
                self._place.epoch, self._place.done = number + 1, 0
                self._tally = Tally()
                self._save()
                if some("the end of an epoch", interrupted()):
                    history.interrupted = True
                    break
            if not history.interrupted:
                self._patience.put_back()
        return history

    def _epoch(
        self, report: Reporter, watch: Recording | Unrecorded, interrupted: Callable[[], bool]
    ) -> bool:
        """Run the epoch's steps from the place on; whether all are done."""
        options, place, tally = self._options, self._place, self._tally
        order = shuffled(self._steps.rows, options.seed, place.epoch)
        at_once = 1 if options.record is not None else self._every
        runs: Iterable[Means] = self._steps.run(order, at_once, watch, place.done, place.epoch)
        for means, hits, sizes in runs:
            tally.add(means, hits, sizes, self._step.each)
            place.done += len(means)
            place.total_steps += len(means)
            share = None if hits[-1] < 0 else int(hits[-1]) / (sizes[-1] * self._step.each)
            watch.step_ends(float(means[-1]), share)
            report.step_ends(tally.loss, tally.accuracy, len(means))
            if place.done % options.accumulate:
                continue  # the gradients that wait for a step aren't part of a checkpoint
            if self._every and place.done % self._every == 0:
                self._save()
            if some("the end of a step", interrupted()):
                return place.done == self._steps.count
        return True


def _check_alike(train: Any, test: Any, options: Options) -> None:
    """Raise ProcessError unless all processes train with the same data and settings."""
    if count() == 1:
        return
    o = options
    settings = {name: getattr(o, name) for name in ("epochs", "first_epoch", "batch_size",
                "accumulate", "patience", "seed", "resume")}  # fmt: skip
    for name, value in settings.items():
        alike(f"fit: {name}", value, f"call fit with different {name}")
    for name, data in (("train", () if o.streaming else train), ("test", test or ())):
        digest = sha256()
        for array in (one for part in data for one in arrays_in(as_arrays(part))):
            digest.update(f"{array.dtype} {array.shape}".encode())
            digest.update(array.tobytes())
        alike(f"fit: the {name} data", digest.hexdigest(), f"have different {name} data")


def _epoch_of(number: int, tally: Tally, tested: Evaluation | None, seconds: float) -> Epoch:
    scores = (None, None) if tested is None else (tested.loss, tested.accuracy)
    metrics = {} if tested is None else dict(tested.metrics)
    return Epoch(number, tally.loss, tally.accuracy, *scores, seconds, metrics)
