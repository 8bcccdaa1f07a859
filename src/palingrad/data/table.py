"""Tables in CSV files: rows of numbers and categories, and a column to predict."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import DataError
from ..files.atomic import path_text
from ..files.reading import read_file
from ..messages.checks import did_you_mean
from .batching import shuffled

_UNKNOWN = 0  # the number of a category that the training part doesn't have


@dataclass(frozen=True)
class Columns:
    """How the columns of a table become numbers.

    numbers: mean and standard deviation by column. categories: their values by column, numbered
    from 1; 0 stands for all others. classes: the values of the target, or None for a regression,
    whose mean and standard deviation are `scale`.
    """

    target: str
    numbers: dict[str, tuple[float, float]]
    categories: dict[str, list[str]]
    classes: list[str] | None
    scale: tuple[float, float] = (0.0, 1.0)

    def inputs(self, rows: Sequence[Mapping[str, str]], path: str) -> tuple[Array, Array]:
        """(categories (n, fields) int64, numbers (n, numbers) float32): numbers as multiples of the
        standard deviation from the mean. An empty number is the mean."""
        chosen = np.zeros((len(rows), len(self.categories)), np.int64)
        values = np.zeros((len(rows), len(self.numbers)), np.float32)
        for place, (name, known) in enumerate(self.categories.items()):
            index = {value: number for number, value in enumerate(known, start=1)}
            chosen[:, place] = [index.get(row[name], _UNKNOWN) for row in rows]
        for place, (name, (mean, deviation)) in enumerate(self.numbers.items()):
            for number, row in enumerate(rows):
                text = row[name].strip()
                if text:
                    values[number, place] = (_number(text, path, number, name) - mean) / deviation
        return chosen, values

    def targets(self, rows: Sequence[Mapping[str, str]], path: str) -> Array:
        """Class numbers (n,), or numbers (n,) as multiples of the standard deviation."""
        if self.classes is None:
            mean, deviation = self.scale
            return np.array([(_number(row[self.target], path, i, self.target) - mean) / deviation
                             for i, row in enumerate(rows)], np.float32)  # fmt: skip
        index = {value: number for number, value in enumerate(self.classes)}
        for number, row in enumerate(rows):
            if row[self.target] not in index:
                raise DataError(f"{path}: row {number + 2} has {self.target} "
                                f"{row[self.target]!r:.60}, which is no class of the training.",
                                )  # fmt: skip
        return np.array([index[row[self.target]] for row in rows], np.int64)

    @property
    def sizes(self) -> list[int]:
        """How many numbers each field of categories has."""
        return [len(values) + 1 for values in self.categories.values()]


@dataclass(frozen=True, eq=False)
class Table:
    """A table: inputs and targets of the training rows and of the test rows."""

    columns: Columns
    train: tuple[tuple[Array, Array], Array]
    test: tuple[tuple[Array, Array], Array]


def read_rows(path: str | os.PathLike[str]) -> list[dict[str, str]]:
    """The rows of a CSV file with a header, by column. Raises DataError if it isn't one."""
    file = Path(os.path.expanduser(path))
    try:
        text = read_file(file).decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path_text(file)} can't be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path_text(file)} isn't UTF-8 at byte {error.start}.") from None
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header, *rows = [row for row in reader if row]
    except (csv.Error, ValueError) as error:
        reason = error if isinstance(error, csv.Error) else "it is empty"
        raise DataError(f"{path_text(file)} isn't a CSV file with a header: {reason}.") from None
    if len(set(header)) < len(header):
        raise DataError(f"{path_text(file)}: two columns have one name.")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise DataError(f"{path_text(file)}: row {number} has {len(row)} values, the header "
                            f"{len(header)}.")  # fmt: skip
    return [dict(zip(header, row, strict=True)) for row in rows]


def read_table(path: str | os.PathLike[str], target: str, *, seed: int = 0) -> Table:
    """The table in a CSV file, a fifth of its rows, drawn by `seed`, for tests.

    Columns of numbers are numbers, all others categories. A target of numbers with more than 20
    different values, or with fractions, is predicted as a number, all others as classes.
    """
    rows, name = read_rows(path), path_text(Path(path))
    if len(rows) < 10:
        raise DataError(f"{name} has {len(rows)} rows: too few to train on.")
    if target not in rows[0]:
        raise DataError(f"{name} has no column {target!r:.60}.",
                        hint=did_you_mean(target, list(rows[0]), quoted=True)
                        or f"There are {', '.join(rows[0])}.")  # fmt: skip
    order = shuffled(len(rows), seed)
    cut = len(rows) // 5
    tests, trains = ([rows[i] for i in part] for part in (order[:cut], order[cut:]))
    columns = _columns(trains, rows, target)
    return Table(
        columns,
        (columns.inputs(trains, name), columns.targets(trains, name)),
        (columns.inputs(tests, name), columns.targets(tests, name)),
    )


def _columns(trains: Sequence[Mapping[str, str]], rows: Any, target: str) -> Columns:
    numbers: dict[str, tuple[float, float]] = {}
    categories: dict[str, list[str]] = {}
    for name in rows[0]:
        if name == target:
            continue
        values = [row[name].strip() for row in rows]
        if all(_is_number(value) for value in values if value):
            numbers[name] = _scale([row[name] for row in trains])
        else:
            categories[name] = sorted({row[name] for row in trains})
    texts = [row[target].strip() for row in rows]
    different = set(texts)
    if all(map(_is_number, texts)) and (
        len(different) > 20 or any(float(text) % 1 for text in different)
    ):
        return Columns(target, numbers, categories, None, _scale([row[target] for row in trains]))
    ordered = sorted(different, key=float) if all(map(_is_number, texts)) else sorted(different)
    return Columns(target, numbers, categories, ordered)


def _scale(texts: Sequence[str]) -> tuple[float, float]:
    """Mean and standard deviation; 1 in the place of 0."""
    values = np.array([float(text) for text in texts if text.strip()] or [0.0])
    return float(values.mean()), float(values.std()) or 1.0


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _number(text: str, path: str, row: int, name: str) -> float:
    if not _is_number(text):
        raise DataError(f"{path}: row {row + 2} has {text!r:.60} in {name!r}; expected a number.")
    return float(text)
