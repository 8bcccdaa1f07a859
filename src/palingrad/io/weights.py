"""Encodes named arrays and a text as the bytes of a safetensors file, and decodes them.

The format: https://github.com/huggingface/safetensors. It contains no code, so loading a file from
an untrusted source is safe.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..dtypes import Array, complex_of, is_complex, is_floating
from ..errors import CheckpointError, printable
from ..files.reading import parse_json
from ..graph.state.imports import imported

_KEY = "palingrad"
_COMPLEX = "complex"  # in the header: the names of complex arrays, whose last axis holds the parts


def packed(arrays: Mapping[str, Array], text: str) -> bytes:
    """The bytes of a safetensors file with the arrays, and `text` in its header: the same bytes for
    the same arrays."""
    imported("safetensors.numpy")
    from safetensors.numpy import save

    named = {name: _parts(array) for name, array in arrays.items()}
    complexes = [name for name, array in arrays.items() if is_complex(array.dtype)]
    content = save(named, {_KEY: text})
    return _with_metadata(content, {_COMPLEX: json.dumps(complexes)}) if complexes else content


def _with_metadata(content: bytes, more: Mapping[str, str]) -> bytes:
    """The file with more texts in its header; safetensors would write several in any order."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] |= more
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the arrays are aligned
    return len(text).to_bytes(8, "little") + text + content[end:]


def _parts(array: Array) -> Array:
    """The real and imaginary parts of complex numbers on a new last axis: the format's complex64 is
    new, and it has no complex128."""
    if not is_complex(array.dtype):
        return array
    return np.stack([array.real, array.imag], axis=-1)


def _joined(arrays: dict[str, Array], names: Any) -> None:
    """Makes the arrays of these names complex. Raises CheckpointError if they can't be."""
    listed: list[Any] = names if isinstance(names, list) else [None]
    for name in listed:
        parts = arrays.get(name) if isinstance(name, str) else None
        if parts is None or not is_floating(parts.dtype) or parts.shape[-1:] != (2,):
            raise CheckpointError(f"its header lists {name!r:.40} as complex numbers")
        joined = np.empty(parts.shape[:-1], complex_of(parts.dtype))
        joined.real, joined.imag = parts[..., 0], parts[..., 1]
        arrays[name] = joined


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
    try:
        header = parse_json(content[8 : 8 + int.from_bytes(content[:8], "little")])
        metadata = header.get("__metadata__") or {}
        names = parse_json(metadata[_COMPLEX]) if _COMPLEX in metadata else []
    except ValueError as error:
        raise CheckpointError(f"its header is corrupt ({error})") from error
    _joined(arrays, names)
    for array in arrays.values():
        array.setflags(write=False)
    return arrays, metadata.get(_KEY, "")


def plain(array: Array) -> Array:
    """`array` in C order and native byte order, as safetensors requires."""
    return np.asarray(array, array.dtype.newbyteorder("="), order="C")
