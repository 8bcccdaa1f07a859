"""Branches and loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.registry import ops
from .table import Call, NeedsValue, reads

_UNROLLED = 10_000  # iterations of a loop that is run while the graph is built


@reads("If")
def branch(n: Call, condition: Any) -> Any:
    """One of two subgraphs: the one that a known condition chooses, else `cond`."""
    names = ("else_branch", "then_branch")
    try:
        chosen = bool(n.known(condition, "the condition").reshape(-1)[0])
    except NeedsValue:
        both = [lambda name=name: _nodes(n.run(name)) for name in names]
        found = ops.cond(ops.reshape(condition, ()), both[1], both[0])
        return tuple(found)
    return tuple(n.run(names[chosen]))


def _nodes(values: Any) -> list[Any]:
    return [ops.asarray(x) if isinstance(x, np.ndarray) else x for x in values]


@reads("Loop")
def loop(n: Call, trips: Any = None, condition: Any = None, *carries: Any) -> Any:
    """A loop: step by step where its end is known, else `while_loop`."""
    count = len(carries)
    most = None if trips is None else _known(n, trips)
    goes = True if condition is None else _known(n, condition)
    endless = trips is not None and most is None
    if goes is None or endless:
        return _while(n, trips, condition, carries)
    kept, stacks = list(carries), [[] for _ in range(len(n.outputs) - count)]
    step = 0
    while goes and (most is None or step < int(most)):
        if step >= _UNROLLED:
            raise n.refuse(f"more than {_UNROLLED:,} iterations")
        going, *results = n.run("body", np.asarray(step, np.int64), np.asarray(True), *kept)
        kept = results[:count]
        for stack, one in zip(stacks, results[count:], strict=True):
            stack.append(one)
        step += 1
        known = _known(n, going)
        if known is None:
            if step > 1 or stacks:
                n.known(going, "the condition of a loop that collects values")
            return _while(n, trips, condition, carries)
        goes = bool(known)
    return (*kept, *(_stacked(n, stack, place) for place, stack in enumerate(stacks)))


def _stacked(n: Call, stack: list[Any], place: int) -> Any:
    if not stack:
        raise n.refuse(f"a loop without iterations has no shape for its collected value {place}")
    return ops.stack(stack, axis=0)


def _known(n: Call, x: Any) -> Any:
    try:
        return n.known(x, "the end of the loop").reshape(-1)[0]
    except NeedsValue:
        return None


def _while(n: Call, trips: Any, condition: Any, carries: Any) -> Any:
    if len(n.outputs) > len(carries):
        for end in (trips, condition):  # one of them isn't known
            if end is not None:
                n.known(end, "the number of iterations")
    start = [np.asarray(0, np.int64), np.asarray(True) if condition is None else condition]
    start = [ops.reshape(ops.asarray(x), ()) for x in start]

    def goes_on(state: Any) -> Any:
        step, going, *_ = state
        return going if trips is None else ops.logical_and(going, step < ops.reshape(trips, ()))

    def body(state: Any) -> Any:
        step, going, *kept = state
        again, *results = _nodes(n.run("body", step, going, *kept))
        return [step + 1, ops.reshape(again, ()), *results]

    return tuple(ops.while_loop(goes_on, body, [*start, *_nodes(carries)])[2:])


@reads("Scan")
def scan(n: Call, *inputs: Any) -> Any:
    """A subgraph along axes of arrays."""
    if n.opset < 9:
        raise n.refuse("Scan of opset 8 isn't read")
    count = int(n.attr("num_scan_inputs"))
    first = len(inputs) - count
    axes = n.attr("scan_input_axes") or [0] * count
    backwards = n.attr("scan_input_directions") or [0] * count
    xs = [
        _front(x, int(axis), bool(back))
        for x, axis, back in zip(_nodes(inputs[first:]), axes, backwards, strict=True)
    ]

    def step(carry: Any, rows: Any) -> Any:
        results = _nodes(n.run("body", *carry, *rows))
        return results[:first], results[first:]

    last, stacks = ops.scan(step, _nodes(inputs[:first]), xs)
    collected = len(n.outputs) - first
    axes = n.attr("scan_output_axes") or [0] * collected
    backwards = n.attr("scan_output_directions") or [0] * collected
    ends: list[Any] = []
    for y, axis, back in zip(stacks, axes, backwards, strict=True):
        y = ops.flip(y, axis=0) if back else y
        ends.append(ops.moveaxis(y, 0, int(axis)))
    return (*last, *ends)


def _front(x: Any, axis: int, back: bool) -> Any:
    x = ops.moveaxis(x, axis, 0)
    return ops.flip(x, axis=0) if back else x
