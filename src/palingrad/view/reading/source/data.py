"""Writes arrays as Python expressions that reproduce the same bits."""

from __future__ import annotations

import numpy as np

from ....dtypes import Array, bool_, float64, int64
from .code import dtype_name, number_text, plain
from .text import WIDTH

_NATURAL = (float64, int64, bool_)  # NumPy's default dtypes for Python numbers


def array_lines(name: str, array: Array, most: int) -> list[str] | None:
    """The lines of `name = …` for an array; None if they would list more than `most` elements.

    An array of equal elements is written as np.zeros or np.full, whatever its size.
    """
    dtype = f"np.{dtype_name(array.dtype)}"
    if array.ndim == 0:
        return [f"{name} = np.array({number_text(array[()])}, {dtype})"]
    shape = plain(array.shape)
    if array.size == 0 or is_uniform(array):
        value = array.flat[0] if array.size else 0
        if not array.size or array.tobytes() == bytes(array.nbytes):
            return [f"{name} = np.zeros({shape}, {dtype})"]
        return [f"{name} = np.full({shape}, {number_text(value)}, {dtype})"]
    if array.size > most:
        return None
    tail = ")" if array.dtype in _NATURAL and array.dtype != float64 else f", {dtype})"
    return _listed(f"{name} = np.array(", array, tail)


def is_uniform(array: Array) -> bool:
    """Whether all elements have the same bits."""
    if array.size < 2:
        return False
    uniform = np.full(array.shape, array.flat[0], array.dtype)
    return uniform.tobytes() == np.ascontiguousarray(array).tobytes()


def _listed(start: str, array: Array, end: str) -> list[str]:
    """Nested lists with as many numbers per line as fit; each matrix row starts a new line."""
    tokens = _tokens(array)
    if len(start) + sum(map(len, tokens)) + len(end) <= WIDTH:
        return [start + "".join(tokens) + end]
    lines = [start]
    for token in tokens:
        row = token.startswith("[") and len(lines[-1]) > 5
        width = len(token.rstrip()) + (not token.endswith(" "))  # a comma follows the last
        if row or len(lines[-1]) + width > WIDTH:
            lines[-1] = lines[-1].rstrip()
            lines.append("    " if token.startswith("[[") else "     ")
        lines[-1] += token
    return [*lines[:-1], lines[-1] + ",", "    " + end.lstrip(", ")]


def _tokens(array: Array) -> list[str]:
    """The numbers, with the brackets and commas around them."""
    flat = array.ravel()
    sizes = [int(np.prod(array.shape[axis:])) for axis in range(array.ndim)]
    tokens: list[str] = []
    for place, value in enumerate(flat):
        opened = sum(place % size == 0 for size in sizes)
        closed = sum((place + 1) % size == 0 for size in sizes)
        comma = "" if place + 1 == len(flat) else ", "
        tokens.append("[" * opened + number_text(value) + "]" * closed + comma)
    return tokens
