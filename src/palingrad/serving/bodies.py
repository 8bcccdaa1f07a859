"""Bodies of requests and answers: JSON and NumPy's .npy format. Reading them executes no code."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from ..dtypes import Array, is_complex, is_floating, is_integer, is_supported
from ..errors import printable
from ..io.model import Argument
from .faults import RequestError

JSON, NPY = "application/json", "application/x-npy"
_HEADER = 1024  # bytes of a header of a .npy file that is kept
_WRITTEN = frozenset(map(np.dtype, ("float32", "float64", "int32", "int64", "bool")))


def parsed(body: bytes) -> dict[str, Any]:
    """The object in a JSON body. Raises RequestError with the line and column of a mistake."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if "depth" in error.msg:
            raise RequestError(400, "the JSON is nested too deeply") from None
        raise RequestError(400, f"the body isn't JSON: {error.msg}", line=error.lineno,
                           column=error.colno) from None  # fmt: skip
    if not isinstance(document, dict):
        raise RequestError(422, f"the body is {_kind(document)}, expected an object with the "
                                "inputs by name")  # fmt: skip
    return document


def check_names(document: Mapping[str, Any], known: Sequence[str], needed: Sequence[str]) -> None:
    """Raise RequestError unless the object has these names: none unknown, none missing."""
    unknown = [printable(name, 40) for name in document if name not in known]
    missing = [name for name in needed if name not in document]
    if unknown or missing:
        what = f"unknown: {', '.join(unknown)}" if unknown else f"missing: {', '.join(missing)}"
        raise RequestError(422, f"{what}; expected {', '.join(known)}")


def from_json(body: bytes, inputs: Sequence[Argument]) -> list[Array]:
    """The arrays of a JSON object of nested lists. Raises RequestError with the position."""
    document = parsed(body)
    names = [one.name for one in inputs]
    check_names(document, names, names)
    return [_array(document[one.name], one) for one in inputs]


def _array(value: Any, argument: Argument) -> Array:
    dtype, shape = argument.dtype, argument.shape
    try:
        found = np.array(value)
    except (ValueError, OverflowError):  # rows of several lengths; a huge integer
        found = np.array(None)
    if not _suits(found, dtype) or not _has_shape(found.shape, shape):
        _find_fault(value, argument.name, list(shape or ()), dtype)
        raise RequestError(422, f"{argument.name} has shape {list(found.shape)}, expected "
                                f"{dtype.name} {_shape(shape)}", input=argument.name)  # fmt: skip
    if is_integer(dtype) and found.size:
        limits = np.iinfo(dtype)
        if found.max() > limits.max or found.min() < limits.min:
            raise RequestError(422, f"{argument.name} has an integer outside {dtype.name}",
                               input=argument.name)  # fmt: skip
    with np.errstate(over="ignore"):
        array = found.astype(dtype)
    if is_floating(dtype) and not np.isfinite(array).all():
        raise RequestError(422, f"{argument.name} has a number that overflows {dtype.name}",
                           input=argument.name)  # fmt: skip
    return array


def _suits(found: Array, dtype: np.dtype[Any]) -> bool:
    """Whether an array of numbers from JSON can be one of dtype."""
    if not found.size and found.dtype != object:
        return True
    if is_floating(dtype):
        return is_integer(found.dtype) or is_floating(found.dtype)
    return found.dtype.kind in ("iu" if is_integer(dtype) else "b")


def _has_shape(found: Sequence[int], expected: Any) -> bool:
    if expected is None:
        return True
    pairs = zip(found, expected)
    return len(found) == len(expected) and all(b is None or a == b for a, b in pairs)


def _find_fault(value: Any, path: str, shape: list[Any], dtype: np.dtype[Any]) -> None:
    """Raise RequestError for the first element that isn't what it must be, with its position."""
    if not shape:
        numbers = is_floating(dtype)
        kinds: Any = (int, float) if numbers else int if is_integer(dtype) else bool
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            what = "a number" if numbers else "an integer" if is_integer(dtype) else "a boolean"
            raise RequestError(422, f"{path} is {_kind(value)}, expected {what}", position=path)
        return
    size, *inner = shape
    if not isinstance(value, list) or (size is not None and len(value) != size):
        many = f"{len(value)} elements" if isinstance(value, list) else _kind(value)
        expected = "a list" if size is None else f"a list of {size}"
        raise RequestError(422, f"{path} is {many}, expected {expected}" if not isinstance(
            value, list) else f"{path} has {many}, expected {size}", position=path)  # fmt: skip
    if inner and inner[0] is None and value and isinstance(value[0], list):
        inner = [len(value[0]), *inner[1:]]  # the rows of one length
    for number, one in enumerate(value):
        _find_fault(one, f"{path}[{number}]", inner, dtype)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean",
             int: "an integer", float: "a number", type(None): "null"}  # fmt: skip
    return names.get(type(value), type(value).__name__)


def _shape(shape: Any) -> str:
    return "of any shape" if shape is None else str(["any" if x is None else x for x in shape])


def from_npy(body: bytes, inputs: Sequence[Argument]) -> list[Array]:
    """The array of a .npy body, for a model of one input."""
    if len(inputs) != 1:
        names = ", ".join(one.name for one in inputs)
        raise RequestError(415, f"a .npy body is one array, but the model takes {names}: send JSON")
    (argument,) = inputs
    array = _npy(body)
    dtype = argument.dtype
    if array.dtype != dtype and not np.can_cast(array.dtype, dtype, "same_kind"):
        raise RequestError(422, f"{argument.name} is {array.dtype.name}, expected {dtype.name}",
                           input=argument.name)  # fmt: skip
    if not _has_shape(array.shape, argument.shape):
        raise RequestError(422, f"{argument.name} has shape {list(array.shape)}, expected "
                                f"{_shape(argument.shape)}", input=argument.name)  # fmt: skip
    if array.dtype == dtype:
        return [array]
    with np.errstate(over="ignore"):
        converted = array.astype(dtype)
    if is_integer(dtype) and not np.array_equal(converted, array):
        raise RequestError(422, f"{argument.name} has an integer outside {dtype.name}",
                           input=argument.name)  # fmt: skip
    return [converted]


def _npy(body: bytes) -> Array:
    """The array of a .npy file, whose header is believed only as far as the bytes go."""
    try:
        end = _end_of_header(body)
        read = _header if end <= _HEADER else _header.__wrapped__
        shape, is_fortran, dtype, native = read(body[:end])
        left = len(body) - end
        if math.prod(shape) * dtype.itemsize != left or min(shape, default=0) < 0:
            raise ValueError(f"{left} bytes aren't {dtype.name} of shape {shape}")
        flat = np.frombuffer(body, dtype, offset=end)
        return flat.reshape(shape, order="F" if is_fortran else "C").astype(native)
    except (
        ValueError,
        TypeError,
        SyntaxError,
        OverflowError,
        MemoryError,
        RecursionError,
    ) as error:
        reason = printable(str(error), 120)
        raise RequestError(400, f"the body isn't a .npy file of numbers ({reason})") from None


def _end_of_header(body: bytes) -> int:
    """Where the header of a .npy file ends. Raises ValueError for another file."""
    version = np.lib.format.read_magic(io.BytesIO(body[:8]))
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"its version is {version}")
    size = 2 * version[0]  # bytes of the header's length
    end = 8 + size + int.from_bytes(body[8 : 8 + size], "little")
    if end > len(body):
        raise ValueError("its header ends early")
    return end


@lru_cache(256)
def _header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], np.dtype[Any]]:
    """Shape, order and dtype in a header, and NumPy's own instance of the dtype in this machine's
    byte order, by which compiled functions know it fastest. To parse a header takes longer than a
    small model does, and most requests have the same."""
    stream = io.BytesIO(header)
    version = np.lib.format.read_magic(stream)
    read = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
    shape, is_fortran, dtype = read[version[0]](stream)
    if not is_supported(dtype.newbyteorder("=")):
        raise ValueError(f"its dtype is {dtype}")
    return shape, is_fortran, dtype, np.dtype(dtype.type)


def to_npy(outputs: Mapping[str, Array]) -> bytes:
    """The one output as a .npy file."""
    if len(outputs) != 1:
        raise RequestError(406, f"a .npy answer is one array, but the model gives "
                                f"{', '.join(outputs)}: accept JSON")  # fmt: skip
    (array,) = outputs.values()
    return _written_header(array.shape, array.dtype) + array.tobytes()


@lru_cache(256)
def _written_header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    """The header of a .npy file of an array in row-major order."""
    stream = io.BytesIO()
    told = {"shape": shape, "fortran_order": False, "descr": np.lib.format.dtype_to_descr(dtype)}
    np.lib.format.write_array_header_1_0(stream, told)
    return stream.getvalue()


def to_json(document: Mapping[str, Any]) -> bytes:
    """The object as JSON: arrays as nested lists, numbers that aren't finite as strings."""
    plain = {name: _plain(x) if isinstance(x, np.ndarray) else x for name, x in document.items()}
    return orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY)


def _plain(array: Array) -> Any:
    """The array as what orjson writes: itself, if its numbers are JSON's."""
    if is_complex(array.dtype):
        return {"real": _plain(array.real), "imag": _plain(array.imag)}
    if is_floating(array.dtype) and not np.isfinite(array).all():
        found = array.astype(object)
        odd = ~np.isfinite(array)
        found[odd] = [str(x) for x in array[odd]]
        return found.tolist()
    return np.ascontiguousarray(array) if array.dtype in _WRITTEN else array.tolist()
