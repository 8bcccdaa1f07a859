"""Scalars that the updates of all parameters of one step have in common, such as the corrections of
Adam's moments: each is built once a step rather than once a parameter.

The passes would find that they are equal, but a network of 150 parameters would have been traced,
and have its key computed, with 1,500 nodes more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any


class _Step(threading.local):
    made: dict[Any, Any] | None = None  # by function and arguments; None outside a step


_step = _Step()


@contextmanager
def one_step() -> Generator[None]:
    """While it is open, `once` remembers what it has built in this thread."""
    before = _step.made
    _step.made = {}
    try:
        yield
    finally:
        _step.made = before


def once(build: Callable[..., Any], *arguments: Any) -> Any:
    """`build(*arguments)`, for nodes and numbers; the same result for the same arguments within a
    step."""
    made = _step.made
    if made is None:
        return build(*arguments)
    key = (build, *arguments)
    if key not in made:
        made[key] = build(*arguments)
    return made[key]
