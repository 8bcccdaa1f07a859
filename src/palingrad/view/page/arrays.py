"""Arrays as JSON: small arrays whole, large ones as a summary and a slice, within a budget."""

from __future__ import annotations

import base64
import math
from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np

from ...dtypes import Array, is_boolean, is_inexact, is_integer

FEW = 16  # elements up to which an array is written as numbers
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

    def chosen(self, wanted: Iterable[tuple[int, Hashable, Array]]) -> set[Any]:
        """Reserves space for arrays (rank, key, array): of the lowest rank first, small ones first.
        Returns the keys of those that fit."""
        ordered = sorted(
            (rank, cost(array), number, key)
            for number, (rank, key, array) in enumerate(wanted)
            if array.size <= WHOLE
        )
        return {key for _, size, _, key in ordered if self.takes(size)}


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


def cost(array: Array) -> int:
    """The bytes that the array takes in the page."""
    return 2 + (4 * array.size * packed(array.dtype).itemsize + 2) // 3


def packed(dtype: Any) -> Any:
    """The dtype of the bytes of an array in the page: its own as far as JavaScript has it."""
    if is_boolean(dtype):
        return np.dtype("u1")
    return np.dtype("<f4" if dtype == np.float32 else "<f8")


def encoded(array: Array, budget: Budget) -> dict[str, Any]:
    """The array whole if it is small and there is space for it, otherwise shortened."""
    if array.size <= WHOLE and budget.takes(cost(array)):
        return whole(array)
    return shortened(array)


def whole(array: Array) -> dict[str, Any]:
    """{'f': elements} for few elements, otherwise {'b': bytes in base64, 't': their dtype}."""
    if _is_long(array):  # 'x': the digits, which a float64 doesn't have
        return {"f": numbers(array), "x": [str(x) for x in array.ravel().tolist()]}
    if array.size <= FEW:
        return {"f": numbers(array)}
    kind = packed(array.dtype)
    text = base64.b64encode(np.ascontiguousarray(array.ravel(), kind).tobytes()).decode()
    return {"b": text, "t": kind.str[1:]}


def _is_long(array: Array) -> bool:
    """Whether an integer isn't exact as a float64."""
    if not array.size or not is_integer(array.dtype):
        return False
    return int(array.max()) > 2**53 or int(array.min()) < -(2**53)


def shortened(array: Array) -> dict[str, Any]:
    """{'s': summary, 'c': [rows, columns, slice]}."""
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
