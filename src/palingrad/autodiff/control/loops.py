"""Derivatives of Loop. Reverse mode is a loop the other way, over saved values of the body; forward
mode is a loop that carries tangents beside values.

As in `lax.scan` (JAX), the forward loop is run with what the reverse pass reads of the body as
additional stacked results; which they are, the cotangents' own graph says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...dtypes import is_inexact
from ...graph.leaves import Placeholder
from ...graph.node import Node
from ...graph.regions.region import Region, parameter
from ...graph.registry import ops, register
from ...ops.control.loop import Loop
from .long_loops import is_long, pulled_in_groups
from .regions import Frontier, activity, hidden_graph, pulled, pushed, zeros


@register
def pull_loop_back(y: Loop, g: Sequence[Node | None], needed: Sequence[bool]) -> list[Node | None]:
    """The cotangents of a loop's inputs that are needed, from those of its results."""
    body, first = y.body, y.attributes["carries"]
    second = first + y.attributes["slices"]
    active = activity(body, first, needed)
    carried = [number for number in range(first) if body.parameters[number] in active]
    outer = [
        number for number in range(first, len(body.parameters))
        if needed[number] and body.parameters[number] in active
    ]  # fmt: skip
    sliced = [number for number in outer if number < second]
    captured = [number for number in outer if number >= second]
    stacked = [
        number for number in range(first, y.count)
        if body.results[number] in active and g[number] is not None
    ]  # fmt: skip
    if not carried and not (stacked and outer):
        return [None] * len(y.inputs)
    with hidden_graph():
        seeds = {number: _seed(body.results[number]) for number in (*carried, *stacked)}
        pairs = [(body.results[number], seed) for number, seed in seeds.items()]
        wanted = [*carried, *sliced, *captured]
        found = pulled(body, pairs, [body.parameters[number] for number in wanted])
        totals = {number: parameter(_form(body.parameters[number])) for number in captured}
        results: list[Node] = []
        for number, c in zip(wanted, found, strict=True):
            x = body.parameters[number]
            if number in totals:
                results.append(totals[number] if c is None else ops.add(totals[number], c))
            else:
                results.append(zeros(x.shape, x.dtype) if c is None else c)
    backward = _Backward(y, results, seeds, totals)
    if is_long(y, backward.saved):
        return pulled_in_groups(y, g, needed)
    loop = backward.loop(
        starts=[
            *(zeros(y.shape[n], y.dtype[n]) if (c := g[n]) is None else c for n in carried),
            *(zeros(x.shape, x.dtype) for x in totals.values()),
        ],
        seeds_stacked=[(seeds[number], c) for number in stacked if (c := g[number]) is not None],
        carries=[*(seeds[number] for number in carried), *totals.values()],
        order=[*range(len(carried)), *range(len(carried) + len(sliced), len(results)),
               *range(len(carried), len(carried) + len(sliced))],
    )  # fmt: skip
    cotangents: list[Node | None] = [None] * len(y.inputs)
    places = [*carried, *captured, *sliced]
    for number, item in zip(places, loop.items, strict=True):
        if needed[number]:
            cotangents[number] = item
    return cotangents


class _Backward:
    """The loop of a reverse pass: `results` are nodes that read the body, seeds and totals."""

    def __init__(
        self,
        y: Loop,
        results: Sequence[Node],
        seeds: dict[int, Placeholder],
        totals: dict[int, Placeholder],
    ) -> None:
        self.y, self.results = y, results
        self.frontier = Frontier(y.body, results, y.attributes["checkpoint"])
        self._places: dict[Node, int] = {x: n for n, x in enumerate(y.body.parameters)}
        first = y.attributes["carries"]
        # The carries and other nodes of the body that the forward loop stacks.
        self.saved = [x for x in self.frontier.read if self._places.get(x, -1) < first]
        self._own: dict[Node, Placeholder] = {
            x: parameter(_form(x)) for x in (*seeds.values(), *totals.values())
        }

    def loop(
        self,
        starts: Sequence[Node],
        seeds_stacked: Sequence[tuple[Placeholder, Node]],
        carries: Sequence[Placeholder],
        order: Sequence[int],
    ) -> Loop:
        """The loop: `order` puts its results, carries before those that are stacked."""
        y = self.y
        first, second = y.attributes["carries"], y.attributes["carries"] + y.attributes["slices"]
        places, saved = self._places, self.saved
        again = [x for x in self.frontier.read if first <= places.get(x, -1) < second]
        captured = [x for x in self.frontier.read if places.get(x, -1) >= second]
        own = dict(self._own)
        own.update((x, parameter(_form(x), like=x)) for x in (*saved, *again, *captured))
        sliced = [*(seed for seed, _ in seeds_stacked), *saved, *again]
        built = self.frontier.rebuilt(self.results, own)
        region = Region(
            tuple(own[x] for x in (*carries, *sliced, *captured)),
            tuple(built[number] for number in order),
        )
        inputs = [
            *starts,
            *(g for _, g in seeds_stacked),
            *self._saved(saved),
            *(y.inputs[places[x]] for x in again),
            *(y.inputs[places[x]] for x in captured),
        ]
        return Loop.applied(inputs, {
            **y.attributes, "regions": (region,), "carries": len(carries), "slices": len(sliced),
            "reverse": not y.attributes["reverse"],
        })  # fmt: skip

    def _saved(self, nodes: Sequence[Node]) -> Sequence[Node]:
        """The values of these nodes of the body in all steps: results of the forward loop, or of
        one with these results added."""
        if not nodes:
            return ()
        y, first = self.y, self.y.attributes["carries"]
        stacked = {x: n for n, x in enumerate((*y.body.results, *y.kept)) if n >= first}
        if all(x in stacked for x in nodes):
            return [y.all_items[stacked[x]] for x in nodes]
        if y._value is not None or y.kept_places:  # of a tape
            ops.keep_from_now_on(y, nodes)
        region = Region(y.body.parameters, (*y.body.results, *nodes))
        again = Loop.applied(y.inputs, {**y.attributes, "regions": (region,)})
        return again.items[y.count :]


@register
def push_loop_forward(y: Loop, tangents: Sequence[Node | None]) -> list[Node | None]:
    """The tangents of a loop's results, None for those that are zero."""
    body, first = y.body, y.attributes["carries"]
    second = first + y.attributes["slices"]
    active = activity(body, first, [t is not None for t in tangents])
    moving = [number for number, x in enumerate(body.parameters) if x in active]
    carried = [number for number in moving if number < first]
    ends = [number for number in range(first, y.count) if body.results[number] in active]
    with hidden_graph():
        own = {number: parameter(_form(body.parameters[number])) for number in moving}
        given: dict[Node, Node] = {body.parameters[number]: own[number] for number in moving}
        places = [*carried, *ends]
        found = dict(zip(places, pushed([body.results[n] for n in places], given)))
        filled = {
            n: zeros(body.results[n].shape, body.results[n].dtype) if t is None else t
            for n, t in found.items()
        }
    x, t = body.parameters, tangents
    groups = [range(first), range(first, second), range(second, len(x))]
    parameters: list[Placeholder] = []
    inputs: list[Node] = []
    for group in groups:
        parameters += [*(x[n] for n in group), *(own[n] for n in group if n in own)]
        inputs += [
            *(y.inputs[n] for n in group),
            *(_filled(t[n], y.inputs[n]) for n in group if n in own),
        ]
    results = body.results
    region = Region(
        tuple(parameters),
        (*results[:first], *(filled[n] for n in carried), *(filled[n] for n in ends)),
    )
    loop = Loop.applied(inputs, {
        **y.attributes, "regions": (region,), "carries": first + len(carried),
        "slices": sum(n in own for n in groups[1]) + len(groups[1]),
    })  # fmt: skip
    outputs: list[Node | None] = [None] * y.count
    for number, item in zip([*carried, *ends], loop.items[first:], strict=True):
        outputs[number] = item
    return outputs


def _filled(t: Node | None, x: Node) -> Node:
    return zeros(x.shape, x.dtype) if t is None else t


def _seed(result: Node) -> Placeholder:
    return parameter((result.shape, result.dtype, None))


def _form(x: Node) -> Any:
    assert is_inexact(x.dtype) or x.dtype is not None
    return x.shape, x.dtype, x.weak
