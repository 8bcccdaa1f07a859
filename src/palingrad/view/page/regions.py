"""The bodies of loops and branches: their nodes, edges and frames, and values in each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...dtypes import Array, is_complex
from ...errors import PalingradError
from ...graph.kinds import Custom
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import Operation
from ...graph.regions.region import Region
from ...graph.regions.regional import Regional
from ..drawing.model import kind_of
from ..drawing.opened import Opened, frame_title, opened
from ..names import is_named
from ..nonfinite.origin import computed_by
from ..reading.mathematics.mathml import formula
from .arrays import numbers
from .placing import width

if TYPE_CHECKING:
    from .export import Export

Json = dict[str, Any]
Path = tuple[str, ...]
STEPS = 64  # the most steps whose values are exported
SIZE = 16  # elements of the largest array whose values are exported
EFFORT = 20_000  # the most evaluations of operations for that


def regions(export: Export, paths: Sequence[Path]) -> tuple[list[Json], dict[Path, Json]]:
    """The regions of all loops and branches, and the facts of their frames.

    `paths` are the boxes around each node. An edge is [source, target, position]: numbers of nodes
    of the region, or −1 − place for the node at this place outside.
    """
    found: list[Json] = []
    facts: dict[Path, Json] = {}
    for place, item in enumerate(export.items):
        node = item.node
        if not isinstance(node, Regional) or not item.key.startswith("n"):
            continue
        operands = [export.first[x] for x in node.inputs]
        labels = [_own_name(export, at) for at in operands]
        inside = opened(node, item.key, [f"n{at}" for at in operands], labels, ())
        box = (*paths[place], f"body of {item.key}")
        facts[box] = {"t": node.kind_name(), "k": "loop", "n": 1}
        found.append(_region(export, node, place, inside, box, facts))
    return found, facts


def _own_name(export: Export, place: int) -> str | None:
    item = export.items[place]
    return item.label if is_named(item.node, item.label) else None


def _region(
    export: Export, node: Regional, place: int, inside: Opened, box: Path, facts: dict[Path, Json]
) -> Json:
    at = {inner.key: number for number, inner in enumerate(inside.inner)}
    at |= {
        f"n{outer}": -1 - outer for outer in {*map(export.first.__getitem__, node.inputs), place}
    }
    values = _values(export, node)
    nodes: list[Json] = []
    for inner in inside.inner:
        path = box
        for depth, part in enumerate(inner.scope):
            single = depth == 0 and len(node.regions) == 1
            path = path if single else (*path, part.replace("\0", " of "))
            facts[path] = {"t": frame_title(part), "k": "loop" if single else "region", "n": 1}
        x = inner.node
        data: Json = {
            "n": inner.label, "o": x.kind_name(), "t": kind_of(x), "s": list(path),
            "d": None if isinstance(x, Regional) else str(x.dtype),
            "sh": None if isinstance(x, Regional) or x.shape is None else list(x.shape),
        }  # fmt: skip
        data["w"] = width(data)
        if isinstance(x, Operation):
            data["m"] = export.formulas.setdefault(formula(x), len(export.formulas))
        if x in values:
            data["v"] = values[x]
        nodes.append(data)
    edges = [[at[a], at[b], position] for a, b, position in inside.edges]
    return {"at": place, "path": "/".join(box), "nodes": nodes, "edges": edges}


def _values(export: Export, node: Regional) -> dict[Node, Any]:
    """The values of small nodes in each step, [[elements], …]; none if they can't be had cheaply
    or differ from the loop's own result."""
    inputs = [export.values[x] for x in node.inputs]
    order = [x for region in node.regions for x in region.order]
    if any(value is None for value in inputs) or any(isinstance(x, Custom) for x in order):
        return {}
    steps = node.steps()
    if steps is not None and (not steps.length or steps.length * len(order) > EFFORT):
        return {}
    notes: dict[Node, list[Any]] = {}
    try:
        bodies = [_noted(region, notes, [EFFORT]) for region in node.regions]
        with np.errstate(all="ignore"):
            results = node.run(bodies, *inputs)
    except (PalingradError, _TooMany, TypeError, ValueError):
        return {}
    if not _alike(results, export.values[node]):
        return {}
    return {x: rows for x, rows in notes.items() if len(rows) <= STEPS and None not in rows}


def _alike(results: Sequence[Any], value: Any) -> bool:
    """Whether the results are the loop's, up to rounding: another engine may have computed it."""
    if not isinstance(value, tuple) or len(value) != len(results):
        return False
    return all(
        np.allclose(a, b, rtol=1e-4, atol=1e-7, equal_nan=True)
        for a, b in zip(results, value, strict=True)
    )


class _TooMany(Exception):
    """Raised where a loop takes more steps than are evaluated for the page."""


def _noted(
    region: Region, notes: dict[Node, list[Any]], left: list[int]
) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """A function that computes a region, and notes the values of its small nodes."""
    steps = [(x, computed_by(x)) for x in region.order if isinstance(x, Operation)]
    constants: Mapping[Node, Any] = {x: x.numpy() for x in region.order if isinstance(x, Constant)}

    def body(arrays: Sequence[Any]) -> Sequence[Any]:
        left[0] -= len(steps) + 1
        if left[0] < 0:
            raise _TooMany
        known: dict[Node, Any] = dict(constants)
        known.update(zip(region.parameters, map(np.asarray, arrays), strict=True))
        for x, function in steps:
            value = function(*[known[y] for y in x.inputs])
            known[x] = value if isinstance(value, (tuple, list)) else np.asarray(value)
        for x, value in known.items():
            rows = notes.setdefault(x, [])
            if len(rows) <= STEPS:
                rows.append(_row(value))
        return [known[y] for y in region.results]

    return body


def _row(value: Array | tuple[Array, ...]) -> list[Any] | None:
    if isinstance(value, (tuple, list)) or value.size > SIZE or is_complex(value.dtype):
        return None
    return numbers(value)
