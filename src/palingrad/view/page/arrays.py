"""Arrays as JSON: whole where they are small, else a summary and a slice, within a budget."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...dtypes import Array, is_boolean, is_inexact

WHOLE = 4096  # elements of the largest array that is kept whole
EDGE = 16  # rows and columns of the slice that is kept of a larger one
BINS = 24


class Budget:
    """How many bytes of numbers the page may still hold; what no longer fits is counted."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.cut = 0

    def takes(self, cost: int) -> bool:
        """Whether `cost` bytes still fit; then they are spent."""
        if cost > self.left:
            self.cut += 1
            return False
        self.left -= cost
        return True


def numbers(array: Array) -> list[Any]:
    """The elements in row-major order as JSON: float32 in its shortest digits; no NaN in JSON."""
    flat = array.ravel()
    if is_boolean(flat.dtype):
        return flat.astype(int).tolist()
    if not is_inexact(flat.dtype):
        return flat.tolist()
    wide = flat.dtype == np.float64
    found = flat.tolist() if wide else [float(str(one)) for one in flat]
    if not np.isfinite(flat).all():
        return [one if math.isfinite(one) else _name(one) for one in found]
    return found


def _name(one: float) -> str:
    return "NaN" if math.isnan(one) else "Infinity" if one > 0 else "-Infinity"


def encoded(array: Array, budget: Budget) -> dict[str, Any]:
    """{'f': elements} of a small array, else {'s': summary, 'c': [rows, columns, elements]}."""
    cost = 2 + array.size * (18 if array.dtype == np.float64 else 11)
    if array.size <= WHOLE and budget.takes(cost):
        return {"f": numbers(array)}
    rows = array.reshape(-1, array.shape[-1] if array.ndim else 1)[:EDGE, :EDGE]
    return {"s": summary(array), "c": [*rows.shape, numbers(rows)]}


def summary(array: Array) -> dict[str, Any]:
    """Extremes, mean, deviation, zeros, NaNs, infinities, and a histogram of what is finite."""
    kept = array.astype(np.float64).ravel()
    finite = kept[np.isfinite(kept)]
    found: dict[str, Any] = {
        "n": int(kept.size),
        "zeros": int(np.count_nonzero(kept == 0)),
        "nan": int(np.count_nonzero(np.isnan(kept))),
        "inf": int(np.count_nonzero(np.isinf(kept))),
    }
    if finite.size:
        with np.errstate(all="ignore"):
            spread = [finite.min(), finite.max(), finite.mean(), finite.std()]
        named = zip(("min", "max", "mean", "std"), map(float, spread), strict=True)
        found |= {name: one if math.isfinite(one) else _name(one) for name, one in named}
        if found["min"] < found["max"] and math.isfinite(spread[1] - spread[0]):
            found["hist"] = np.histogram(finite, BINS)[0].tolist()
    return found
