"""Arrays as JSON: small arrays whole, large ones as a summary and a slice, within a budget."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...dtypes import Array, is_boolean, is_inexact

WHOLE = 4096  # elements of the largest array that is exported whole
EDGE = 16  # rows and columns of the slice of a larger array
BINS = 24


class Budget:
    """The bytes left for numbers of the page, and the number of arrays that did not fit."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.cut = 0

    def takes(self, cost: int) -> bool:
        """Reserve `cost` bytes; returns whether they fit."""
        if cost > self.left:
            self.cut += 1
            return False
        self.left -= cost
        return True


def numbers(array: Array) -> list[Any]:
    """The elements in row-major order for JSON: float32 with its shortest digits, and the strings
    "NaN", "Infinity" and "-Infinity", which JSON lacks as numbers."""
    flat = array.ravel()
    if is_boolean(flat.dtype):
        return flat.astype(int).tolist()
    if not is_inexact(flat.dtype):
        return flat.tolist()
    wide = flat.dtype == np.float64
    elements = flat.tolist() if wide else [float(str(x)) for x in flat]
    if not np.isfinite(flat).all():
        return [x if math.isfinite(x) else _name(x) for x in elements]
    return elements


def _name(x: float) -> str:
    return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"


def encoded(array: Array, budget: Budget) -> dict[str, Any]:
    """{'f': elements} for a small array, otherwise {'s': summary, 'c': [rows, columns, slice]}."""
    cost = 2 + array.size * (18 if array.dtype == np.float64 else 11)
    if array.size <= WHOLE and budget.takes(cost):
        return {"f": numbers(array)}
    rows = array.reshape(-1, array.shape[-1] if array.ndim else 1)[:EDGE, :EDGE]
    return {"s": summary(array), "c": [*rows.shape, numbers(rows)]}


def summary(array: Array) -> dict[str, Any]:
    """Counts of zeros, NaNs and infinities; extremes, mean, standard deviation and histogram of the
    finite elements."""
    wide = array.astype(np.float64).ravel()
    finite = wide[np.isfinite(wide)]
    data: dict[str, Any] = {
        "n": int(wide.size),
        "zeros": int(np.count_nonzero(wide == 0)),
        "nan": int(np.count_nonzero(np.isnan(wide))),
        "inf": int(np.count_nonzero(np.isinf(wide))),
    }
    if finite.size:
        with np.errstate(all="ignore"):
            spread = [finite.min(), finite.max(), finite.mean(), finite.std()]
        named = zip(("min", "max", "mean", "std"), map(float, spread), strict=True)
        data |= {name: x if math.isfinite(x) else _name(x) for name, x in named}
        if data["min"] < data["max"] and math.isfinite(spread[1] - spread[0]):
            data["hist"] = np.histogram(finite, BINS)[0].tolist()
    return data
