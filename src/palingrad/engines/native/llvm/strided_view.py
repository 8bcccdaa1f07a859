"""Strided views: a buffer, an offset and a stride for each axis, in elements."""

from __future__ import annotations

import math

from ....graph.declared.strided import Strided, row_major
from ....graph.kinds import Layout
from ....graph.node import Node
from ....graph.state.records import dataclass
from ....shapes import sizes


@dataclass(frozen=True)
class View:
    """The elements of `base`'s buffer at offset + Σ index·stride."""

    base: Node
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0

    @property
    def layout(self) -> Strided:
        """The offset and strides."""
        return Strided(self.shape, self.strides, self.offset)

    @property
    def plain(self) -> bool:
        """Whether this is the whole base in row-major order."""
        same = math.prod(self.shape) == math.prod(sizes(self.base.shape))
        return same and self.offset == 0 and self.strides == row_major(self.shape)


def whole(node: Node) -> View:
    """The whole buffer of a node, in row-major order."""
    shape = sizes(node.shape)
    return View(node, shape, row_major(shape))


def view_of(base: Node, layout: Strided) -> View:
    """The view of a node's buffer with this offset and these strides."""
    return View(base, layout.shape, layout.strides, layout.offset)


def layout_view(node: Layout, x: View) -> View | None:
    """The result of a layout operation as a view of x, None if it needs a copy."""
    found = node.checked_view(x.layout)
    return None if found is None else view_of(x.base, found)


def keeps_order(node: Layout) -> bool:
    """Whether the result has the elements of its input in their row-major order."""
    x = Strided.contiguous(sizes(node.inputs[0].shape))
    return node.checked_view(x) == Strided.contiguous(sizes(node.shape))


def broadcast(x: View, shape: tuple[int, ...]) -> View:
    """x broadcast to `shape`, with a stride of 0 along repeated axes."""
    return view_of(x.base, x.layout.broadcast(shape))


def filled(node: Node) -> list[View] | None:
    """The part of a node's buffer that each input fills, the rest being zeros; None if the node is
    no such layout."""
    if not isinstance(node, Layout):
        return None
    zeros = whole(node).layout
    found = [node.filled(zeros, position) for position in range(len(node.inputs))]
    return [view_of(node, one) for one in found if one is not None] if None not in found else None


def in_space(view: View, shape: tuple[int, ...], without_last_axis: bool) -> View:
    """A view as an operand of a node in the index space `shape`, or in that space without its last
    axis."""
    if not without_last_axis:
        return broadcast(view, shape)
    inner = broadcast(view, shape[:-1])
    return View(view.base, shape, (*inner.strides, 0), view.offset)


def is_dense(view: View) -> bool:
    """Whether the view has each element of its base once, in any order of axes."""
    expected = 1
    axes = [axis for axis, extent in enumerate(view.shape) if extent != 1]
    for axis in sorted(axes, key=lambda axis: view.strides[axis]):
        if view.strides[axis] != expected:
            return False
        expected *= view.shape[axis]
    return view.offset == 0 and expected == math.prod(sizes(view.base.shape))


def positions(view: View) -> tuple[tuple[int, ...], int]:
    """(strides, offset) with a stride of 0 for axes of size 1, so that views of the same elements
    compare equal."""
    steps = tuple(0 if size == 1 else step for size, step in zip(view.shape, view.strides))
    return steps, view.offset
