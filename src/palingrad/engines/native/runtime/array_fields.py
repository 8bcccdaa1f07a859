"""Where NumPy's array structure holds an array's address and its flags."""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np

READABLE = 0x1 | 0x100  # NumPy's flags: C-contiguous, aligned


@cache
def array_layout() -> tuple[int, int]:
    """The offsets in bytes of the data pointer and the flags in NumPy's array structure.

    PyArrayObject_fields is part of NumPy's binary interface: data, nd, dimensions, strides, base,
    descr, flags. Both offsets are verified on two arrays.
    """
    data = object.__basicsize__
    flags = data + 48
    for array in (np.zeros(3), np.zeros((4, 3), np.float32)[:, :2]):
        pointer = ctypes.c_size_t.from_address(id(array) + data).value
        found = ctypes.c_int.from_address(id(array) + flags).value
        assert pointer == array.__array_interface__["data"][0]
        assert bool(found & 1) == array.flags.c_contiguous
        assert bool(found & 0x100) == array.flags.aligned
    return data, flags
