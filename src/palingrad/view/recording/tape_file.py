"""A tape as one safetensors file: numbers, and a text of JSON. Loading it runs no code.

Arrays that several runs share are written once. Operations are named, and looked up by name among
those that are imported when the file is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ...dtypes import Array
from ...errors import CheckpointError, TapeError
from ...graph.context import Origin
from ...graph.registry import name_of, operations
from ...io.atomic import write_atomically
from ...io.weights import packed, plain, unpacked
from .entries import Entry, Formula, Run, Script
from .retention import Summary

FORMAT = 1
_SUMMARY = ("shape", "dtype", "low", "high", "mean", "deviation", "zeros", "nans", "infinities",
            "counts", "digest")  # fmt: skip


def write_tape(path: str | PathLike[str], runs: Sequence[Run], facts: Mapping[str, Any]) -> None:
    """Write runs, and what else there is to know as JSON."""
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
    write_atomically(Path(path), packed(arrays.named, json.dumps(record)))


def read_tape(path: str | PathLike[str]) -> tuple[list[Run], dict[str, Any]]:
    """The runs and the facts. Raises TapeError where the file holds no tape."""
    try:
        arrays, text = unpacked(Path(path).read_bytes())
        record = json.loads(text)
        if record["format"] != FORMAT:
            raise TapeError(f"{path} has format {record['format']}, this is palingrad for {FORMAT}")
        scripts = [
            Script(one["title"], tuple(map(_entry, one["entries"]))) for one in record["scripts"]
        ]
        runs = [
            Run(
                number,
                scripts[one["script"]],
                [_read(value, arrays) for value in one["values"]],
                {place: (run, at) for place, run, at in one["sources"]},
                one["whole"],
                one["fed"],
            )
            for number, one in enumerate(record["runs"])
        ]
    except (CheckpointError, ValueError, KeyError, TypeError, OSError) as error:
        raise TapeError(f"{path} is no tape ({error})") from error
    return runs, record["facts"]


# ---------------------------------------------------------------- values


class _Arrays:
    """Arrays under short names, each once."""

    def __init__(self) -> None:
        self.named: dict[str, Array] = {}
        self._names: dict[int, str] = {}
        self._alive: list[Any] = []

    def written(self, value: Any) -> Any:
        """What stands for a value in the JSON text."""
        if value is None:
            return None
        if isinstance(value, tuple):
            return {"tuple": [self.written(one) for one in value]}
        if isinstance(value, Summary):
            made: dict[str, Any] = {name: _json(getattr(value, name)) for name in _SUMMARY}
            sample = None if value.sample is None else self.written(value.sample)
            return {"summary": made, "sample": sample}
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
        return tuple(_read(one, arrays) for one in value["tuple"])
    made = {name: _value(one) for name, one in value["summary"].items()}
    return Summary(**made, sample=_read(value["sample"], arrays))


# ---------------------------------------------------------------- scripts


def _script(script: Script) -> dict[str, Any]:
    return {"title": script.title, "entries": [_written(entry) for entry in script.entries]}


def _written(entry: Entry) -> dict[str, Any]:
    formula = entry.formula
    made: dict[str, Any] = {
        name: _json(getattr(entry, name))
        for name in ("place", "kind", "operation", "name", "role", "inputs", "shape", "dtype",
                     "variable", "scope", "gradient_of")
    }  # fmt: skip
    made["origin"] = None if entry.origin is None else list(entry.origin)
    if formula is not None:
        made["class"] = name_of(formula.operation)
        made["attributes"] = {key: _json(one) for key, one in formula.attributes.items()}
    return made


def _entry(made: dict[str, Any]) -> Entry:
    operation = operations.get(made.pop("class", ""))
    attributes = {key: _value(one) for key, one in made.pop("attributes", {}).items()}
    readable = not any(isinstance(one, Unreadable) for one in attributes.values())
    origin = made.pop("origin")
    fields = {name: _value(one) for name, one in made.items()}
    return Entry(
        **fields,
        origin=None if origin is None else Origin(*origin),
        formula=Formula(operation, attributes) if operation and readable else None,
    )


class Unreadable:
    """An attribute that a file can't hold."""


def _json(value: Any) -> Any:
    """A value of an attribute as JSON, what JSON doesn't have as a dict with one key."""
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if np.isfinite(value) else {"float": repr(value)}
    if isinstance(value, (tuple, list)):
        return {type(value).__name__: [_json(one) for one in value]}
    if isinstance(value, slice):
        return {"slice": [_json(one) for one in (value.start, value.stop, value.step)]}
    if value is Ellipsis:
        return {"ellipsis": True}
    if isinstance(value, np.dtype):
        return {"dtype": value.name}
    if isinstance(value, np.generic):
        return {"number": [value.dtype.name, _json(value.item())]}
    return {"unreadable": repr(value)[:200]}


def _value(made: Any) -> Any:
    if not isinstance(made, dict):
        return made
    ((kind, value),) = made.items()
    if kind in ("tuple", "list"):
        return (tuple if kind == "tuple" else list)(_value(one) for one in value)
    readers: dict[str, Any] = {
        "float": float,
        "slice": lambda ends: slice(*map(_value, ends)),
        "ellipsis": lambda _: Ellipsis,
        "dtype": np.dtype,
        "number": lambda pair: np.dtype(pair[0]).type(_value(pair[1])),
    }
    return readers[kind](value) if kind in readers else Unreadable()
