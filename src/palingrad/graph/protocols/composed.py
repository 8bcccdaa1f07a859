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


def _take(x: Any, indices: Any, axis: Any = None, **options: Any) -> Any:
    if axis is None:
        x, axis = ops.reshape(x, -1), 0
    return ops.take(x, indices, axis=axis, **options)


def _polyval(p: Any, x: Any) -> Any:
    """Horner's scheme: p[0] is the coefficient of the highest power."""
    y = ops.zeros_like(x)
    for place in range(np.shape(p)[0]):
        y = ops.add(ops.multiply(y, x), p[place])
    return y


# NumPy's parameters differ from those of the library's function of the same name.
ADAPTED: dict[str, Callable[..., Any]] = {
    "clip": _clip,
    "copy": _copy,
    "take": _take,
    "where": _where,
}

# For functions that the library doesn't have itself.
COMPOSED: dict[str, Callable[..., Any]] = {"polyval": _polyval}
