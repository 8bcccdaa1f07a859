"""The file format of tapes: a safetensors file of arrays and JSON. Loading it executes no code.

Arrays that several runs share are written once. Operations are stored by name and looked up in the
registry when the file is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from ...dtypes import Array
from ...errors import CheckpointError, TapeError, printable
from ...files.atomic import path_text, write_atomically
from ...files.reading import parse_json, read_file
from ...graph.context import Origin
from ...graph.registry import name_of, operations
from ...io.attributes import Unreadable, decoded, encoded
from ...io.weights import packed, plain, unpacked
from .entries import Entry, Formula, Run, Script
from .retention import Summary
from .tape_check import check_facts, check_runs

FORMAT = 1
_HINT = "Pass a file that Tape.save wrote; take a damaged one from a backup, or record it again."
# What decoding JSON of another structure raises.
_MALFORMED = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError,
              RecursionError, MemoryError)  # fmt: skip
_SUMMARY = ("shape", "dtype", "low", "high", "mean", "deviation", "zeros", "nans", "infinities",
            "counts", "digest")  # fmt: skip


def write_tape(path: str | PathLike[str], runs: Sequence[Run], facts: Mapping[str, Any]) -> None:
    """Writes the runs, and `facts` as JSON."""
    arrays = _Arrays()
    scripts = {id(run.script): run.script for run in runs}
    numbers = {key: number for number, key in enumerate(scripts)}
    record = {
        "format": FORMAT,
        "facts": facts,
        "scripts": [_script(script) for script in scripts.values()],
        "runs": [
            {
                "script": numbers[id(run.script)],
                "values": [arrays.written(value) for value in run.values],
                "sources": [[place, *source] for place, source in run.sources.items()],
                "whole": run.whole,
                "fed": run.fed,
            }
            for run in runs
        ],
    }
    write_atomically(path, packed(arrays.named, json.dumps(record)))


def read_tape(path: str | PathLike[str]) -> tuple[list[Run], dict[str, Any]]:
    """Returns the runs and the facts. Raises TapeError if the file is not a tape."""
    name = path_text(path)
    try:
        arrays, text = unpacked(read_file(path))
        record = parse_json(text)
        if record["format"] != FORMAT:
            raise TapeError(
                f"{name} has tape format {record['format']!r:.20}; this version reads format "
                f"{FORMAT}.",
                hint="Update palingrad, or record the tape again.",
            )
        runs = _runs(record, arrays)
        check_facts(record["facts"])
        check_runs(runs, len(record["facts"]["variables"]))
    except OSError as error:
        reason = error.fact if isinstance(error, CheckpointError) else error.strerror or str(error)
        raise TapeError(f"{name} is not a tape ({reason}).", hint=_HINT) from error
    except _MALFORMED as error:
        reason = "its JSON lacks " * isinstance(error, KeyError) + printable(str(error))
        raise TapeError(f"{name} is not a tape ({reason}).", hint=_HINT) from error
    return runs, record["facts"]


def _runs(record: Any, arrays: Mapping[str, Array]) -> list[Run]:
    scripts = [
        Script(script["title"], tuple(map(_entry, script["entries"])))
        for script in record["scripts"]
    ]
    return [
        Run(
            number,
            scripts[run["script"]],
            [_read(value, arrays) for value in run["values"]],
            {place: (source, at) for place, source, at in run["sources"]},
            run["whole"],
            run["fed"],
        )
        for number, run in enumerate(record["runs"])
    ]


# ---------------------------------------------------------------- values


class _Arrays:
    """Assigns a short name to each distinct array."""

    def __init__(self) -> None:
        self.named: dict[str, Array] = {}
        self._names: dict[int, str] = {}
        self._alive: list[Any] = []

    def written(self, value: Any) -> Any:
        """The JSON that represents a value: the name of its array, or a Summary."""
        if value is None:
            return None
        if isinstance(value, tuple):
            return {"tuple": [self.written(output) for output in value]}
        if isinstance(value, Summary):
            fields: dict[str, Any] = {name: encoded(getattr(value, name)) for name in _SUMMARY}
            sample = None if value.sample is None else self.written(value.sample)
            return {"summary": fields, "sample": sample}
        name = self._names.get(id(value))
        if name is None:
            name = self._names[id(value)] = str(len(self.named))
            self.named[name] = plain(value)
            self._alive.append(value)
        return name


def _read(value: Any, arrays: Mapping[str, Array]) -> Any:
    if value is None or isinstance(value, str):
        return None if value is None else arrays[value]
    if "tuple" in value:
        return tuple(_read(output, arrays) for output in value["tuple"])
    fields = {name: decoded(field) for name, field in value["summary"].items()}
    return Summary(**fields, sample=_read(value["sample"], arrays))


# ---------------------------------------------------------------- scripts


def _script(script: Script) -> dict[str, Any]:
    return {"title": script.title, "entries": [_written(entry) for entry in script.entries]}


def _written(entry: Entry) -> dict[str, Any]:
    formula = entry.formula
    fields: dict[str, Any] = {
        name: encoded(getattr(entry, name))
        for name in ("place", "kind", "operation", "name", "role", "inputs", "shape", "dtype",
                     "variable", "scope", "gradient_of", "literal")
    }  # fmt: skip
    fields["origin"] = None if entry.origin is None else list(entry.origin)
    if formula is not None:
        fields["class"] = name_of(formula.operation)
        fields["attributes"] = {key: encoded(value) for key, value in formula.attributes.items()}
    return fields


def _entry(fields: dict[str, Any]) -> Entry:
    operation = operations.get(fields.pop("class", ""))
    attributes = {key: decoded(value) for key, value in fields.pop("attributes", {}).items()}
    readable = not any(isinstance(value, Unreadable) for value in attributes.values())
    origin = fields.pop("origin")
    return Entry(
        **{name: decoded(value) for name, value in fields.items()},
        origin=None if origin is None else Origin(*origin),
        formula=Formula(operation, attributes) if operation and readable else None,
    )
