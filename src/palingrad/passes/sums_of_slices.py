"""Sums of values that are placed among zeros are joined instead: Σ Place(gᵢ) becomes one Concat.

The gradient of an array of which parts are used, as of `x[1:] * x[:-1]` or of an LSTM's gates, is a
sum of arrays that are 0 except at one index or slice of an axis. To write each of them takes a pass
over the whole array. Cut at the ends of all slices, the axis has segments; in each of them the sum
is that of the few values that are placed there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.registry import ops
from ..ops.elementwise.arithmetic import Add
from ..ops.layout.join import Concat
from ..ops.layout.move import BroadcastTo, Place
from .control.loops import replayed, rewired
from .program import Program
from .slabs import Slab, placed_slab

_MOST_SEGMENTS, _MOST_TERMS = 128, 512  # of one sum: a part of a kernel is made for each


class _Sum(NamedTuple):
    """A sum's placed values on one axis, and its other terms."""

    placed: list[Slab]
    others: list[Node]

    @property
    def operands(self) -> list[Node]:
        return [*(at.value for at in self.placed), *self.others]


def sums_of_slices(program: Program) -> Program:
    """The program in which sums of placed values are joined; sums are taken in the same order."""
    if program.kinds.isdisjoint((Place, Concat)):
        return program
    uses = Counter(x for node in program.order for x in node.inputs)
    uses.update(program.roots)
    inner = {
        x
        for node in program.order
        if type(node) is Add
        for x in node.inputs
        if type(x) is Add and uses[x] == 1 and _alike(x, node)
    }
    sums: dict[Node, _Sum] = {}
    for node in program.order:
        if type(node) is Add and node not in inner:
            found = _sum_of(node, inner)
            if found is not None:
                sums[node] = found
    if not sums:
        return program

    def operands(node: Node) -> Sequence[Node]:
        return sums[node].operands if node in sums else node.inputs

    def rule(node: Operation, inputs: list[Any]) -> Node:
        return _joined(node, sums[node], inputs) if node in sums else rewired(node, inputs)

    return replayed(program, rule, operands)


def _alike(x: Any, y: Any) -> bool:
    return x.shape == y.shape and x.dtype == y.dtype


def _sum_of(root: Any, inner: Container[Node]) -> _Sum | None:
    """The terms of the sum, if joining some of them pays."""
    terms: list[tuple[Node, Slab | None]] = []
    stack: list[Any] = [root]
    while stack:
        node = stack.pop()
        if node is root or node in inner:
            stack += reversed(node.inputs)
        else:
            terms.append((node, _slab(node) if _alike(node, root) else None))
    axes = Counter(at.axis for _, at in terms if at is not None)
    if not axes or max(axes.values()) < 2:
        return None
    axis = max(axes, key=lambda one: axes[one])
    placed = [at for _, at in terms if at is not None and at.axis == axis]
    segments = _segments(placed, root.shape[axis])
    count = sum(_covers(at, *one) for one in segments for at in placed)
    if len(segments) > _MOST_SEGMENTS or count > _MOST_TERMS:
        return None
    return _Sum(placed, [node for node, at in terms if at is None or at.axis != axis])


def _slab(node: Any) -> Slab | None:
    """Where a value is placed, if on one axis only; None elsewhere."""
    if type(node) is Place:
        return placed_slab(node)
    return _of_concat(node) if type(node) is Concat else None


def _of_concat(y: Any) -> Slab | None:
    """A value that is joined with zeros, as `vmap` places it."""
    axis = y.attributes["axis"] % y.ndim
    parts = [n for n, x in enumerate(y.inputs) if not _is_zero(x)]
    if len(parts) != 1 or len(y.inputs) == 1:
        return None
    (at,) = parts
    start = sum(x.shape[axis] for x in y.inputs[:at])
    return Slab(y.inputs[at], axis, start, start + y.inputs[at].shape[axis], False)


def _is_zero(x: Any) -> bool:
    """Whether x is +0 broadcast, which nothing that is added to it needs."""
    source = x.inputs[0] if type(x) is BroadcastTo else x
    if not isinstance(source, Constant) or source.shape != ():
        return False
    value = source.numpy()
    return not value and not np.signbit(value.real) and not np.signbit(value.imag)


def _segments(placed: Sequence[Slab], size: int) -> list[tuple[int, int]]:
    """The axis, cut at the ends of all slabs."""
    return list(pairwise(sorted({0, size, *(end for at in placed for end in (at.start, at.stop))})))


def _covers(at: Slab, start: int, stop: int) -> bool:
    return at.start <= start and stop <= at.stop


def _joined(root: Any, found: _Sum, inputs: Sequence[Any]) -> Node:
    axis = found.placed[0].axis
    values = [
        (ops.expand_dims(value, axis=axis) if at.number else value, at)
        for value, at in zip(inputs, found.placed, strict=False)
    ]
    shape: tuple[int, ...] = root.shape
    parts: list[Node] = []
    for start, stop in _segments(found.placed, shape[axis]):
        total: Any = None
        for value, at in values:
            if _covers(at, start, stop):
                whole = (start, stop) == (at.start, at.stop)
                cut = (slice(None),) * axis + (slice(start - at.start, stop - at.start),)
                term = value if whole else value[cut]
                total = term if total is None else ops.add(total, term)
        if total is None:
            zero = Constant(np.zeros((), root.dtype))
            total = ops.broadcast_to(zero, (*shape[:axis], stop - start, *shape[axis + 1 :]))
        parts.append(total)
    total = parts[0] if len(parts) == 1 else ops.concat(parts, axis=axis)
    for other in inputs[len(values) :]:
        total = ops.add(total, other)
    return total
