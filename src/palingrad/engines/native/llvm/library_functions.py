"""Functions of NumPy and SciPy that generated code calls, by name: their addresses.

`lapack.spotrf` and `blas.sgemm` are SciPy's, which it exports for Cython; `sort.float32` is the
function with which NumPy sorts that dtype. None of them needs Python's lock. `python.PyErr_Fetch`
is a function of Python's C interface.
"""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Iterable
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np

_PREFIX = "palingrad."  # of a function's name in generated code
_ARRAY_FUNCTIONS = 365  # the number of _PyDataType_GetArrFuncs in NumPy 2's table of functions
_SORT = 33 * 8  # where PyArray_ArrFuncs holds its first function that sorts, in bytes


def symbol(name: str) -> str:
    """The name of the function in generated code."""
    return _PREFIX + name


def provide(names: Iterable[str]) -> None:
    """Makes the functions known to LLVM, for code that calls them."""
    for name in names:
        where = address(name)
        if where is None:
            raise RuntimeError(f"{name} isn't there")
        llvm.add_symbol(symbol(name), where)


@cache
def address(name: str) -> int | None:
    """The address of the function; None if the installed library doesn't have it as expected."""
    library, _, function = name.partition(".")
    try:
        if library == "sort":
            return _sort(np.dtype(function))
        if library == "python":
            return ctypes.cast(getattr(ctypes.pythonapi, function), ctypes.c_void_p).value
        return _exported(f"scipy.linalg.cython_{library}", function)
    except (ImportError, AttributeError, KeyError, ValueError, TypeError):
        return None


def _exported(module: str, function: str) -> int:
    """The address of a function that a Cython module exports."""
    capsule = importlib.import_module(module).__pyx_capi__[function]
    kind = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)
    name = kind(("PyCapsule_GetName", ctypes.pythonapi))(capsule)
    return _pointer(capsule, name)


def _pointer(capsule: Any, name: bytes | None) -> int:
    kind = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    return kind(("PyCapsule_GetPointer", ctypes.pythonapi))(capsule, name)


def _sort(dtype: np.dtype[Any]) -> int | None:
    """The function that sorts numbers of this dtype, part of NumPy 2's binary interface."""
    if np.lib.NumpyVersion(np.__version__) < "2.0.0" or np.__version__.split(".")[0] != "2":
        return None
    core = importlib.import_module("numpy._core._multiarray_umath")
    table = _pointer(core._ARRAY_API, None)
    word = ctypes.sizeof(ctypes.c_void_p)
    found = ctypes.c_void_p.from_address(table + _ARRAY_FUNCTIONS * word).value
    if word != 8 or found is None:
        return None
    functions = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)(found)(dtype)
    where = ctypes.c_void_p.from_address(functions + _SORT).value
    if where is None:
        return None
    sort = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_void_p)(where)
    numbers = np.array([3, 0, 2, 1, 1], dtype)
    expected = np.sort(numbers)
    fine = sort(numbers.ctypes.data, len(numbers), None) == 0 and np.array_equal(numbers, expected)
    return where if fine else None
