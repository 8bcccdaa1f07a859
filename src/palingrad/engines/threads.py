"""The number of threads on which compiled programs run."""

from __future__ import annotations

import os
from collections.abc import Callable

from ..errors import EngineError

_count: list[int] = []  # empty until set_num_threads is called
thread_changes: list[Callable[[], None]] = []  # called after the number has changed


def get_num_threads() -> int:
    """The number of threads on which compiled programs run; by default the process's cores."""
    if _count:
        return _count[0]
    variable = os.environ.get("PALINGRAD_NUM_THREADS", "")
    if variable.isdigit() and int(variable) > 0:
        return int(variable)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def set_num_threads(count: int) -> None:
    """Run compiled programs on `count` threads, including the calling thread.

    Results don't depend on it. Raises EngineError unless `count` is a positive integer.
    """
    if type(count) is not int or count < 1:
        raise EngineError(
            f"set_num_threads: expected a positive integer, got {count!r}.",
            hint=f"Write pg.set_num_threads(1), or up to {os.cpu_count()}, the number of cores.",
        )
    _count[:] = [count]
    for change in thread_changes:
        change()
