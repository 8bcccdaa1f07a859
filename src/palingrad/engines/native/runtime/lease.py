"""Leases: a program that updates Variables in place keeps their arrays between its runs.

During a lease a run has no cost per Variable. A read or an assignment of one of the Variables, or
a run of another program that uses one, ends the lease after the current run. The next run leases
the arrays again and copies each array to which another reference exists, so that no array that a
user holds ever changes.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakMethod

import numpy as np

from ....dtypes import Array
from ....graph.leaves import Variable, forget, state_count, state_lock
from .aligned_alloc import is_placed, placed
from .buffers import release_states

# References to a Variable's array that no user holds: the lease's, a local variable's, the call's.
_OWN = 3


class Lease:
    """The arrays of Variables, taken and returned together. A run holds `lock`.

    `unpin` is a method of the program that drops the arrays, for the end of the lease.
    """

    def __init__(
        self, variables: Sequence[Variable], unpin: WeakMethod[Callable[[], None]]
    ) -> None:
        self.lock = threading.RLock()
        self.taken = False
        self._variables = list(variables)
        self._sorted = sorted(variables, key=id)  # one lock order for all leases: no deadlock
        self._arrays: list[Array] = []
        self._unpin = unpin

    def take(self, updated: int) -> list[Array]:
        """The Variables' arrays. Nothing else refers to the first `updated` of them. Returns with
        `lock` held; until the caller releases it, only the caller changes these Variables."""
        held: list[Any] = []
        try:
            for variable in self._sorted:
                variable.lock.acquire()
                held.append(variable.lock)
            release_states()
            with state_lock:
                for variable in self._variables:
                    variable._recalled()
                self.lock.acquire()
                state_count[0] += 1
                self._arrays, self.taken = [], True
                try:
                    for number, variable in enumerate(self._variables[:updated]):
                        if variable._observed:
                            variable._observed = False
                            forget(variable)
                        array = variable._array
                        self._arrays.append(array)
                        # New readers block; earlier readers keep their reference to the array.
                        variable._lease, variable._array = self, None
                        self._arrays[number] = _exclusive(array, number)
                except BaseException:
                    self.end()
                    self.lock.release()
                    raise
                return [*self._arrays, *(one._array for one in self._variables[updated:])]
        finally:
            for lock in held:
                lock.release()

    def end(self) -> None:
        """Returns all arrays to their Variables, after the current run."""
        with self.lock:
            if self.taken:
                self.taken = False
                for variable, array in zip(self._variables, self._arrays, strict=False):
                    variable._array = array
                self._arrays = []
                unpin = self._unpin()
                if unpin is not None:
                    unpin()


def _exclusive(array: Array, number: int) -> Array:
    """The array itself if only its lease refers to it, else a copy that replaces it."""
    if sys.getrefcount(array) <= _OWN + 1 and is_placed(array):
        return array
    copy = placed(array.shape, array.dtype, number)
    np.copyto(copy, array)
    copy.setflags(write=False)
    return copy
