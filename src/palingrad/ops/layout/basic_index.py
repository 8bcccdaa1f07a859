"""Which parts of an index are basic: integers, slices, None and `...`."""

from __future__ import annotations

from types import EllipsisType
from typing import Any

_BASIC = frozenset((int, type(None), EllipsisType))
_ENDS = frozenset((int, type(None)))


def is_basic(part: Any) -> bool:
    """Whether a part is one of Python's own, and a slice has Python's integers."""
    kind = type(part)
    if kind is not slice:
        return kind in _BASIC
    return type(part.start) in _ENDS and type(part.stop) in _ENDS and type(part.step) in _ENDS


def as_slices(x: Any, parts: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """`parts` with a slice for a list or tuple of one integer, `x[:, [0]]`, where all other parts
    are slices; None where that doesn't apply."""
    found: list[Any] = []
    listed = 0
    for axis, part in enumerate(parts):
        if type(part) in (list, tuple) and len(part) == 1 and type(part[0]) is int:
            shape = x.shape
            if shape is None or axis >= len(shape) or not 0 <= part[0] < (shape[axis] or 0):
                return None
            found.append(slice(part[0], part[0] + 1))
            listed += 1
        elif type(part) is slice and is_basic(part):
            found.append(part)
        else:
            return None
    return tuple(found) if listed == 1 else None
