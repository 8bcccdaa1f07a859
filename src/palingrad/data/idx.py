"""The IDX file format of MNIST: a header with dtype and shape, then big-endian numbers.

Y. LeCun, C. Cortes & C. Burges, "The MNIST database of handwritten digits", 1998.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Array
from ..errors import DataError
from ..files.atomic import path_text
from ..files.reading import read_file
from ..shapes import text

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAX_AXES = 32
_HEAD = 4 + 4 * _MAX_AXES  # bytes of the longest header
_RATIO = 1032  # deflate encodes at most this many bytes in one


def unzipped(raw: bytes) -> bytes:
    """`raw` decompressed if it is gzip data, else unchanged. Raises DataError if it is corrupt.

    At most one byte more is decompressed than the IDX header inside asks for, so that a small file
    can't fill the memory.
    """
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            head = file.read(_HEAD)
            try:
                needed = _layout(head).size
            except DataError:  # which `decode` raises again, for the same reason
                needed = len(head)
            if needed > _RATIO * len(raw):
                raise DataError(
                    f"it is truncated: its header asks for {needed:,} bytes, more than "
                    f"{len(raw):,} bytes of gzip data can hold"
                )
            return head + file.read(max(needed - len(head), 0) + 1)
    except (EOFError, OSError, zlib.error) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"its gzip data is corrupt or truncated ({error})") from error
    except MemoryError as error:
        raise DataError("it doesn't fit into memory") from error


class _Layout(NamedTuple):
    """What a header says: dtype, shape, where the numbers start, and the size of the file."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    size: int


def _layout(content: bytes) -> _Layout:
    """The layout in the first bytes of an IDX file. Raises DataError if it isn't one."""
    if len(content) < 4 or content[:2] != b"\0\0" or not 1 <= content[3] <= _MAX_AXES:
        raise DataError(f"it isn't an IDX file: it starts with {content[:8]!r}")
    if content[2] not in _DTYPES:
        raise DataError(f"it isn't an IDX file: dtype code 0x{content[2]:02x} is unknown")
    dtype = np.dtype(_DTYPES[content[2]])
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"it is truncated in its header, after {len(content)} bytes")
    shape = tuple(int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4))
    return _Layout(dtype, shape, start, start + math.prod(shape) * dtype.itemsize)


def decode(content: bytes) -> Array:
    """The read-only array in the bytes of an IDX file.

    The header is two zero bytes, a byte for the dtype, one for the number of axes, then each size
    in four bytes; the numbers follow. Raises DataError if header and length are inconsistent.
    """
    dtype, shape, start, size = _layout(content)
    if len(content) != size:
        needs = f"shape {text(shape)} of {dtype.name} needs {size - start:,} bytes after the header"
        if len(content) < size:
            raise DataError(f"it is truncated: {needs}, there are {len(content) - start:,}")
        raise DataError(f"it is too long: {needs}, there are more")
    try:
        if 0 in shape:
            return _sealed(np.zeros(shape, dtype.newbyteorder("=")))
        numbers = np.frombuffer(content, dtype, offset=start).reshape(shape)
        return _sealed(numbers.astype(dtype.newbyteorder("="), copy=False))
    except (ValueError, MemoryError) as error:
        raise DataError(f"NumPy can't make an array of shape {text(shape)} ({error})") from error


def read_bytes(path: Path) -> bytes:
    """The bytes of a file. Raises DataError, with its path, if it can't be read."""
    try:
        return read_file(path)
    except OSError as error:
        raise DataError(
            f"{path_text(path)}: it can't be read ({error.strerror or error})",
            hint="Check the path and its permissions.",
        ) from error


def read_idx(path: str | os.PathLike[str]) -> Array:
    """The read-only array in an IDX file, gzipped or not. Raises DataError for a corrupt file."""
    raw = read_bytes(Path(path))
    try:
        return decode(unzipped(raw))
    except DataError as error:
        raise DataError(
            f"{path_text(path)}: {error.fact}", hint="Download the file again."
        ) from error


def _sealed(array: Array) -> Array:
    array.setflags(write=False)
    return array
