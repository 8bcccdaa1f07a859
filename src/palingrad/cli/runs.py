"""What `palingrad runs` shows: a table of trainings, or some of them compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from ..errors import CheckpointError, DataError
from ..files.atomic import path_text, write_atomically
from ..files.reading import parse_json, read_file
from ..train.runs import Run, load_run, simple_settings
from ..view.training.charts import Series, curves
from ..view.training.document import document, section, table

_KINDS = ("train", "test")
_OF_AN_EPOCH = ("loss", "test_loss", "test_accuracy")  # the rest are metrics


def _epochs(run: Run) -> list[dict[str, Any]]:
    """The epochs that run.json records."""
    return parse_json(read_file(run.folder / "run.json")).get("epochs") or []


def _number(value: Any, form: str = ".4f") -> str:
    return "" if value is None else f"{value:{form}}"


def listed(root: str) -> Table:
    """A table of the run folders in `root`, the oldest first."""
    shown = Table("run", "data", "model", "epochs", "test loss", "test accuracy", "seconds",
                  box=None, pad_edge=False)  # fmt: skip
    folders = sorted(Path(root).iterdir()) if Path(root).is_dir() else []
    for folder in folders:
        try:
            run = load_run(folder)
        except CheckpointError:
            continue
        epochs = _epochs(run)
        last = epochs[-1] if epochs else {}
        shown.add_row(
            str(folder), run.settings["dataset"], run.settings["model"], str(len(epochs)),
            _number(last.get("test_loss")), _number(_accuracy(last), ".2%"),
            f"{sum(epoch['seconds'] for epoch in epochs):.1f}",
        )  # fmt: skip
    if not shown.row_count:
        raise DataError(f"{path_text(Path(root))} has no run folders.",
                        hint="`palingrad train digits` makes one, in runs/.")  # fmt: skip
    return shown


def _accuracy(epoch: dict[str, Any]) -> float | None:
    found = _value(epoch, "test_accuracy")
    return _value(epoch, "accuracy") if found is None else found


def compared(chosen: Sequence[Run], out: str) -> tuple[Table, Path]:
    """A table of what differs between runs, and the path of a page with their curves overlaid."""
    if len(chosen) < 2:
        raise DataError("runs compares two run folders or more.",
                        hint="Without folders it lists those in runs/.")  # fmt: skip
    names = _names(chosen)
    settings = [simple_settings(run.settings) for run in chosen]
    keys = list(dict.fromkeys(key for one in settings for key in one))
    differ = [key for key in keys if len({str(one.get(key)) for one in settings}) > 1]
    shown = Table("", *names, box=None, pad_edge=False)
    rows: list[tuple[str, str]] = []
    for key in differ:
        values = [f"{one.get(key, '')!s:.60}" for one in settings]
        shown.add_row(key.replace("_", " "), *values)
        rows.append((key.replace("_", " "), " | ".join(values)))
    series = {name: _epochs(run) for name, run in zip(names, chosen, strict=True)}
    numbers = [what for what in _numbers(series) if _has(series, what)]
    for what in numbers:
        last = [(_value(epochs[-1], what) if epochs else None) for epochs in series.values()]
        shown.add_row(what.replace("_", " "), *map(_number, last))
    body = "".join([
        "<header><h1>Trainings compared</h1></header>\n<main>\n",
        *(section(what.replace("_", " ").capitalize(), _chart(series, what)) for what in numbers),
        section("Settings that differ", table(rows)),
        "</main>",
    ])  # fmt: skip
    path = Path(out)
    write_atomically(path, document("Trainings compared", body))
    return shown, path


def _names(chosen: Sequence[Run]) -> list[str]:
    """A name for each run: that of its folder, or its path where names are equal. Raises DataError
    for one run twice."""
    for names in ([run.folder.name for run in chosen], [str(run.folder) for run in chosen]):
        if len({*names}) == len(names):
            return names
    raise DataError("runs compares different runs, but one is given twice.")


def _numbers(series: dict[str, list[dict[str, Any]]]) -> list[str]:
    """What all epochs have numbers of: losses, accuracies, metrics."""
    own = [name for epochs in series.values() for one in epochs for name in one.get("metrics", {})]
    return list(dict.fromkeys([*_OF_AN_EPOCH, *own]))


def _value(epoch: dict[str, Any], what: str) -> float | None:
    found = (epoch if what in _OF_AN_EPOCH else epoch.get("metrics", {})).get(what)
    return found if isinstance(found, (int, float)) else None


def _has(series: dict[str, list[dict[str, Any]]], what: str) -> bool:
    return any(_value(epoch, what) is not None for epochs in series.values() for epoch in epochs)


def _chart(series: dict[str, list[dict[str, Any]]], what: str) -> str:
    lines: list[Series] = []
    for place, (name, epochs) in enumerate(series.items()):
        found = [(one["number"], _value(one, what)) for one in epochs]
        points = [(number, y) for number, y in found if y is not None]
        if points:
            x, y = map(list, zip(*points, strict=True))
            lines.append(Series(name, x, y, _KINDS[place % 2]))
    return curves(lines, title=what.replace("_", " "), x_label="epoch",
                  percent=what == "test_accuracy", floor=what.endswith("loss"))  # fmt: skip
