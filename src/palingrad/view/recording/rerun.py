"""Recomputes a tape: all values, a summarised value, or the dependents of an edited value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import PalingradError, ShapeError, TapeError
from ...shapes import text
from .entries import Entry, Run, Source
from .retention import is_whole


class Rerun:
    """Recomputes values of the runs of a tape, without changing the runs."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = runs
        self.recomputed: list[Source] = []
        self._values: dict[Source, Any] = {}

    def everything(self) -> list[Run]:
        """All runs, recomputed from their leaves operation by operation."""
        new: list[Run] = []
        for run in self.runs:
            values: list[Any] = []
            for entry in run.entries:
                source = run.sources.get(entry.place)
                if entry.kind == "operation":
                    values.append(_computed(run, entry, [values[x] for x in entry.inputs]))
                elif source is not None:
                    values.append(_at(new, values, run.number, source))
                else:
                    values.append(self._leaf(run, entry))
            new.append(replace(run, values=values, whole=True, fed=True))
        return new

    def whole(self, run: int, place: int) -> Any:
        """The whole value of an entry: the recorded one, or recomputed from recorded ones."""
        stack: list[Source] = [(run, place)]
        while stack:
            entry = stack[-1]
            missing = [source for source in self._needed(entry) if source not in self._values]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            if entry not in self._values:
                self._values[entry] = self._compute(entry)
        return self._values[run, place]

    def all_of(self, run: Run) -> list[Any]:
        """The whole values of a run; a value that can't be recomputed is as the run holds it."""
        values: list[Any] = []
        for entry in run.entries:
            try:
                values.append(self.whole(run.number, entry.place))
            except TapeError:
                values.append(run.values[entry.place])
        return values

    def edited(self, run: int, place: int, value: Any, *, onward: bool) -> list[Run]:
        """The runs with a new value at one place and all its dependents recomputed."""
        entry = self.runs[run].entries[place]
        new = list(self.runs)
        changed: dict[Source, Any] = {(run, place): _converted(entry, value)}
        for affected in self.runs[run:] if onward else [self.runs[run]]:
            dirty = self._rerun(affected, changed)
            if dirty:
                values = list(affected.values)
                for at in dirty:
                    values[at] = changed[affected.number, at]
                new[affected.number] = replace(affected, values=values)
        return new

    def _rerun(self, run: Run, changed: dict[Source, Any]) -> list[int]:
        """Recompute the entries of a run that depend on `changed`, which is extended; returns the
        places of all changed entries."""
        dirty: list[int] = []
        for entry in run.entries:
            key = (run.number, entry.place)
            source = run.sources.get(entry.place)
            if key in changed:
                dirty.append(entry.place)
            elif source is not None and source in changed:
                changed[key] = changed[source]
                dirty.append(entry.place)
            elif any((run.number, x) in changed for x in entry.inputs):
                inputs = [self._now(changed, (run.number, x)) for x in entry.inputs]
                changed[key] = _computed(run, entry, inputs)
                dirty.append(entry.place)
                if not entry.assigns:
                    self.recomputed.append(key)
        return dirty

    def _now(self, changed: dict[Source, Any], key: Source) -> Any:
        return changed[key] if key in changed else self.whole(*key)

    def _needed(self, key: Source) -> list[Source]:
        """The entries whose values are needed to recompute this one; none if it is whole."""
        run, entry = self._entry(key)
        if key in self._values or is_whole(run.values[entry.place]):
            return []
        if entry.kind == "operation":
            return [(run.number, x) for x in entry.inputs]
        source = run.sources.get(entry.place)
        return [] if source is None else [source]

    def _compute(self, key: Source) -> Any:
        run, entry = self._entry(key)
        if is_whole(run.values[entry.place]):
            return run.values[entry.place]
        if entry.kind == "operation":
            return _computed(run, entry, [self._values[run.number, x] for x in entry.inputs])
        source = run.sources.get(entry.place)
        return self._leaf(run, entry) if source is None else self._values[source]

    def _leaf(self, run: Run, entry: Entry) -> Any:
        value = run.values[entry.place]
        if not is_whole(value):
            raise TapeError(
                f"{entry.kind} {entry.name!r} of run {run.number} was not kept whole, so "
                "its dependents can't be recomputed.",
                hint="Record with a larger budget.",
            )
        return value

    def _entry(self, key: Source) -> tuple[Run, Entry]:
        run = self.runs[key[0]]
        return run, run.entries[key[1]]


def _at(new: Sequence[Run], values: Sequence[Any], run: int, source: Source) -> Any:
    """The value of an entry of an earlier run, or of an earlier entry of this run."""
    return values[source[1]] if source[0] == run else new[source[0]].values[source[1]]


def _computed(run: Run, entry: Entry, inputs: Sequence[Any]) -> Any:
    if entry.assigns:
        return inputs[0]
    if entry.formula is None:
        raise TapeError(
            f"{entry.name!r} of run {run.number} is a {entry.operation}, which isn't defined here, "
            "so it can't be recomputed.",
            hint="Import the module that defines it, then load the tape.",
        )
    try:
        return entry.formula(*inputs)
    except PalingradError:
        raise
    except Exception as error:
        raise TapeError(
            f"{entry.name!r} of run {run.number}, a {entry.operation}, can't be recomputed: "
            f"{type(error).__name__}: {error}.",
            hint="Its operation has changed since it was recorded, or the tape's file is damaged.",
        ) from error


def _converted(entry: Entry, value: Any) -> Any:
    """The new value in the entry's dtype. Raises ShapeError if the shapes differ."""
    if not isinstance(entry.dtype, str):
        raise TapeError(f"{entry.name!r} has several outputs; edit one of its outputs")
    array = np.array(value, entry.dtype)
    if array.shape != entry.shape:
        raise ShapeError(
            f"edit: {entry.name!r} has shape {text(entry.shape)}, got {text(array.shape)}"
        )
    array.setflags(write=False)
    return array
