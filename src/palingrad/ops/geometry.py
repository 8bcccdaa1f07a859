"""The geometry that convolution and pooling share: sizes, strides, padding, dilation."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from ..errors import ShapeError
from ..shapes import Dim

Padding = int | str | Sequence[int] | Sequence[tuple[int, int]]


def several(value: Any, ndim: int, what: str, *, least: int = 1) -> tuple[int, ...]:
    """One integer for each of `ndim` spatial axes, from one for all or one for each."""
    given = value if isinstance(value, (tuple, list)) else (value,) * ndim
    try:
        found = tuple(index(one) for one in given)
    except TypeError:
        raise ShapeError(f"{what} is an integer or one for each axis, got {value!r}") from None
    if len(found) != ndim or any(one < least for one in found):
        raise ShapeError(f"{what} needs {ndim} integers from {least} up, got {value!r}")
    return found


def pads(
    padding: Padding, size: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """(before, after) for each spatial axis.

    'valid' is none; 'same' keeps ⌈length/stride⌉ places at stride 1, the odd one after; an integer
    is for both sides.
    """
    if padding == "valid":
        return ((0, 0),) * len(size)
    if padding == "same":
        if any(one != 1 for one in stride):
            raise ShapeError("padding 'same' needs stride 1", hint="Give the padding as integers.")
        spans = [(k - 1) * d for k, d in zip(size, dilation, strict=True)]
        return tuple((span // 2, span - span // 2) for span in spans)
    if isinstance(padding, str):
        raise ShapeError(f"padding is 'valid', 'same' or integers, got {padding!r}")
    if isinstance(padding, (tuple, list)) and padding and isinstance(padding[0], (tuple, list)):
        found = tuple(several(pair, 2, "padding of an axis", least=0) for pair in padding)
        if len(found) != len(size):
            raise ShapeError(f"padding needs {len(size)} pairs, got {padding!r}")
        return tuple((low, high) for low, high in found)
    return tuple((one, one) for one in several(padding, len(size), "padding", least=0))


def places(length: Dim, k: Dim, s: int, pad: tuple[int, int], d: int) -> Dim:
    """How many windows of `k` taps fit on an axis."""
    if length is None or k is None:
        return None
    room = length + sum(pad) - (k - 1) * d - 1
    if room < 0:
        raise ShapeError(f"a window of {k} taps (dilation {d}) doesn't fit {length} + {sum(pad)}")
    return room // s + 1
