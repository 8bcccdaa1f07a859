"""Aligned arrays: large arrays begin with a cache line, at offsets within a page that differ from
array to array.

A vector that crosses a cache line costs two accesses. Rows of several arrays at equal offsets in a
page compete for the same few sets of the first-level cache: an update whose gradient, moments and
weight were placed so took a third longer.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ....dtypes import Array, DType

# Whether an array's reference count shows exactly who refers to it. Without the GIL it may be read
# while another thread changes it; then no array is ever taken as unused.
COUNTS_ARE_EXACT: bool = getattr(sys, "_is_gil_enabled", bool)() or sys.version_info < (3, 13)

_PAGE, _LINE = 4096, 64
_STEP = 5 * _LINE  # between the offsets of two arrays; the offsets repeat after 64 arrays
_SMALL = 4 * _PAGE  # bytes; smaller arrays gain nothing


class _Allocation(np.ndarray):
    """The memory behind an array. Because it has its own type, a view of such an array refers to
    the array and not to the allocation, so the array's reference count shows whether it is used."""


def placed(shape: tuple[int, ...], dtype: DType, number: int = 0, *, zeros: bool = False) -> Array:
    """An array, uninitialised or of zeros, the `number`th of those used together."""
    size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    if size < _SMALL:
        return np.zeros(shape, dtype) if zeros else np.empty(shape, dtype)
    count, buffer = size + 2 * _PAGE, None
    if zeros:  # the operating system gives the pages when they are first written to
        # A view of its own type: else NumPy would make `np.zeros`' array the base of the result.
        buffer = np.zeros(count, np.uint8).view(_Allocation)
    allocation: Any = np.ndarray.__new__(_Allocation, (count,), np.uint8, buffer)
    start = -allocation.__array_interface__["data"][0] % _PAGE + staggered(number)
    return np.ndarray(shape, dtype, buffer=allocation, offset=start)


def is_placed(array: Array) -> bool:
    """Whether the array is aligned as `placed` does, and shares memory only with its own views."""
    if array.nbytes >= _SMALL or array.base is not None:
        return type(array.base) is _Allocation and array.flags.c_contiguous
    return array.flags.c_contiguous and array.flags.aligned


def staggered(number: int) -> int:
    """The offset in bytes, within a page, of the `number`th array."""
    return number * _STEP % _PAGE
