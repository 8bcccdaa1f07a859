"""Reading and changing several Variables at once.

Threads exclude each other by `state_lock`. What the same thread may run in between (a signal
handler, a finalizer) can't be excluded, so it is noticed: every change sets a new `state.version`.
A change is prepared, the version compared, and the change made by one call in C. Between the
comparison and that call CPython runs nothing else, so the change is made whole or not at all.

While `state_lock` is held nothing waits, so a signal handler may ask for it at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from itertools import repeat
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any

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


state = State()
state_lock = threading.RLock()
hold_over_forks(lambda: state_lock)
# For what ends and takes leases, so that a reader isn't overtaken by a thread that trains.
recalls = Turn()
array_of = attrgetter("_array")


def snapshot(variables: Sequence[Variable]) -> tuple[object, list[Array]]:
    """(the version, the Variables' arrays at one moment)."""
    version, arrays = _present(variables)
    if all(map(_is_there, arrays)):
        return version, arrays
    return recalls.hold(partial(_recalled, variables))


def recall(variables: Sequence[Variable]) -> None:
    """End the leases of these Variables, after the runs in progress."""
    for variable in variables:
        while variable._array is None:
            lease = variable._lease
            if lease is None:  # has ended between the two lines, or the Variable is being made
                break
            lease.end()


def land(
    variables: Sequence[Variable],
    arrays: Sequence[Array],
    seen: tuple[Sequence[Variable], Sequence[Array]] = ((), ()),
) -> bool:
    """Set the Variables to these read-only arrays of the right shapes and dtypes, all at once.

    `seen` are Variables and the arrays from which the new ones were computed. If one of them has
    another by now, nothing changes and the result is False.
    """
    others, expected = seen
    names = (*repeat("_array", len(variables)), "version")
    while True:
        with state_lock:
            version, caches = state.version, state.caches
            if not all(map(is_, map(array_of, others), expected)):
                return False
            # The old arrays live until the change is over: no destructor runs in the middle of it.
            _before = list(map(array_of, variables))
            landing = map(setattr, (*variables, state), names, (*arrays, object()))
            if forgotten(variables, caches) and not any(map(is_leased, variables)):
                if state.version is version and state.caches is caches:
                    exhaust(landing)
                    return True
        leased = [variable for variable in variables if is_leased(variable)]
        if leased:
            recalls.hold(partial(recall, leased))


def forgotten(variables: Sequence[Variable], caches: object) -> bool:
    """Drop the values that other nodes have cached from these Variables; whether `state.caches` is
    still `caches` then."""
    for variable in variables:
        if variable._observed:
            forget(variable)
            if state.caches is caches:
                variable._observed = False
    return state.caches is caches


def forget(node: Node) -> None:
    """Drop the cached values of all deferred nodes that depend on `node`."""
    seen: set[Node] = set()
    stack = list(node.consumers)
    while stack:
        consumer = stack.pop()
        if consumer not in seen:  # also without a cached value: its consumers may have one
            seen.add(consumer)
            consumer._cached_value = None
            stack.extend(consumer.consumers)


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
        if all(map(_is_there, arrays)):
            return version, arrays


def _is_there(array: Any) -> bool:
    return array is not None
