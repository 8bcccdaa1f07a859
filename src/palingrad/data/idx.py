"""The IDX file format of MNIST: a header with dtype and shape, then big-endian numbers.

Y. LeCun, C. Cortes & C. Burges, "The MNIST database of handwritten digits", 1998.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path

import numpy as np

from ..dtypes import Array
from ..errors import DataError
from ..shapes import text

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAX_AXES = 32


def unzipped(raw: bytes) -> bytes:
    """`raw` decompressed if it is gzip data, else unchanged. Raises DataError if it is corrupt."""
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"its gzip data is corrupt or truncated ({error})") from error


def decode(content: bytes) -> Array:
    """The read-only array in the bytes of an IDX file.

    The header is two zero bytes, a byte for the dtype, one for the number of axes, then each size
    in four bytes; the numbers follow. Raises DataError if header and length are inconsistent.
    """
    if len(content) < 4 or content[:2] != b"\0\0" or not 1 <= content[3] <= _MAX_AXES:
        raise DataError(f"it isn't an IDX file: it starts with {content[:8]!r}")
    if content[2] not in _DTYPES:
        raise DataError(f"it isn't an IDX file: dtype code 0x{content[2]:02x} is unknown")
    dtype = np.dtype(_DTYPES[content[2]])
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"it is truncated in its header, after {len(content)} bytes")
    shape = tuple(int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4))
    expected = math.prod(shape) * dtype.itemsize
    if len(content) - start != expected:
        fault = "is truncated" if len(content) - start < expected else "is too long"
        raise DataError(
            f"it {fault}: shape {text(shape)} of {dtype.name} needs {expected:,} bytes after the "
            f"header, there are {len(content) - start:,}"
        )
    if 0 in shape:
        return _sealed(np.zeros(shape, dtype.newbyteorder("=")))
    numbers = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return _sealed(numbers.astype(dtype.newbyteorder("="), copy=False))


def read_bytes(path: Path) -> bytes:
    """The bytes of a file. Raises DataError, with its path, if it can't be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path}: it can't be read ({error.strerror or error})",
            hint="Check the path and its permissions.",
        ) from error


def read_idx(path: str | os.PathLike[str]) -> Array:
    """The read-only array in an IDX file, gzipped or not. Raises DataError for a corrupt file."""
    raw = read_bytes(Path(path))
    try:
        return decode(unzipped(raw))
    except DataError as error:
        raise DataError(f"{path}: {error.fact}", hint="Download the file again.") from error


def _sealed(array: Array) -> Array:
    array.setflags(write=False)
    return array
