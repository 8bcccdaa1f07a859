"""Loops whose reverse pass would keep too much: it keeps the carries of every k-th step alone.

A loop of n steps is a loop over groups of k = √n steps, as by `pg.scan(…, checkpoint=k)`: the steps
of a group are taken again when the reverse pass comes to it, so the memory is that of √n steps.
JAX leaves this to its users (`jax.checkpoint`); Equinox's loops with checkpoints do it themselves.

Source: A. Griewank, "Achieving logarithmic growth of temporal and spatial complexity in reverse
automatic differentiation", 1992.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

from ...graph.node import Node
from ...graph.regions.region import Region, parameter
from ...graph.registry import ops
from ...ops.control.loop import Loop
from ...shapes import size, sizes
from ..reverse import reverse
from .regions import hidden_graph

_MOST = 2**32  # bytes that a reverse pass keeps of a loop's steps
_FEWEST = 16  # steps of a loop that groups are made of


def is_long(y: Loop, kept: Sequence[Node]) -> bool:
    """Whether the values of these nodes of the body in all steps take too much memory."""
    length = y.attributes["length"]
    each = sum(size(x.shape) * x.dtype.itemsize for x in kept if x.dtype is not None)
    return length >= _FEWEST and length * each > _MOST


def pulled_in_groups(
    y: Loop, g: Sequence[Node | None], needed: Sequence[bool]
) -> list[Node | None]:
    """The cotangents of the loop's inputs that are needed, by those of its groups of steps."""
    seeds = {y: c for y, c in zip(_in_groups(y), g, strict=True) if c is not None}
    xs = list(dict.fromkeys(x for x, yes in zip(y.inputs, needed, strict=True) if yes))
    found = reverse(seeds, xs, through=False, traced=False)
    # The whole cotangent of an input that occurs twice is that of its first place.
    return [found.pop(x, None) if yes else None for x, yes in zip(y.inputs, needed, strict=True)]


def _in_groups(y: Loop) -> list[Node]:
    """The loop's results, by a loop over groups of steps and one over the rest."""
    carries, slices, captures = y.parts
    first, length, reverse = len(carries), y.attributes["length"], y.attributes["reverse"]
    each = isqrt(length)
    groups = length // each
    cut = groups * each
    body = _group(y, each)

    def whole_groups(state: Sequence[Node]) -> list[Node]:
        rows = [ops.reshape(x[:cut], (groups, each, *sizes(x.shape)[1:])) for x in slices]
        attributes = {**y.attributes, "regions": (body,), "length": groups, "checkpoint": True}
        results = Loop.applied([*state, *rows, *captures], attributes).items
        stacks = [ops.reshape(x, (cut, *sizes(x.shape)[2:])) for x in results[first:]]
        return [*results[:first], *stacks]

    def rest(state: Sequence[Node]) -> list[Node]:
        inputs = [*state, *(x[cut:] for x in slices), *captures]
        return list(Loop.applied(inputs, {**y.attributes, "length": length - cut}).items)

    if cut == length:
        return whole_groups(carries)
    one = (rest if reverse else whole_groups)(carries)
    two = (whole_groups if reverse else rest)(one[:first])
    before, after = (two, one) if reverse else (one, two)
    pairs = zip(before[first:], after[first:], strict=True)
    return [*two[:first], *(ops.concat([a, b], axis=0) for a, b in pairs)]


def _group(y: Loop, each: int) -> Region:
    """The body of the loop over groups: a loop of `each` steps."""
    carries, slices, captures = y.parts
    with hidden_graph():
        parameters = [
            *(parameter((x.shape, x.dtype, None), like=x) for x in carries),
            *(parameter(((each, *sizes(x.shape)[1:]), x.dtype, None), like=x) for x in slices),
            *(parameter((x.shape, x.dtype, x.weak), like=x) for x in captures),
        ]
        steps = Loop.applied(parameters, {**y.attributes, "length": each})
    return Region(tuple(parameters), steps.items)
