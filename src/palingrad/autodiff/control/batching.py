"""The batching rules of loops and branches: their regions are rebuilt for all examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import ShapeError
from ...graph.batching.batch import Batch, Shared, moved
from ...graph.leaves import Placeholder
from ...graph.node import Node
from ...graph.regions.region import Form, Region, form_of, parameter
from ...graph.regions.regional import Regional
from ...graph.registry import register
from ...ops.control.loop import Loop
from ..batching import Examples, Rebuilt
from .regions import hidden_graph


class BatchedRegion:
    """A region whose `mapped` parameters have the axis of the examples first; `forms` are those of
    all of them. Results are added as they are asked for."""

    def __init__(
        self, size: int, region: Region, mapped: Sequence[bool], forms: Sequence[Form]
    ) -> None:
        self.parameters: list[Placeholder] = [
            parameter(form, like=x) for x, form in zip(region.parameters, forms, strict=True)
        ]
        given = zip(region.parameters, map(Rebuilt, self.parameters, mapped), strict=True)
        self._examples = Examples(size, dict(given), began=-1)
        self._fronts: dict[Node, Node] = {}

    def of(self, nodes: Sequence[Node]) -> list[Rebuilt]:
        """The counterparts of nodes of the region."""
        with hidden_graph():
            return self._examples.of(nodes)

    def fronts(self, nodes: Sequence[Node]) -> list[Node]:
        """The counterparts, with the axis of the examples also if they are the same for all."""
        with hidden_graph():
            for node, one in zip(nodes, self._examples.of(nodes), strict=True):
                if node not in self._fronts:
                    self._fronts[node] = self._examples.front(one)
        return [self._fronts[node] for node in nodes]


def checked(y: Regional) -> None:
    """Raise ShapeError for a template, whose shapes aren't known."""
    if not all(region.is_concrete for region in y.regions):
        raise ShapeError(
            f"vmap: {y.label()} has inputs of unknown shapes{y.built()}.",
            hint="Give the placeholders shapes.",
        )


def fronted(y: Regional, batch: Batch, mapped: Sequence[bool]) -> tuple[Batch, list[Form]]:
    """The batch with the axis of the examples where `mapped` says so, and the inputs' forms."""
    xs = [batch.front(n) if of else batch.xs[n] for n, of in enumerate(mapped)]
    return Batch(batch.size, xs, mapped, batch.known), [form_of(x) for x in xs]


def outputs(items: Sequence[Node], mapped: Sequence[bool]) -> list[Any]:
    """What a batching rule returns for these results."""
    return [x if of else Shared(x) for x, of in zip(items, mapped, strict=True)]


@register
def batched_loop(y: Loop, batch: Batch) -> list[Any]:
    """The loop for all examples: they are behind the axis of the steps in xs and ys, and first in
    carries. A carry is mapped if it begins so, or becomes so in a step."""
    checked(y)
    first = y.attributes["carries"]
    results = y.body.results
    mapped = list(batch.mapped)
    while True:
        whole, inner, found = _body(y, batch, mapped)
        more = [a or b.mapped for a, b in zip(mapped[:first], found)]
        if more == mapped[:first]:
            break
        mapped[:first] = more
    ends = [*more, *(one.mapped for one in found[first:])]
    fronts = inner.fronts([x for x, of in zip(results, ends, strict=True) if of])
    rest = iter(fronts)
    new = [next(rest) if of else one.node for one, of in zip(found, ends, strict=True)]
    region = Region(tuple(inner.parameters), tuple(new))
    loop = Loop.applied(whole, {**y.attributes, "regions": (region,)})
    items = [
        moved(x, 1, 0) if of and number >= first else x
        for number, (x, of) in enumerate(zip(loop.items, ends, strict=True))
    ]
    return outputs(items, ends)


def _body(
    y: Loop, batch: Batch, mapped: Sequence[bool]
) -> tuple[list[Node], BatchedRegion, list[Rebuilt]]:
    """The inputs of the loop for all examples, its body, and the counterparts of its results.

    A loop that the reverse pass runs again with more results has the same body's nodes and inputs
    here too, so that the passes know it (`passes/control/loops.py`).
    """
    first = y.attributes["carries"]
    slices = range(first, first + y.attributes["slices"])
    xs: list[Node] = []
    for number, of in enumerate(mapped):
        key = "loop", batch.xs[number], batch.mapped[number], of, number in slices
        if key not in batch.known:
            x = batch.front(number) if of else batch.xs[number]
            batch.known[key] = moved(x, 0, 1) if of and number in slices else x
        xs.append(batch.known[key])
    key = "body", y.body.parameters, tuple(mapped), tuple(xs[:first]), tuple(xs[first:])
    inner = batch.known.get(key)
    if inner is None:
        (forms,) = Loop.forms(xs, y.attributes)
        inner = batch.known[key] = BatchedRegion(batch.size, y.body, mapped, forms)
    return xs, inner, inner.of(y.body.results)
