"""Loops and branches: `lax.scan`, `lax.while_loop` and `lax.switch`, by what a Regional declares.

The spans of integers in a region are results of it, joined over the steps; a branch that isn't
chosen has empty ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...dtypes import int64
from ...graph.declared.bounds import Bounds
from ...graph.node import Node
from ...graph.regions.region import Region
from ...graph.regions.regional import Regional, Repeats, Steps
from .checks import LEAST, MOST, Span, nothing, span
from .functions.maths import Unmapped
from .jaxlib import jax, jnp, lax
from .mesh.parallel import shared
from .precision import wide
from .trace import Trace, evaluated

Body = Callable[[Sequence[Any]], tuple[list[Any], list[Any]]]  # results, and spans as pairs


def regional(node: Regional, inputs: Sequence[Any], trace: Trace) -> Sequence[Any]:
    """The results of control flow. Raises Unmapped for a kind that isn't known."""
    if not node._shipped:
        raise Unmapped("control flow that isn't the library's")
    steps, repeats = node.steps(), node.repeats()
    if steps is not None:
        return _scanned(node, steps, inputs, trace)
    if repeats is not None:
        return _repeated(node, repeats, inputs, trace)
    if node.chooses:
        return _chosen(node, inputs, trace)
    raise Unmapped("control flow of another kind")


def _body(region: Region, trace: Trace, bounds: list[Bounds]) -> Body:
    """The region as a function; `bounds` are those of its spans, once it has been traced."""

    def body(values: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        inner = trace.inner(region.results)
        given: dict[Node, Any] = dict(zip(region.parameters, values, strict=True))
        found = evaluated(region.order, given, inner, regional)
        bounds[:] = [one.bounds for one in inner.spans]
        return wide([found[x] for x in region.results]), [(s.least, s.most) for s in inner.spans]

    return body


def _empty(bounds: Sequence[Bounds]) -> list[Any]:
    return [(one.least, one.most) for one in map(nothing, bounds)]


def _joined(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
    pairs = zip(a, b, strict=True)
    return [(jnp.minimum(x[0], y[0]), jnp.maximum(x[1], y[1])) for x, y in pairs]


def _spans(bounds: Sequence[Bounds], pairs: Sequence[Any]) -> list[Span]:
    return [Span(one, *pair) for one, pair in zip(bounds, pairs, strict=True)]


def _scanned(node: Regional, steps: Steps, inputs: Sequence[Any], trace: Trace) -> Sequence[Any]:
    first, last = steps.carries, steps.carries + steps.slices
    bounds: list[Bounds] = []
    body = _body(node.regions[0], trace, bounds)
    if node.shared and trace.parallel and steps.length % trace.parallel[1] == 0:
        stacks, pairs = shared(lambda rows: body([*rows, *inputs[last:]]),
                               list(inputs[:last]), steps.length, *trace.parallel)  # fmt: skip
        trace.spans += _spans(bounds, pairs)
        return stacks

    def step(carries: list[Any], rows: list[Any]) -> Any:
        results, pairs = body([*carries, *rows, *inputs[last:]])
        return results[:first], (results[first:], pairs)

    carries, (stacks, pairs) = lax.scan(
        step, list(inputs[:first]), list(inputs[first:last]),
        length=steps.length, reverse=steps.reverse,
    )  # fmt: skip
    whole = [(jnp.min(a, initial=MOST), jnp.max(b, initial=LEAST)) for a, b in pairs]
    trace.spans += _spans(bounds, whole)
    return [*carries, *stacks]


def _repeated(
    node: Regional, repeats: Repeats, inputs: Sequence[Any], trace: Trace
) -> Sequence[Any]:
    asked: list[Bounds] = []
    done: list[Bounds] = []
    condition = _body(node.regions[0], trace, asked)
    body = _body(node.regions[1], trace, done)
    count, captures = repeats.carries, inputs[repeats.carries :]
    carries = list(inputs[:count])
    (go,), first = condition(inputs)
    jax.eval_shape(lambda: body(inputs))  # its bounds are needed before the loop

    def goes_on(state: Any) -> Any:
        _, go, pairs, number = state
        going = (
            go.astype(bool) if repeats.most is None else go.astype(bool) & (number < repeats.most)
        )
        for one in _spans([*asked, *done], pairs):  # else wrong integers might go on for ever
            going = going & one.holds()
        return going

    def step(state: Any) -> Any:
        carries, _, pairs, number = state
        results, inside = body([*carries, *captures])
        (go,), again = condition([*results, *captures])
        return results, go, _joined(pairs, [*again, *inside]), number + 1

    start = (carries, go, [*first, *_empty(done)], jnp.asarray(0, int64))
    if repeats.most == 0:
        return carries
    results, _, pairs, _ = lax.while_loop(goes_on, step, start)
    trace.spans += _spans([*asked, *done], pairs)
    return results


def _chosen(node: Regional, inputs: Sequence[Any], trace: Trace) -> Sequence[Any]:
    count, (chooser, *values) = len(node.regions), inputs
    index = jnp.asarray(chooser).astype(int64)

    def error(least: int, most: int) -> Exception:
        try:
            node.run([list] * count, np.asarray(most if most >= count else least))
        except Exception as found:
            return found
        raise AssertionError("a region of this number exists")

    trace.spans.append(span(Bounds(node.inputs[0], 0, count, error), index))
    bounds: list[list[Bounds]] = [[] for _ in range(count)]
    bodies = [_body(*one) for one in zip(node.regions, [trace] * count, bounds, strict=True)]
    for body in bodies:
        jax.eval_shape(lambda body=body: body(values))

    def branch(number: int) -> Callable[..., Any]:
        def run(values: Sequence[Any]) -> Any:
            results, pairs = bodies[number](values)
            before = [x for part in bounds[:number] for x in part]
            after = [x for part in bounds[number + 1 :] for x in part]
            return results, [*_empty(before), *pairs, *_empty(after)]

        return run

    results, pairs = lax.switch(index, [branch(number) for number in range(count)], values)
    trace.spans += _spans([x for part in bounds for x in part], pairs)
    return results
