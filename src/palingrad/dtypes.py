"""Dtypes: the default float, promotion with weak Python scalars, and conversion to arrays.

Promotion follows NumPy 2 within a kind. Across kinds a float keeps its width: float32 with int64 is
float32, as in PyTorch and JAX (float64 in NumPy; the array API standard leaves it open). A complex
dtype is made of two floats: float64 with complex64 is complex128, as in NumPy.
"""

from __future__ import annotations

from array import array as TypedArray
from functools import cache
from typing import Any, TypeGuard

import numpy as np

from .errors import DTypeError, ShapeError
from .messages.checks import did_you_mean

DType = np.dtype[Any]
Array = np.ndarray[Any, Any]
Scalar = bool | int | float | complex

bool_ = np.dtype(np.bool_)
int8, int16, int32, int64 = (np.dtype(f"int{n}") for n in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (np.dtype(f"uint{n}") for n in (8, 16, 32, 64))
float16, float32, float64 = (np.dtype(f"float{n}") for n in (16, 32, 64))
complex64, complex128 = np.dtype(np.complex64), np.dtype(np.complex128)

# The supported dtypes, in native byte order.
DTYPES = frozenset((
    *(bool_, int8, int16, int32, int64, uint8, uint16, uint32, uint64),
    *(float16, float32, float64, complex64, complex128),
))  # fmt: skip

_default_float: list[DType] = [float32]
# Incremented whenever a setting changes that selects a compiled program: default float or engine.
setting_changes = [0]


# Predicates. For None, a dtype that isn't known yet, all of them are False.


def is_floating(dtype: DType | None) -> TypeGuard[DType]:
    """Whether it is a real floating-point dtype."""
    return dtype is not None and dtype.kind == "f"


def is_inexact(dtype: DType | None) -> TypeGuard[DType]:
    """Whether it is floating-point, real or complex: has rounding, NaN, ∞ and gradients."""
    return dtype is not None and dtype.kind in "fc"


def is_complex(dtype: DType | None) -> TypeGuard[DType]:
    """Whether it is a complex dtype."""
    return dtype is not None and dtype.kind == "c"


def is_integer(dtype: DType | None) -> TypeGuard[DType]:
    """Whether it is an integer dtype, signed or unsigned."""
    return dtype is not None and dtype.kind in "iu"


def is_unsigned(dtype: DType | None) -> TypeGuard[DType]:
    """Whether it is an unsigned integer dtype."""
    return dtype is not None and dtype.kind == "u"


def is_signed(dtype: DType | None) -> TypeGuard[DType]:
    """Whether it is a signed integer dtype."""
    return dtype is not None and dtype.kind == "i"


def is_boolean(dtype: DType | None) -> TypeGuard[DType]:
    """Whether it is the boolean dtype."""
    return dtype is not None and dtype.kind == "b"


def is_supported(dtype: DType | None) -> TypeGuard[DType]:
    """Whether nodes can hold it, after conversion to native byte order."""
    return dtype is not None and dtype.newbyteorder("=") in DTYPES


def real_of(dtype: DType) -> DType:
    """The dtype of the real and the imaginary part of a dtype: itself, unless it is complex."""
    if not is_complex(dtype):
        return dtype
    return float32 if dtype == complex64 else float64


def complex_of(dtype: DType) -> DType:
    """The complex dtype whose parts hold numbers of a dtype: integers become the default float."""
    if is_complex(dtype):
        return dtype
    real = dtype if is_floating(dtype) else default_dtype()
    return complex128 if real == float64 else complex64


def lowest(dtype: DType) -> Any:
    """The smallest number of a real dtype, −∞ of floats: the maximum of nothing."""
    if is_floating(dtype):
        return -np.inf
    return False if is_boolean(dtype) else np.iinfo(dtype).min


def highest(dtype: DType) -> Any:
    """The largest number of a real dtype, ∞ of floats: the minimum of nothing."""
    if is_floating(dtype):
        return np.inf
    return True if is_boolean(dtype) else np.iinfo(dtype).max


def default_dtype() -> DType:
    """The dtype to which Python floats are converted: float32, or that of `set_default_dtype`."""
    return _default_float[0]


def set_default_dtype(dtype: Any) -> None:
    """Set the dtype, a float dtype, to which Python floats are converted from now on."""
    dtype = as_dtype(dtype)
    if not is_floating(dtype):
        raise DTypeError(
            f"set_default_dtype: expected a float dtype, got {dtype}.",
            hint="Python floats become it: 'float32' or 'float64'. Integers keep their dtype.",
        )
    _default_float[0] = dtype
    setting_changes[0] += 1  # last, as in set_ieee_gradients


def as_dtype(dtype: Any) -> DType:
    """Convert any NumPy dtype specification to a dtype; `float` is the default dtype, `complex` the
    complex dtype of two of them."""
    if dtype is float:
        return default_dtype()
    if dtype is complex:
        return complex_of(default_dtype())
    try:
        result = np.dtype(dtype)
        if isinstance(dtype, str) and result.isbuiltin == 2:  # one that an imported library added
            raise TypeError(dtype)
    except (TypeError, ValueError) as error:  # ValueError: of a string that isn't text
        hint = did_you_mean(dtype, [one.name for one in DTYPES - {float16}], quoted=True)
        if str(dtype).rpartition(".")[2] in ("bfloat16", "half"):
            hint = "Use 'float16', 'float32' or 'float64'."
        raise DTypeError(f"{dtype!r:.90} is not a dtype.", hint=hint) from error
    if not is_supported(result):
        raise DTypeError(
            f"dtype {result} is not supported: booleans, integers, floats and complex numbers are.",
            hint="Use 'float32' or 'float64' for real numbers, 'complex64' or 'complex128' for "
            "complex ones.",
        )
    # The object that arrays have: promotion is quick for operands with the same object.
    return np.dtype(result.type)


@cache
def _promote(dtypes: frozenset[DType]) -> DType:
    floats = [dtype for dtype in dtypes if is_inexact(dtype)]
    return np.result_type(*(floats or dtypes))


def promote(*dtypes: DType) -> DType:
    """The common dtype: NumPy 2's rule, except that floats ignore integer operands."""
    return _promote(frozenset(dtypes))


def accumulates_in(dtype: DType) -> DType:
    """The dtype in which means and sums of products are accumulated.

    It is float32 for float16, whose sums overflow at 65520, and float64 for integers.
    """
    if not is_inexact(dtype):
        return float64
    return float32 if dtype == float16 else dtype


def promote_scalar(dtype: DType, scalar: Scalar) -> DType:
    """The common dtype of an array and a Python scalar, whose dtype is weak."""
    if isinstance(scalar, complex):
        return complex_of(dtype)
    if isinstance(scalar, bool) or is_inexact(dtype):
        return dtype
    if isinstance(scalar, int):
        return int64 if is_boolean(dtype) else dtype
    return default_dtype()


def scalar_dtype(scalar: Scalar) -> DType:
    """The dtype of a Python scalar on its own."""
    if isinstance(scalar, bool):
        return bool_
    if isinstance(scalar, complex):
        return complex_of(default_dtype())
    return int64 if isinstance(scalar, int) else default_dtype()


def is_array_like(value: Any) -> bool:
    """Whether a value has a dtype of its own: a NumPy array or number, `array.array`, a memoryview,
    or what any library turns into an array by `__array__` or DLPack."""
    if isinstance(value, np.generic):
        return isinstance(value, (np.number, np.bool_))
    if isinstance(value, (np.ndarray, TypedArray, memoryview)):
        return True
    kind = type(value)
    return hasattr(kind, "__array__") or hasattr(kind, "__dlpack__")


def _has_dtype(value: Any) -> bool:
    """Whether a value, or anything in nested lists, has a dtype of its own.

    Raises DTypeError for masked elements, which NumPy would take for numbers.
    """
    if isinstance(value, (list, tuple)):
        kinds = set(map(type, value))
        if all(issubclass(kind, (int, float, complex, np.generic)) for kind in kinds):
            return any(issubclass(kind, np.generic) for kind in kinds)
        return any([_has_dtype(element) for element in value])  # a list: all must be checked
    if isinstance(value, np.ndarray) and type(value) is not np.ndarray and np.ma.is_masked(value):
        count, total = np.ma.count_masked(value), value.size
        raise DTypeError(
            f"{count} of {total} elements of a masked array are masked, and arrays have no masks; "
            "give them a value by filled(value), or pass data and mask separately to pg.where"
        )
    return is_array_like(value)


def as_array(value: Any, dtype: DType | None = None, *, copy: bool = False) -> Array:
    """`value` (array, scalar, nested lists) as an array; Python floats become the default float,
    Python's complex numbers the complex dtype of two default floats.

    A value with a dtype keeps it; in a list, NumPy's promotion combines such values with Python
    numbers. Raises DTypeError for anything but numbers and for masked elements, ShapeError for
    ragged lists.
    """
    if type(value) is np.ndarray and dtype is None and value.dtype in DTYPES:
        return value.copy("K") if copy else value  # the common case
    if type(value) is float and dtype is None and -6e4 < value < 6e4:  # fits float16
        return np.array(value, default_dtype())
    has_dtype = type(value) is np.ndarray or _has_dtype(value)
    if has_dtype and hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        value = np.from_dlpack(value)  # pyright: ignore[reportArgumentType]
    try:
        foreign = has_dtype and not isinstance(value, (np.ndarray, np.generic))
        array = np.array(value) if copy and not foreign else np.asarray(value)
        if copy and foreign:  # NumPy warns where it passes copy= to an older __array__
            array = array.copy("K")
    except ValueError as error:
        raise ShapeError(
            f"rows of different lengths aren't an array: {value!r:.80}.",
            hint="Make them of one length, such as [3.0, 0.0] for [3.0] beside [1.0, 2.0].",
        ) from error
    if array.dtype.kind not in "biufc":
        raise DTypeError(
            f"expected numbers, got {type(value).__name__}, which as an array has dtype "
            f"{array.dtype}: {value!r:.80}",
            hint=_conversion(value, array),
        )
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype not in DTYPES:
        raise DTypeError(
            f"{array.dtype} is not supported: floats have up to 64 bits; use "
            f"{'complex128' if is_complex(array.dtype) else 'float64'}"
        )
    if dtype is None and not has_dtype and is_inexact(array.dtype):  # float64 or complex128
        dtype = complex_of(default_dtype()) if is_complex(array.dtype) else default_dtype()
    if dtype is not None and dtype != array.dtype:
        # An empty list has no dtype, which NumPy calls float64.
        array = convert(array, dtype) if array.size or has_dtype else array.astype(dtype)
    return array


def _conversion(value: Any, array: Array) -> str:
    """How a value that isn't made of numbers becomes one that is."""
    if array.dtype.kind in "US":
        try:
            array.astype(float)
        except ValueError:
            return (
                "Number the texts: np.unique(labels, return_inverse=True)[1]; isinstance(x, str) "
                "tests for one."
            )
        return "Convert it first: float(value), or value.astype(float) for an array."
    if value is None:
        return "A function without `return` gives None; `x is None` tests for it."
    if hasattr(value, "toarray"):
        return "Make a sparse matrix an array first: s.toarray()."
    if hasattr(value, "__float__"):
        return "Convert it first: float(value)."
    return ""


def convert(array: Array, dtype: DType) -> Array:
    """`array` converted to `dtype`. Raises DTypeError for conversions that need an explicit `cast`:
    complex numbers to real ones, floats to integers, numbers to booleans."""
    ranks = "biufc"
    if ranks.index(array.dtype.kind) > max(ranks.index(dtype.kind), 2 if dtype.kind in "iu" else 0):
        if is_complex(array.dtype) and not is_boolean(dtype):
            raise parts_lost(array.dtype, dtype)
        raise DTypeError(
            f"can't turn {array.dtype} into {dtype} silently; use pg.cast",
            hint=f"pg.cast(value, {dtype.name!r}) cuts off decimals.",
        )
    if is_integer(dtype) and array.size:
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        if array.min() < low or array.max() > high:
            raise DTypeError(f"a value outside {low} … {high} doesn't fit {dtype}")
    with np.errstate(over="ignore"):
        return array.astype(dtype)


def check_parts_kept(source: DType, target: DType) -> None:
    """Raise DTypeError if a conversion would drop imaginary parts."""
    if is_complex(source) and (is_floating(target) or is_integer(target)):
        raise parts_lost(source, target)


def parts_lost(dtype: DType, target: DType | str) -> DTypeError:
    """The error for a conversion that would drop imaginary parts."""
    return DTypeError(
        f"{dtype} to {target} would drop the imaginary parts",
        hint="pg.real(x) is the real part, pg.imag(x) the imaginary part, pg.abs(x) the absolute "
        "value.",
    )
