"""Checkpoints of a training: all that it needs to go on as if it had never stopped.

A folder holds one folder for each checkpoint, step-00000123, of which the newest are kept. Each is
written whole before it gets its name, so that a training that is killed leaves the one before.
"""

from __future__ import annotations

import os
import re
import shutil
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CheckpointError
from ..files.atomic import path_text
from ..graph.leaves import Variable
from ..io.checkpoint import WEIGHTS, Checkpoint, is_checkpoint, load_checkpoint, save_checkpoint
from ..io.restore import restore
from ..io.shards import INDEX
from ..messages.checks import whole
from ..processes import current, index

_NAME = re.compile(r"step-(\d{8,})")


@dataclass(frozen=True)
class Checkpoints:
    """A folder for the checkpoints of a training: one after each epoch and, with `every`, one after
    so many steps. The `keep` newest stay."""

    folder: str | os.PathLike[str]
    keep: int = 2
    every: int | None = None

    def __post_init__(self) -> None:
        whole("Checkpoints: keep", self.keep, least=1, like=2)
        if self.every is not None:
            whole("Checkpoints: every", self.every, least=1, like=100)

    @property
    def path(self) -> Path:
        """The folder, which need not exist yet."""
        return Path(os.path.expanduser(self.folder))

    def names(self) -> list[Path]:
        """The folders of finished checkpoints, the newest first."""
        try:
            found = [one for one in self.path.iterdir() if _NAME.fullmatch(one.name)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise CheckpointError(
                f"{path_text(self.path)} can't be read: {error.strerror or error}"
            ) from error
        done = [one for one in found if is_checkpoint(one)]
        return sorted(done, key=lambda one: int(one.name[5:]), reverse=True)

    def save(self, step: int, variables: Mapping[str, Any], meta: Mapping[str, Any]) -> Path:
        """Write a checkpoint, and remove those that are too old. Several processes all call it."""
        path = save_checkpoint(self.path / f"step-{step:08d}", variables, meta=meta)
        if index() == 0:
            for old in [*self.names()[self.keep :], *self._unfinished(path)]:
                for name in (INDEX, WEIGHTS):  # first the files that make it a checkpoint
                    with suppress(OSError):
                        (old / name).unlink()
                shutil.rmtree(old, ignore_errors=True)
        return path

    def _unfinished(self, newest: Path) -> list[Path]:
        """What processes left that were killed before all their shards were written."""
        with suppress(OSError):
            return [one for one in self.path.iterdir() if _NAME.fullmatch(one.name)
                    and one.name < newest.name and not is_checkpoint(one)]  # fmt: skip
        return []

    def newest(self) -> Checkpoint | None:
        """The newest checkpoint that can be read; None if there is none. Warns of damaged ones.
        Several processes all call it, and must find the same."""
        found = self._newest()
        group = current()
        if group is not None:
            name = None if found is None else found.path.parent.name
            names = group.agree("the newest checkpoint", name)
            if len(set(names)) > 1:
                seen = ", ".join(f"process {k}: {one or 'none'}" for k, one in enumerate(names[:8]))
                raise CheckpointError(
                    f"{path_text(self.path)}: the processes find different checkpoints ({seen}).",
                    hint="The folder must be one that all hosts share.",
                )
        return found

    def _newest(self) -> Checkpoint | None:
        failure: CheckpointError | None = None
        for path in self.names():
            try:
                found = load_checkpoint(path)
            except CheckpointError as error:
                failure = failure or error
                continue
            if failure is not None:
                warnings.warn(f"{failure} The checkpoint before it, {path.name}, is taken.",
                              stacklevel=4)  # fmt: skip
            return found
        if failure is not None:
            raise failure
        return None


def put_back(
    variables: Mapping[str, Variable], checkpoint: Checkpoint, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Restore a training's Variables and return its place. Raises CheckpointError, and changes
    nothing, if the training had other settings or Variables."""
    meta = checkpoint.meta
    saved = meta.get("settings")
    if not isinstance(saved, dict) or "place" not in meta:
        raise CheckpointError(
            f"{path_text(checkpoint.path.parent)} isn't a checkpoint of a training.",
            hint="Pass the folder that fit(checkpoint=…) wrote.",
        )
    past: dict[str, Any] = saved
    other = [
        f"{name} was {past.get(name)!r}, is {value!r}"
        for name, value in settings.items()
        if past.get(name) != value
    ]
    if other:
        raise CheckpointError(
            f"{path_text(checkpoint.path.parent)} is of another training: {'; '.join(other)}.",
            hint="Go on with the same settings and data, or choose another folder.",
        )
    best = [name for name in checkpoint.arrays if name.startswith("best.")]
    arrays = {name: x for name, x in checkpoint.arrays.items() if name not in best}
    try:
        restore(variables, arrays)
    except CheckpointError as error:
        fact = error.fact.replace("the mapping", path_text(checkpoint.path.parent))
        raise CheckpointError(
            fact, hint="Build the model and the optimizer as they were."
        ) from None
    return {**meta, "best": {name[5:]: checkpoint.arrays[name] for name in best}}
