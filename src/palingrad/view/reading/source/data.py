"""Arrays as Python text that gives back the same bits."""

from __future__ import annotations

import numpy as np

from ....dtypes import Array, bool_, float64, int64
from .code import dtype_name, number_text, plain
from .text import WIDTH

_NATURAL = (float64, int64, bool_)  # what NumPy makes of Python's numbers by itself


def array_lines(name: str, array: Array, most: int) -> list[str] | None:
    """`name = …` for an array, in lines; None where it has more than `most` elements to list."""
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
    one = np.full(array.shape, array.flat[0], array.dtype)
    return one.tobytes() == np.ascontiguousarray(array).tobytes()


def _listed(start: str, array: Array, end: str) -> list[str]:
    """Nested lists, as many numbers on a line as fit; each row of a matrix starts a line."""
    tokens = _tokens(array)
    if len(start) + sum(map(len, tokens)) + len(end) <= WIDTH:
        return [start + "".join(tokens) + end]
    lines = [start]
    for token in tokens:
        row = token.startswith("[") and len(lines[-1]) > 5
        if row or len(lines[-1]) + len(token.rstrip()) > WIDTH:
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
        graph_scope = sum(place % size == 0 for size in sizes)
        closed = sum((place + 1) % size == 0 for size in sizes)
        comma = "" if place + 1 == len(flat) else ", "
        tokens.append("[" * graph_scope + number_text(value) + "]" * closed + comma)
    return tokens
