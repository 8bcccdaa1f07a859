"""Checks of a tape that was read from a file, which may contain anything.

After them, every place that an entry or a source names exists, and every whole value has the shape
and the dtype of its entry, so that stepping, editing and drawing a tape can rely on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np

from ...io.attributes import dtype_named
from ..drawing.model import Kind, Role
from .entries import Run
from .retention import Keep, Summary

_LAST_LINE = 2**31 - 1
_NUMBERS = ("low", "high", "mean", "deviation")
_COUNTS = ("zeros", "nans", "infinities")


def check_facts(facts: Any) -> None:
    """Raises ValueError unless these are the facts of a tape."""
    _that(isinstance(facts, dict), "its facts are no JSON object")
    _that(facts["keep"] in get_args(Keep), f"keep is {facts['keep']!r:.60}")
    _that(facts["budget"] is None or _natural(facts["budget"]), "its budget is no number of bytes")
    for name in ("variables", "notes"):
        _that(_strings(facts[name]), f"its {name} aren't a list of strings")


def check_runs(runs: Sequence[Run], variables: int) -> None:
    """Raises ValueError unless the runs are consistent; `variables` is the number of Variables."""
    scripts = {id(run.script): run.script for run in runs}
    for script in scripts.values():
        _that(_strings([script.title]), "the title of a script is no string")
        for place, entry in enumerate(script.entries):
            try:
                _check_entry(entry, place, variables)
            except ValueError as error:
                raise ValueError(f"entry {place}: {error}") from error
    for run in runs:
        try:
            _check_run(run, runs)
        except ValueError as error:
            raise ValueError(f"run {run.number}: {error}") from error


def _check_entry(entry: Any, place: int, variables: int) -> None:
    _that(type(entry.place) is int and entry.place == place, f"its place is {entry.place!r:.60}")
    _that(entry.kind in get_args(Kind), f"its kind is {entry.kind!r:.60}")
    _that(entry.role in get_args(Role), f"its role is {entry.role!r:.60}")
    _that(_strings([entry.operation, entry.name, entry.scope]), "a name is no string")
    inputs = entry.inputs
    _that(
        isinstance(inputs, tuple) and all(_natural(x) and x < place for x in inputs),
        f"its inputs are {inputs!r:.60}",
    )
    for number in (entry.variable, entry.gradient_of):
        known = number is None or (_natural(number) and number < variables)
        _that(known, f"there is no Variable {number!r:.60}")
    if entry.assigns:
        _that(len(inputs) == 1, f"an assignment has one input, not {len(inputs)}")
    if entry.kind != "operation":
        _that(not inputs, f"a {entry.kind} has no inputs")
    if entry.origin is not None:
        file, line = entry.origin
        known = isinstance(file, str) and _natural(line) and line <= _LAST_LINE
        _that(known, f"its origin is {entry.origin!r:.60}")
    if isinstance(entry.dtype, tuple):
        several = isinstance(entry.shape, tuple) and len(entry.shape) == len(entry.dtype)
        _that(several and all(map(_shape, entry.shape)), f"its shapes are {entry.shape!r:.60}")
    else:
        _that(_shape(entry.shape), f"its shape is {entry.shape!r:.60}")
    for name in entry.dtype if isinstance(entry.dtype, tuple) else (entry.dtype,):
        dtype_named(name)


def _check_run(run: Any, runs: Sequence[Run]) -> None:
    entries = run.entries
    _that(len(run.values) == len(entries), f"{len(entries)} entries, {len(run.values)} values")
    _that(type(run.whole) is bool and type(run.fed) is bool, "whole and fed are no booleans")
    for entry, value in zip(entries, run.values, strict=True):
        if isinstance(entry.dtype, tuple):
            outputs = value if isinstance(value, tuple) else ()
            fits = value is None or len(outputs) == len(entry.dtype)
            parts = zip(outputs, entry.shape, entry.dtype)
            fits = fits and all(_fits(*part) for part in parts)
        else:
            fits = value is None or _fits(value, entry.shape, entry.dtype)
        _that(fits, f"the value of entry {entry.place} isn't {entry.dtype} {entry.shape}")
    for place, (source, at) in run.sources.items():
        known = _natural(place) and place < len(entries) and _natural(source) and _natural(at)
        known = known and source <= run.number and entries[place].kind != "operation"
        known = known and at < (place if source == run.number else len(runs[source].entries))
        _that(known, f"entry {place!r:.20} comes from entry {at!r:.20} of run {source!r:.20}")
        made = runs[source].entries[at]
        same = (made.shape, made.dtype) == (entries[place].shape, entries[place].dtype)
        _that(same, f"entry {place} and its source differ in shape or dtype")


def _fits(value: Any, shape: Any, dtype: Any) -> bool:
    if isinstance(value, Summary):
        _check_summary(value)
        return (value.shape, value.dtype) == (shape, dtype)
    return isinstance(value, np.ndarray) and (value.shape, value.dtype.name) == (shape, dtype)


def _check_summary(summary: Any) -> None:
    numbers = [getattr(summary, name) for name in _NUMBERS]
    _that(
        all(type(x) is float or (type(x) is int and abs(x) < 2**63) for x in numbers),
        "a summary contains what is no number",
    )
    counts = [*(getattr(summary, name) for name in _COUNTS)]
    _that(isinstance(summary.counts, tuple), "the counts of a summary aren't a list")
    _that(all(map(_natural, [*counts, *summary.counts])), "a summary contains what is no count")
    sample = summary.sample
    _that(isinstance(summary.digest, str), "the hash of a summary is no string")
    _that(sample is None or (isinstance(sample, np.ndarray) and sample.ndim == 1), "a sample")


def _shape(shape: Any) -> bool:
    return isinstance(shape, tuple) and all(map(_natural, shape))


def _natural(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _strings(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _that(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(otherwise)
