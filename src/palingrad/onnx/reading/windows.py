"""Convolutions and pooling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import is_floating
from ...graph.registry import ops
from ...ops.window.convolution import Convolution, ConvolutionInput
from ...ops.window.pooling import MaxPool
from .table import Call, in_dtype, reads

Pads = list[tuple[int, int]]


def _geometry(n: Call, x: Any, size: Sequence[int]) -> tuple[list[int], list[int], Pads, list[int]]:
    """Strides, dilations, padding, and the number of places on each spatial axis."""
    count = len(size)
    strides = [int(s) for s in n.attr("strides", [1] * count)]
    dilations = [int(d) for d in n.attr("dilations", [1] * count)]
    given = [int(p) for p in n.attr("pads", [0] * (2 * count))]
    pads = list(zip(given[:count], given[count:], strict=True))
    places: list[int] = []
    automatic, ceil = n.attr("auto_pad", "NOTSET"), n.attr("ceil_mode", 0)
    for axis, (k, s, d) in enumerate(zip(size, strides, dilations, strict=True)):
        length, reach = x.shape[2 + axis], (k - 1) * d + 1
        if automatic in ("SAME_UPPER", "SAME_LOWER"):
            places.append(-(-length // s))
            total = max((places[-1] - 1) * s + reach - length, 0)
            half = total // 2
            pads[axis] = (half, total - half) if automatic == "SAME_UPPER" else (total - half, half)
            continue
        if automatic == "VALID":
            pads[axis] = 0, 0
        low, high = pads[axis]
        room = length + low + high - reach
        found = (-(-room // s) if ceil else room // s) + 1
        if ceil and (found - 1) * s >= length + low:  # the last window begins in the padding
            found -= 1
        if found < 1:
            raise n.refuse(f"a window of {list(size)} doesn't fit {x.shape}")
        places.append(found)
    return strides, dilations, pads, places


def _biased(y: Any, b: Any) -> Any:
    return y if b is None else y + ops.reshape(b, (-1, *(1,) * (len(y.shape) - 2)))


@reads("Conv")
def conv(n: Call, x: Any, w: Any, b: Any = None) -> Any:
    """A convolution."""
    strides, dilations, pads, _ = _geometry(n, x, w.shape[2:])
    y = Convolution(x, w, stride=tuple(strides), padding=tuple(pads), dilation=tuple(dilations),
                    groups=int(n.attr("group", 1)))  # fmt: skip
    return _biased(y, b)


@reads("ConvTranspose")
def conv_transpose(n: Call, x: Any, w: Any, b: Any = None) -> Any:
    """The adjoint of a convolution."""
    count, size = len(w.shape) - 2, w.shape[2:]
    strides = [int(s) for s in n.attr("strides", [1] * count)]
    dilations = [int(d) for d in n.attr("dilations", [1] * count)]
    extra = [int(e) for e in n.attr("output_padding", [0] * count)]
    given = [int(p) for p in n.attr("pads", [0] * (2 * count))]
    wanted, automatic = n.attr("output_shape"), n.attr("auto_pad", "NOTSET")
    space: list[int] = []
    pads: Pads = []
    for axis in range(count):
        reach = (size[axis] - 1) * dilations[axis] + 1
        full = strides[axis] * (x.shape[2 + axis] - 1) + extra[axis] + reach
        low, high = given[axis], given[count + axis]
        if wanted is not None or automatic.startswith("SAME"):
            target = (int(wanted[-count:][axis]) if wanted is not None
                      else x.shape[2 + axis] * strides[axis])  # fmt: skip
            total = full - target
            half = total // 2
            low, high = (half, total - half) if automatic == "SAME_UPPER" else (total - half, half)
        pads.append((low, high))
        space.append(full - low - high)
    cut = [(max(-low, 0), max(-high, 0)) for low, high in pads]
    inner = tuple(size - sum(one) for size, one in zip(space, cut, strict=True))
    y = ConvolutionInput(x, w, space=inner, stride=tuple(strides),
                         padding=tuple((max(a, 0), max(b, 0)) for a, b in pads),
                         dilation=tuple(dilations), groups=int(n.attr("group", 1)))  # fmt: skip
    if any(map(any, cut)):
        y = ops.pad(y, ((0, 0), (0, 0), *cut))
    return _biased(y, b)


def _windows(x: Any, size: Any, strides: Any, dilations: Any, pads: Pads, places: Any, fill: Any):
    """The windows of x, with their elements on one last axis: (n, c, *places, taps)."""
    count = len(size)
    sides: Pads = []
    for axis in range(count):
        reach = (places[axis] - 1) * strides[axis] + (size[axis] - 1) * dilations[axis] + 1
        low, _ = pads[axis]
        sides.append((low, max(reach - low - x.shape[2 + axis], 0)))
    if any(map(any, sides)):
        x = ops.pad(x, ((0, 0), (0, 0), *sides), constant_values=fill)
    for axis in range(count):
        at = 2 + 2 * axis
        taken = np.arange(places[axis])[:, None] * strides[axis]
        x = ops.take(x, taken + np.arange(size[axis]) * dilations[axis], axis=at)
    order = (0, 1, *range(2, 2 + 2 * count, 2), *range(3, 3 + 2 * count, 2))
    return ops.reshape(ops.permute_dims(x, order), (*x.shape[:2], *places, math.prod(size)))


@reads("MaxPool")
def max_pool(n: Call, x: Any) -> Any:
    """The largest element of each window, and its place."""
    size = [int(k) for k in n.attr("kernel_shape")]
    strides, dilations, pads, places = _geometry(n, x, size)
    plain = set(dilations) == {1} and not n.attr("ceil_mode", 0) and is_floating(x.dtype)
    if plain and len(n.outputs) == 1:
        return MaxPool(x, size=tuple(size), stride=tuple(strides), padding=tuple(pads))
    low = -math.inf if is_floating(x.dtype) else int(np.iinfo(x.dtype).min)
    taps = _windows(x, size, strides, dilations, pads, places, low)
    y = ops.max(taps, axis=-1)
    if len(n.outputs) == 1:
        return y
    space = x.shape[2:]
    if n.attr("storage_order", 0):
        numbers = np.arange(math.prod(space)).reshape(space[::-1]).T
    else:
        numbers = np.arange(math.prod(space)).reshape(space)
    whole = np.arange(math.prod(x.shape[:2])).reshape(*x.shape[:2], *(1,) * len(space))
    numbers = numbers + whole * math.prod(space)
    index = _windows(numbers, size, strides, dilations, pads, places, -1)
    first = ops.argmax(taps, axis=-1, keepdims=True)
    return y, ops.squeeze(ops.take_along_axis(index, first, axis=-1), axis=-1)


@reads("AveragePool")
def average_pool(n: Call, x: Any) -> Any:
    """The mean of each window, without the padding unless count_include_pad."""
    size = [int(k) for k in n.attr("kernel_shape")]
    strides, dilations, pads, places = _geometry(n, x, size)
    total = ops.sum(_windows(x, size, strides, dilations, pads, places, 0), axis=-1)
    ones = np.ones((1, 1, *x.shape[2:]))
    if n.attr("count_include_pad", 0):
        ones = np.pad(ones, ((0, 0), (0, 0), *pads), constant_values=1.0)
        pads = [(0, 0)] * len(size)
    counts = ops.sum(_windows(ones, size, strides, dilations, pads, places, 0), axis=-1)
    return total / in_dtype(counts, x)


@reads("LpPool")
def lp_pool(n: Call, x: Any) -> Any:
    """The p-norm of each window."""
    size = [int(k) for k in n.attr("kernel_shape")]
    strides, dilations, pads, places = _geometry(n, x, size)
    p = float(n.attr("p", 2))
    taps = _windows(ops.abs(x), size, strides, dilations, pads, places, 0)
    return ops.pow(ops.sum(ops.pow(taps, p), axis=-1), 1 / p)


@reads("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pool(n: Call, x: Any) -> Any:
    """One number for each channel."""
    axes = tuple(range(2, len(x.shape)))
    if n.op == "GlobalAveragePool":
        return ops.mean(x, axis=axes, keepdims=True)
    if n.op == "GlobalMaxPool":
        return ops.max(x, axis=axes, keepdims=True)
    p = float(n.attr("p", 2))
    return ops.pow(ops.sum(ops.pow(ops.abs(x), p), axis=axes, keepdims=True), 1 / p)


@reads("Col2Im")
def col2im(n: Call, x: Any, image: Any, block: Any) -> Any:
    """Columns of windows added up to images: the adjoint of a convolution with unit kernels."""
    space, size = n.ints(image, "the image's shape"), n.ints(block, "the block's shape")
    count, taps = len(size), math.prod(size)
    strides = tuple(int(s) for s in n.attr("strides", [1] * count))
    dilations = tuple(int(d) for d in n.attr("dilations", [1] * count))
    given = [int(p) for p in n.attr("pads", [0] * (2 * count))]
    pads = tuple(zip(given[:count], given[count:], strict=True))
    places = [
        (length + sum(pad) - (k - 1) * d - 1) // s + 1
        for length, pad, k, d, s in zip(space, pads, size, dilations, strides, strict=True)
    ]
    channels = x.shape[1] // taps
    g = ops.reshape(x, (x.shape[0] * channels, taps, *places))
    w = np.eye(taps).reshape(taps, 1, *size).astype(x.dtype)
    y = ConvolutionInput(g, w, space=tuple(space), stride=strides, padding=pads,
                         dilation=dilations, groups=1)  # fmt: skip
    return ops.reshape(y, (x.shape[0], channels, *space))


@reads("MaxUnpool")
def max_unpool(n: Call, x: Any, indices: Any, shape: Any = None) -> Any:
    """Zeros with the elements of x at the places that max pooling found."""
    size = [int(k) for k in n.attr("kernel_shape")]
    count = len(size)
    strides = [int(s) for s in n.attr("strides", [1] * count)]
    given = [int(p) for p in n.attr("pads", [0] * (2 * count))]
    plain = [(x.shape[2 + a] - 1) * strides[a] - given[a] - given[count + a] + size[a]
             for a in range(count)]  # fmt: skip
    whole = n.ints(shape, "the shape") if shape is not None else [*x.shape[:2], *plain]
    places = n.known(indices, "the places")
    if shape is not None:  # the places count in the smaller array
        inner = np.unravel_index(places, (*x.shape[:2], *plain))
        places = np.ravel_multi_index(inner, tuple(whole))
    zeros = ops.zeros((math.prod(whole),), dtype=x.dtype)
    flat = ops.at(zeros)[places.reshape(-1)].set(ops.reshape(x, (-1,)))
    return ops.reshape(flat, tuple(whole))
