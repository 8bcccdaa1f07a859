"""Run folders: the files that a training writes, and loading them again.

run.json                          settings, and the history epoch by epoch
weights.safetensors               the parameters after the last finished epoch
checkpoint.json                   a readable description of the weights
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CheckpointError, DataError, printable
from ..files.atomic import path_text, write_atomically
from ..files.reading import parse_json, read_file
from ..io.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from ..io.restore import restore
from ..nn.module import Module
from ..processes import first, index
from .history import History
from .recipes import Recipe, recipe
from .tasks import Task, check_model, task_of

_REQUIRED = {"model": str, "dataset": str}  # settings
_SIZES = ("features", "classes")  # settings of runs of images


@dataclass(frozen=True)
class Run:
    """A folder with a trained model, and the settings of its training."""

    folder: Path
    settings: dict[str, Any]

    @property
    def recipe(self) -> Recipe:
        """The recipe of the run's model."""
        return recipe(self.settings["model"])

    @property
    def task(self) -> Task:
        """The kind of data, with its models and losses."""
        return task_of(self.settings)

    def parts(self, loaded: Any) -> tuple[Any, Any, int]:
        """Training data for `fit`, test data, and the number of steps in an epoch."""
        kind, size = self.settings.get("task", "images"), self.settings["batch_size"]
        if kind == "text":
            context, seed = self.settings["sizes"]["context"], self.settings["seed"]

            def batches(epoch: int) -> Any:
                return loaded.batches(context, size, seed=seed, epoch=epoch)

            return batches, loaded.windows(context), loaded.steps(context, size)
        if kind == "images":
            train, test = ((part.inputs, part.labels) for part in (loaded.train, loaded.test))
        else:
            train, test = loaded.train, loaded.test
        return train, test, -(-len(train[1]) // size)

    def class_names(self, loaded: Any) -> list[str]:
        """The names of the classes; none for a number or a text."""
        kind = self.settings.get("task", "images")
        if kind == "csv":
            return list(self.settings["columns"]["classes"] or [])
        return [] if kind == "text" else list(loaded.classes)

    def classes(self, loaded: Any) -> list[str]:
        """The names of classes that the model has a score for each of."""
        names = self.class_names(loaded)
        return names if len(names) > 2 or self.settings.get("task") != "csv" else []

    def save(self, model: Module, history: History) -> None:
        """Write the parameters, then settings and history; each file is replaced atomically.
        Several processes all call it."""
        epochs = [epoch.as_json() for epoch in history.epochs]
        last = epochs[-1] if epochs else {}
        save_checkpoint(self.folder, model.variables(), meta={**self.settings, "last_epoch": last})
        record = {"settings": self.settings, "interrupted": history.interrupted, "epochs": epochs}
        text = json.dumps(record, indent=2) + "\n"
        if index() == 0:
            write_atomically(self.folder / "run.json", text)

    def model(self) -> Module:
        """The trained model. Raises CheckpointError if the checkpoint doesn't match the model."""
        check_model(self.task, self.settings["model"])
        checkpoint = load_checkpoint(self.folder)
        if self.settings.get("task", "images") == "images":
            self._check_sizes(checkpoint)
        model = self.task.build(self.settings)
        restore(model.variables(), checkpoint)
        return model

    def _check_sizes(self, checkpoint: Checkpoint) -> None:
        """Raise CheckpointError for sizes that no model of the checkpoint's parameters has, before
        a model of such a size is made."""
        features, classes = self.settings["features"], self.settings["classes"]
        total = sum(array.size for array in checkpoint.arrays.values())
        if features + classes > total:  # each is a size of a weight
            raise CheckpointError(
                f"{path_text(self.folder)}: a model of {features:,} features and {classes:,} "
                f"classes has more than the {total:,} parameters of {checkpoint.path.name}.",
                hint="Restore run.json, or train again.",
            )


def simple_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are one number or text each, with a model's sizes; run.json has them
    all."""
    named = {**settings, **settings.get("sizes", {})}
    return {name: value for name, value in named.items()
            if isinstance(value, (str, int, float)) and name != "characters"}  # fmt: skip


@contextmanager
def new_run(out: str | None, settings: dict[str, Any]) -> Generator[Run]:
    """A new folder: `out`, or runs/<data set>-<model>-<time>. It must be empty. Of several
    processes the first one makes it. After an error in the `with`, such as a refused option, it is
    removed if nothing has been written to it."""
    made: list[Path] = []
    try:
        folder = str(_new_folder(out, settings, made)) if index() == 0 else ""
        yield Run(Path(first("the run folder", folder)), settings)
    except BaseException:
        with suppress(OSError):  # of the first one that isn't empty
            for one in made:
                one.rmdir()
        raise


def _new_folder(out: str | None, settings: dict[str, Any], made: list[Path]) -> Path:
    """Makes the folder, and adds it to `made` with those of its parents that weren't there."""
    if out is None:
        stem = f"{settings['dataset']}-{settings['model']}-{time.strftime('%Y%m%d-%H%M%S')}"
        folder = Path("runs") / stem
        number = 1
        while folder.exists():
            number += 1
            folder = Path("runs") / f"{stem}-{number}"
    else:
        folder = Path(out)
    try:
        made += [one for one in (folder, *folder.parents) if not one.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"can't create the run folder {path_text(folder)}: {reason}") from error
    if occupied:
        raise DataError(
            f"the run folder {path_text(folder)} isn't empty: choose another --out, or delete it"
        )
    return folder


def load_run(folder: str | os.PathLike[str]) -> Run:
    """The run in `folder`. Raises CheckpointError if there is none or its run.json is corrupt."""
    path = Path(folder) / "run.json"
    try:
        settings = parse_json(read_file(path))["settings"]
        for name, kind in _REQUIRED.items():
            value: Any = settings[name]
            if type(value) is not kind:
                raise TypeError(f"{name} is {value!r:.60}")
        for name in _SIZES if settings.get("task", "images") == "images" else ():
            value = settings[name]
            if type(value) is not int or value < 1:
                raise TypeError(f"{name} is {value!r:.60}")
        task_of(settings)
    except FileNotFoundError:
        raise CheckpointError(
            f"{path_text(folder)} isn't a run folder: it has no run.json. `palingrad train` "
            "creates run folders, in runs/. A checkpoint alone is read by pg.io.load_checkpoint"
        ) from None
    except OSError as error:
        raise CheckpointError(
            f"{path_text(path)} can't be read: {error.strerror or error}"
        ) from error
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise CheckpointError(
            f"{path_text(path)} is corrupt ({printable(str(error))}): train again, or restore it"
        ) from error
    return Run(Path(folder), settings)
