"""The batching rules of Switch and WhileLoop, where examples take different ways.

What an example doesn't choose must neither fail for it nor reach its derivatives: a branch may be
there just to avoid `x[i]` outside an array, or a factorisation that doesn't exist. Elementwise
operations, reductions and layouts of all examples are computed and their elements chosen by
`where`, whose cotangent of 0 is absorbed by any slope. Other operations get, in place of the inputs
of an example that didn't choose them, those of one that did.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import is_boolean, is_inexact, is_integer
from ...graph.batching.batch import Batch, with_axes
from ...graph.kinds import Elementwise, Layout
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import Operation
from ...graph.reduction import Reduce
from ...graph.regions.region import Form, Region, form_of, parameter
from ...graph.registry import ops, register
from ...ops.control.branch import Switch
from ...ops.control.while_loop import WhileLoop
from ...ops.elementwise.arithmetic import Pow
from ..batching import Examples, Rebuilt
from .batching import BatchedRegion, checked, fronted, outputs
from .regions import hidden_graph, zeros


@register
def batched_switch(y: Switch, batch: Batch) -> list[Any]:
    """The switch for all examples; with an index that differs between them, each branch that any of
    them takes, and the elements of the one that an example takes."""
    checked(y)
    if batch.mapped[0]:
        return _chosen(y, batch)
    forms = [form_of(x) for x in batch.xs[1:]]
    branches = [BatchedRegion(batch.size, one, batch.mapped[1:], forms) for one in y.regions]
    found = [one.of(region.results) for one, region in zip(branches, y.regions, strict=True)]
    mapped = [any(one.mapped for one in column) for column in zip(*found, strict=True)]
    regions: list[Region] = []
    for inner, region, row in zip(branches, y.regions, found, strict=True):
        fronts = inner.fronts(region.results)
        results = [x if of else one.node for x, one, of in zip(fronts, row, mapped, strict=True)]
        regions.append(Region(tuple(inner.parameters), tuple(results)))
    new = Switch.applied(batch.xs, {**y.attributes, "regions": tuple(regions)})
    return outputs(new.items, mapped)


def _chosen(y: Switch, batch: Batch) -> list[Any]:
    chooser, count = batch.xs[0], len(y.regions)
    if is_boolean(chooser.dtype):
        chooses = [ops.logical_not(chooser), chooser]
    else:  # a take, because it refuses numbers of branches that don't exist
        number = ops.where(chooser < 0, count, chooser)
        number = ops.take(Constant(np.arange(count)), number, axis=0)
        chooses = [ops.equal(number, place) for place in range(count)]
    results: list[Any] = []
    if count == 1:  # what says that the index is right is used
        results = [zeros(shape, dtype) for shape, dtype in zip(y.shape, y.dtype, strict=True)]
    for region, chosen in zip(y.regions, chooses, strict=True):
        found = list(_branch(y, region, chosen, batch))
        results = [
            ops.where(with_axes(chosen, len(shape) + 1), new, old)
            for new, old, shape in zip(found, results, y.shape, strict=True)
        ] if results else found  # fmt: skip
    return results


def _branch(y: Switch, region: Region, chosen: Node, batch: Batch) -> Sequence[Node]:
    """The results of a branch for all examples, right for those that chose it; where no example
    differs, without their axis."""
    size, mapped = batch.size, batch.mapped[1:]
    if not size or _is_total(region):
        given = zip(region.parameters, map(Rebuilt, batch.xs[1:], mapped), strict=True)
        return [one.node for one in Examples(size, dict(given), began=-1).of(region.results)]
    xs = _sound(chosen, batch.xs[1:], mapped)
    forms = [form_of(x) for x in xs]
    inner = BatchedRegion(size, region, mapped, forms)
    results = inner.fronts(region.results)
    with hidden_graph():
        nothing = [zeros(x.shape, x.dtype) for x in results]
    regions = (
        Region(tuple(parameter(form) for form in forms), tuple(nothing)),
        Region(tuple(inner.parameters), tuple(results)),
    )
    return Switch(ops.any(chosen), *xs, regions=regions).items


def _sound(chosen: Any, xs: Sequence[Node], mapped: Sequence[bool]) -> list[Node]:
    """The inputs, with those of the first example that is chosen in place of those of examples that
    aren't. Cotangents of these copies are 0, so none are computed."""
    first = ops.argmax(ops.cast(chosen, "int32"), axis=0)
    sound: list[Node] = []
    for x, of in zip(xs, mapped, strict=True):
        if not of:
            sound.append(x)
            continue
        other: Any = ops.take(x, first, axis=0)
        other = ops.stop_gradient(other) if is_inexact(x.dtype) else other
        sound.append(ops.where(with_axes(chosen, len(x.shape or ())), x, other))
    return sound


def _is_total(region: Region) -> bool:
    """Whether the operations of a region never fail, and absorb cotangents of 0 in all inputs."""
    return all(_never_fails(node) for node in region.order if isinstance(node, Operation))


def _never_fails(node: Operation) -> bool:
    if isinstance(node, Pow):  # of integers, to negative ones
        return not is_integer(node.dtype)
    return isinstance(node, (Elementwise, Reduce, Layout))


@register
def batched_while(y: WhileLoop, batch: Batch) -> list[Any]:
    """The loop for all examples: with a condition that differs between them, while it holds for any
    of them; the carries of others stay as they are."""
    checked(y)
    asked, body = y.regions
    first, mapped = y.count, list(batch.mapped)
    while True:
        whole, forms = fronted(y, batch, mapped)
        question = BatchedRegion(batch.size, asked, mapped, forms)
        inner = BatchedRegion(batch.size, body, mapped, forms)
        (holds,), found = question.of(asked.results), inner.of(body.results)
        more = [
            mapped[n] or one.mapped or (holds.mapped and body.results[n] is not body.parameters[n])
            for n, one in enumerate(found)
        ]
        if more == mapped[:first]:
            break
        mapped[:first] = more
    if holds.mapped:
        return outputs(_while_any(y, whole, mapped, forms), more)
    fronts = inner.fronts(body.results)
    results = [x if of else one.node for x, one, of in zip(fronts, found, more, strict=True)]
    regions = (
        Region(tuple(question.parameters), (holds.node,)),
        Region(tuple(inner.parameters), tuple(results)),
    )
    loop = WhileLoop.applied(whole.xs, {**y.attributes, "regions": regions})
    return outputs(loop.items, more)


def _while_any(
    y: WhileLoop, whole: Batch, mapped: Sequence[bool], forms: Sequence[Form]
) -> Sequence[Node]:
    """The last carries of a loop whose first carry says for which examples the condition holds."""
    asked, body = y.regions
    first, size = y.count, whole.size

    def rebuilt(region: Region, xs: Sequence[Node]) -> list[Any]:
        given = zip(region.parameters, map(Rebuilt, xs, mapped), strict=True)
        examples = Examples(size, dict(given), began=-1)
        return [examples.front(one) if of else one.node
                for one, of in zip(examples.of(region.results), mapped, strict=False)]  # fmt: skip

    def holds(xs: Sequence[Node]) -> Any:
        given = zip(asked.parameters, map(Rebuilt, xs, mapped), strict=True)
        examples = Examples(size, dict(given), began=-1)
        return examples.front(examples.of(asked.results)[0])

    begins = holds(whole.xs)
    form = begins.shape, begins.dtype, None
    with hidden_graph():
        active, own = parameter(form), [parameter(one) for one in forms]
        fed = own if not size or _is_total(body) else _sound(active, own, mapped)
        kept = [
            ops.where(with_axes(active, len(old.shape or ())), new, old) if of else old
            for new, old, of in zip(rebuilt(body, fed), own[:first], mapped, strict=False)
        ]
        more = holds([*kept, *own[first:]])
        others, running = [parameter(one) for one in forms], parameter(form)
        runs = ops.any(running)
    regions = Region((running, *others), (runs,)), Region((active, *own), (more, *kept))
    attributes = {**y.attributes, "regions": regions, "carries": 1 + first}
    return WhileLoop.applied([begins, *whole.xs], attributes).items[1:]
