"""Leases: a program that updates Variables in place keeps their arrays between its runs.

During a lease a run has no cost per Variable. A read or an assignment of one of the Variables, or
a run of another program that uses one, ends the lease after the current run. The next run leases
the arrays again and copies each array to which another reference exists, so that no array that a
user holds ever changes.

A lease has a number. Machine code compares it with the number for which a run was prepared, and
writes nothing if they differ; what ends a lease first changes its number. Only machine code marks
the lease as running. So neither a signal handler between the preparation and the run, nor an
exception, nor a fork finds a lock or an array half written.
"""

from __future__ import annotations

import sys
import time
import weakref
from array import array as row_of
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any, ClassVar

import numpy as np

from ....dtypes import Array
from ....errors import EngineError
from ....graph.leaves import Variable
from ....graph.state.forks import after_forks_in_child, wait_before_forks
from ....graph.state.landing import (
    ChangedError,
    Unchanged,
    array_of,
    forgotten,
    next_serial,
    recall,
    recalls,
    state,
    state_lock,
)
from ....graph.state.turns import exhaust
from .aligned_alloc import COUNTS_ARE_EXACT, is_placed, placed
from .buffers import release_states
from .lease_words import NUMBER, RUNNING, WRITING

_PAUSE, _LONGEST_PAUSE = 1e-5, 1e-3  # seconds between two looks at whether a run is over
_FORK_PATIENCE = 10.0  # seconds that a fork waits for runs of other threads
_UNCONFIRMED = -1  # the number of a lease whose arrays aren't known to be exclusive


class Lease:
    """The arrays of Variables, taken and returned together.

    `recalled(address)` is a function of `library`, the program's machine code: it changes the
    number and returns whether a run is in progress.
    """

    torn: ClassVar[dict[Variable, Array]] = {}
    form: ClassVar[Array | None] = None

    def parts(self) -> None:
        """None: the arrays are whole, not parts of what several processes share."""

    def __init__(
        self, updated: Sequence[Variable], library: Any, recalled: Callable[[int], int]
    ) -> None:
        self.updated = tuple(updated)
        self.words = row_of("q", bytes(16))
        self.address = self.words.buffer_info()[0]
        self.held: tuple[int, list[Array]] | None = None  # the number and the arrays
        self._library, self._recalled = library, recalled
        _leases[id(self)] = self

    def take(self, refused: int, condition: Unchanged | None = None) -> tuple[int, list[Array]]:
        """(number, arrays) for the next run; nothing else refers to the arrays. `refused` is the
        number with which machine code has refused a run, because it is old or another thread's run
        was in progress. Raises ChangedError if the Variables don't meet the run's condition."""
        return recalls.hold(self._take, refused, condition)

    def _take(self, refused: int, condition: Unchanged | None) -> tuple[int, list[Array]]:
        variables = self.updated
        count = len(variables)
        owners = (*variables, *variables, *variables, self, state)
        names = (*repeat("_array", count), *repeat("_lease", count), *repeat("_changed", count),
                 "held", "version")  # fmt: skip
        while True:
            held = self.held
            if held is not None:
                if held[0] == self.words[NUMBER] != refused:
                    if condition is not None and not condition.holds():
                        raise ChangedError
                    return held
                self.end()
            recall(variables)
            number = self.words[NUMBER]
            with state_lock:
                version, caches = state.version, state.caches
                if condition is not None and not condition.holds():
                    raise ChangedError
                serial = next_serial()
                arrays: list[Any] = list(map(array_of, variables))
                missing = any(array is None for array in arrays)
                taken = _UNCONFIRMED, arrays
                values = (*repeat(None, count), *repeat(self, count), *repeat(serial, count),
                          taken, object())  # fmt: skip
                taking = map(setattr, owners, names, values)
                if missing or not forgotten(variables, caches):
                    continue
                if state.version is version and state.caches is caches:
                    exhaust(taking)
                    if condition is not None:
                        condition.taken = serial
            release_states()
            # Readers wait now, or end the lease. Earlier ones keep their reference to an array.
            lease = number, _exclusive(arrays)
            with state_lock:
                if self.held is taken:
                    self.held = lease
                    return lease

    def end(self) -> None:
        """Returns all arrays to their Variables, after the run in progress."""
        pause = _PAUSE
        while True:
            with state_lock:
                version = state.version
                running = self._recalled(self.address)
                held = self.held
                if held is None:
                    return
                count = len(self.updated)
                owners = (*self.updated, *self.updated, self, state)
                names = (*repeat("_array", count), *repeat("_lease", count), "held", "version")
                values = (*held[1], *repeat(None, count), None, object())
                returning = map(setattr, owners, names, values)
                if not running and state.version is version:
                    exhaust(returning)
                    return
            if running:
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def tear(self) -> None:
        """In a forked child: the arrays are lost, because the run that was writing them was
        another thread's."""
        held = self.held
        if held is not None:
            torn = Torn(dict(zip(self.updated, held[1], strict=True)))
            for variable in self.updated:
                variable._lease = torn
        self.held = None


class Torn:
    """Stands for the lease of Variables that a forked child can't read, with their old arrays."""

    def __init__(self, arrays: dict[Variable, Array]) -> None:
        self.torn = arrays

    def end(self) -> None:
        """Raises EngineError."""
        raise EngineError(
            "read: another thread was in the middle of an update of this Variable when the process "
            "forked, so the child has no value of it.",
            hint="Assign it or restore a checkpoint; fork between runs, or use the start method "
            "'spawn' or 'forkserver'.",
        )


def _references(arrays: list[Any]) -> list[int]:
    return [sys.getrefcount(array) for array in arrays]


# The count of an array that is only in such a list; it depends on Python's version.
_OWN = _references([object()])[0] if COUNTS_ARE_EXACT else 0


def _exclusive(arrays: list[Array]) -> list[Array]:
    """The arrays, with a copy in place of each that anything but the list refers to."""
    counts = _references(arrays)
    return [
        array if counts[n] <= _OWN and is_placed(array) else _copied(array, n)
        for n, array in enumerate(arrays)
    ]


def _copied(array: Array, number: int) -> Array:
    copy = placed(array.shape, array.dtype, number)
    np.copyto(copy, array)
    copy.setflags(write=False)
    return copy


# ---------------------------------------------------------------- forks

_leases: weakref.WeakValueDictionary[int, Lease] = weakref.WeakValueDictionary()


def _alive() -> list[Lease]:
    # `valuerefs` makes its list by one call, in which no other thread can make a lease.
    return [lease for lease in (one() for one in _leases.valuerefs()) if lease is not None]


def _before_fork() -> None:
    """Waits until no thread writes leased arrays. None starts to before the fork, because taking a
    lease needs `state_lock`, which the forking thread has."""
    end = time.monotonic() + _FORK_PATIENCE
    for lease in _alive():
        running = lease._recalled(lease.address)
        while running and time.monotonic() < end:
            time.sleep(_PAUSE)
            running = lease.words[RUNNING]


def _in_child() -> None:
    for lease in _alive():
        if lease.words[RUNNING] == WRITING:
            lease.tear()
        lease.words[RUNNING] = 0


wait_before_forks(_before_fork)
after_forks_in_child(_in_child)
