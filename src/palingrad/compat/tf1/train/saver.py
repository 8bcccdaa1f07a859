"""Saver: a session's Variables in palingrad's checkpoints."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ....errors import CheckpointError
from ....files.atomic import write_atomically
from ....io.checkpoint import READABLE, WEIGHTS, load_checkpoint, save_checkpoint
from ....messages.checks import did_you_mean
from ..framework.variables import Variable, global_variables

_INDEX = "checkpoint"  # the file that names a folder's latest checkpoint


class Saver:
    """Saves Variables, by default all of the graph, and restores them. A checkpoint is a folder
    with palingrad's files; the latest `max_to_keep` are kept, all of them with None or 0."""

    def __init__(
        self, var_list: Any = None, reshape: bool = False, sharded: bool = False,
        max_to_keep: int | None = 5, **_: Any,
    ) -> None:  # fmt: skip
        chosen = global_variables() if var_list is None else var_list
        if not chosen:
            raise ValueError("there are no Variables to save: make the Saver after them.")
        if isinstance(chosen, Mapping):
            self._variables: dict[str, Variable] = dict(chosen)
        else:
            self._variables = {one.op.name: one for one in chosen}
        self._max_to_keep = max_to_keep
        self._saved: list[str] = []

    @property
    def last_checkpoints(self) -> list[str]:
        """The checkpoints that are kept, the latest last."""
        return list(self._saved)

    def save(
        self, sess: Any, save_path: Any, global_step: Any = None, latest_filename: Any = None,
        meta_graph_suffix: str = "meta", write_meta_graph: bool = True, write_state: bool = True,
    ) -> str:  # fmt: skip
        """Writes the session's values; returns the path, with the step's number if it is given."""
        path = os.fspath(save_path)
        if global_step is not None:
            step = global_step if isinstance(global_step, int) else sess.run(global_step)
            path = f"{path}-{int(step)}"
        names = list(self._variables)
        arrays = sess.run([self._variables[name] for name in names])
        save_checkpoint(path, dict(zip(names, arrays, strict=True)))
        if write_state:
            index = Path(path).parent / (latest_filename or _INDEX)
            write_atomically(index, f'model_checkpoint_path: "{Path(path).name}"\n')
        self._saved = [*(one for one in self._saved if one != path), path]
        while self._max_to_keep and len(self._saved) > self._max_to_keep:
            _remove(self._saved.pop(0))
        return path

    def restore(self, sess: Any, save_path: Any) -> None:
        """Gives the Variables the values of a checkpoint, in this session. Raises CheckpointError,
        and changes nothing, if one of them isn't there or has another shape."""
        found = load_checkpoint(os.fspath(save_path))
        values: dict[Any, Any] = {}
        for name, variable in self._variables.items():
            array = found.arrays.get(name)
            if array is None:
                hint = did_you_mean(name, found.arrays, quoted=True)
                raise CheckpointError(f"{found.path} has no Variable {name!r}.", hint=hint)
            if array.shape != variable.node.shape:
                raise CheckpointError(
                    f"{found.path} has {name!r} of shape {array.shape}, not {variable.node.shape}."
                )
            values[variable.node] = array
        sess.assign(values)


def _remove(path: str) -> None:
    """Deletes a checkpoint's files, and its folder if nothing else is in it."""
    for name in (WEIGHTS, READABLE):
        Path(path, name).unlink(missing_ok=True)
    if os.path.isdir(path) and not os.listdir(path):
        os.rmdir(path)


def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """The path of a folder's latest checkpoint, or None."""
    index = Path(checkpoint_dir, latest_filename or _INDEX)
    if not index.is_file():
        return None
    name = index.read_text(encoding="utf-8").split('"')[1]
    return os.path.join(os.fspath(checkpoint_dir), name)


def checkpoint_exists(checkpoint_prefix: Any) -> bool:
    """Whether there is a checkpoint at this path."""
    return Path(checkpoint_prefix, WEIGHTS).is_file()
