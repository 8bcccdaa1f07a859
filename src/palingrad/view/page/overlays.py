"""What stands beside a graph's own numbers: the user's, seconds, other runs of the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import GraphError
from .arrays import encoded
from .float64_shadow import flat
from .measure import seconds_of

if TYPE_CHECKING:
    from .export import Export

Json = dict[str, Any]


def overlays(export: Export) -> list[Json]:
    """The user's own numbers by place, and seconds where they were asked for."""
    given: Mapping[Any, Any] = export.options.overlay or {}
    if given and not isinstance(next(iter(given.values())), Mapping):
        given = {"your numbers": given}
    found: list[Json] = []
    for name, table in given.items():
        at = {export.at(node): float(number) for node, number in table.items()}
        found.append({"name": str(name), "at": at})
    if export.options.time:
        seconds = seconds_of(export.order, export.values)
        at = {export.first[node]: round(one, 9) for node, one in seconds.items()}
        found.append({"name": "time", "unit": "s", "at": at})
    return found


def runs(export: Export) -> list[Json]:
    """Other runs of the same graph: values by place, each with its name."""
    others = export.options.compare
    if others is None:
        return []
    if not isinstance(others, Mapping) or not all(isinstance(name, str) for name in others):
        others = {"the other run": others}
    return [{"name": name, "v": _values(export, other)} for name, other in others.items()]


def _values(export: Export, other: Any) -> Json:
    """Another run's values: given by node or name, or those of a graph of the same structure."""
    if isinstance(other, Mapping):
        found = {export.at(node): np.asarray(value) for node, value in other.items()}
    else:
        found = _same_graph(export, type(export)(other, type(export.options)()))
    return {str(at): encoded(value, export.budget) for at, value in found.items()}


def _same_graph(export: Export, other: Export) -> dict[int, Any]:
    """The other graph's values, node by node. Raises GraphError where the structures differ."""
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
