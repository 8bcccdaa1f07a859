"""Encodes named arrays and a text as the bytes of a safetensors file, and decodes them.

The format: https://github.com/huggingface/safetensors. It contains no code, so loading a file from
an untrusted source is safe.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..dtypes import Array
from ..errors import CheckpointError, printable
from ..files.reading import parse_json
from ..graph.state.imports import imported

_KEY = "palingrad"


def packed(arrays: Mapping[str, Array], text: str) -> bytes:
    """The bytes of a safetensors file with the arrays, and `text` in its header."""
    imported("safetensors.numpy")
    from safetensors.numpy import save

    return save(dict(arrays), {_KEY: text})


def unpacked(content: bytes) -> tuple[dict[str, Array], str]:
    """The read-only arrays and the text ("" if there is none). Raises CheckpointError."""
    imported("safetensors.numpy")
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays: dict[str, Array] = load(content)
    except SafetensorError as error:
        reason = printable(str(error))
        raise CheckpointError(f"it isn't a complete safetensors file ({reason})") from error
    except KeyError as error:
        raise CheckpointError(
            f"it contains dtype {error.args[0]}, which NumPy doesn't have"
        ) from error
    except (ValueError, TypeError, OverflowError, MemoryError) as error:  # of NumPy, for a shape
        raise CheckpointError(f"NumPy can't make one of its arrays ({error})") from error
    for array in arrays.values():
        array.setflags(write=False)
    try:
        header = parse_json(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except ValueError as error:
        raise CheckpointError(f"its header is corrupt ({error})") from error
    return arrays, (header.get("__metadata__") or {}).get(_KEY, "")


def plain(array: Array) -> Array:
    """`array` in C order and native byte order, as safetensors requires."""
    return np.asarray(array, array.dtype.newbyteorder("="), order="C")
