"""Arrays that generated code reads and writes fastest: they begin with a cache line, and those that
are used together lie at different places in a page.

A vector that lies across two lines costs two accesses. Rows of several arrays that lie alike in a
page compete for the same few sets of the first cache: gradient, moments and weight of an update
did, and took a third longer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....dtypes import Array, DType

_PAGE, _LINE = 4096, 64
_STEP = 5 * _LINE  # from array to array; after 64 of them they begin anew
_SMALL = 4 * _PAGE  # bytes; below, nothing is gained


class _Room(np.ndarray):
    """The memory behind an array. As it has a type of its own, a view of such an array refers to
    the array and not to the room, so that counting references tells whether somebody holds it."""


def placed(shape: tuple[int, ...], dtype: DType, number: int = 0) -> Array:
    """An array, not filled, for the `number`th of those used together."""
    size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    if size < _SMALL:
        return np.empty(shape, dtype)
    room: Any = np.ndarray.__new__(_Room, (size + 2 * _PAGE,), np.uint8)
    start = -room.__array_interface__["data"][0] % _PAGE + staggered(number)
    return np.ndarray(shape, dtype, buffer=room, offset=start)


def is_placed(array: Array) -> bool:
    """Whether the array lies as `placed` ones do, and nothing but its own views shows it."""
    if array.nbytes >= _SMALL or array.base is not None:
        return type(array.base) is _Room and array.flags.c_contiguous
    return array.flags.c_contiguous and array.flags.aligned


def staggered(number: int) -> int:
    """Bytes from the start of a page to that of the `number`th array."""
    return number * _STEP % _PAGE
