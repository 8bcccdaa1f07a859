"""`Recording`: histograms of parameters, gradients and activations over the steps of a training."""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...dtypes import is_inexact
from ...errors import TapeError, WriteError
from ...files.atomic import make_folder, write_atomically
from ...graph.leaves import Variable
from ..recording.entries import Entry, Run
from ..recording.recorder import record
from ..recording.retention import Summary, summary_of
from .document import asset, document
from .events import Events

Group = Literal["parameters", "gradients", "activations"]
GROUPS: tuple[Group, ...] = ("parameters", "gradients", "activations")
POINTS = 120  # the approximate number of recorded steps by default


@dataclass
class Track:
    """The history of one array: a Summary for each recorded step."""

    name: str
    shape: tuple[int, ...]
    seen: dict[int, Summary] = field(default_factory=dict[int, Summary])


@dataclass
class Recording:
    """The recording of `fit(record=…)`: the loss of each step, and histograms at every n-th step.

    path: the file to which the page with the slider is written when training ends, or None.
    every: the interval n between recorded steps; by default about 120 steps are recorded.
    tensorboard: a folder for event files, or None; needs the package tensorboardX.

    A recorded step runs node by node in the numpy engine, which is slower.
    """

    path: str | PathLike[str] | None = None
    every: int | None = None
    tensorboard: str | PathLike[str] | None = None
    tracks: dict[Group, dict[str, Track]] = field(
        default_factory=lambda: {group: {} for group in GROUPS}
    )
    losses: list[float] = field(default_factory=list[float])
    accuracies: list[float] = field(default_factory=list[float])
    epochs: list[tuple[int, float | None]] = field(default_factory=list[Any])
    _held: list[Variable] = field(default_factory=list[Variable], repr=False)
    _names: dict[int, str] = field(default_factory=dict[int, str], repr=False)
    _events: Events | None = field(default=None, repr=False)

    # ---------------------------------------------------------------- what the training loop calls

    def starts(self, variables: Mapping[str, Variable], steps: int) -> None:
        """Called when a training of `steps` steps begins; `variables` are its parameters."""
        self._names = {id(variable): name for name, variable in variables.items()}
        self._held = list(variables.values())  # keeps their ids unique
        if self.every is None:
            self.every = max(1, math.ceil(steps / POINTS))
        if self.every < 1:
            raise TapeError(f"record: every must be at least 1, got {self.every}")
        if self.tensorboard is not None:
            self._events = Events(fspath(self.tensorboard))

    @contextmanager
    def step(self) -> Generator[None]:
        """A context for one step, which records every n-th step."""
        number = len(self.losses) + 1
        if (number - 1) % (self.every or 1):
            yield
            return
        with record(budget=None) as tape:
            yield
        for run in tape.runs:
            self._take(run, number, [ref() for ref in tape._known])

    def step_ends(self, loss: float, accuracy: float | None) -> None:
        """Called after each step."""
        self.losses.append(loss)
        if accuracy is not None:
            self.accuracies.append(accuracy)
        if self._events is not None:
            share = {} if accuracy is None else {"accuracy": accuracy}
            self._events.scalars({"loss": loss, **share}, len(self.losses))

    def epoch_ends(self, test_loss: float | None, test_accuracy: float | None) -> None:
        """Called at the end of each epoch."""
        self.epochs.append((len(self.losses), test_accuracy))
        if self._events is not None and test_loss is not None:
            share = {} if test_accuracy is None else {"test accuracy": test_accuracy}
            numbers = {"test loss": test_loss, **share}
            self._events.scalars(numbers, len(self.losses))
        if self._events is not None:
            self._events.flush()

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Write the files, also if training was interrupted by an error, which is then the one that
        is raised."""
        with nullcontext() if error is None else suppress(WriteError), ExitStack() as stack:
            if self._events is not None:
                stack.callback(self._events.close)
            if self.path is not None:
                self.save(self.path)

    # ---------------------------------------------------------------- from a tape

    def _take(self, run: Run, step: int, variables: list[Any]) -> None:
        """Summarise a run's parameters, their gradients and the model's activations."""
        named = {n: self._names.get(id(v)) for n, v in enumerate(variables)}
        for entry in run.entries:
            value = run.values[entry.place]
            name = None if entry.variable is None else named.get(entry.variable)
            if entry.kind == "variable" and name is not None and _is_float(value):
                self._keep("parameters", name, value, step)
        totals: dict[str, Any] = {}
        for entry in run.entries:
            name = None if entry.gradient_of is None else named.get(entry.gradient_of)
            if name is not None and not entry.assigns:
                totals[name] = run.values[entry.place]  # the last one is the accumulated gradient
        for name, value in totals.items():
            self._keep("gradients", name, value, step)
        for name, entry in activations(run):
            self._keep("activations", name, run.values[entry.place], step)

    def _keep(self, group: Group, name: str, value: Any, step: int) -> None:
        track = self.tracks[group].setdefault(name, Track(name, value.shape))
        track.seen[step] = summary_of(value)
        if self._events is not None:
            self._events.histogram(f"{group}/{name}", track.seen[step], step)

    # ---------------------------------------------------------------- the page

    @property
    def steps(self) -> list[int]:
        """The numbers of the recorded steps, counted from 1."""
        tracks = [track for group in self.tracks.values() for track in group.values()]
        return sorted({step for track in tracks for step in track.seen})

    def html(self) -> str:
        """The page: histograms and norms of every array, with a slider over the steps."""
        data = json.dumps(self._data(), separators=(",", ":")).replace("<", "\\u003c")
        script = f"const data = {data};\n{asset('scrubber.js')}"
        return document("Training, step by step", asset("scrubber.html"), script=script)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the page and return its path."""
        place = Path(path)
        make_folder(place.parent)
        write_atomically(place, self.html())
        return place

    def _data(self) -> dict[str, Any]:
        thin = max(1, math.ceil(len(self.losses) / 1500))
        return {
            "steps": self.steps,
            "losses": [[k + 1, _rounded(x)] for k, x in enumerate(self.losses) if k % thin == 0],
            "epochs": [[step, None if y is None else _rounded(y)] for step, y in self.epochs],
            "total": len(self.losses),
            "groups": {
                group: [_track(track) for track in self.tracks[group].values()] for group in GROUPS
            },
        }


class Unrecorded:
    """The null object used in place of a Recording if nothing is recorded."""

    def starts(self, variables: Mapping[str, Variable], steps: int) -> None:
        """Keep nothing."""

    def step(self) -> AbstractContextManager[None]:
        """Record nothing."""
        return _NOTHING

    def step_ends(self, loss: float, accuracy: float | None) -> None:
        """Keep nothing."""

    def epoch_ends(self, test_loss: float | None, test_accuracy: float | None) -> None:
        """Keep nothing."""

    def __enter__(self) -> Unrecorded:
        return self

    def __exit__(self, *_: object) -> None: ...


_NOTHING = nullcontext()


def recording_of(what: Recording | str | PathLike[str] | None) -> Recording | Unrecorded:
    """The Recording for the argument of `fit(record=…)`: a Recording, a path or None."""
    if isinstance(what, Recording):
        return what
    return Unrecorded() if what is None else Recording(what)


def _track(track: Track) -> dict[str, Any]:
    """The summaries of one array as columns."""
    seen = track.seen
    columns = ("low", "high", "mean", "deviation", "norm")
    table: dict[str, Any] = {
        column: [_rounded(getattr(summary, column)) for summary in seen.values()]
        for column in columns
    }
    numbers = ("zeros", "nans", "infinities")
    table |= {column: [getattr(summary, column) for summary in seen.values()] for column in numbers}
    counts = [list(summary.counts) for summary in seen.values()]
    return {"name": track.name, "shape": list(track.shape), "steps": list(seen),
            "counts": counts, **table}  # fmt: skip


def _rounded(x: float) -> float | None:
    """`x` with five significant digits; None for NaN and infinity, which JSON lacks."""
    return float(f"{x:.5g}") if math.isfinite(x) else None


def activations(run: Run) -> list[tuple[str, Entry]]:
    """The outputs of each module in a run: values used in another scope, by the module's name."""
    users: dict[int, set[str]] = {}
    for entry in run.entries:
        for x in entry.inputs:
            if entry.role == "forward":
                users.setdefault(x, set()).add(entry.scope)
    outputs: dict[str, Entry] = {}
    for entry in run.entries:
        inside = entry.kind == "operation" and entry.role == "forward" and entry.scope
        leaves = any(scope != entry.scope for scope in users.get(entry.place, set()))
        if inside and leaves and isinstance(entry.dtype, str) and entry.dtype.startswith("float"):
            parts = [part for part in entry.scope.split("/") if part][1:]
            name = "/".join(parts or [entry.operation])
            outputs[_free(name, outputs)] = entry
    return list(outputs.items())


def _free(name: str, taken: Mapping[str, Any]) -> str:
    candidates = (name, *(f"{name} {n}" for n in range(2, 10_000)))
    return next(candidate for candidate in candidates if candidate not in taken)


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and is_inexact(value.dtype)
