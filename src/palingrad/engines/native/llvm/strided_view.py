"""Where a value's elements lie: a buffer, an offset and a step for each axis, in elements."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

from ....graph.node import Node
from ....ops.move import (
    BroadcastTo,
    ExpandDims,
    MatrixTranspose,
    PermuteDims,
    Reshape,
    Slice,
    Squeeze,
)
from ....shapes import sizes


@dataclass(frozen=True)
class View:
    """The elements of `base`'s buffer at offset + Σ index·stride."""

    base: Node
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0

    @property
    def plain(self) -> bool:
        """Whether this is all of the base in its own order."""
        same = math.prod(self.shape) == math.prod(sizes(self.base.shape))
        return same and self.offset == 0 and self.strides == row_major(self.shape)


def row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of a contiguous array."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def whole(node: Node) -> View:
    """All of a node's own buffer."""
    shape = sizes(node.shape)
    return View(node, shape, row_major(shape))


def moved(node: Any, x: View) -> View | None:
    """The view that a move of x is, or None where it takes a copy."""
    shape = sizes(node.shape)
    if isinstance(node, (Reshape, ExpandDims, Squeeze)):
        steps = _regrouped(x, shape)
        return None if steps is None else View(x.base, shape, steps, x.offset)
    if isinstance(node, (PermuteDims, MatrixTranspose)):
        ndim = len(shape)
        if isinstance(node, PermuteDims):
            order = node.order(ndim)
        else:
            order = (*range(ndim - 2), ndim - 1, ndim - 2)
        return View(x.base, shape, tuple(x.strides[axis] for axis in order), x.offset)
    if isinstance(node, BroadcastTo):
        return broadcast(x, shape)
    return sliced(x, node.attributes["index"], shape) if isinstance(node, Slice) else None


def broadcast(x: View, shape: tuple[int, ...]) -> View:
    """x repeated to `shape`: a step of 0 along what is repeated."""
    extra = len(shape) - len(x.shape)
    steps = [0] * extra
    for axis, step in enumerate(x.strides):
        steps.append(0 if x.shape[axis] == 1 != shape[axis + extra] else step)
    return View(x.base, shape, tuple(steps), x.offset)


def in_space(view: View, shape: tuple[int, ...], lower: bool) -> View:
    """A view as an operand of a node in the space `shape`; `lower`: of a node without the last
    axis."""
    if not lower:
        return broadcast(view, shape)
    inner = broadcast(view, shape[:-1])
    return View(view.base, shape, (*inner.strides, 0), view.offset)


def _regrouped(x: View, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Strides for `shape` over the same elements in row-major order, where they exist."""
    if x.strides == row_major(x.shape):
        return row_major(shape)
    old = [(size, step) for size, step in zip(x.shape, x.strides, strict=True) if size != 1]
    wanted = [size for size in shape if size != 1]
    if 0 in wanted:
        return row_major(shape)
    steps: list[int] = []
    while old:  # the fewest axes on either side that hold as many elements
        sources, targets = [old.pop(0)], [wanted.pop(0)]
        while (have := math.prod(size for size, _ in sources)) != (need := math.prod(targets)):
            if have < need:
                sources.append(old.pop(0))
            else:
                targets.append(wanted.pop(0))
        for (_, outer), (size, step) in itertools.pairwise(sources):
            if outer != size * step:
                return None
        steps += [step * sources[-1][1] for step in row_major(tuple(targets))]
    found = iter(steps)
    return tuple(0 if size == 1 else next(found) for size in shape)


def sliced(x: View, index: tuple[Any, ...], shape: tuple[int, ...]) -> View:
    """The view of a slice, of this shape, of what x shows."""
    named = sum(one is not None and one is not Ellipsis for one in index)
    if Ellipsis not in index:
        index = (*index, Ellipsis)
    place = index.index(Ellipsis)
    fill = (slice(None),) * (len(x.shape) - named)
    offset, steps, axis = x.offset, [], 0
    for one in (*index[:place], *fill, *index[place + 1 :]):
        if one is None:
            steps.append(0)
            continue
        size, step = x.shape[axis], x.strides[axis]
        axis += 1
        if isinstance(one, slice):
            start, _, stride = one.indices(size)
            offset += start * step
            steps.append(stride * step)
        else:
            offset += one % size * step
    return View(x.base, shape, tuple(steps), offset if math.prod(shape) else 0)


def is_dense(view: View) -> bool:
    """Whether the view shows all of its base once, in whatever order of axes."""
    expected = 1
    axes = [axis for axis, extent in enumerate(view.shape) if extent != 1]
    for axis in sorted(axes, key=lambda axis: view.strides[axis]):
        if view.strides[axis] != expected:
            return False
        expected *= view.shape[axis]
    return view.offset == 0 and expected == math.prod(sizes(view.base.shape))


def positions(view: View) -> tuple[tuple[int, ...], int]:
    """Where a view's elements are, whatever the strides of axes with one element."""
    steps = tuple(0 if size == 1 else step for size, step in zip(view.shape, view.strides))
    return steps, view.offset
