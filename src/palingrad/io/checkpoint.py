"""Checkpoints: a model's arrays and metadata in one folder.

`weights.safetensors` is the checkpoint, unless several processes have parts of its arrays: then it
is in shards (`shards.py`). It holds the arrays and, in its header, the metadata and a
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
from ..graph.state.landing import snapshot, state
from ..messages.calls import public
from ..messages.checks import did_you_mean, shown
from ..processes import current
from .record import checked, record
from .shards import INDEX, Form, Piece, everywhere, load_shards, remove_shards, save_shards
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
    strings. Several processes (`pg.scale.initialize`) all call it, with the same names; each writes
    the parts of the arrays that only it has. Raises CheckpointError if `meta` isn't JSON or the
    folder can't be written.
    """
    check_names("save_checkpoint", variables)
    target = Path(os.path.expanduser(folder))
    if target.suffix == ".safetensors":
        raise CheckpointError(
            f"{target} looks like a file, but a checkpoint is a folder.",
            hint=f"Pass the folder, such as {target.stem!r}, in which {WEIGHTS} and {READABLE} are "
            "written.",
        )
    group = current()
    if group is None:
        _write(target, _snapshot(variables), meta or {})
        return target
    whole, parts = _parted(variables)
    what = f"the checkpoint {path_text(target.name)}"
    everywhere(group, f"{what}: folder", lambda: make_folder(target))
    if not parts:
        everywhere(group, what, lambda: group.index or _write(target, whole, meta or {}))
        return target
    forms = {name: Form(x.dtype.name, x.shape) for name, x in whole.items()}
    forms |= {name: Form(x.dtype.name, x.shape) for name, (x, _) in parts.items()}
    own = [Piece(name, start, x) for name, (_, some) in parts.items() for start, x in some]
    if group.index == 0:
        own += [Piece(name, (0,) * x.ndim, x) for name, x in whole.items()]
    save_shards(target, own, dict(sorted(forms.items())), meta or {}, group)
    return target


def _write(target: Path, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
    """Write the checkpoint in one file."""
    header = record(meta, arrays)
    about = {name: {"dtype": a.dtype.name, "shape": a.shape} for name, a in arrays.items()}
    readable = {"note": _NOTE, **header, "arrays": about}
    try:
        make_folder(target)
        write_atomically(target / WEIGHTS, packed(arrays, json.dumps(header)))
        remove_shards(target)
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


@public
def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """The checkpoint in a folder, or in a weights file.

    Raises CheckpointError if there is none, it is corrupt, or a newer palingrad wrote it.
    """
    file = Path(os.path.expanduser(path))
    if file.name == INDEX or os.path.isfile(file / INDEX):
        index = file if file.name == INDEX else file / INDEX
        return Checkpoint(*load_shards(index), index)
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


def is_checkpoint(folder: Path) -> bool:
    """Whether there is a complete checkpoint in the folder."""
    return (folder / WEIGHTS).is_file() or (folder / INDEX).is_file()


_Parts = list[tuple[tuple[int, ...], Array]]  # where each begins, and its elements


def _parted(
    variables: Mapping[str, Any],
) -> tuple[dict[str, Array], dict[str, tuple[Array, _Parts]]]:
    """Whole values by name; and for Variables that are spread over processes their form, and the
    parts that this process is to write. All are of one moment."""
    while True:
        before = state.version
        leased = {name: v for name, v in variables.items()
                  if isinstance(v, Variable) and v._lease is not None}  # fmt: skip
        found: dict[str, Any] = {name: v._lease.parts() for name, v in leased.items()}
        parts = {name: (leased[name]._form(), some) for name, some in found.items()
                 if some is not None}  # fmt: skip
        whole = _snapshot({name: v for name, v in variables.items() if name not in parts})
        if state.version is before:
            return whole, parts


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
