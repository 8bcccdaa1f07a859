"""Where in the body of a loop or branch a non-finite value began: the operation, and the step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import Operation
from ...graph.regions.region import Region
from ...graph.regions.regional import Regional
from .origin import NonFiniteOrigin, Values, computed_by, find_origin


class Found(NamedTuple):
    """The origin inside a body, the values of that step, and the number of the step, from 0."""

    origin: NonFiniteOrigin
    values: Values
    step: int


def found_inside(node: Regional, values: Values) -> Found | None:
    """The first operation of a body whose result isn't finite although its inputs are.

    The operation is run again, step by step, from the values of its inputs.
    """
    found: list[Found] = []
    bodies = [_watched(region, found) for region in node.regions]
    with np.errstate(all="ignore"):
        node.run(bodies, *(values(x) for x in node.inputs))
    return found[0] if found else None


def _watched(region: Region, found: list[Found]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """A function that computes a region, and notes the first origin of a non-finite value."""
    steps = [(one, computed_by(one)) for one in region.order if isinstance(one, Operation)]
    calls = 0

    def body(arrays: Sequence[Any]) -> Sequence[Any]:
        nonlocal calls
        known: dict[Node, Any] = {x: x.numpy() for x in region.order if isinstance(x, Constant)}
        known.update(zip(region.parameters, map(np.asarray, arrays), strict=True))
        for one, function in steps:
            value = function(*[known[x] for x in one.inputs])
            known[one] = value if isinstance(value, (tuple, list)) else np.asarray(value)
        if not found:
            origin = find_origin(region.results, known.__getitem__)
            if origin is not None:
                found.append(Found(origin, known.__getitem__, calls))
        calls += 1
        return [known[y] for y in region.results]

    return body
