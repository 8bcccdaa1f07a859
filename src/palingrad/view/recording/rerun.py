"""Computing a tape again: all of it, a value that wasn't kept, or what depends on an edit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import ShapeError, TapeError
from ...shapes import text
from .entries import Entry, Run, Source
from .retention import is_whole


class Rerun:
    """Works on the runs of a tape and changes none of them."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = runs
        self.recomputed: list[Source] = []
        self._found: dict[Source, Any] = {}

    def everything(self) -> list[Run]:
        """All runs computed again from their leaves, one operation after another."""
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
        """The whole value of an entry: as it was kept, or computed from what was."""
        stack: list[Source] = [(run, place)]
        while stack:
            here = stack[-1]
            missing = [one for one in self._needed(here) if one not in self._found]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            if here not in self._found:
                self._found[here] = self._compute(here)
        return self._found[run, place]

    def all_of(self, run: Run) -> list[Any]:
        """The whole values of a run; as it was kept where it can't be computed again."""
        values: list[Any] = []
        for entry in run.entries:
            try:
                values.append(self.whole(run.number, entry.place))
            except TapeError:
                values.append(run.values[entry.place])
        return values

    def edited(self, run: int, place: int, value: Any, *, onward: bool) -> list[Run]:
        """The runs with another value at one place; what depends on it is computed again."""
        entry = self.runs[run].entries[place]
        new = list(self.runs)
        changed: dict[Source, Any] = {(run, place): _fitting(entry, value)}
        for one in self.runs[run:] if onward else [self.runs[run]]:
            dirty = self._rerun(one, changed)
            if dirty:
                values = list(one.values)
                for at in dirty:
                    values[at] = changed[one.number, at]
                new[one.number] = replace(one, values=values)
        return new

    def _rerun(self, run: Run, changed: dict[Source, Any]) -> list[int]:
        """Compute what of a run depends on what is changed; the places, the changed ones too."""
        dirty: list[int] = []
        for entry in run.entries:
            here = (run.number, entry.place)
            source = run.sources.get(entry.place)
            if here in changed:
                dirty.append(entry.place)
            elif source is not None and source in changed:
                changed[here] = changed[source]
                dirty.append(entry.place)
            elif any((run.number, x) in changed for x in entry.inputs):
                inputs = [self._now(changed, (run.number, x)) for x in entry.inputs]
                changed[here] = _computed(run, entry, inputs)
                dirty.append(entry.place)
                if not entry.assigns:
                    self.recomputed.append(here)
        return dirty

    def _now(self, changed: dict[Source, Any], here: Source) -> Any:
        return changed[here] if here in changed else self.whole(*here)

    def _needed(self, here: Source) -> list[Source]:
        """What must be known to compute a value that wasn't kept whole."""
        run, entry = self._entry(here)
        if here in self._found or is_whole(run.values[entry.place]):
            return []
        if entry.kind == "operation":
            return [(run.number, x) for x in entry.inputs]
        source = run.sources.get(entry.place)
        return [] if source is None else [source]

    def _compute(self, here: Source) -> Any:
        run, entry = self._entry(here)
        if is_whole(run.values[entry.place]):
            return run.values[entry.place]
        if entry.kind == "operation":
            return _computed(run, entry, [self._found[run.number, x] for x in entry.inputs])
        source = run.sources.get(entry.place)
        return self._leaf(run, entry) if source is None else self._found[source]

    def _leaf(self, run: Run, entry: Entry) -> Any:
        value = run.values[entry.place]
        if not is_whole(value):
            raise TapeError(
                f"{entry.kind} {entry.name!r} of run {run.number} was not kept whole, so what "
                "depends on it can't be computed again.",
                hint="Record with a larger budget.",
            )
        return value

    def _entry(self, here: Source) -> tuple[Run, Entry]:
        run = self.runs[here[0]]
        return run, run.entries[here[1]]


def _at(new: Sequence[Run], values: Sequence[Any], run: int, source: Source) -> Any:
    """The value at a place of an earlier run, or earlier in this one."""
    return values[source[1]] if source[0] == run else new[source[0]].values[source[1]]


def _computed(run: Run, entry: Entry, inputs: Sequence[Any]) -> Any:
    if entry.assigns:
        return inputs[0]
    if entry.formula is None:
        raise TapeError(
            f"{entry.name!r} of run {run.number} is a {entry.operation}, which isn't known here, "
            "so it can't be computed again.",
            hint="Import the module that defines it, then load the tape.",
        )
    return entry.formula(*inputs)


def _fitting(entry: Entry, value: Any) -> Any:
    """The new value in the entry's dtype. Raises ShapeError where it has another shape."""
    if not isinstance(entry.dtype, str):
        raise TapeError(f"{entry.name!r} has several outputs; edit one of those")
    array = np.array(value, entry.dtype)
    if array.shape != entry.shape:
        raise ShapeError(
            f"edit: {entry.name!r} has shape {text(entry.shape)}, got {text(array.shape)}"
        )
    array.setflags(write=False)
    return array
