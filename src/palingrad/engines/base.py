"""The protocol of engines, and Executable: a compiled Program and its atomic run."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from typing import Any, Protocol

import numpy as np

from ..dtypes import Array
from ..graph.leaves import state_lock
from ..passes.program import Program


class Executable:
    """A compiled Program. A subclass gives `compute` and `explain`; calling it is one atomic run.

    Feeds and the values of Variables come in the order of `program.feeds` and `program.reads`,
    with the shapes and dtypes that these nodes have, in any memory layout. They are never written
    to.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._reads = program.reads
        self._updated = tuple(variable for variable, _ in program.updates)
        # All runs acquire locks in the same order, so that they can't deadlock.
        self._locks = [variable.lock for variable in sorted(self._updated, key=id)]

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
            with state_lock:
                states = [variable._value for variable in self._reads]
            return self.compute(feeds, states)[0]
        held: list[threading.RLock] = []
        try:
            for lock in self._locks:
                lock.acquire()
                held.append(lock)
            with state_lock:
                states = [variable._value for variable in self._reads]
            outputs, values = self.compute(feeds, states)
            with state_lock:
                for variable, value in zip(self._updated, values, strict=True):
                    variable.put(value)
            return outputs
        finally:
            for lock in held:
                lock.release()

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


class Engine(Protocol):
    """Compiles optimised Programs."""

    name: str

    def compile(self, program: Program) -> Executable:
        """An Executable that runs the program."""
        ...


def owned(value: Any, feeds: Sequence[Array]) -> Array:
    """`value` as a read-only array, copied if it shares memory with a feed."""
    shared = any(value is feed or np.may_share_memory(value, feed) for feed in feeds)
    return sealed(value, copy=shared)


def sealed(value: Array, *, copy: bool = False) -> Array:
    """`value` made read-only, for the user or a Variable; a copy of it if `copy`."""
    value = np.array(value) if copy or type(value) is not np.ndarray else value
    value.setflags(write=False)
    return value
