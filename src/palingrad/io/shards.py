"""Checkpoints in shards: each of several processes writes the parts of the arrays that it has.

weights-<generation>-00002-of-00004.safetensors    the parts of process 2
weights.index.json                                 the arrays, the shards, and the metadata

A part is a rectangle of an array: its name, where it begins, and its elements. The index is written
last, when all shards are there, so that an interrupted save leaves the checkpoint before. Shards of
another content have another generation in their names, and never replace those of an older index.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Array
from ..errors import CheckpointError, PalingradError
from ..files.atomic import path_text, write_atomically
from ..files.reading import parse_json, read_file
from ..processes import Group
from .record import checked, record
from .weights import packed, plain, unpacked

INDEX = "weights.index.json"
_SHARD = re.compile(r"weights-[0-9a-f]{12}-\d{5}-of-\d{5}\.safetensors")
_AGAIN = "Take the file from a backup, or an older checkpoint."


class Piece(NamedTuple):
    """A rectangle of an array: the array's name, where it begins, its elements."""

    name: str
    start: tuple[int, ...]
    array: Array


class Form(NamedTuple):
    """The dtype and shape of a whole array."""

    dtype: str
    shape: tuple[int, ...]


def save_shards(
    folder: Path, pieces: Sequence[Piece], forms: Mapping[str, Form], meta: Mapping[str, Any],
    group: Group,
) -> None:  # fmt: skip
    """Write this process's pieces, and in process 0 the index. All processes call it, and all
    raise CheckpointError if one can't write."""
    what = f"the checkpoint {path_text(folder.name)}"
    content, digest = _shard(pieces)
    digests = group.agree(f"{what}: contents", digest)
    generation = hashlib.sha256("".join(digests).encode()).hexdigest()[:12]
    names = [f"weights-{generation}-{k:05d}-of-{len(digests):05d}.safetensors"
             for k in range(len(digests))]  # fmt: skip
    everywhere(group, f"{what}: shards", lambda: write_atomically(
        folder / names[group.index], content))  # fmt: skip
    shards = [{"file": one, "sha256": x} for one, x in zip(names, digests, strict=True)]

    def finish() -> None:
        about = {"shards": shards, "arrays": {name: list(form) for name, form in forms.items()}}
        header = record({"meta": dict(meta), **about}, {})
        write_atomically(folder / INDEX, json.dumps(header) + "\n")
        _remove(folder, keep=names)

    everywhere(group, f"{what}: index", finish if group.index == 0 else lambda: None)


def everywhere(group: Group, what: str, action: Callable[[], Any]) -> None:
    """Do something in each process. If it fails in one, all raise CheckpointError."""
    failure, cause = None, None
    with group.busy(what):
        try:
            action()
        except (PalingradError, OSError) as error:
            failure, cause = str(error), error
    failures = group.agree(what, failure)
    for index, text in enumerate(failures):
        if text is not None:
            raise CheckpointError(
                f"the checkpoint isn't saved, because of process {index}: {text}"
            ) from cause


def _shard(pieces: Sequence[Piece]) -> tuple[bytes, str]:
    """The bytes of a shard, and the hash of its header, in which each piece has its own."""
    arrays = {f"{n}: {one.name}": plain(one.array) for n, one in enumerate(pieces)}
    about = [
        {"name": one.name, "start": list(one.start), "sha256": _hash(array)}
        for one, array in zip(pieces, arrays.values(), strict=True)
    ]
    text = json.dumps(about)
    return packed(arrays, text), hashlib.sha256(text.encode()).hexdigest()


def _hash(array: Array) -> str:
    digest = hashlib.sha256(f"{array.dtype.name} {array.shape}".encode())
    digest.update(array.tobytes())
    return digest.hexdigest()


def remove_shards(folder: Path) -> None:
    """Delete a checkpoint in shards, after another one has replaced it."""
    with suppress(OSError):
        (folder / INDEX).unlink()
        _remove(folder, keep=[])


def _remove(folder: Path, keep: Sequence[str]) -> None:
    with suppress(OSError):
        for one in folder.iterdir():
            if _SHARD.fullmatch(one.name) and one.name not in keep:
                one.unlink()


# ---------------------------------------------------------------- reading


def load_shards(index: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """The whole arrays and the metadata of the checkpoint with this index. Raises CheckpointError,
    which names the shard that is missing or corrupt."""
    content = _content(index, _read(index))
    arrays: dict[str, Array] = {}
    left: dict[str, int] = {}
    for name, (dtype, shape) in content["arrays"].items():
        try:
            arrays[name] = np.empty(shape, dtype)
        except (TypeError, ValueError, MemoryError) as error:
            raise CheckpointError(f"{path_text(index)}: no array can be made for {name!r:.60} "
                                  f"({error}).") from error  # fmt: skip
        left[name] = arrays[name].size
    for shard in content["shards"]:
        for piece in _pieces(index.parent / str(shard["file"]), str(shard["sha256"])):
            left[piece.name] = left.get(piece.name, 0) - _placed(index, arrays, piece)
    for name, missing in left.items():
        if missing:
            raise CheckpointError(f"{path_text(index)}: its shards lack {missing} of the elements "
                                  f"of {name!r:.60}.", hint=_AGAIN)  # fmt: skip
    for array in arrays.values():
        array.setflags(write=False)
    return arrays, content["meta"]


def _content(index: Path, text: bytes) -> dict[str, Any]:
    try:
        content = checked(text.decode(errors="replace"), {})
        found = {name: Form(str(dtype), tuple(map(int, shape)))
                 for name, (dtype, shape) in content["arrays"].items()}  # fmt: skip
        return {"arrays": found, "shards": list(content["shards"]), "meta": dict(content["meta"])}
    except CheckpointError as error:
        raise CheckpointError(
            f"{path_text(index)}: {error.fact}.", hint=error.hint or _AGAIN
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path_text(index)}: it isn't an index of shards.",
                              hint=_AGAIN) from error  # fmt: skip


def _read(file: Path) -> bytes:
    try:
        return read_file(file)
    except OSError as error:
        raise CheckpointError(
            f"{path_text(file)} can't be read: {error.strerror or error}. The checkpoint in this "
            "folder isn't complete without it.",
            hint=_AGAIN,
        ) from error


def _pieces(file: Path, digest: str) -> list[Piece]:
    """The pieces of a shard, checked against the hashes in its header, and this against its own."""
    if not _SHARD.fullmatch(file.name):  # which never leads to another folder
        raise CheckpointError(f"{path_text(file)} is no name of a shard.", hint=_AGAIN)
    try:
        arrays, text = unpacked(_read(file))
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            raise CheckpointError("it belongs to another checkpoint, or its header was changed")
        found = [
            Piece(str(one["name"]), tuple(map(int, one["start"])), arrays[f"{n}: {one['name']}"])
            for n, one in enumerate(parse_json(text))
        ]
        hashes = [one["sha256"] for one in parse_json(text)]
    except CheckpointError as error:
        if error.hint:
            raise
        raise CheckpointError(f"{path_text(file)}: {error.fact}.", hint=_AGAIN) from error
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path_text(file)}: its header is corrupt.", hint=_AGAIN) from error
    for piece, wanted in zip(found, hashes, strict=True):
        if _hash(piece.array) != wanted:
            raise CheckpointError(
                f"{path_text(file)}: {piece.name!r:.60} has changed since it was saved: the hash "
                "differs.",
                hint=_AGAIN,
            )
    return found


def _placed(index: Path, arrays: Mapping[str, Array], piece: Piece) -> int:
    """Put a piece in its place; the number of its elements."""
    array, part = arrays.get(piece.name), piece.array
    ends = [first + size for first, size in zip(piece.start, part.shape, strict=False)]
    if (
        array is None
        or array.dtype != part.dtype
        or not len(piece.start) == part.ndim == array.ndim
        or any(first < 0 for first in piece.start)
        or any(end > size for end, size in zip(ends, array.shape, strict=False))
    ):
        raise CheckpointError(f"{path_text(index)}: a part of {piece.name!r:.60} doesn't fit it.",
                              hint=_AGAIN)  # fmt: skip
    array[tuple(map(slice, piece.start, ends))] = part
    return part.size
