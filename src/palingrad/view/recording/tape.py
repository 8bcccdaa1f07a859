"""The tape: a record of all computations by runs and operations, to step through and edit.

A run is one call of a session or function, or a section of eager code up to and including its
updates of Variables: one training step, in any style.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np

from ...dtypes import Array
from ...errors import PalingradError, TapeError, printable
from ...files.atomic import path_text
from ...files.terminal import for_output
from ...graph.leaves import Variable
from ...graph.node import Node
from ...graph.registry import name_of
from ...passes.program import Program
from ..page import show
from .entries import Entry, Run, Source
from .replay_nodes import program_of
from .rerun import Rerun
from .retention import Keep, Ledger, Summary, is_whole, same_bytes, summarised, summary_of
from .tape_file import read_tape, write_tape


@dataclass(frozen=True, eq=False)
class Moment:
    """One entry of one run, with its value and the values of its inputs."""

    run: int
    entry: Entry
    value: Any
    inputs: tuple[Any, ...]

    @property
    def name(self) -> str:
        """The node's name; for an assignment, the Variable's name."""
        return self.entry.name

    @property
    def summary(self) -> Summary:
        """The value's moments and histogram."""
        return self.value if isinstance(self.value, Summary) else summary_of(np.asarray(self.value))

    def __str__(self) -> str:
        value = self.value
        shown = value if isinstance(value, Summary) or value is None else _short(value)
        return for_output(f"run {self.run}, {self.entry.role:8} {self.entry}  {shown}")


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return f"{len(value)} arrays"
    if value.size > 8:
        return str(summary_of(value))
    return np.array2string(value, separator=", ", threshold=8).replace("\n", "")


When = Callable[[Moment], bool]
_SAVED = ("keep", "budget", "variables", "notes")


@dataclass
class Tape:
    """The result of `pg.record`, with its `keep` and `budget`.

    `len(tape)` is the number of runs; `tape.moments()` iterates over all operations in order, and
    `tape.step()` steps through them.
    """

    keep: Keep = "all"
    budget: int | None = None
    runs: list[Run] = field(default_factory=list[Run])
    variables: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    _ledger: Ledger = field(default_factory=Ledger, repr=False)
    _known: list[Any] = field(default_factory=list[Any], repr=False)  # weak refs to the Variables
    _cursor: tuple[int, int] = (0, -1)
    _breakpoints: list[When] = field(default_factory=list[When], repr=False)
    _file: str = field(default="", repr=False)  # the file that it was loaded from
    _oldest: list[int] = field(default_factory=lambda: [0, 0], repr=False)

    # ---------------------------------------------------------------- contents

    def __len__(self) -> int:
        return len(self.runs)

    def moments(self, run: int | None = None) -> Iterator[Moment]:
        """Every operation and assignment, of one run or of all, in order of execution."""
        for selected in self.runs if run is None else [self.runs[run]]:
            for entry in selected.entries:
                if entry.kind == "operation":
                    yield self.moment(selected.number, entry.place)

    def moment(self, run: int, place: int) -> Moment:
        """The entry at a place of a run, with its values as the tape holds them."""
        entry, values = self.runs[run].entries[place], self.runs[run].values
        return Moment(run, entry, values[place], tuple(values[x] for x in entry.inputs))

    def find(self, what: Any, run: int | None = None) -> list[tuple[int, int]]:
        """The (run, place) of every entry with this name or node. Raises TapeError if none."""
        if isinstance(what, tuple):
            return [what]
        if isinstance(what, Moment):
            return [(what.run, what.entry.place)]
        test = self._named(what)
        runs = self.runs if run is None else [self.runs[run]]
        places = [(r.number, entry.place) for r in runs for entry in r.entries if test(entry)]
        if not places:
            names = sorted({entry.name for r in self.runs for entry in r.entries})
            wanted = repr(what) if isinstance(what, str) else what.label()
            raise TapeError(
                f"the tape has no entry for {wanted}.",
                hint=f"It has {', '.join(names[:12])}{' …' if len(names) > 12 else ''}.",
            )
        return places

    def history(self, what: Any) -> list[Any]:
        """The value of a node or name in each run that contains it, as the tape holds it."""
        seen: dict[int, Any] = {}
        for run, place in self.find(what):
            entry = self.runs[run].entries[place]
            if not entry.assigns:  # a Variable's value in a run is the one that the run reads
                seen[run] = self.runs[run].values[place]
        return list(seen.values())

    def value(self, what: Any, run: int = -1) -> Array:
        """The whole value of a node or name in a run; recomputed if the tape holds a summary."""
        run, place = self.find(what, range(len(self.runs))[run])[-1]
        return Rerun(self.runs).whole(run, place)

    def _named(self, what: Any) -> Callable[[Entry], bool]:
        if isinstance(what, str):
            wanted = {what, printable(what)}  # entries have the names that drawings show
            return lambda entry: entry.name in wanted
        if isinstance(what, Variable):
            numbers = [n for n, ref in enumerate(self._known) if ref() is what]
            return lambda entry: entry.variable in numbers
        if not isinstance(what, Node):
            raise TapeError(f"expected a node or a name, got {type(what).__name__} {what!r:.40}")
        return lambda entry: (
            (entry.operation, entry.origin) == (what.kind_name(), what.origin)
            and (entry.formula is None or name_of(entry.formula.operation) == name_of(type(what)))
        )

    # ---------------------------------------------------------------- stepping

    def step(self, count: int = 1) -> Moment | None:
        """The next operation, or a previous one if `count` is negative; None past either end."""
        moment = None
        for _ in range(abs(count)):
            moment = self._next() if count > 0 else self._previous()
        return moment

    def go(self) -> Moment | None:
        """Step forward to the next breakpoint; None if there is none."""
        while (moment := self._next()) is not None:
            if any(when(moment) for when in self._breakpoints):
                return moment
        return None

    def rewind(self) -> None:
        """Move to before the first operation."""
        self._cursor = (0, -1)

    def stop_at(
        self, node: Any = None, *, shape: Sequence[int] | None = None, when: When | None = None
    ) -> None:
        """Adds a breakpoint for `go`: at a node or name, at values of a shape, or where
        `when(moment)` is true. If several conditions are given, all must hold."""
        tests: list[When] = []
        if node is not None:
            named = self._named(node)
            tests.append(lambda moment: named(moment.entry))
        if shape is not None:
            wanted = tuple(shape)
            tests.append(lambda moment: moment.entry.shape == wanted)
        if when is not None:
            tests.append(when)
        if not tests:
            raise TapeError("stop_at: give a node, a shape or a predicate")
        self._breakpoints.append(lambda moment: all(test(moment) for test in tests))

    def clear_stops(self) -> None:
        """Remove all breakpoints."""
        self._breakpoints.clear()

    def _next(self) -> Moment | None:
        run, place = self._cursor
        while run < len(self.runs):
            entries = self.runs[run].entries
            for entry in entries[place + 1 :]:
                if entry.kind == "operation":
                    self._cursor = run, entry.place
                    return self.moment(run, entry.place)
            run, place = run + 1, -1
        self._cursor = run, -1
        return None

    def _previous(self) -> Moment | None:
        run, place = self._cursor
        while run >= 0:
            if run < len(self.runs):
                for entry in reversed(self.runs[run].entries[: max(place, 0)]):
                    if entry.kind == "operation":
                        self._cursor = run, entry.place
                        return self.moment(run, entry.place)
            run -= 1
            place = len(self.runs[run].entries) if run >= 0 else -1
        self._cursor = (0, -1)
        return None

    # ---------------------------------------------------------------- editing and recomputing

    def replay(self) -> Tape:
        """Returns a tape with all values recomputed from the values of leaves."""
        return self._with(Rerun(self.runs).everything())

    def edit(self, what: Any, value: Any, *, run: int | None = None, onward: bool = True) -> Tape:
        """Returns a tape on which `what` has a new value and exactly its dependents are recomputed:
        in its run and, with onward=True, through Variables in later runs.

        `edited.recomputed` lists the (run, place) of each recomputed value. The default `run` is
        the first one that contains `what`. Raises ShapeError if the value has another shape.
        """
        run, place = self.find(what, run)[0]
        again = Rerun(self.runs)
        tape = self._with(again.edited(run, place, value, onward=onward))
        tape.recomputed = again.recomputed
        return tape

    def _with(self, runs: Sequence[Run]) -> Tape:
        """A tape of these runs that keeps all values."""
        tape = Tape(variables=self.variables, notes=list(self.notes))
        tape._known, tape._file = self._known, self._file
        for run in runs:
            tape.append(run)
        return tape

    recomputed: list[Source] = field(default_factory=list[Source], repr=False)

    def differences(self, other: Tape) -> list[Source]:
        """The (run, place) of each value whose bytes differ between two tapes of the same runs."""
        if [len(run.script) for run in self.runs] != [len(run.script) for run in other.runs]:
            raise TapeError("the two tapes hold different runs, so they can't be compared")
        return [
            (run.number, entry.place)
            for run, theirs in zip(self.runs, other.runs, strict=True)
            for entry in run.entries
            if not same_bytes(run.values[entry.place], theirs.values[entry.place])
        ]

    # ---------------------------------------------------------------- retention and display

    def append(self, run: Run) -> None:
        """Append a run, summarised as `keep` says, and summarise old runs beyond the budget."""
        if self.keep != "all":
            _shorten(run, operations=True, sample=self.keep == "sample")
        self.runs.append(run)
        for value in run.values:
            self._ledger.add(value)
        if self.budget is not None:
            self._enforce(self.budget)

    def _enforce(self, budget: int) -> None:
        """Summarise the oldest runs until the budget is met: first operations, then leaves."""
        for stage in (0, 1):
            while self._ledger.total > budget and self._oldest[stage] < len(self.runs):
                run = self.runs[self._oldest[stage]]
                self._oldest[stage] += 1
                for value in run.values:
                    self._ledger.drop(value)
                _shorten(run, operations=stage == 0, sample=self.keep == "sample")
                run.whole = False
                run.fed = run.fed and stage == 0
                for value in run.values:
                    self._ledger.add(value)

    @property
    def nbytes(self) -> int:
        """The memory of whole values, in bytes."""
        return self._ledger.total

    @property
    def dropped(self) -> str:
        """A description of the values that the tape doesn't hold whole; "" if there are none."""
        parts: list[str] = []
        if self.keep != "all":
            parts.append(f"computed values are kept as a {self.keep} (keep={self.keep!r})")
        short = sum(not run.whole for run in self.runs)
        if short and self.keep == "all":
            parts.append(f"{short} of {len(self.runs)} runs hold only summaries")
        unfed = sum(not run.fed for run in self.runs)
        if unfed:
            parts.append(f"{unfed} runs can't be recomputed, as their inputs are summarised too")
        if short or unfed:
            parts.append(f"the budget was {self.budget:,} bytes")
        return "; ".join([*parts, *self.notes])

    def view(self, path: Any = None, *, run: int = -1, steps: int = 24, **options: Any) -> Any:
        """Shows the page of a run, with a slider over at most `steps` evenly spaced runs of the
        same program. Options are those of `pg.view`."""
        if not self.runs:
            raise TapeError("the tape is empty: nothing was computed while it was recorded")
        with self._trusted():
            return self._view(path, run, steps, options)

    def _view(self, path: Any, run: int, steps: int, options: dict[str, Any]) -> Any:
        shown = self.runs[run]
        alike = [other for other in self.runs if other.script is shown.script]
        spread = np.linspace(0, len(alike) - 1, min(steps, len(alike))).round()
        places = sorted({*map(int, spread), alike.index(shown)})  # runs compare by identity
        again = Rerun(self.runs)
        program, nodes = program_of(shown, again.all_of(shown))
        overlays: dict[str, dict[Node, Any]] = {}
        for other in [alike[place] for place in places]:
            overlays[f"run {other.number}"] = {}
            if other is shown:
                continue  # the page has its values
            values = again.all_of(other)
            overlays[f"run {other.number}"] = {
                node: values[place] for place, node in nodes.items() if is_whole(values[place])
            }
        options.setdefault("title", f"run {shown.number} of {len(self.runs)}")
        several = overlays if len(overlays) > 1 else None
        return show(program, path, compare=several, **options)

    def graph(self, run: int = -1) -> Program:
        """A run as a Program whose nodes hold the recorded values."""
        shown = self.runs[run]
        with self._trusted():
            return program_of(shown, Rerun(self.runs).all_of(shown))[0]

    @contextmanager
    def _trusted(self) -> Generator[None]:
        """Where a run becomes nodes, the attributes of its operations are trusted. Those of a tape
        from a file may be anything: what fails on them is a TapeError."""
        try:
            yield
        except PalingradError:
            raise
        except Exception as error:
            if not self._file:
                raise
            raise TapeError(
                f"{self._file}: a run can't be drawn: {type(error).__name__}: {error}.",
                hint="The file is damaged, or its operations have changed since it was saved.",
            ) from error

    def save(self, path: str | PathLike[str]) -> None:
        """Write the tape to a file of numbers and JSON; loading it executes no code."""
        write_tape(path, self.runs, {name: getattr(self, name) for name in _SAVED})

    def __str__(self) -> str:
        nodes = sum(len(run.script) for run in self.runs)
        left = f"; {self.dropped}" if self.dropped else ""
        return for_output(
            f"Tape: {len(self.runs)} runs, {nodes:,} values, {self.nbytes:,} bytes{left}"
        )

    __repr__ = __str__


def _shorten(run: Run, *, operations: bool, sample: bool) -> None:
    """Summarise the values that can be recomputed, or with operations=False the other ones."""
    for entry in run.entries:
        computed = entry.kind == "operation" or entry.place in run.sources
        if computed == operations and is_whole(run.values[entry.place]):
            run.values[entry.place] = summarised(run.values[entry.place], sample=sample)


def load_tape(path: str | PathLike[str]) -> Tape:
    """Returns the tape that `Tape.save` wrote. Raises TapeError if the file is not a tape.

    To recompute user-defined operations, import their modules before loading.
    """
    runs, facts = read_tape(path)
    tape = Tape(keep=facts["keep"], variables=facts["variables"], notes=facts["notes"])
    for run in runs:
        tape.runs.append(run)
        for value in run.values:
            tape._ledger.add(value)
    tape.budget, tape._file = facts["budget"], path_text(path)
    return tape
