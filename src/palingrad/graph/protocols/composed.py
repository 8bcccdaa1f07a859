"""Functions of NumPy that are made of the library's operations when they are called with nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..registry import ops


def _clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    return ops.clip(x, min if a_min is None else a_min, max if a_max is None else a_max)


def _where(condition: Any, *branches: Any) -> Any:
    return ops.where(condition, *branches) if branches else ops.nonzero(condition)


def _copy(x: Any) -> Any:
    return ops.positive(x)


def _in_dtype(join: str) -> Callable[..., Any]:
    def function(arrays: Any, *, dtype: Any = None, **options: Any) -> Any:
        y = getattr(ops, join)(arrays, **options)
        return y if dtype is None else ops.cast(y, dtype)

    return function


def _compress(condition: Any, x: Any, axis: Any = None) -> Any:
    return ops.take(x, np.flatnonzero(condition), axis)


# NumPy's parameters differ from those of the library's function of the same name.
ADAPTED: dict[str, Callable[..., Any]] = {
    "clip": _clip,
    "concatenate": _in_dtype("concat"),
    "copy": _copy,
    "stack": _in_dtype("stack"),
    "where": _where,
}

# For functions that the library doesn't have itself.
COMPOSED: dict[str, Callable[..., Any]] = {
    "compress": _compress,
    "extract": _compress,
}
