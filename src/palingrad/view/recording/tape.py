"""The tape: what was computed, run by run and operation by operation, to step through and change.

A run is one call of a session or function, or a stretch of eager code that ends with the updates
that follow it: a training step, in whatever style it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np

from ...dtypes import Array
from ...errors import TapeError
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
    """One operation of one run, with its value and those of its inputs."""

    run: int
    entry: Entry
    value: Any
    inputs: tuple[Any, ...]

    @property
    def name(self) -> str:
        """The node's name, the Variable's for an assignment."""
        return self.entry.name

    @property
    def summary(self) -> Summary:
        """The value's moments and histogram."""
        return self.value if isinstance(self.value, Summary) else summary_of(np.asarray(self.value))

    def __str__(self) -> str:
        value = self.value
        shown = value if isinstance(value, Summary) or value is None else _short(value)
        return f"run {self.run}, {self.entry.role:8} {self.entry}  {shown}"


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
    """What `pg.record` kept. `keep` and `budget` are those of the recording.

    `len(tape)` is the number of runs; `tape.moments()` are all operations in order, and
    `tape.step()` goes through them one at a time.
    """

    keep: Keep = "all"
    budget: int | None = None
    runs: list[Run] = field(default_factory=list[Run])
    variables: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    _ledger: Ledger = field(default_factory=Ledger, repr=False)
    _known: list[Any] = field(default_factory=list[Any], repr=False)  # weak refs to the Variables
    _cursor: tuple[int, int] = (0, -1)
    _stops: list[tuple[str, When]] = field(default_factory=list[Any], repr=False)
    _oldest: list[int] = field(default_factory=lambda: [0, 0], repr=False)

    # ---------------------------------------------------------------- what is on it

    def __len__(self) -> int:
        return len(self.runs)

    def moments(self, run: int | None = None) -> Iterator[Moment]:
        """Every operation and assignment, of one run or of all, in the order they happened."""
        for one in self.runs if run is None else [self.runs[run]]:
            for entry in one.entries:
                if entry.kind == "operation":
                    yield self.moment(one.number, entry.place)

    def moment(self, run: int, place: int) -> Moment:
        """The entry at a place of a run, with its values as they are kept."""
        one = self.runs[run]
        entry = one.entries[place]
        return Moment(run, entry, one.values[place], tuple(one.values[x] for x in entry.inputs))

    def find(self, what: Any, run: int | None = None) -> list[tuple[int, int]]:
        """The (run, place) of every entry of this name, node or (run, place)."""
        if isinstance(what, tuple):
            return [what]
        if isinstance(what, Moment):
            return [(what.run, what.entry.place)]
        test = self._named(what)
        some = self.runs if run is None else [self.runs[run]]
        found = [(one.number, e.place) for one in some for e in one.entries if test(e)]
        if not found:
            names = sorted({e.name for one in self.runs for e in one.entries})
            raise TapeError(
                f"nothing on the tape is {what if isinstance(what, str) else what.label()!r}.",
                hint=f"There is {', '.join(names[:12])}{' …' if len(names) > 12 else ''}.",
            )
        return found

    def history(self, what: Any) -> list[Any]:
        """The value of a node, or of a name, in each run that has it, as it is kept."""
        seen: dict[int, Any] = {}
        for run, place in self.find(what):
            entry = self.runs[run].entries[place]
            if not entry.assigns:  # a Variable's value in a run is what the run reads
                seen[run] = self.runs[run].values[place]
        return list(seen.values())

    def value(self, what: Any, run: int = -1) -> Array:
        """The whole value of a node or name in a run; computed again where it wasn't kept."""
        run, place = self.find(what, range(len(self.runs))[run])[-1]
        return Rerun(self.runs).whole(run, place)

    def _named(self, what: Any) -> Callable[[Entry], bool]:
        if isinstance(what, str):
            return lambda entry: entry.name == what
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
        """The next operation, or with a negative count one before; None past either end."""
        moment = None
        for _ in range(abs(count)):
            moment = self._next() if count > 0 else self._previous()
        return moment

    def go(self) -> Moment | None:
        """Step on to the next breakpoint; None where there is no more."""
        while (moment := self._next()) is not None:
            if any(when(moment) for _, when in self._stops):
                return moment
        return None

    def rewind(self) -> None:
        """Go back to before the first operation."""
        self._cursor = (0, -1)

    def stop_at(
        self, node: Any = None, *, shape: Sequence[int] | None = None, when: When | None = None
    ) -> None:
        """A breakpoint for `go`: at a node or name, at values of this shape, or where `when` of the
        moment is true; what is given together must hold together."""
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
        self._stops.append(
            (str(node or shape or when), lambda moment: all(test(moment) for test in tests))
        )

    def clear_stops(self) -> None:
        """Forget all breakpoints."""
        self._stops.clear()

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

    # ---------------------------------------------------------------- changing and running again

    def replay(self) -> Tape:
        """A tape with everything computed again from what was fed; nothing else is looked at."""
        return self._with(Rerun(self.runs).everything())

    def edit(self, what: Any, value: Any, *, run: int | None = None, onward: bool = True) -> Tape:
        """A tape on which `what` has another value, and exactly what depends on it is computed
        again: in its run, and with onward=True through Variables in the runs after it.

        `edited.recomputed` lists the (run, place) of each. Without `run` it is the first run that
        has `what`. Raises ShapeError where the value has another shape.
        """
        run, place = self.find(what, run)[0]
        again = Rerun(self.runs)
        tape = self._with(again.edited(run, place, value, onward=onward))
        tape.recomputed = again.recomputed
        return tape

    def _with(self, runs: Sequence[Run]) -> Tape:
        """A tape of these runs, all values of which are kept."""
        tape = Tape(variables=self.variables, notes=list(self.notes))
        tape._known = self._known
        for run in runs:
            tape.take(run)
        return tape

    recomputed: list[Source] = field(default_factory=list[Source], repr=False)

    def differences(self, other: Tape) -> list[Source]:
        """The (run, place) of each value whose bytes differ on another tape of the same runs."""
        if [len(run.script) for run in self.runs] != [len(run.script) for run in other.runs]:
            raise TapeError("the two tapes don't hold the same runs, so they can't be compared")
        return [
            (run.number, entry.place)
            for run, theirs in zip(self.runs, other.runs, strict=True)
            for entry in run.entries
            if not same_bytes(run.values[entry.place], theirs.values[entry.place])
        ]

    # ---------------------------------------------------------------- keeping and showing

    def take(self, run: Run) -> None:
        """Keep a run as this tape keeps values, and older ones only as far as the budget goes."""
        if self.keep != "all":
            _shorten(run, operations=True, sample=self.keep == "sample")
        self.runs.append(run)
        for value in run.values:
            self._ledger.add(value)
        if self.budget is not None:
            self._fit(self.budget)

    def _fit(self, budget: int) -> None:
        """Summarise the oldest runs: first what they computed, then also what they were given."""
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
        """The memory that whole values take."""
        return self._ledger.total

    @property
    def dropped(self) -> str:
        """What isn't here though it was computed, in words; "" if nothing."""
        parts: list[str] = []
        if self.keep != "all":
            parts.append(f"of computed values a {self.keep} is kept (keep={self.keep!r})")
        short = sum(not run.whole for run in self.runs)
        if short and self.keep == "all":
            parts.append(f"of {short} of {len(self.runs)} runs only summaries are left")
        unfed = sum(not run.fed for run in self.runs)
        if unfed:
            parts.append(f"of {unfed} also of what was fed, so these can't be computed again")
        if short or unfed:
            parts.append(f"the budget was {self.budget:,} bytes")
        return "; ".join([*parts, *self.notes])

    def view(self, path: Any = None, *, run: int = -1, steps: int = 24, **options: Any) -> Any:
        """The page of a run, and beside it other runs of the same program to go through: at most
        `steps` of them, at even distances. Options are those of `pg.view`."""
        if not self.runs:
            raise TapeError("the tape is empty: nothing was computed while it was recorded")
        shown = self.runs[run]
        alike = [one for one in self.runs if one.script is shown.script]
        spread = np.linspace(0, len(alike) - 1, min(steps, len(alike))).round()
        places = sorted({*map(int, spread), alike.index(shown)})  # runs compare by identity
        again = Rerun(self.runs)
        program, nodes = program_of(shown, again.all_of(shown))
        others: dict[str, dict[Node, Any]] = {}
        for one in [alike[place] for place in places]:
            values = again.all_of(one)
            others[f"run {one.number}"] = {
                node: values[place] for place, node in nodes.items() if is_whole(values[place])
            }
        options.setdefault("title", f"run {shown.number} of {len(self.runs)}")
        return show(program, path, compare=others, **options)

    def graph(self, run: int = -1) -> Program:
        """A run as a graph of nodes with its values, to be drawn or looked at in any way."""
        shown = self.runs[run]
        return program_of(shown, Rerun(self.runs).all_of(shown))[0]

    def save(self, path: str | PathLike[str]) -> None:
        """Write the tape to one file of numbers and JSON, which runs no code when it is loaded."""
        write_tape(path, self.runs, {name: getattr(self, name) for name in _SAVED})

    def __str__(self) -> str:
        nodes = sum(len(run.script) for run in self.runs)
        left = f"; {self.dropped}" if self.dropped else ""
        return f"Tape: {len(self.runs)} runs, {nodes:,} values, {self.nbytes:,} bytes{left}"

    __repr__ = __str__


def _shorten(run: Run, *, operations: bool, sample: bool) -> None:
    """Summarise what can be computed again, or what can't."""
    for entry in run.entries:
        computed = entry.kind == "operation" or entry.place in run.sources
        if computed == operations and is_whole(run.values[entry.place]):
            run.values[entry.place] = summarised(run.values[entry.place], sample=sample)


def load_tape(path: str | PathLike[str]) -> Tape:
    """The tape that `Tape.save` wrote. Raises TapeError where the file isn't one.

    To compute a user's own operations again, import where they are defined before loading.
    """
    runs, facts = read_tape(path)
    tape = Tape(keep=facts["keep"], variables=facts["variables"], notes=facts["notes"])
    for run in runs:
        tape.runs.append(run)
        for value in run.values:
            tape._ledger.add(value)
    tape.budget = facts["budget"]
    return tape
