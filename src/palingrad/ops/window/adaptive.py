"""Pooling to a given size, pooling of whole images, and convolution without shared weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops, register
from ...graph.samples import case, spread
from ...messages.checks import counted
from ...shapes import Shape, broadcast_dim, same, text
from ..reduction.axes import narrowed, widened
from .geometry import Padding, pads, places, several
from .pooling import AveragePool, MaxPool


class AdaptivePool(Composite):
    """A reduction of windows that divide x (n, c, *space) into `size` places on each axis.

    Window i of n covers the elements from ⌊i·length/n⌋ up to ⌈(i + 1)·length/n⌉.
    """

    def shape_rule(self, *shapes: Shape) -> Shape:
        (x,) = shapes
        size: tuple[int, ...] = self.attributes["size"]
        if len(x) != len(size) + 2:
            raise ShapeError(f"expected x (n, c, *space) with {counted(len(size), 'size')}, got "
                             f"{text(x)}")  # fmt: skip
        if 0 in x[2:] and 0 not in size:
            raise ShapeError(f"x {text(x)} has no elements to pool")
        return (*x[:2], *size)


def _windows(length: int, count: int) -> tuple[Any, Any]:
    """The indices of each window, padded to the longest, and which of them count."""
    window = np.arange(count)
    first, end = window * length // count, -(-(window + 1) * length // count)
    steps = np.arange(max(int((end - first).max(initial=0)), 1))
    index = first[:, None] + steps
    return np.minimum(index, length - 1), index < end[:, None]


def _even(x: Node, size: tuple[int, ...]) -> dict[str, Any] | None:
    """The options of the pooling that it is, if its windows have one size."""
    space: Any = (x.shape or ())[2:]
    if not all(n and length and length % n == 0 for length, n in zip(space, size, strict=True)):
        return None
    window = tuple(length // n for length, n in zip(space, size, strict=True))
    return dict(size=window, stride=window, padding=((0, 0),) * len(size))


class AdaptiveAveragePool(AdaptivePool):
    """y = the mean of each of the windows that divide x (n, c, *space) into `size` places."""

    math = r"\operatorname{avgpool}({x})"
    floats = True
    linear = True
    samples = [case((1, 2, 5), size=(3,)), case((2, 1, 4, 3), size=(2, 2))]

    def expand(y, x):
        even = _even(x, y.attributes["size"])
        if even is not None:
            return AveragePool(x, **even)
        total: Any = widened(x)
        for axis, count in enumerate(y.attributes["size"], start=2):
            index, counts = _windows(total.shape[axis], count)
            parts = ops.take(total, index, axis=axis)  # (…, count, longest, …)
            after = (1,) * (parts.ndim - axis - 2)
            weights = counts / counts.sum(axis=1, keepdims=True)
            parts = parts * weights.astype(total.dtype).reshape(*weights.shape, *after)
            total = ops.sum(parts, axis=axis + 1)
        return narrowed(total, x.dtype)


class AdaptiveMaxPool(AdaptivePool):
    """y = the largest of each of the windows that divide x (n, c, *space) into `size` places."""

    complexes = False
    math = r"\operatorname{maxpool}({x})"
    stays_finite = True
    samples = [spread((1, 2, 5), size=(3,)), spread((2, 1, 4, 3), size=(2, 2))]

    def expand(y, x):
        even = _even(x, y.attributes["size"])
        if even is not None:
            return MaxPool(x, **even)
        top: Any = x
        for axis, count in enumerate(y.attributes["size"], start=2):
            index, counts = _windows(top.shape[axis], count)
            # A window is continued by its last element, which is no new maximum.
            last = np.take_along_axis(index, counts.sum(axis=1, keepdims=True) - 1, axis=1)
            rows = np.where(counts, index, last)
            parts = ops.take(top, rows, axis=axis)
            top = ops.max(parts, axis=axis + 1)
        return top


class LocallyConnected(Composite):
    """y = the products of each window of x with weights of its own: a convolution that shares none.

    x (n, c, *space) and w (*places, o, c, *size) give y (n, o, *places).
    """

    math = r"{x} *_l {w}"
    samples = [
        case((2, 2, 5), (2, 3, 2, 3), stride=(2,), padding=((0, 0),)),
        case((1, 2, 3, 2), (3, 1, 1, 2, 2, 2), stride=(1, 2), padding=((1, 0), (0, 0))),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        x, w = shapes
        a = self.attributes
        ndim = len(a["stride"])
        if len(x) != ndim + 2 or len(w) != 2 * ndim + 2:
            raise ShapeError("expected x (n, c, *space) and w (*places, o, c, *size), got "
                             f"{text(x)} and {text(w)}")  # fmt: skip
        space = [
            places(length, k, s, pad, 1)
            for length, k, s, pad in zip(
                x[2:], w[ndim + 2 :], a["stride"], a["padding"], strict=True
            )
        ]
        if not all(map(same, space, w[:ndim])) or not same(x[1], w[ndim + 1]):
            raise ShapeError(
                f"windows at {text(tuple(space))} of {x[1]} channels don't fit w {text(w)}",
                hint="The first axes of w are the places of the windows, then outputs, channels.",
            )
        return (x[0], w[ndim], *map(broadcast_dim, space, w[:ndim]))

    def expand(y, x: Any, w: Any):
        ndim, dtype = len(y.stride), x.dtype
        x, w = widened(x), widened(w)
        x = ops.pad(x, ((0, 0), (0, 0), *y.padding))
        for axis in range(ndim):  # (n, c, places, taps, places, taps, …)
            count, k = w.shape[axis], w.shape[ndim + 2 + axis]
            index = np.arange(count)[:, None] * y.stride[axis] + np.arange(k)
            x = ops.take(x, index, axis=2 + 2 * axis)
        spots, taps = (tuple(range(start, 2 + 2 * ndim, 2)) for start in (2, 3))
        rows = ops.permute_dims(x, (*spots, 0, 1, *taps))  # (*places, n, c, *taps)
        space, outputs = w.shape[:ndim], w.shape[ndim]
        features = math.prod(w.shape[ndim + 1 :])
        rows = ops.reshape(rows, (*space, x.shape[0], features))
        weights = ops.reshape(w, (*space, outputs, features))
        found = ops.matmul(rows, weights.mT)  # (*places, n, o)
        order = (ndim, ndim + 1, *range(ndim))
        return narrowed(ops.permute_dims(found, order), dtype)


@register
def adaptive_average_pool(x: Any, size: int | Sequence[int], /, *, name: str | None = None) -> Node:
    """y (n, c, *size): the means of windows that divide x (n, c, *space) into `size` places.

    Window i of n covers the elements from ⌊i·length/n⌋ up to ⌈(i + 1)·length/n⌉.
    """
    return AdaptiveAveragePool(x, size=_sizes("adaptive_average_pool", x, size), name=name)


@register
def adaptive_max_pool(x: Any, size: int | Sequence[int], /, *, name: str | None = None) -> Node:
    """y (n, c, *size): the largest of windows that divide x (n, c, *space) into `size` places.

    The windows are those of `adaptive_average_pool`.
    """
    return AdaptiveMaxPool(x, size=_sizes("adaptive_max_pool", x, size), name=name)


def _sizes(function: str, x: Any, size: Any) -> tuple[int, ...]:
    ndim = len(size) if isinstance(size, (tuple, list)) else (as_node(x).ndim or 4) - 2
    return several(size, ndim, f"{function}: size", least=1)


@register
def global_average_pool(x: Any, /, *, keepdims: bool = False, name: str | None = None) -> Node:
    """y (n, c): the mean of each channel of x (n, c, *space); with `keepdims`, (n, c, 1, …)."""
    return ops.mean(x, axis=_space("global_average_pool", x), keepdims=keepdims, name=name)


@register
def global_max_pool(x: Any, /, *, keepdims: bool = False, name: str | None = None) -> Node:
    """y (n, c): the largest element of each channel of x (n, c, *space)."""
    return ops.max(x, axis=_space("global_max_pool", x), keepdims=keepdims, name=name)


def _space(function: str, x: Any) -> tuple[int, ...]:
    """The axes after the channels."""
    ndim = as_node(x).ndim
    if ndim is None or ndim < 3:
        raise ShapeError(f"{function}: expected x (n, c, *space), got {text(as_node(x).shape)}",
                         hint="Write pg.mean(x, axis=…) for other axes.")  # fmt: skip
    return tuple(range(2, ndim))


@register
def locally_connected(
    x: Any,
    w: Any,
    /,
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = 0,
    name: str | None = None,
) -> Node:
    """y = a convolution whose weights aren't shared: each place has weights of its own.

    x (n, c, *space), w (*places, outputs, c, *size): y (n, outputs, *places). stride, padding: as
    for `conv2d`.
    """
    weight = as_node(w)
    if weight.shape is None or None in weight.shape or len(weight.shape) % 2 or not weight.shape:
        raise ShapeError("locally_connected: a weight has shape (*places, outputs, c, *size), got "
                         f"{text(weight.shape)}", hint="It has as many places as sizes.",
                         )  # fmt: skip
    ndim = len(weight.shape) // 2 - 1
    strides = several(stride, ndim, "stride")
    around = pads(padding, [k or 0 for k in weight.shape[ndim + 2 :]], strides, (1,) * ndim)
    return LocallyConnected(x, weight, stride=strides, padding=around, name=name)
