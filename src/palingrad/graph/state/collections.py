"""Rarer cyclic garbage collections while a graph is built: its nodes live on, and each collection
would visit those made so far."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager, suppress

_RARE = (100_000, 50)  # the first two thresholds of `gc.set_threshold`; Python's are 700 and 10
_users: dict[object, None] = {}
_before: list[tuple[int, int, int]] = []


@contextmanager
def rare_collections() -> Generator[None]:
    """Until the end of the `with`, collections start at larger numbers of new objects, in all
    threads. Thresholds that a user sets meanwhile stay.

    Threads take no turns: one that ends while another begins leaves Python's thresholds to it,
    which costs only time.
    """
    user = object()
    _users[user] = None
    try:
        now = gc.get_threshold()
        if 0 < now[0] < _RARE[0]:  # else the user's choice
            _before[:] = [now]
            gc.set_threshold(*_RARE, now[2])
        yield
    finally:
        del _users[user]
        if not _users and gc.get_threshold()[:2] == _RARE:
            with suppress(IndexError):  # of threads that end at once, one restores them
                gc.set_threshold(*_before.pop())
