"""Dtypes: the default float, promotion with weak Python scalars, and values turned into arrays.

Promotion follows NumPy 2 within a kind. Across kinds a float keeps its width: float32 with int64 is
float32 (NumPy says float64), as the array API standard leaves open and PyTorch and JAX do.
"""

from __future__ import annotations

from array import array as TypedArray
from functools import cache
from typing import Any, TypeGuard

import numpy as np

from .errors import DTypeError, ShapeError

DType = np.dtype[Any]
Array = np.ndarray[Any, Any]
Scalar = bool | int | float

bool_ = np.dtype(np.bool_)
int8, int16, int32, int64 = (np.dtype(f"int{n}") for n in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (np.dtype(f"uint{n}") for n in (8, 16, 32, 64))
float16, float32, float64 = (np.dtype(f"float{n}") for n in (16, 32, 64))

# What nodes can hold, in the machine's own order of bytes.
DTYPES = frozenset(
    (bool_, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float16, float32, float64)
)

_default_float: list[DType] = [float32]
# Counts changes of settings on which it depends what a call runs: these floats, and the engine.
setting_changes = [0]


# Questions about a dtype. Of one that isn't known yet, None, every answer is no.


def is_floating(dtype: DType | None) -> TypeGuard[DType]:
    """Whether it holds real numbers with a fraction."""
    return dtype is not None and dtype.kind == "f"


def is_inexact(dtype: DType | None) -> TypeGuard[DType]:
    """Whether it holds numbers that are rounded: those that have gradients, and NaN and ∞."""
    return dtype is not None and dtype.kind in "fc"


def is_integer(dtype: DType | None) -> TypeGuard[DType]:
    """Whether it holds whole numbers, with or without a sign."""
    return dtype is not None and dtype.kind in "iu"


def is_unsigned(dtype: DType | None) -> TypeGuard[DType]:
    """Whether it holds whole numbers from 0."""
    return dtype is not None and dtype.kind == "u"


def is_boolean(dtype: DType | None) -> TypeGuard[DType]:
    """Whether it holds True and False."""
    return dtype is not None and dtype.kind == "b"


def is_supported(dtype: DType | None) -> TypeGuard[DType]:
    """Whether nodes can hold it, or what differs from that in the order of bytes only."""
    return dtype is not None and dtype.newbyteorder("=") in DTYPES


def default_dtype() -> DType:
    """The dtype that Python floats become: float32 unless `set_default_dtype` said otherwise."""
    return _default_float[0]


def set_default_dtype(dtype: Any) -> None:
    """Make `dtype` (a float dtype) what Python floats become from now on."""
    dtype = as_dtype(dtype)
    if not is_floating(dtype):
        raise DTypeError(f"set_default_dtype: expected a float dtype, got {dtype}")
    setting_changes[0] += 1
    _default_float[0] = dtype


def as_dtype(dtype: Any) -> DType:
    """Turn what NumPy takes as a dtype, or the Python type `float`, into a dtype."""
    if dtype is float:
        return default_dtype()
    try:
        result = np.dtype(dtype)
    except TypeError as error:
        raise DTypeError(f"{dtype!r} is not a dtype") from error
    if not is_supported(result):
        raise DTypeError(f"dtype {result} is not supported: booleans, integers and floats are")
    return result.newbyteorder("=")


@cache
def _promote(dtypes: frozenset[DType]) -> DType:
    floats = [dtype for dtype in dtypes if is_inexact(dtype)]
    return np.result_type(*(floats or dtypes))


def promote(*dtypes: DType) -> DType:
    """The dtype that holds a result of all these: NumPy 2's rule, but a float keeps its width."""
    return _promote(frozenset(dtypes))


def accumulates_in(dtype: DType) -> DType:
    """The float dtype that means and sums of products are accumulated in.

    It is float32 for float16, whose sums overflow at 65520, and float64 for integers.
    """
    if not is_floating(dtype):
        return float64
    return float32 if dtype == float16 else dtype


def promote_scalar(dtype: DType, scalar: Scalar) -> DType:
    """The dtype of an array of `dtype` with a Python scalar, which is weak: it gives way."""
    if isinstance(scalar, bool) or is_inexact(dtype):
        return dtype
    if isinstance(scalar, int):
        return int64 if is_boolean(dtype) else dtype
    return default_dtype()


def scalar_dtype(scalar: Scalar) -> DType:
    """The dtype of a Python scalar on its own."""
    if isinstance(scalar, bool):
        return bool_
    return int64 if isinstance(scalar, int) else default_dtype()


def is_array_like(value: Any) -> bool:
    """Whether a value has a dtype of its own: a NumPy array or number, `array.array`, a memoryview,
    or what any library turns into an array by `__array__`."""
    if isinstance(value, np.generic):
        return isinstance(value, (np.number, np.bool_))
    if isinstance(value, (np.ndarray, TypedArray, memoryview)):
        return True
    return getattr(type(value), "__array__", None) is not None


def _has_dtype(value: Any) -> bool:
    """Whether a value, or anything in nested lists, has a dtype of its own.

    Raises DTypeError for masked elements, which NumPy would take for numbers.
    """
    if isinstance(value, (list, tuple)):
        kinds = set(map(type, value))
        if all(issubclass(kind, (int, float, np.generic)) for kind in kinds):
            return any(issubclass(kind, np.generic) for kind in kinds)
        return any([_has_dtype(one) for one in value])  # a list, so that every one is looked at
    if isinstance(value, np.ndarray) and type(value) is not np.ndarray and np.ma.is_masked(value):
        count, total = np.ma.count_masked(value), value.size
        raise DTypeError(
            f"{count} of {total} elements of a masked array are masked, which an array can't say; "
            "give them a value by filled(value), or pass data and mask apart and use pg.where"
        )
    return is_array_like(value)


def as_array(value: Any, dtype: DType | None = None, *, copy: bool = False) -> Array:
    """`value` (array, scalar, nested lists) as an array; Python floats become the default float.

    What has a dtype of its own keeps it, and in a list with Python numbers NumPy's rule decides.
    Raises DTypeError for what isn't made of numbers and for masked elements, ShapeError for ragged
    lists.
    """
    has_dtype = type(value) is np.ndarray or _has_dtype(value)
    try:
        array = np.array(value) if copy else np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"rows of different lengths make no array: {value!r:.80}") from error
    if array.dtype.kind not in "biuf":
        raise DTypeError(
            f"expected numbers, got {type(value).__name__} that makes an array of {array.dtype}: "
            f"{value!r:.80}"
        )
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.itemsize > 8:
        raise DTypeError(f"{array.dtype} is not supported: floats have up to 64 bits; use float64")
    if dtype is None and array.dtype == np.float64 and not has_dtype:
        dtype = default_dtype()
    if dtype is not None and dtype != array.dtype:
        array = convert(array, dtype)
    return array


def convert(array: Array, dtype: DType) -> Array:
    """`array` in `dtype`; floats never become integers, nor numbers booleans, without `cast`."""
    ranks = "biuf"
    if ranks.index(array.dtype.kind) > max(ranks.index(dtype.kind), 2 if dtype.kind in "iu" else 0):
        raise DTypeError(f"can't turn {array.dtype} into {dtype} silently; use pg.cast")
    if is_integer(dtype) and array.size:
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        if array.min() < low or array.max() > high:
            raise DTypeError(f"a value outside {low} … {high} doesn't fit {dtype}")
    with np.errstate(over="ignore"):
        return array.astype(dtype)
