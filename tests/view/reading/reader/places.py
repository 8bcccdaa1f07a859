"""Indices of arrays in formulas: x_{[index]} and updates of what they choose."""

from __future__ import annotations

import re
from typing import Any

import numpy as np


def indexed(reader: Any, value: Any) -> Any:
    """x_{[index]}, also with an update: x_{[index] ← y}."""
    reader.take("{")
    reader.take("[")
    index: list[Any] = []
    letters = "ijklmn"[: max(np.ndim(value) - 1, 0)]
    grids = np.indices(np.shape(value)[: len(letters)])
    part = ""
    while True:
        token = reader.take()
        if token in (",", "]"):
            if part:
                index.append(_index(part))
            part = ""
            if token == "]":
                break
        elif token in reader.values or (len(token) == 1 and token in letters):
            if token in letters and token not in reader.values:
                index.append(grids[letters.index(token)])
            else:
                reader.place -= 1
                index.append(_label(reader))
        elif not part and re.match(r"\\(?:begin|operatorname|min|max|left|frac)", token):
            reader.place -= 1
            index.append(np.asarray(reader.relation()).astype(int))
        else:
            part += token
    if reader.peek() == "}":
        reader.take()
        return _with_axes(value, tuple(index))[tuple(index)]
    how = ""
    while not how.endswith("=") and how != r"\leftarrow":
        how += reader.take().strip("{}")
    if how.endswith("="):
        reader.take("}")
    given = reader.relation()
    new = np.array(value)
    if new.ndim == 0:  # 𝟎, of the shape of the whole
        new = np.zeros(reader.options["whole"])
    reader.take("}")
    dtype = np.result_type(new, given)
    new = new.astype(dtype)
    _UPDATES[how](new, tuple(index), given)
    return new


def _label(reader: Any) -> Any:
    """An array of indices; y_i and y_{ij} are its entries, which stand for all of them."""
    value = reader.values[reader.take()]
    if reader.peek() == "_":
        reader.take()
        reader.text()
    return value.astype(int)


def _with_axes(x: Any, index: tuple[Any, ...]) -> Any:
    """x without axes of size 1 that a reduction left, where the index names fewer."""
    x = np.asarray(x)
    named = sum(part is not None for part in index)
    single = [axis for axis, size in enumerate(x.shape) if size == 1]
    plain = all(part is None or isinstance(part, slice) for part in index)
    if plain and len(index) > named and named < x.ndim and len(single) >= x.ndim - named:
        x = np.squeeze(x, tuple(single[: x.ndim - named]))
    return x


def _index(part: str) -> Any:
    part = part.replace(r"\mathrm{new}", "None").replace(r"\dots", "...")
    if part in ("None", "..."):
        return None if part == "None" else ...
    if ":" in part:
        return slice(*(int(end) if end else None for end in part.split(":")))
    return int(part)


def _set(x: Any, index: Any, y: Any) -> None:
    x[index] = y


_UPDATES = {
    r"\leftarrow": _set, "+=": np.add.at, r"\cdot=": np.multiply.at, "/=": np.divide.at,
    r"\min=": np.minimum.at, r"\max=": np.maximum.at,
}  # fmt: skip
