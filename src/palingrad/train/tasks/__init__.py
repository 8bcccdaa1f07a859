"""What the command line trains: data, models, losses and predictions, one file for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import DataError
from ...messages.checks import nearest
from ...nn.module import Module
from . import folder, images, tables, text


@dataclass(frozen=True)
class Task:
    """A kind of data. `settings` are what run.json records, from which all else is made again.

    begin(source, settings): the settings with what the data say; build(settings): the model, new;
    load(settings, folder): the data; describe(settings, data): a line on them.
    """

    models: tuple[str, ...]
    begin: Callable[[dict[str, Any], str | None], dict[str, Any]]
    build: Callable[[Mapping[str, Any]], Module]
    load: Callable[[Mapping[str, Any], str | None], Any]
    loss: Callable[[Mapping[str, Any]], Any]
    metrics: Callable[[Mapping[str, Any]], tuple[str, ...]]
    describe: Callable[[Any], str]


TASKS = {
    "images": Task(images.MODELS, images.begin, images.build, images.load, images.loss,
                   images.metrics, images.describe),
    "text": Task(text.MODELS, text.begin, text.build, text.load, text.loss, text.metrics,
                 text.describe),
    "csv": Task(tables.MODELS, tables.begin, tables.build, tables.load, tables.loss,
                tables.metrics, tables.describe),
    "image-folder": Task(folder.MODELS, folder.begin, folder.build, folder.load, folder.loss,
                         folder.metrics, folder.describe),
}  # fmt: skip


def task_of(settings: Mapping[str, Any]) -> Task:
    """The task of a run with these settings; runs of older versions are of images."""
    return TASKS[settings.get("task", "images")]


def check_model(task: Task, name: str) -> None:
    """Raise DataError, which lists the models, unless the task has this one."""
    if name not in task.models:
        close = nearest(name, task.models)
        hint = f"Did you mean {close}?" if close else ""
        raise DataError(f"unknown model {name!r:.60} for these data; available: "
                        f"{', '.join(task.models)}.", hint=hint)  # fmt: skip
