"""Checkpoints: a model's arrays and metadata in one folder.

`weights.safetensors` is the checkpoint. It holds the arrays and, in its header, the metadata and a
hash of both: renaming one file replaces the whole checkpoint atomically. `checkpoint.json` is a
readable copy of the header for people and other programs; palingrad never reads it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..dtypes import Array, as_array
from ..errors import CheckpointError
from ..graph.leaves import Variable, state_lock
from ..graph.node import Node
from ..messages.calls import public
from ..messages.checks import did_you_mean, shown
from .atomic import write_atomically
from .record import checked, record
from .weights import packed, plain, unpacked

WEIGHTS, READABLE = "weights.safetensors", "checkpoint.json"
_NOTE = f"A readable copy of the header of {WEIGHTS}; changes here have no effect."


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The content of a checkpoint: read-only `arrays` by name, the metadata `meta`, its file."""

    arrays: dict[str, Array]
    meta: dict[str, Any]
    path: Path

    def __repr__(self) -> str:
        return f"<Checkpoint {self.path}: {len(self.arrays)} arrays, meta {self.meta}>"


@public
def save_checkpoint(
    folder: str | os.PathLike[str],
    variables: Mapping[str, Node | Array],
    *,
    meta: Mapping[str, Any] | None = None,
) -> Path:
    """Write Variables or arrays, and JSON metadata `meta`, to `folder`; returns its path.

    All Variables are read atomically. An interrupted save leaves the previous checkpoint intact.
    The same arrays and metadata give the same bytes. JSON converts tuples to lists and keys to
    strings. Raises CheckpointError if `meta` isn't JSON or the folder can't be written.
    """
    check_names("save_checkpoint", variables)
    target = Path(folder).expanduser()
    if target.suffix == ".safetensors":
        raise CheckpointError(
            f"{target} looks like a file, but a checkpoint is a folder.",
            hint=f"Pass the folder, such as {target.stem!r}, in which {WEIGHTS} and {READABLE} are "
            "written.",
        )
    arrays = _snapshot(variables)
    header = record(meta or {}, arrays)
    about = {name: {"dtype": a.dtype.name, "shape": a.shape} for name, a in arrays.items()}
    readable = {"note": _NOTE, **header, "arrays": about}
    try:
        target.mkdir(parents=True, exist_ok=True)
        write_atomically(target / WEIGHTS, packed(arrays, json.dumps(header)))
        write_atomically(target / READABLE, (json.dumps(readable, indent=1) + "\n").encode())
    except OSError as error:
        raise CheckpointError(
            f"{target}: the checkpoint can't be written ({error.strerror or error}).",
            hint="Free some space, check the permissions or choose another folder. "
            "A previous checkpoint in the folder is intact.",
        ) from error
    return target


@public
def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """The checkpoint in a folder, or in a weights file.

    Raises CheckpointError if there is none, it is corrupt, or a newer palingrad wrote it.
    """
    file = Path(path).expanduser()
    file = file / WEIGHTS if file.is_dir() else file
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"{file}: there is no checkpoint to read ({error.strerror or error}).",
            hint=_near(Path(path).expanduser())
            or f"Pass the folder that save_checkpoint wrote, or the {WEIGHTS} in it.",
        ) from error
    try:
        arrays, text = unpacked(content)
        return Checkpoint(arrays, checked(text, arrays), file)
    except CheckpointError as error:
        hint = error.hint or "Take the file from a backup, or train again."
        raise CheckpointError(f"{file}: {error.fact}.", hint=hint) from error


def _near(path: Path) -> str:
    """A hint with the most similar name beside a path that isn't there, or ""."""
    try:
        names = [] if path.exists() else os.listdir(path.parent)
    except OSError:
        return ""
    return did_you_mean(path.name, names, quoted=True)


def check_names(call: str, variables: Any) -> None:
    """Raise CheckpointError unless `variables` is a mapping; a model isn't."""
    if not isinstance(variables, Mapping):
        method = "model.variables()" if hasattr(variables, "variables") else '{"w": w}'
        raise CheckpointError(
            f"{call}: expected Variables by name, got {shown(variables)}.",
            hint=f"Pass {method}.",
        )


def _snapshot(variables: Mapping[Any, Any]) -> dict[str, Array]:
    """The values by name, sorted. All Variables are read together, between two updates."""
    for name in variables:
        if not isinstance(name, str) or name == "__metadata__":
            raise CheckpointError(
                f"{name!r} can't be the name of an array in a checkpoint; use another string."
            )
    with state_lock:
        values = {name: v._value if isinstance(v, Variable) else v for name, v in variables.items()}
    plain_values = {name: v.numpy() if isinstance(v, Node) else v for name, v in values.items()}
    return {name: plain(as_array(plain_values[name])) for name in sorted(plain_values)}
