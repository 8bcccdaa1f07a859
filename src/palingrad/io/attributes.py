"""Attributes of operations as JSON, for tapes and saved models. Reading them executes no code."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import is_supported
from ..ops.indexing.parts import Slot


class Unreadable:
    """Stands for an attribute that the file format can't represent."""


def encoded(value: Any) -> Any:
    """An attribute's value as JSON; a type that JSON lacks becomes a dict with one key."""
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if np.isfinite(value) else {"float": repr(value)}
    if type(value) is complex:
        return {"complex": [encoded(value.real), encoded(value.imag)]}
    if type(value) is Slot:
        return {"slot": [value.number, value.length, value.new]}
    if isinstance(value, (tuple, list)):
        return {type(value).__name__: [encoded(item) for item in value]}
    if isinstance(value, slice):
        return {"slice": [encoded(end) for end in (value.start, value.stop, value.step)]}
    if value is Ellipsis:
        return {"ellipsis": True}
    if isinstance(value, np.dtype):
        return {"dtype": value.name}
    if isinstance(value, np.generic):
        return {"number": [value.dtype.name, encoded(value.item())]}
    return {"unreadable": repr(value)[:200]}


def decoded(written: Any) -> Any:
    """The inverse of `encoded`."""
    if not isinstance(written, dict):
        return written
    ((kind, value),) = written.items()
    if kind in ("tuple", "list"):
        return (tuple if kind == "tuple" else list)(decoded(item) for item in value)
    readers: dict[str, Any] = {
        "float": float,
        "complex": lambda parts: complex(*map(decoded, parts)),
        "slice": lambda ends: slice(*map(decoded, ends)),
        "slot": _slot,
        "ellipsis": lambda _: Ellipsis,
        "dtype": dtype_named,
        "number": lambda pair: dtype_named(pair[0]).type(decoded(pair[1])),
    }
    return readers[kind](value) if kind in readers else Unreadable()


def _slot(parts: Any) -> Slot:
    number, length, new = parts
    if type(number) is not int or type(length) not in (int, type(None)) or type(new) is not bool:
        raise ValueError(f"an index has no array {parts!r:.60}")
    return Slot(number, length, new)


def dtype_named(name: Any) -> np.dtype[Any]:
    """The dtype of this name. Raises ValueError unless it is a dtype of numbers or booleans."""
    try:
        dtype = np.dtype(name) if isinstance(name, str) else None
    except (TypeError, ValueError):
        dtype = None
    if not is_supported(dtype) or dtype.name != name:
        raise ValueError(f"there is no dtype {name!r:.60}")
    return dtype
