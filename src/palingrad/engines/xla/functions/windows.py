"""Convolutions and pooling by XLA's own operations on windows."""

from __future__ import annotations

import itertools
import math
from functools import reduce
from typing import Any

import numpy as np

from ....dtypes import float16, float32, is_floating, lowest
from ..jaxlib import jnp, lax
from .arrays import PRECISION, padded, place, taps
from .maths import Unmapped

_FEW = 16  # taps of a window


def _numbers(ndim: int) -> Any:
    """x (n, c, *space), w (o, c, *size) and y (n, o, *places), in XLA's terms."""
    axes = tuple(range(ndim + 2))
    return lax.ConvDimensionNumbers(axes, axes, axes)


def _convolved(x: Any, w: Any, **options: Any) -> Any:
    """XLA's convolution of floats, of half floats in float32."""
    dtype = x.dtype
    low = dtype == jnp.bfloat16
    if not (low or is_floating(dtype)) or 0 in w.shape:
        raise Unmapped("convolutions of no numbers, or of others than floats")
    if dtype == float16:
        x, w = x.astype(float32), w.astype(float32)
    options.setdefault("dimension_numbers", _numbers(x.ndim - 2))
    if low:
        return lax.conv_general_dilated(x, w, **options).astype(float32)
    return lax.conv_general_dilated(x, w, precision=PRECISION, **options).astype(dtype)


def convolution(x: Any, w: Any, *, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """y = x ∗ w."""
    return _convolved(
        x, w, window_strides=stride, padding=padding, rhs_dilation=dilation,
        feature_group_count=groups,
    )  # fmt: skip


def convolution_input(
    g: Any, w: Any, *, space: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    """x = Σ w·g: the convolution of g, spread by the stride, with the taps in reverse order."""
    size, o = w.shape[2:], w.shape[0]
    edges: list[tuple[int, int]] = []
    for axis, length in enumerate(space):
        low, high = padding[axis]
        extent = (size[axis] - 1) * dilation[axis]
        spread = (g.shape[2 + axis] - 1) * stride[axis] + 1
        edges.append((extent - low, length + low - spread))
        assert edges[-1][1] >= -high - length
    taps = w.reshape(groups, o // groups, *w.shape[1:])  # (groups, o/groups, c/groups, *size)
    taps = jnp.swapaxes(taps, 1, 2).reshape(groups * w.shape[1], o // groups, *size)
    taps = jnp.flip(taps, tuple(range(2, taps.ndim)))
    return _convolved(
        g, taps, window_strides=(1,) * len(space), padding=edges, lhs_dilation=stride,
        rhs_dilation=dilation, feature_group_count=groups,
    )  # fmt: skip


def convolution_weight(
    x: Any, g: Any, *, size: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    """w = Σ x·g: a convolution over the places, in which examples are what channels are."""
    ndim = len(size)
    edges: list[tuple[int, int]] = []
    for axis in range(ndim):
        low, _ = padding[axis]
        spread = (g.shape[2 + axis] - 1) * stride[axis] + 1
        needed = spread + (size[axis] - 1) * dilation[axis]
        edges.append((low, needed - low - x.shape[2 + axis]))
    swapped = (1, 0, *range(2, ndim + 2))
    dimensions = lax.ConvDimensionNumbers(swapped, swapped, swapped)
    return _convolved(
        x, g, window_strides=dilation, padding=edges, rhs_dilation=stride,
        dimension_numbers=dimensions, batch_group_count=groups,
    )  # fmt: skip


def _window(x: Any, size: Any, stride: Any, padding: Any) -> tuple[Any, ...]:
    edges = ((0, 0), (0, 0), *map(tuple, padding))
    return (1, 1, *size), (1, 1, *stride), edges


def max_pool(x: Any, *, size: Any, stride: Any, padding: Any) -> Any:
    """The largest element of each window: of few taps one after another, in one pass."""
    if _tiles(x, size, stride, padding):
        tiles, (axes, _) = _tiled(jnp.moveaxis(x, 1, -1), size)
        return jnp.moveaxis(jnp.max(tiles, axes), -1, 1)
    if math.prod(size) <= _FEW:
        return reduce(jnp.maximum, (tap for tap, _ in _taps(x, size, stride, padding)))
    first = jnp.asarray(lowest(x.dtype), x.dtype)
    return lax.reduce_window(x, first, lax.max, *_window(x, size, stride, padding))


def max_pool_place(g: Any, x: Any, *, size: Any, stride: Any, padding: Any) -> Any:
    """Zeros of x's shape with g added at the first largest element of each window, or the first
    NaN."""
    if _tiles(x, size, stride, padding):
        return _placed_in_tiles(g, x, size)
    found = _taps(x, size, stride, padding)
    largest = reduce(jnp.maximum, (tap for tap, _ in found))
    taken: Any = False
    edges = [sum(pair) for pair in padding]
    whole = (*x.shape[:2], *(length + more for length, more in zip(x.shape[2:], edges)))
    total: Any = jnp.zeros(whole, g.dtype)
    for tap, index in found:
        chosen = ((tap == largest) | jnp.isnan(tap)) & ~jnp.asarray(taken)
        taken = taken | chosen
        total = total + place(jnp.where(chosen, g, jnp.zeros((), g.dtype)), whole, index)
    inner = (
        slice(low, low + length) for length, (low, _) in zip(x.shape[2:], padding, strict=True)
    )
    return total[(..., *inner)]


def _tiles(x: Any, size: Any, stride: Any, padding: Any) -> bool:
    """Whether windows of few taps lie side by side and cover all of x."""
    whole = not any(length % k for length, k in zip(x.shape[2:], size, strict=True))
    apart = tuple(size) == tuple(stride) and not any(map(any, padding))
    return whole and apart and 0 not in x.shape and math.prod(size) <= _FEW


def _tiled(x: Any, size: Any) -> tuple[Any, tuple[Any, Any]]:
    """x (n, *space, c) as (n, *(places, taps), c), the axes of taps, and the shape of one tap."""
    pairs = [(length // k, k) for length, k in zip(x.shape[1:-1], size, strict=True)]
    shape = (x.shape[0], *(part for pair in pairs for part in pair), x.shape[-1])
    single = (x.shape[0], *(part for places, _ in pairs for part in (places, 1)), x.shape[-1])
    return x.reshape(shape), (tuple(range(2, len(shape) - 1, 2)), single)


def _placed_in_tiles(g: Any, x: Any, size: Any) -> Any:
    """`max_pool_place` of windows side by side: each tile is g where its number is that of the
    first largest, or NaN. With channels last, as XLA's convolutions on CPUs have them."""
    last = jnp.moveaxis(x, 1, -1)
    tiles, (axes, single) = _tiled(last, size)
    largest = jnp.max(tiles, axes, keepdims=True)
    first: Any = jnp.full(single, math.prod(size) - 1, np.int8)
    number: Any = jnp.zeros((), np.int8)
    for order, tap in reversed(list(enumerate(itertools.product(*map(range, size))))):
        index: list[Any] = [slice(None)] * tiles.ndim
        for axis, k in zip(axes, tap, strict=True):
            index[axis] = slice(k, k + 1)
        value = tiles[tuple(index)]
        chosen = (value == largest) | jnp.isnan(value)
        first = jnp.where(chosen, np.int8(order), first)
    for axis, k in zip(axes, size, strict=True):
        number = number * np.int8(k) + lax.broadcasted_iota(np.int8, tiles.shape, axis)
    spread = jnp.moveaxis(g, 1, -1).reshape(single)
    placed = jnp.where(first == number, spread, jnp.zeros((), g.dtype))
    return jnp.moveaxis(placed.reshape(last.shape), -1, 1)


def _taps(x: Any, size: Any, stride: Any, padding: Any) -> list[tuple[Any, Any]]:
    """For each tap its elements in all windows, and their index in x with its padding."""
    wide = padded(x, padding, lowest(x.dtype))
    places = [
        (length - k) // s + 1 for length, k, s in zip(wide.shape[2:], size, stride, strict=True)
    ]
    indices = taps(size, stride, (1,) * len(size), places)
    return [(wide[index], index) for index in indices]


def sum_pool(x: Any, *, size: Any, stride: Any, padding: Any) -> Any:
    """The sum of each window."""
    if x.dtype == float16:
        return sum_pool(x.astype(float32), size=size, stride=stride, padding=padding).astype(
            float16
        )
    return lax.reduce_window(x, jnp.zeros((), x.dtype), lax.add, *_window(x, size, stride, padding))
