"""Checkpoints: a model's arrays and metadata in one folder.

`weights.safetensors` is the checkpoint. It holds the arrays and, in its header, the metadata and a
hash of both: renaming one file replaces the whole checkpoint atomically. `checkpoint.json` is a
readable copy of the header for people and other programs; palingrad never reads it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..dtypes import Array, as_array
from ..errors import CheckpointError, WriteError
from ..files.atomic import make_folder, path_text, write_atomically
from ..files.reading import beside, read_file
from ..graph.leaves import Variable
from ..graph.node import Node
from ..graph.state.landing import snapshot
from ..messages.calls import public
from ..messages.checks import did_you_mean, shown
from .record import checked, record
from .weights import packed, plain, unpacked

WEIGHTS, READABLE = "weights.safetensors", "checkpoint.json"
_LONE = re.compile("[\ud800-\udfff]")  # half a character, which UTF-8 can't encode
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
    target = Path(os.path.expanduser(folder))
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
        make_folder(target)
        write_atomically(target / WEIGHTS, packed(arrays, json.dumps(header)))
    except WriteError as error:
        hint = error.hint
        if os.path.exists(target / WEIGHTS):
            hint = f"{hint} The previous checkpoint in the folder is intact.".lstrip()
        raise CheckpointError(f"the checkpoint isn't saved: {error.fact}", hint=hint) from error
    try:
        write_atomically(target / READABLE, json.dumps(readable, indent=1) + "\n")
    except WriteError as error:
        raise CheckpointError(
            f"the checkpoint is saved, but its readable copy isn't: {error.fact}", hint=error.hint
        ) from error
    return target


@public
def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """The checkpoint in a folder, or in a weights file.

    Raises CheckpointError if there is none, it is corrupt, or a newer palingrad wrote it.
    """
    file = Path(os.path.expanduser(path))
    try:
        file = file / WEIGHTS if os.path.isdir(file) else file
        content = read_file(file)
    except OSError as error:
        raise CheckpointError(
            f"{path_text(file)}: there is no checkpoint to read ({error.strerror or error}).",
            hint=_near(Path(os.path.expanduser(path)))
            or f"Pass the folder that save_checkpoint wrote, or the {WEIGHTS} in it.",
        ) from error
    try:
        arrays, text = unpacked(content)
        return Checkpoint(arrays, checked(text, arrays), file)
    except CheckpointError as error:
        hint = error.hint or "Take the file from a backup, or train again."
        raise CheckpointError(f"{path_text(file)}: {error.fact}.", hint=hint) from error


def _near(path: Path) -> str:
    """A hint with the most similar name beside a path that isn't there, or ""."""
    names = [] if os.path.exists(path) else beside(path)
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
        if not isinstance(name, str) or name == "__metadata__" or _LONE.search(name):
            raise CheckpointError(
                f"{name!r:.90} can't be the name of an array in a checkpoint; use another string."
            )
    mine = {name: v for name, v in variables.items() if isinstance(v, Variable)}
    _, arrays = snapshot(list(mine.values()))
    values = {**variables, **dict(zip(mine, arrays, strict=True))}
    plain_values = {name: v.numpy() if isinstance(v, Node) else v for name, v in values.items()}
    return {name: plain(as_array(plain_values[name])) for name in sorted(plain_values)}
