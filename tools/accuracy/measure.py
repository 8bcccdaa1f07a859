"""The errors of a function at random points, against mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
from mpmath.libmp import NoConvergence  # pyright: ignore[reportAttributeAccessIssue]

from .points import Row


def exact(function: Callable[..., Any], arguments: tuple[float, ...], digits: int) -> float | None:
    """The value rounded to float64, with two precisions, which must agree; None if mpmath fails."""
    try:
        with mp.workdps(digits):
            first = mp.re(function(*map(mp.mpf, arguments)))
        with mp.workdps(digits + 15):
            second = mp.re(function(*map(mp.mpf, arguments)))
    except (ValueError, ArithmeticError, TypeError, NoConvergence):
        return None
    agree = abs(first - second) <= mp.mpf(10) ** -18 * abs(second)
    return second if agree else None


def errors(row: Row, dtype: Any, count: int) -> list[tuple[float, float, tuple[float, ...]]]:
    """For each point the error in units in the last place, the mixed error, and the arguments."""
    rng = np.random.default_rng(1)
    with np.errstate(all="ignore"):
        points = [x.astype(dtype) for x in np.broadcast_arrays(*row.draw(rng, count))]
        found = row.function(*points).numpy()
    smallest = float(np.finfo(dtype).tiny)
    result: list[tuple[float, float, tuple[float, ...]]] = []
    for place, arguments in enumerate(zip(*points, strict=True)):
        given = tuple(map(float, arguments))
        if not all(map(np.isfinite, given)):
            continue
        value = exact(row.exact, given, row.digits)
        if value is None or not smallest < abs(value) < float(np.finfo(dtype).max):
            continue
        unit = float(np.spacing(np.abs(dtype(float(value)))))
        gap = abs(mp.mpf(float(found[place])) - value) if np.isfinite(found[place]) else mp.inf
        scale = unit
        if row.size is not None:
            scale = max(unit, float(row.size(*given)) * float(np.finfo(dtype).eps))
        result.append((float(gap / unit), float(gap / scale), given))
    return result
