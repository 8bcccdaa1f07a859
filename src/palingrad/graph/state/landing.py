"""Reading and changing several Variables at once.

Threads exclude each other by `state_lock`. What the same thread may run in between (a signal
handler, a finalizer) can't be excluded, so it is noticed: every change sets a new `state.version`.
A change is prepared, the version compared, and the change made by one call in C. Between the
comparison and that call CPython runs nothing else, so the change is made whole or not at all.

While `state_lock` is held nothing waits, so a signal handler may ask for it at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from itertools import count, repeat
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any
from weakref import ref

from .forks import hold_over_forks
from .turns import Turn, exhaust

if TYPE_CHECKING:
    from ...dtypes import Array
    from ..leaves import Variable
    from ..node import Node


class State:
    """`version` is another object after each change of a Variable or a lease; `caches` after a
    node has cached a value that depends on a Variable."""

    __slots__ = ("caches", "version")

    def __init__(self) -> None:
        self.version, self.caches = object(), object()


next_serial = count(1).__next__  # of nodes and of changes of Variables, which are ordered by it
state = State()
state_lock = threading.RLock()
hold_over_forks(lambda: state_lock)
# For what ends and takes leases, so that a reader isn't overtaken by a thread that trains.
recalls = Turn()
array_of = attrgetter("_array")
_is_observed = attrgetter("_observed")
serial_of = attrgetter("_serial")
_NONES = repeat(None)


def snapshot(variables: Sequence[Variable]) -> tuple[object, list[Array]]:
    """(the version, the Variables' arrays at one moment)."""
    version, arrays = _present(variables)
    if not any(map(is_, arrays, _NONES)):
        return version, arrays
    return recalls.hold(_recalled, variables)


def recall(variables: Sequence[Variable]) -> None:
    """End the leases of these Variables, after the runs in progress."""
    for variable in variables:
        while variable._array is None:
            lease = variable._lease
            if lease is None:  # has ended between the two lines, or the Variable is being made
                break
            lease.end()


class Landing:
    """Sets several Variables at once, if none of those that were `seen` before has changed."""

    __slots__ = ("_covered", "_names", "_owners", "_seen", "_variables")

    def __init__(self, variables: Sequence[Variable], seen: Sequence[Variable] = ()) -> None:
        self._variables, self._seen = variables, seen
        self._covered = set(variables) <= set(seen)
        self._owners = (*variables, *variables, state)
        number = len(variables)
        self._names = (*repeat("_array", number), *repeat("_changed", number), "version")

    def __call__(self, arrays: Sequence[Array], expected: Sequence[Array] = ()) -> bool:
        """Set the Variables to these read-only arrays of the right shapes and dtypes. If one of
        those seen has another array than expected, change nothing and return False."""
        variables, seen = self._variables, self._seen
        while True:
            with state_lock:
                version, caches = state.version, state.caches
                if seen and not all(map(is_, map(array_of, seen), expected)):
                    return False
                # The old arrays live until the change is over: no destructor runs in between.
                before = list(map(array_of, variables))
                values = (*arrays, *repeat(next_serial(), len(variables)), object())
                landing = map(setattr, self._owners, self._names, values)
                ready = self._covered or not any(map(is_, before, _NONES))
                ready = ready or not any(map(is_leased, variables))
                if ready and any(map(_is_observed, variables)):
                    ready = forgotten(variables, caches)
                if ready and state.version is version and state.caches is caches:
                    exhaust(landing)
                    return True
            recalls.hold(recall, [variable for variable in variables if is_leased(variable)])


class Unchanged:
    """The condition that none of these Variables has changed since a serial number, but by what
    `taken` says: a lease that was taken under this condition, and under which nothing has run."""

    __slots__ = ("_since", "_variables", "taken")

    def __init__(self, variables: Sequence[Variable], since: int) -> None:
        self._variables, self._since, self.taken = variables, since, -1

    def holds(self) -> bool:
        """Whether it does now."""
        since, taken = self._since, self.taken
        return all(
            (changed := variable._changed) <= since or changed == taken
            for variable in self._variables
        )


class ChangedError(Exception):
    """The condition of a run doesn't hold."""


def forgotten(variables: Sequence[Variable], caches: object) -> bool:
    """Drop the values that other nodes have cached from these Variables; whether `state.caches` is
    still `caches` then."""
    for variable in variables:
        if variable._observed:
            forget(variable)
            if state.caches is caches:
                variable._observed = False
    return state.caches is caches


def forget(leaf: Node) -> None:
    """Drop the values that deferred nodes have cached and that depend on the leaf."""
    nodes = [node for reference in leaf._reaches if (node := reference()) is not None]
    stale = {leaf}
    for node in sorted(nodes, key=serial_of):
        if not stale.isdisjoint(node.inputs):
            stale.add(node)
            node._cached_value = None


def note_cached(leaf: Node, nodes: Iterable[Node]) -> None:
    """Have `forget` look at these nodes, some of which are about to cache values."""
    known = {id(one): one for one in leaf._reaches if one() is not None}
    known.update((id(one), one) for one in map(ref, nodes))
    leaf._reaches = tuple(known.values())


def is_leased(variable: Variable) -> bool:
    """Whether a lease must end before the Variable can be set."""
    lease = variable._lease
    return variable._array is None and lease is not None and not lease.torn


def _present(variables: Sequence[Variable]) -> tuple[object, list[Any]]:
    """(the version, each Variable's array, or None for one that is leased)."""
    with state_lock:
        version = state.version
        return version, list(map(array_of, variables))


def _recalled(variables: Sequence[Variable]) -> tuple[object, list[Array]]:
    while True:
        recall(variables)
        version, arrays = _present(variables)
        if not any(map(is_, arrays, _NONES)):
            return version, arrays
