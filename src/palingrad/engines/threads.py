"""How many threads compiled programs run on."""

from __future__ import annotations

import os
import sys

from ..errors import EngineError

_wanted: list[int] = []


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
    team = sys.modules.get("palingrad.engines.native.runtime.thread_pool")
    if team is not None:  # compiled programs are there already
        team.dismiss()
