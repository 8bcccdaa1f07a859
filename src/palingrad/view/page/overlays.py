"""Overlays: numbers shown in addition to the graph's own: the user's, times, other runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...dtypes import Array
from ...errors import GraphError, printable
from ...graph.operation import MultipleOutputs
from .arrays import shortened, whole
from .float64_shadow import flat
from .measure import seconds_of

if TYPE_CHECKING:
    from .export import Export

Json = dict[str, Any]
SUMMARIES = 1000  # the most arrays of other runs that are exported as summaries


def overlays(export: Export) -> list[Json]:
    """The user's numbers by place, and the time of each operation if `time` is set."""
    given: Mapping[Any, Any] = export.options.overlay or {}
    if given and not isinstance(next(iter(given.values())), Mapping):
        given = {"your numbers": given}
    tables: list[Json] = []
    for name, table in given.items():
        at = {export.at(node): float(number) for node, number in table.items()}
        tables.append({"name": printable(str(name)), "at": at})
    if export.options.time:
        seconds = seconds_of(export.order, export.values)
        at = {export.first[node]: round(time, 9) for node, time in seconds.items()}
        tables.append({"name": "time", "unit": "s", "at": at})
    return tables


def runs(export: Export) -> list[Json]:
    """Other runs of the same graph: for each its name and its values by place."""
    compared = export.options.compare
    if compared is None:
        return []
    if not isinstance(compared, Mapping) or not all(isinstance(name, str) for name in compared):
        compared = {"the other run": compared}
    values = [_values(export, run) for run in compared.values()]
    result = None if export.result is None else export.first[export.result]
    kept = export.budget.chosen(
        (int(place != result), (number, place), array)
        for number, run in enumerate(values)
        for place, array in run.items()
    )
    tables: list[Json] = [{"name": printable(name), "v": {}} for name in compared]
    left = SUMMARIES
    for number, run in enumerate(values):
        for place, array in run.items():
            if (number, place) in kept:
                tables[number]["v"][str(place)] = whole(array)
            elif left:
                left -= 1
                tables[number]["v"][str(place)] = shortened(array)
    return tables


def _values(export: Export, run: Any) -> dict[int, Array]:
    """Another run's values: given by node or name, or those of a graph with the same structure."""
    if isinstance(run, Mapping):
        values: dict[int, Any] = {}
        for node, value in run.items():
            at = export.at(node)
            several = isinstance(export.items[at].node, MultipleOutputs)
            values[at] = flat(value) if several else np.asarray(value)
    else:
        values = _same_graph(export, type(export)(run, type(export.options)()))
    return values


def _same_graph(export: Export, other: Export) -> dict[int, Any]:
    """The other graph's values by place. Raises GraphError if the structures differ."""
    mine = [(item.node.kind_name(), len(item.node.inputs)) for item in export.items]
    theirs = [(item.node.kind_name(), len(item.node.inputs)) for item in other.items]
    if mine != theirs:
        at = next((n for n, (a, b) in enumerate(zip(mine, theirs)) if a != b), len(mine))
        raise GraphError(
            f"view: compare: the graphs differ in structure, first at node {at}: "
            f"{len(mine)} nodes here, {len(theirs)} there.",
            hint="Compare two runs of one graph, or of one function.",
        )
    return {
        place: flat(value)
        for place, node in enumerate(other.order)
        if (value := other.values[node]) is not None
    }
