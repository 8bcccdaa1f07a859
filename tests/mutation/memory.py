"""Values of special functions, remembered: most tests of operations compute them at the same points
as others, in doubles of doubles, and they took most of the time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from palingrad.maths.library import special

MOST_VALUES = 20_000  # then all are forgotten
MOST_ELEMENTS = 64  # of an array whose values are remembered


def remember() -> None:
    """From now on this process remembers what special functions gave of a few numbers."""
    special.special = remembering(special.special)


def remembering(function: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[Any, Any] = {}

    def remembered(*arguments: Any) -> Any:
        if any(isinstance(x, np.ndarray) and x.size > MOST_ELEMENTS for x in arguments):
            return function(*arguments)
        key = tuple(map(_key, arguments))
        if key not in known:
            if len(known) >= MOST_VALUES:
                known.clear()
            known[key] = function(*arguments)
        return np.array(known[key])  # which the caller may write to

    return remembered


def _key(argument: Any) -> Any:
    """What tells one argument from others, to the bit and in memory."""
    if isinstance(argument, np.ndarray | np.generic):
        array = np.asarray(argument)
        return array.dtype.str, array.shape, array.strides, array.tobytes()
    if isinstance(argument, float | complex):
        return type(argument), repr(argument)  # 0.0 and -0.0 are equal
    return type(argument), argument
