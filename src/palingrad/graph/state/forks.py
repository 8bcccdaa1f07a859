"""Forks: a child has only the thread that forked, and the memory as all threads left it.

So before a fork, the forking thread takes the locks whose holders leave something half done, and
releases them on both sides. What it can't get in time, the child takes as nobody's.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import compress
from operator import call
from typing import Any

_PATIENCE = 10.0  # seconds that a fork waits for a lock
_locks: list[Any] = []  # functions that return an RLock, or None
_waits: list[Callable[[], None]] = []
_held: list[tuple[list[Any], list[bool]]] = []  # of the forks in progress: locks, whether taken


def hold_over_forks(lock: Callable[[], Any]) -> None:
    """Take the RLock that `lock()` returns before each fork. None is no lock. Whoever holds it must
    not wait for one that was registered before."""
    _locks.append(lock)


def wait_before_forks(wait: Callable[[], None]) -> None:
    """Call `wait` before each fork, when all locks are held."""
    _waits.append(wait)


def _before() -> None:
    locks: list[Any] = []
    taken: list[bool] = []
    _held.append((locks, taken))
    for lock in map(call, _locks):  # also what is registered while this thread waits
        if lock is not None:
            locks.append(lock)
            taken.extend(map(lock.acquire, (True,), (_PATIENCE,)))
    for wait in _waits:
        wait()


def _after() -> None:
    if _held:
        locks, taken = _held.pop()
        for lock in compress(locks, taken):
            lock.release()


def _in_child() -> None:
    locks, _ = _held[-1] if _held else ([], [])
    _after()
    for lock in locks:
        if not lock._is_owned():  # else a signal handler has forked while its thread had the lock
            lock._at_fork_reinit()


def after_forks_in_child(action: Callable[[], None]) -> None:
    """Call `action` in each forked child, where there are forks."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=action)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_in_child)
