"""Turns: threads wait for each other, but never for ever.

A turn only saves work. What is right doesn't depend on it, because a run is checked when its
results land (`landing.py`). So a thread that has waited too long goes ahead: whoever has the turn
may itself wait for that thread, in a signal handler for example. And a thread that has a turn
already never waits for another: it may be in a signal handler that interrupted the first.

CPython runs signal handlers, and raises asynchronous exceptions, after calls, at the start of
functions and at backward jumps. A lock is therefore acquired, and noted as acquired, in one call
from C to C; and released in one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from itertools import chain, compress, count
from operator import call
from typing import Any, TypeVar

from .forks import after_forks_in_child

R = TypeVar("R")

# Consumes an iterator. As one call it can't be interrupted by a signal handler, nor, with the GIL,
# by another thread or a fork.
exhaust: Callable[[Iterable[Any]], None] = deque[Any](maxlen=0).extend

_PATIENCE = 10.0  # seconds after which a thread doesn't wait any longer
_WAIT = (True,)  # for a lock
_serial = count()
_forks = [0]  # how many forks lie between the first process and this one


class _Thread(threading.local):
    def __init__(self) -> None:
        self.turns: list[bool] = []  # not empty while the thread has a turn, or goes ahead


_thread = _Thread()


class Turn:
    """Lets one thread at a time do something; after a fork the child starts with a new one."""

    __slots__ = ("_forks", "_joined", "_lock", "_patience", "_serial", "taken")

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = (patience,)
        self.taken = False  # a hint, not exact
        self._serial = next(_serial)
        self._joined: Turn | None = None  # the older turn that replaces this one
        self._lock = threading.RLock()
        self._forks = _forks[0]

    def hold(self, action: Callable[..., R], *arguments: Any) -> R:
        """`action(*arguments)`, after and before those of other threads."""
        turns = _thread.turns
        if turns:
            return action(*arguments)
        turn = self if self._joined is None else self.root()
        if turn._forks != _forks[0]:
            turn._lock, turn._forks = threading.RLock(), _forks[0]
        lock = turn._lock
        acquiring = map(lock.acquire, _WAIT, turn._patience)
        # The first is called if the lock was acquired.
        leaving = map(call, compress((lock.release, turns.clear), chain(turns, _WAIT)))
        try:
            turns.extend(acquiring)
            if not turns[0]:
                turn._lock = threading.RLock()
            turn.taken = True
            result = action(*arguments)  # so that an instruction of `try` follows the call
            return result
        finally:
            turn.taken = False
            if turns:
                exhaust(leaving)

    def wait(self) -> None:
        """Wait for a thread that has the turn, if it is known that one has."""
        turn = self.root()
        if turn.taken:
            turn.hold(_nothing)

    def root(self) -> Turn:
        """The turn that stands for all those that this one was joined with."""
        turn = self
        while turn._joined is not None:
            turn = turn._joined
        return turn

    @staticmethod
    def join(turns: Iterable[Turn | None]) -> Turn:
        """One turn that replaces all of these. Links lead to older turns, so there is no cycle."""
        roots = {turn.root() for turn in turns if turn is not None} or {Turn()}
        oldest = min(roots, key=lambda turn: turn._serial)
        for turn in roots:
            if turn is not oldest:
                turn._joined = oldest
        return oldest


def _nothing() -> None: ...


def _after_fork() -> None:
    """In a forked child: turns that other threads of the parent had are nobody's."""
    _forks[0] += 1


after_forks_in_child(_after_fork)
