"""Leases: a program that updates Variables in place has their arrays on loan between runs.

While it does, a run costs nothing for each Variable. Whoever reads or assigns one of them, or
another program, ends the lease first, which waits for the run that is going on; the next run takes
the arrays again, and copies those that somebody else holds, so that nobody sees a value change.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....dtypes import Array
from ....graph.leaves import Variable, forget, state_count, state_lock
from .aligned_alloc import is_placed, placed

# References to a Variable's array that its lease, a local name and the asking call hold.
_OWN = 3


class Lease:
    """The arrays of some Variables, taken and given back together. `lock` is held during a run."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.lock = threading.RLock()
        self.taken = False
        self._variables = list(variables)
        self._sorted = sorted(variables, key=id)  # in which order everybody takes locks
        self._arrays: list[Array] = []
        self._known: set[int] = set()  # the arrays of the last lease, which the program still has

    def take(self, updated: int) -> list[Array]:
        """The arrays, the first `updated` of which nobody else holds. Returns with `lock` held.

        The caller is the only one who changes these Variables until it lets go of the lock.
        """
        held: list[Any] = []
        try:
            for variable in self._sorted:
                variable.lock.acquire()
                held.append(variable.lock)
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
                        # Who reads it from now on waits, and who has read it holds it.
                        variable._lease, variable._array = self, None
                        self._arrays[number] = _exclusive(array, id(array) in self._known, number)
                except BaseException:
                    self.end()
                    self.lock.release()
                    raise
                self._known = {id(array) for array in self._arrays}
                return [*self._arrays, *(one._array for one in self._variables[updated:])]
        finally:
            for lock in held:
                lock.release()

    def end(self) -> None:
        """Give all arrays back, after the run that is going on."""
        with self.lock:
            if self.taken:
                self.taken = False
                for variable, array in zip(self._variables, self._arrays, strict=False):
                    variable._array = array
                self._arrays = []


def _exclusive(array: Array, known: bool, number: int) -> Array:
    """The array itself if only its lease holds it, else a copy that takes its place.

    `known`: the asking program holds it too, from its last lease.
    """
    if sys.getrefcount(array) <= _OWN + 1 + known and is_placed(array):
        return array
    copy = placed(array.shape, array.dtype, number)
    np.copyto(copy, array)
    copy.setflags(write=False)
    return copy
