"""Derivatives of Switch and WhileLoop.

The derivative of a switch is a switch of derivatives: the branch that was chosen is run again with
its derivative. A while loop has no reverse mode, because nobody knows how much it would have to
save; with a bound it is a scan in which a switch does nothing once the condition fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...dtypes import is_inexact
from ...errors import GradientError
from ...graph.node import Node
from ...graph.regions.region import Region, form_of, parameter
from ...graph.registry import ops, register
from ...ops.control.branch import Switch
from ...ops.control.loop import Loop
from ...ops.control.while_loop import WhileLoop
from .regions import activity, hidden_graph, pulled, pushed, zeros


@register
def pull_switch_back(
    y: Switch, g: Sequence[Node | None], needed: Sequence[bool]
) -> list[Node | None]:
    """The cotangents of a switch's inputs that are needed, from those of its results."""
    wanted = [n for n, x in enumerate(y.inputs) if n and needed[n] and is_inexact(x.dtype)]
    seeded = [n for n, dtype in enumerate(y.dtype) if is_inexact(dtype) and g[n] is not None]
    regions: list[Region] = []
    for region in y.regions:
        assert region.is_concrete, "a template is specialised before it is differentiated"
        with hidden_graph():
            given = [parameter(form_of(x), like=x) for x in y.inputs[1:]]
            results = region.inlined(given)
            seeds = [parameter((results[n].shape, results[n].dtype, None)) for n in seeded]
            moving = {given[n - 1] for n in wanted}
            pairs = [
                (results[n], seed) for n, seed in zip(seeded, seeds, strict=True)
                if _depends(results[n], moving)
            ]  # fmt: skip
            found = pulled(region, pairs, [given[n - 1] for n in wanted])
            cotangents = [
                zeros(y.inputs[n].shape, y.inputs[n].dtype) if c is None else c
                for n, c in zip(wanted, found, strict=True)
            ]
        regions.append(Region((*given, *seeds), tuple(cotangents)))
    found: list[Node | None] = [None] * len(y.inputs)
    if wanted and seeded:
        back = Switch(*y.inputs, *(g[n] for n in seeded), regions=tuple(regions))
        for n, item in zip(wanted, back.items, strict=True):
            found[n] = item
    return found


def _depends(result: Node, moving: set[Any]) -> bool:
    """Whether a path through floats leads from a result to a parameter."""
    stack, seen = [result], {result}
    while stack:
        node = stack.pop()
        if node in moving:
            return True
        for x in node.inputs if node._differentiable else ():
            if x not in seen:
                seen.add(x)
                stack.append(x)
    return False


@register
def push_switch_forward(y: Switch, tangents: Sequence[Node | None]) -> list[Node | None]:
    """The tangents of a switch's results, None for those that are zero."""
    moving = [n for n, t in enumerate(tangents) if n and t is not None]
    found: list[list[Node | None]] = []
    parameters: list[list[Any]] = []
    for region in y.regions:
        with hidden_graph():
            given = [parameter(form_of(x), like=x) for x in y.inputs[1:]]
            results = region.inlined(given)
            ts = [parameter((y.inputs[n].shape, y.inputs[n].dtype, None)) for n in moving]
            known: dict[Node, Node] = {given[n - 1]: t for n, t in zip(moving, ts, strict=True)}
            found.append(pushed(results, known))
            parameters.append([*given, *ts])
    ends = [n for n in range(y.count) if any(ts[n] is not None for ts in found)]
    outputs: list[Node | None] = [None] * y.count
    if not ends:
        return outputs
    regions: list[Region] = []
    for given, ts in zip(parameters, found, strict=True):
        with hidden_graph():
            results = [_or_zeros(ts[n], y.shape[n], y.dtype[n]) for n in ends]
        regions.append(Region(tuple(given), tuple(results)))
    forward = Switch(*y.inputs, *(tangents[n] for n in moving), regions=tuple(regions))
    for n, item in zip(ends, forward.items, strict=True):
        outputs[n] = item
    return outputs


def _or_zeros(t: Node | None, shape: Any, dtype: Any) -> Node:
    return zeros(shape, dtype) if t is None else t


@register
def push_while_forward(y: WhileLoop, tangents: Sequence[Node | None]) -> list[Node | None]:
    """The tangents of the last carries, None for those that are zero."""
    (asked, body), first = y.regions, y.count
    active = activity(body, first, [t is not None for t in tangents])
    moving = [n for n, x in enumerate(body.parameters) if x in active]
    carried = [n for n in moving if n < first]
    captured = [n for n in moving if n >= first]
    with hidden_graph():
        own = {n: parameter((*form_of(body.parameters[n])[:2], None)) for n in moving}
        given: dict[Node, Node] = {body.parameters[n]: t for n, t in own.items()}
        ts = pushed([body.results[n] for n in carried], given)
        results = [
            _or_zeros(t, y.inputs[n].shape, y.inputs[n].dtype)
            for n, t in zip(carried, ts, strict=True)
        ]
        others = {n: parameter((*form_of(body.parameters[n])[:2], None)) for n in moving}

    def joined(values: Sequence[Any], more: Any) -> list[Any]:
        return [*values[:first], *(more[n] for n in carried),
                *values[first:], *(more[n] for n in captured)]  # fmt: skip

    regions = (
        Region(tuple(joined(asked.parameters, others)), asked.results),
        Region(tuple(joined(body.parameters, own)), (*body.results, *results)),
    )
    seeds = {n: _or_zeros(tangents[n], y.inputs[n].shape, y.inputs[n].dtype) for n in moving}
    attributes = {**y.attributes, "regions": regions, "carries": first + len(carried)}
    loop = WhileLoop.applied(joined(y.inputs, seeds), attributes)
    outputs: list[Node | None] = [None] * first
    for n, item in zip(carried, loop.items[first:], strict=True):
        outputs[n] = item
    return outputs


@register
def pull_while_back(
    y: WhileLoop, g: Sequence[Node | None], needed: Sequence[bool]
) -> list[Node | None]:
    """The cotangents of a bounded while loop's inputs. Raises GradientError without a bound."""
    steps = y.attributes["max_steps"]
    if steps is None:
        raise GradientError(
            f"{y.label()} has no reverse mode: the number of its steps isn't known{y.built()}.",
            hint="Give a bound, pg.while_loop(…, max_steps=100); or use forward mode, pg.jvp, or "
            "pg.scan and pg.fori_loop, whose number of steps is known.",
        )
    loop = _bounded(y, steps)
    found = ops.pull_loop_back(loop, [None, *g], [False, *needed])
    return found[1:]


def _bounded(y: WhileLoop, steps: int) -> Any:
    """The loop as a scan, whose first carry says whether the condition still holds."""
    (asked, body), first = y.regions, y.count
    with hidden_graph():
        active = parameter(((), asked.results[0].dtype, None))
        inner = [parameter(form_of(x), like=x) for x in y.inputs]
        kept = [parameter(form_of(x)) for x in y.inputs]
        identity = Region(tuple(kept), tuple(kept[:first]))
        after = Switch(active, *inner, regions=(identity, body)).items
        holds = ops.logical_and(active, asked.inlined([*after, *inner[first:]])[0])
    region = Region((active, *inner), (holds, *after))
    (begins,) = asked.inlined(list(y.inputs))
    with hidden_graph():  # only the loop of the reverse pass is computed
        return Loop(begins, *y.inputs, regions=(region,), carries=1 + first, slices=0,
                    length=steps, reverse=False, checkpoint=False)  # fmt: skip
