"""Values of special functions, remembered: mutants of a rule compute most of them again, at the
same points, and they take most of the time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from palingrad.maths.library.special import OWN
from palingrad.maths.numpy import numpy_maths

MOST_VALUES = 100_000  # then all are forgotten


def remember() -> None:
    """From now on NumPy's maths remembers what special functions gave, in this process."""
    for name, function in OWN.items():
        setattr(numpy_maths, name, remembering(function))


def remembering(function: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[Any, Any] = {}

    def remembered(*arguments: Any) -> Any:
        key = tuple(map(_key, arguments))
        if key not in known:
            if len(known) >= MOST_VALUES:
                known.clear()
            known[key] = function(*arguments)
        return np.array(known[key])  # which the caller may write to

    return remembered


def _key(argument: Any) -> Any:
    """What tells one argument from others, to the bit."""
    if isinstance(argument, np.ndarray | np.generic):
        array = np.asarray(argument)
        return array.dtype.str, array.shape, array.tobytes()
    return argument
