"""Convolution along several axes of two arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...graph.node import Node
from ...graph.registry import ops
from ...shapes import axes_in, known, text


def convolved(x: Any, y: Any, mode: str, axes: Any, dot_axes: Any, name: str | None) -> Node:
    """The convolution of x and y along `axes`, a pair of lists, summed over `dot_axes`.

    The windows of x are multiplied by y, whose axes are reversed.
    """
    for one in (x, y):
        if one.shape is None or not known(one.shape):
            raise ShapeError(f"convolve: the shape of {one.label()} isn't known yet{one.built()}.",
                             hint="Give the placeholder a shape.")  # fmt: skip
    sums = _pair("dot_axes", ((), ()) if dot_axes is None else dot_axes, x, y)
    rest = [tuple(at for at in range(one.ndim) if at not in used)
            for one, used in zip((x, y), sums, strict=True)]  # fmt: skip
    along = _pair("axes", rest if axes is None else axes, x, y)
    exchanged = mode == "valid" and _covers(y, along[1], x, along[0])
    if exchanged and not _covers(x, along[0], y, along[1]):
        x, y, along, sums = y, x, along[::-1], sums[::-1]
    else:
        exchanged = False
    if mode == "valid" and not _covers(x, along[0], y, along[1]):
        raise ShapeError(f"convolve: neither of {text(x.shape)} and {text(y.shape)} is as long as "
                         "the other along all axes", hint="Write mode='full'.")  # fmt: skip
    for at, other in zip(*along, strict=True):
        x = _windows(x, at, y.shape[other], mode)
    y = ops.flip(y, axis=along[1]) if along[1] else y
    return _products(x, y, along, sums, exchanged, name)


def _windows(x: Any, axis: int, length: int, mode: str) -> Any:
    """The windows of x of this length along `axis`: a last axis with their elements."""
    before, after = {"full": (length - 1, length - 1), "valid": (0, 0)}.get(
        mode, (length // 2, (length - 1) // 2)
    )
    count = x.shape[axis] + before + after - length + 1
    widths = [(before, after) if at == axis else (0, 0) for at in range(x.ndim)]
    x = ops.pad(x, widths) if before or after else x
    places = np.arange(count)[:, None] + np.arange(length)
    return ops.moveaxis(ops.take(x, places, axis=axis), axis + 1, -1)


def _products(x: Any, y: Any, along: Any, sums: Any, exchanged: bool, name: str | None) -> Node:
    """The sums of products of windows, the last axes of x, and y; free axes come first."""
    of_x = list(range(x.ndim))
    first = x.ndim - len(along[0])
    of_y = list(range(x.ndim, x.ndim + y.ndim))
    for number, at in enumerate(along[1]):
        of_y[at] = first + number
    for at, other in zip(*sums, strict=True):
        of_y[other] = of_x[at]
    free = [
        [label for at, label in enumerate(labels) if at not in (*used, *summed)]
        for labels, used, summed in zip((of_x[:first], of_y), along, sums, strict=True)
    ]
    free = free[::-1] if exchanged else free
    return ops.einsum(x, of_x, y, of_y, [*free[0], *free[1], *along[0]], name=name)


def _covers(x: Any, axes: Sequence[int], y: Any, others: Sequence[int]) -> bool:
    """Whether x is at least as long as y along its axes."""
    return all(x.shape[at] >= y.shape[other] for at, other in zip(axes, others, strict=True))


def _pair(what: str, axes: Any, x: Any, y: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Axes of x and of y, counted from 0, as many of each."""
    try:
        one, other = (tuple(each) for each in axes)
        found = axes_in(one, x.ndim), axes_in(other, y.ndim)
    except (TypeError, ValueError):
        raise ShapeError(f"convolve: {what} is {axes!r:.60}; expected a pair of lists of axes",
                         hint=f"Write {what}=([0], [1]).") from None  # fmt: skip
    if len(found[0]) != len(found[1]):
        raise ShapeError(f"convolve: {what} names {len(one)} axes of x and {len(other)} of y",
                         hint=f"Write {what}=([0], [1]).")  # fmt: skip
    return found
