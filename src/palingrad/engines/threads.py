"""How many threads compiled programs run on."""

from __future__ import annotations

import os
from collections.abc import Callable

from ..errors import EngineError

_wanted: list[int] = []
thread_changes: list[Callable[[], None]] = []  # what is called when the number has changed


def get_num_threads() -> int:
    """How many threads compiled programs run on: by default as many as this process has cores."""
    if _wanted:
        return _wanted[0]
    given = os.environ.get("PALINGRAD_NUM_THREADS", "")
    if given.isdigit() and int(given) > 0:
        return int(given)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def set_num_threads(count: int) -> None:
    """Run compiled programs on `count` threads from now on, the calling one among them.

    Results don't depend on it. Raises EngineError for less than one.
    """
    if type(count) is not int or count < 1:
        raise EngineError(f"set_num_threads: expected a whole number from 1 up, got {count!r}")
    _wanted[:] = [count]
    for change in thread_changes:
        change()
