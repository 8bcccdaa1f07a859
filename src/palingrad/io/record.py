"""The header of a checkpoint: format, palingrad's version, the user's metadata, and a hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import CheckpointError
from ..files.reading import parse_json
from ..version import __version__

FORMAT = 1


def record(meta: Mapping[str, Any], arrays: Mapping[str, Array]) -> dict[str, Any]:
    """The header for these arrays. Raises CheckpointError if `meta` isn't JSON."""
    content: dict[str, Any] = {"format": FORMAT, "palingrad": __version__, "meta": _as_json(meta)}
    return {**content, "sha256": _hash(content, arrays)}


def checked(text: str, arrays: Mapping[str, Array]) -> dict[str, Any]:
    """The metadata in a header's text. Raises CheckpointError if header or arrays were changed."""
    try:
        header = parse_json(text or "null")
    except ValueError as error:
        raise CheckpointError(f"its header is corrupt ({error})") from error
    if not isinstance(header, dict) or "format" not in header:
        raise CheckpointError(
            "palingrad didn't write it",
            hint="For another program's weights use safetensors.numpy.load_file.",
        )
    if header["format"] != FORMAT:
        raise CheckpointError(
            f"it has format {header['format']!r:.20}, written by palingrad "
            f"{header.get('palingrad')!s:.20}; "
            f"this palingrad reads format {FORMAT}",
            hint="Update palingrad.",
        )
    try:
        found = _hash(header, arrays)
    except RecursionError as error:
        raise CheckpointError("its header is corrupt (its JSON is nested too deeply)") from error
    if header.get("sha256") != found:
        raise CheckpointError("its content has changed since it was saved: the hash differs")
    if not isinstance(header.get("meta"), dict):
        raise CheckpointError("its header is corrupt (it has no metadata)")
    return header["meta"]


def _as_json(meta: Mapping[str, Any]) -> Any:
    """`meta` as JSON returns it, with NumPy's numbers converted to Python's."""
    try:
        return json.loads(json.dumps(dict(meta), default=_python_number))
    except (TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"meta can't be written as JSON: {error}.",
            hint="It may contain None, booleans, numbers, strings, and lists and dicts of them; "
            "pass arrays among the variables.",
        ) from error


def _python_number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} {value!r:.40} isn't JSON")


def _hash(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> str:
    """The SHA-256 of the header without its hash and each array's name, dtype, shape and bytes."""
    content = {key: value for key, value in header.items() if key != "sha256"}
    digest = hashlib.sha256(json.dumps(content).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\n{name!r} {array.dtype.name} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
