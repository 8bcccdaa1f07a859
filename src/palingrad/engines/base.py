"""The protocol of engines, and Executable: a compiled Program and its atomic run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..classes import Protocol
from ..dtypes import Array
from ..errors import EngineError
from ..graph.leaves import Variable
from ..graph.state.landing import Landing, Unchanged, snapshot
from ..graph.state.turns import Turn
from ..passes.program import Program

Run: TypeAlias = Callable[[Sequence[Array]], list[Array]]

_ATTEMPTS = 100  # to complete a run; more than one where threads or signal handlers assign


class Executable:
    """A compiled Program. A subclass gives `compute` and `explain`; calling it is one atomic run.

    Feeds and the values of Variables come in the order of `program.feeds` and `program.reads`,
    with the shapes and dtypes that these nodes have, in any memory layout. They are never written
    to.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._bind(program.reads, tuple(variable for variable, _ in program.updates))

    def _bind(self, reads: tuple[Variable, ...], updated: tuple[Variable, ...]) -> None:
        """Sets the Variables that a run reads and updates, in this order."""
        self._reads, self._updated = reads, updated
        blind = set(updated) - set(reads)
        self._touched: list[Variable] = [*reads, *blind]
        self._landing = Landing(updated, self._touched)
        self._turn = _joined(updated)

    def compute(
        self, feeds: Sequence[Array], states: Sequence[Array]
    ) -> tuple[list[Array], list[Array]]:
        """(outputs, new values of the updated Variables) for these feeds and Variables' values.

        All arrays are read-only and none shares memory with a feed: see `owned`.
        """
        raise NotImplementedError

    def explain(self) -> str:
        """A readable listing of the steps of a run."""
        raise NotImplementedError

    def __call__(self, feeds: Sequence[Array]) -> list[Array]:
        """One atomic run: it reads the Variables' values from before the run, and writes all
        updates together at the end, or none if it fails."""
        if not self._updated:
            states = snapshot(self._reads)[1] if self._reads else ()
            return self.compute(feeds, states)[0]
        outputs = self._turn.hold(self._attempt, feeds)
        for _ in range(_ATTEMPTS):
            if outputs is not None:
                return outputs
            # From now on, threads that assign what this run only reads wait for it as well.
            self._turn = _joined(self._touched)
            outputs = self._turn.hold(self._attempt, feeds)
        raise EngineError(
            f"run: a Variable that it reads or updates was assigned during each of {_ATTEMPTS} "
            "attempts, so none could be completed.",
            hint="Don't assign it in an operation's compute() or in a loop of another thread; make "
            "the assignment part of the graph.",
        )

    @property
    def shortest(self) -> Run:
        """The function with the shortest way through a run like a call. It needs the Executable,
        which its caller must hold."""
        return self.__call__

    def _attempt(
        self, feeds: Sequence[Array], condition: Unchanged | None = None
    ) -> list[Array] | None:
        """The outputs of a run; None if a Variable that it reads or updates was changed meanwhile,
        by a signal handler or another thread, or if the condition doesn't hold. Then the run has
        changed nothing."""
        _, before = snapshot(self._touched)
        if condition is not None and not condition.holds():
            return None
        outputs, values = self.compute(feeds, before[: len(self._reads)])
        return outputs if self._landing(values, before) else None

    def under(self, condition: Unchanged, feeds: Sequence[Array]) -> list[Array] | None:
        """The outputs of a run that updates Variables and reads them under this condition; None if
        it doesn't hold, or can't be told to. Then nothing has changed."""
        return self._turn.hold(self._attempt, feeds, condition)

    def repeat(
        self, feeds: Sequence[Array], times: int, along: Collection[int] = ()
    ) -> list[Array]:
        """Run `times` times, and stack the outputs of all runs.

        The feeds whose numbers are in `along` have an additional first axis, of length `times`,
        over which the runs iterate.
        """
        runs: list[list[Array]] = []
        for step in range(times):
            arrays = [feed[step] if n in along else feed for n, feed in enumerate(feeds)]
            runs.append(self([np.asarray(array) for array in arrays]))
        stacks = [np.stack(outputs) for outputs in zip(*runs, strict=True)]
        return [sealed(stack) for stack in stacks]

    def expect(self, runs: int) -> None:
        """A hint that about this many runs will follow, so that an engine can compile early."""


def _joined(variables: Sequence[Variable]) -> Turn:
    """The turn of all runs that update one of these Variables."""
    turn = Turn.join(variable._turn for variable in variables)
    for variable in variables:
        variable._turn = turn
    return turn


class Engine(Protocol):
    """Compiles optimised Programs."""

    name: str

    def compile(self, program: Program) -> Executable:
        """An Executable that runs the program."""
        ...


def owned(value: Any, feeds: Sequence[Array]) -> Array:
    """`value` as a read-only array, copied if it shares memory with a feed."""
    for feed in feeds:
        if value is feed or np.may_share_memory(value, feed):
            return sealed(value, copy=True)
    return sealed(value)


def sealed(value: Array, *, copy: bool = False) -> Array:
    """`value` made read-only, for the user or a Variable; a copy of it if `copy`."""
    value = np.array(value) if copy or type(value) is not np.ndarray else value
    value.setflags(write=False)
    return value
