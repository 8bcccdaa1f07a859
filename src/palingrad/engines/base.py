"""What an engine is, and the atomic run that all share."""

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
        # Locks are taken in one order everywhere, so that two runs never wait for each other.
        self._locks = [variable.lock for variable in sorted(self._updated, key=id)]

    def compute(
        self, feeds: Sequence[Array], states: Sequence[Array]
    ) -> tuple[list[Array], list[Array]]:
        """Outputs, and new values for the updated Variables, from feeds and read Variables.

        All are read-only and none is memory of a feed: see `owned`.
        """
        raise NotImplementedError

    def explain(self) -> str:
        """What runs, step by step, for people."""
        raise NotImplementedError

    def __call__(self, feeds: Sequence[Array]) -> list[Array]:
        """Run once: reads see the state before, updates land together, or not at all."""
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

        The feeds numbered in `along` have one more axis in front: each run takes the next of it.
        """
        runs: list[list[Array]] = []
        for number in range(times):
            now = [one[number] if at in along else one for at, one in enumerate(feeds)]
            runs.append(self([np.asarray(one) for one in now]))
        stacks = [np.stack(found) for found in zip(*runs, strict=True)]
        return [sealed(stack) for stack in stacks]

    def expect(self, runs: int) -> None:
        """Know that about so many runs are to come: an engine may prepare for that."""


class Engine(Protocol):
    """Compiles Programs that the passes have been over."""

    name: str

    def compile(self, program: Program) -> Executable:
        """A callable that runs the program."""
        ...


def owned(value: Any, feeds: Sequence[Array]) -> Array:
    """`value` as a read-only array, a copy of it if it is memory of a feed."""
    shared = any(value is feed or np.may_share_memory(value, feed) for feed in feeds)
    return sealed(value, copy=shared)


def sealed(value: Array, *, copy: bool = False) -> Array:
    """`value` as a read-only array of its own, fit to be handed out or kept by a Variable."""
    value = np.array(value) if copy or type(value) is not np.ndarray else value
    value.setflags(write=False)
    return value
